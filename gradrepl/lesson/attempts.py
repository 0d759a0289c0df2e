"""Whether an exercise tells right from wrong: its solution, its wrong attempts, and nothing typed at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gradrepl.lesson import player
from gradrepl.lesson.matching import difference
from gradrepl.lesson.model import BLANK, Example, Step
from gradrepl.lesson.order import solution_lines
from gradrepl.lesson.player import Place
from gradrepl.lesson.problem import Message, Problem, mark
from gradrepl.session.engine import Engine

Found = tuple[int, Message]
Differs = tuple[Example, Message]


def problems(place: Place, engine: Engine) -> Iterator[Problem]:
    """Yield what is wrong with the exercise at a place; each attempt runs in a session of its own."""
    step = place.step
    found = [*of_solution(place, engine), *of_untouched(place, engine), *of_wrong(place, engine)]
    if step.kind == "fill":
        found += of_template(step)
    if step.kind == "parsons":
        found += of_lines(place, engine)
    for line, message in found:
        yield Problem(place.lesson.path, line, step.id, message)


def of_solution(place: Place, engine: Engine) -> Iterator[Found]:
    within, checked = differences(place, place.step.solution, engine)
    for example, differs in within + checked:
        yield example.line, mark("the solution does not pass the check: {differs}", differs=differs)


def of_untouched(place: Place, engine: Engine) -> Iterator[Found]:
    """Yield where the check says yes to somebody who has done nothing."""
    step = place.step
    if passes(place, [], engine):
        yield step.check[0].line, mark("the check passes before anything is typed")
    if step.template and passes(place, [player.template(step)], engine):
        yield step.template[0].line, mark("the template passes the check as it stands")


def of_wrong(place: Place, engine: Engine) -> Iterator[Found]:
    """Yield wrong attempts that pass, that print something else than they promise, or that came before."""
    lines: dict[str, int] = {}
    for wrong in place.step.wrong:
        within, checked = differences(place, wrong.examples, engine)
        yield from ((example.line, message) for example, message in within)
        if not checked:
            yield wrong.line, mark("this wrong attempt passes the check")
        source = player.meaning(player.source_of(wrong.examples))
        if source in lines:
            yield wrong.line, mark("this wrong attempt is the same as the one in line {line}", line=lines[source])
        lines.setdefault(source, wrong.line)


def of_template(step: Step) -> Iterator[Found]:
    """Yield where a template has nothing to fill in, or can't become the solution."""
    template, line = player.template(step), step.template[0].line
    if BLANK not in template:
        yield line, mark("the template has no blank; write {blank} for what is to be filled in", blank=BLANK)
        return
    pattern = ".+?".join(re.escape(part) for part in template.rstrip().split(BLANK))
    solution = player.source_of(step.solution).rstrip()
    if not re.fullmatch(pattern, solution, re.DOTALL):
        yield step.solution[0].line, mark("the solution is not the template with its blanks filled in")


def of_lines(place: Place, engine: Engine) -> Iterator[Found]:
    """Yield what is wrong with lines to put in order: too few, wrong in their order, distractors that fit in."""
    step = place.step
    lines, line = solution_lines(step), step.solution[0].line
    if len(lines) < 2:
        yield line, mark("expected two lines or more to put in order, found one")
    if not passes(place, [joined(lines)], engine):
        yield line, mark("the lines in their right order do not pass the check")
    for distractor in step.distractors:
        if distractor.source in lines:
            yield distractor.line, mark("this distractor is a line of the solution")
            continue
        places = range(len(lines) + 1)
        if all(passes(place, [joined([*lines[:at], distractor.source, *lines[at:]])], engine) for at in places):
            yield distractor.line, mark("this distractor changes nothing: the check passes with it in any place")


def joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def differences(place: Place, examples: Sequence[Example], engine: Engine) -> tuple[list[Differs], list[Differs]]:
    """Return what differs in the examples of an attempt, and what the check finds after them."""
    with player.session_at(place, engine) as session:
        player.run(place.step.examples, session)
        within = [(example, difference(example, outcomes)) for example, outcomes in player.run(examples, session)]
        checked = [(example, differs) for example, _, differs in player.checked(place.step, session)]
    return some(within), some(checked)


def some(found: Iterable[tuple[Example, Message | None]]) -> list[Differs]:
    return [(example, differs) for example, differs in found if differs]


def passes(place: Place, sources: Sequence[str], engine: Engine) -> bool:
    """Whether the check says yes to what programs left behind."""
    with player.session_at(place, engine) as session:
        player.run(place.step.examples, session)
        for source in sources:
            for _ in session.run(source):
                pass
        return all(differs is None for _, _, differs in player.checked(place.step, session))
