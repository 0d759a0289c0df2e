"""Every shipped lesson, damaged in one way after another: the check tells each damage, with its line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from gradrepl.app import engines
from gradrepl.lesson import lock, player, shelf
from gradrepl.lesson.check import check
from gradrepl.lesson.load import LessonErrors, load
from gradrepl.lesson.model import EXERCISES, Example, Lesson, Step
from gradrepl.lesson.player import Place
from gradrepl.lesson.problem import Problem

ENGINE = engines.load("builtin")
FEWEST = 10


class Mutant(NamedTuple):
    """A damaged text, the line (from 1) at which that must be told, and a word of what is told."""

    lines: list[str]
    line: int
    word: str


def replaced(lines: list[str], line: int, new: str, count: int = 1) -> list[str]:
    """The lines with `count` of them, from `line` (from 1) on, replaced by other text."""
    return [*lines[: line - 1], *new.split("\n"), *lines[line - 1 + count :]]


def first(lines: list[str], pattern: str, start: int = 1) -> int | None:
    """The number of the first line, from `start` on, that a pattern matches from its beginning."""
    return next((n for n, line in enumerate(lines[start - 1 :], start) if re.match(pattern, line)), None)


def span(examples: tuple[Example, ...]) -> tuple[int, int]:
    """Where examples begin and how many lines they take, outputs among them."""
    last = examples[-1]
    end = last.line + last.source.count("\n") + last.want.count("\n")
    return examples[0].line, end - examples[0].line


def exercises(lesson: Lesson) -> Iterator[Step]:
    return (step for step in lesson.steps if step.kind in EXERCISES)


def wrong_output(lesson: Lesson, lines: list[str]) -> Mutant | None:
    for step in lesson.steps:
        for example in step.examples:
            if example.want and "..." not in example.want and "Traceback" not in example.want:
                at = example.line + example.source.count("\n")
                return Mutant(replaced(lines, at, lines[at - 1] + "9"), example.line, "expected")
    return None


def missing_language(lesson: Lesson, lines: list[str]) -> Mutant | None:
    at = first(lines, r"- en: ")
    above = at and max(n for n in range(1, at) if lines[n - 1].startswith("<!--"))
    return above and at and Mutant(replaced(lines, at, "- enn: x"), above, "- en:")


def solution_fails(lesson: Lesson, lines: list[str]) -> Mutant | None:
    for step in exercises(lesson):
        line, count = span(step.solution)
        damaged = replaced(lines, line, "\n".join([">>> pass"] * count), count)
        return Mutant(damaged, next(iter(failing(lesson, step))), "solution does not pass")
    return None


def failing(lesson: Lesson, step: Step) -> list[int]:
    """The lines of a step's check that don't hold when nothing was typed."""
    place = Place(lesson)
    while place.step is not step:
        place = player.forward(place)
    with player.session_at(place, ENGINE) as session:
        player.run(step.examples, session)
        return [example.line for example, _, differs in player.checked(step, session) if differs]


def wrong_attempt_passes(lesson: Lesson, lines: list[str]) -> Mutant | None:
    for step in exercises(lesson):
        for wrong in step.wrong:
            start, count = span(step.solution)
            solution = "\n".join(lines[start - 1 : start - 1 + count])
            return Mutant(replaced(lines, *changed(span(wrong.examples), solution)), wrong.line, "passes the check")
    return None


def changed(place: tuple[int, int], new: str) -> tuple[int, str, int]:
    return place[0], new, place[1]


def feedback_to_the_truth(lesson: Lesson, lines: list[str]) -> Mutant | None:
    with player.begin(lesson, ENGINE) as session:
        for step in lesson.steps:
            player.run(step.examples, session)
            for item in step.feedback:
                truth = dict(zip(step.cells, player.truths(step, session), strict=True))[item.cell]
                return Mutant(replaced(lines, item.line, f"<!--if {item.cell} == {truth}-->"), item.line, "true")
            player.run(step.solution, session)
    return None


def unknown_directive(lesson: Lesson, lines: list[str]) -> Mutant | None:
    at = first(lines, "<!--code-->")
    return at and Mutant(replaced(lines, at, "<!--cdoe-->"), at, "unknown directive")


def unknown_kind(lesson: Lesson, lines: list[str]) -> Mutant | None:
    at = first(lines, r"## .*\{predict")
    return at and Mutant(replaced(lines, at, lines[at - 1].replace("{predict", "{guess")), at, "unknown kind")


def duplicate_id(lesson: Lesson, lines: list[str]) -> Mutant | None:
    one, other = lesson.steps[:2]
    return Mutant(replaced(lines, other.line, f"## {one.id}"), other.line, "already")


def decomposed_text(lesson: Lesson, lines: list[str]) -> Mutant | None:
    at = next(n for n, line in enumerate(lines, 1) if not line.isascii())
    return Mutant(replaced(lines, at, unicodedata.normalize("NFD", lines[at - 1])), at, "NFC")


def unknown_misconception(lesson: Lesson, lines: list[str]) -> Mutant | None:
    at = first(lines, r"<!--(if|wrong|option|distractor) .*#[\w-]+-->")
    return at and Mutant(
        replaced(lines, at, re.sub(r"#[\w-]+-->", "#nobody-thinks-so-->", lines[at - 1])), at, "#nobody"
    )


def other_code_in_one_language(lesson: Lesson, lines: list[str]) -> Mutant | None:
    at = first(lines, r"[^#<\s]", (first(lines, "<!--en-->") or 0) + 1)
    return at and Mutant(replaced(lines, at, "`q9` " + lines[at - 1]), lesson.steps[0].line, "`q9`")


def changed_in_one_language(lesson: Lesson, lines: list[str]) -> Mutant | None:
    at = first(lines, r"[^#<\s]", (first(lines, "<!--en-->") or 0) + 1)
    return at and Mutant(
        replaced(lines, at, "Really: " + lines[at - 1]), lesson.steps[0].line, "the Vietnamese was not"
    )


def english_twice(lesson: Lesson, lines: list[str]) -> Mutant | None:
    at = first(lines, r"- vi: ")
    above = at and max(n for n in range(1, at) if lines[n - 1].startswith("<!--"))
    english = first(lines, r"- en: ", at or 1)
    if not (at and above and english):
        return None
    english_text = lines[english - 1].removeprefix("- en: ")
    return Mutant(replaced(lines, at, f"- vi: {english_text}", english - at), above, "the Vietnamese text")


def unclosed_fence(lesson: Lesson, lines: list[str]) -> Mutant | None:
    start = first(lines, "```pycon")
    end = start and first(lines, "```$", start)
    return start and end and Mutant(replaced(lines, end, ""), start, "no end")


def fence_behind_output(lesson: Lesson, lines: list[str]) -> Mutant | None:
    start = first(lines, "```pycon") or 0
    end = first(lines, "```$", start) or 0
    return Mutant(replaced(lines, end - 1, "```", 2), end - 1, "empty line")


def full_template(lesson: Lesson, lines: list[str]) -> Mutant | None:
    for step in exercises(lesson):
        if step.kind == "fill":
            start, count = span(step.solution)
            solution = "\n".join(lines[start - 1 : start - 1 + count])
            return Mutant(replaced(lines, *changed(span(step.template), solution)), step.template[0].line, "template")
    return None


def two_right_options(lesson: Lesson, lines: list[str]) -> Mutant | None:
    for step in lesson.steps:
        if step.options:
            wrong = next(option.line for option in step.options if not option.right)
            told = sorted(option.line for option in step.options if option.right or option.line == wrong)[1]
            return Mutant(replaced(lines, wrong, "<!--option right-->"), told, "already")
    return None


def option_without_reply(lesson: Lesson, lines: list[str]) -> Mutant | None:
    for step in lesson.steps:
        for option in step.options:
            if not option.right and option.reply:
                return Mutant(replaced(lines, option.reply.line, "<!--hint-->"), option.line, "why is it wrong")
    return None


def fitting_distractor(lesson: Lesson, lines: list[str]) -> Mutant | None:
    for step in exercises(lesson):
        for distractor in step.distractors:
            at = first(lines, ">>> ", distractor.line) or 0
            own = step.solution[0].source.split("\n")[0]
            return Mutant(replaced(lines, at, f">>> {own}"), distractor.line, "line of the solution")
    return None


MUTATORS: tuple[Callable[[Lesson, list[str]], Mutant | None], ...] = (
    wrong_output,
    missing_language,
    solution_fails,
    wrong_attempt_passes,
    feedback_to_the_truth,
    unknown_directive,
    unknown_kind,
    duplicate_id,
    decomposed_text,
    unknown_misconception,
    other_code_in_one_language,
    changed_in_one_language,
    english_twice,
    unclosed_fence,
    fence_behind_output,
    full_template,
    two_right_options,
    option_without_reply,
    fitting_distractor,
)


def told(path: Path) -> list[Problem]:
    """All that is told of a lesson file."""
    try:
        return check(load(path), ENGINE)
    except LessonErrors as error:
        return list(error.problems)


@pytest.mark.parametrize("shipped", shelf.lessons(), ids=lambda path: path.stem)
def test_every_damage_is_told_at_its_line(shipped: Path, tmp_path: Path) -> None:
    path, text = tmp_path / shipped.name, shipped.read_text("utf-8")
    path.write_text(text, "utf-8")
    lesson = load(path)
    lock.accept(tmp_path, [lesson], lock.ALL)
    assert told(path) == []
    missed, caught = [], 0
    for mutate in MUTATORS:
        mutant = mutate(lesson, text.split("\n"))
        if mutant is None:
            continue
        path.write_text("\n".join(mutant.lines), "utf-8")
        found = told(path)
        if any(problem.line == mutant.line and mutant.word in str(problem.message) for problem in found):
            caught += 1
        else:
            missed.append((mutate.__name__, mutant.line, mutant.word, [str(problem) for problem in found]))
    assert missed == []
    assert caught >= FEWEST
