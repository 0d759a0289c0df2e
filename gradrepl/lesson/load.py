"""A lesson file as frozen values: what its Markdown means, or all that is wrong with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

from gradrepl.lesson import front, markup
from gradrepl.lesson.markup import Part, Section
from gradrepl.lesson.model import Kind, Lesson, Option, Step, Text
from gradrepl.lesson.parts import ONCE, PARTS, Reading, shown
from gradrepl.lesson.problem import LessonErrors, Message, Report, mark
from gradrepl.lesson.source import read_source

__all__ = ["LessonErrors", "load"]

HEADING = re.compile(r"(?P<id>\S+)(?:\s+\{(?P<kind>\w+)(?::\s*(?P<cells>.*))?\})?")


class KindSpec(NamedTuple):
    """Which directives a kind of step must have and may have."""

    needs: tuple[str, ...]
    may: tuple[str, ...]


KINDS: dict[Kind, KindSpec] = {
    "run": KindSpec(("vi", "en"), ("code", "warns")),
    "predict": KindSpec(("vi", "en", "code"), ("warns", "if", "hint")),
    "choice": KindSpec(("vi", "en", "option"), ("code", "warns", "reply", "hint")),
    "try": KindSpec(("vi", "en", "solution", "check"), ("code", "warns", "hint", "wrong")),
    "fill": KindSpec(("vi", "en", "template", "solution", "check"), ("code", "warns", "hint", "wrong")),
    "parsons": KindSpec(("vi", "en", "solution", "distractor", "check"), ("code", "warns", "hint")),
    "make": KindSpec(("vi", "en", "solution", "check", "wrong"), ("code", "warns", "hint")),
}
assert set(KINDS) == set(get_args(Kind))


def load(path: Path) -> Lesson:
    """Return the lesson in a file. Raises LessonErrors, with every problem of the file."""
    report = Report(path)
    head = front.read_front(read_source(path, report), report)
    sections = markup.sections(head.body)
    if not any(section.heading for section in sections):
        report.add(1, mark("the lesson has no step; a step begins with a line such as ## first-step"))
        report.stop_if_any()
    steps = tuple(read_step(section, report) for section in sections)
    for step, earlier in duplicates(steps):
        report.add(step.line, mark("there is a step of this name already, in line {line}", line=earlier), step.id)
    report.stop_if_any()
    return Lesson(head.id, number_of(path), path, head.title, head.goal, steps, head.seed)


def number_of(path: Path) -> int | None:
    """Return the number that a file name begins with."""
    found = re.match(r"(\d+)-", path.name)
    return int(found[1]) if found else None


def duplicates(steps: Iterable[Step]) -> Iterable[tuple[Step, int]]:
    """Yield steps whose id an earlier one has, with that one's line."""
    lines: dict[str, int] = {}
    for step in steps:
        if step.id and step.id in lines:
            yield step, lines[step.id]
        lines.setdefault(step.id, step.line)


def read_step(section: Section, report: Report) -> Step:
    """Return a step; what is wrong with it goes to the report."""
    reading = Reading(section, report)
    heading = read_heading(reading)
    if heading is None:
        return Step(reading.step_id, "run", section.line, Text("", ""))
    kind, cells = heading
    found: dict[str, list[Any]] = {name: [] for name in PARTS}
    for part in known_parts(reading, kind):
        found[part.name].append(PARTS[part.name](reading, part))
    for name in KINDS[kind].needs:
        if not found[name]:
            reading.add(section.line, mark("expected <!--{name}--> in this step, found none", name=name))
    step = build(reading, kind, cells, found)
    for item in step.feedback:
        if cells and item.cell not in cells:
            asked = mark(
                "the step doesn't ask for {cell!r}; it asks for {cells}", cell=item.cell, cells=", ".join(cells)
            )
            reading.add(item.line, asked)
    return step


def build(reading: Reading, kind: Kind, cells: tuple[str, ...], found: dict[str, list[Any]]) -> Step:
    """Return the step made of what was read."""

    def one(name: str, default: Any) -> Any:
        return found[name][0] if found[name] else default

    def all_of(name: str) -> tuple[Any, ...]:
        return tuple(item for item in found[name] if item is not None)

    return Step(
        id=reading.step_id,
        kind=kind,
        line=reading.section.line,
        prose=Text(one("vi", ""), one("en", "")),
        cells=cells,
        examples=one("code", ()),
        promises=all_of("warns"),
        feedback=all_of("if"),
        hints=all_of("hint"),
        solution=one("solution", ()),
        check=one("check", ()),
        wrong=all_of("wrong"),
        options=answered(reading, found["option"], found["reply"]),
        template=one("template", ()),
        distractors=all_of("distractor"),
    )


def answered(reading: Reading, options: Sequence[Option], replies: Sequence[Text]) -> tuple[Option, ...]:
    """Return a choice's options, each with the reply below it."""
    given: dict[int, Text] = {}
    for text in replies:
        owner = max((option.line for option in options if option.line < text.line), default=None)
        if owner is None:
            reading.add(text.line, mark("expected <!--option--> above this <!--reply-->"))
        elif owner in given:
            reading.add(text.line, mark("the option in line {line} has a reply already", line=owner))
        else:
            given[owner] = text
    found = tuple(replace(option, reply=given.get(option.line)) for option in options)
    look_at_options(reading, found)
    return found


def look_at_options(reading: Reading, options: Sequence[Option]) -> None:
    """Report what keeps options from being a question: too few, none right, several right, a wrong one unanswered."""
    right = [option for option in options if option.right]
    if len(options) == 1:
        reading.add(options[0].line, mark("expected two options or more, found one"))
    if options and not right:
        reading.add(options[0].line, mark("expected one <!--option right-->, found none"))
    for option in right[1:]:
        message = mark("expected one <!--option right-->; line {line} has one already", line=right[0].line)
        reading.add(option.line, message)
    for option in options:
        if option.reply is None and not option.right:
            reading.add(option.line, mark("expected <!--reply--> below this option: why is it wrong?"))


def known_parts(reading: Reading, kind: Kind) -> Iterable[Part]:
    """Yield the parts that a step of this kind may have, each of ONCE once; report the others."""
    section, spec = reading.section, KINDS[kind]
    if section.stray is not None:
        reading.add(section.stray, mark("expected a directive such as <!--vi--> before this text"))
    seen: set[str] = set()
    for part in section.parts:
        if part.name not in PARTS:
            reading.add(part.line, meant(part.name))
        elif part.name not in spec.needs + spec.may:
            reading.add(part.line, mark("{part} has no place in a step of kind {kind}", part=shown(part), kind=kind))
        elif part.name in ONCE and part.name in seen:
            reading.add(part.line, mark("{part} stands in this step already", part=shown(part)))
        else:
            seen.add(part.name)
            yield part


def meant(name: str) -> Message:
    """Return what to say of an unknown directive: what it was perhaps meant to be."""
    from difflib import get_close_matches  # slow to import, and a lesson rarely needs it

    close = get_close_matches(name, PARTS, 1)
    if close:
        return mark("unknown directive {name!r}; did you mean <!--{close}-->?", name=name, close=close[0])
    return mark("unknown directive {name!r}; known are {known}", name=name, known=", ".join(PARTS))


def read_heading(reading: Reading) -> tuple[Kind, tuple[str, ...]] | None:
    """Set the step's id; return its kind and the cells that it asks for, or None where it can't be told."""
    section = reading.section
    if not section.heading:
        reading.add(section.line, mark("expected a heading such as ## first-step before any other text"))
        return None
    found = HEADING.fullmatch(section.heading)
    if found is None or not front.ID.fullmatch(found["id"]):
        message = mark(
            "expected a heading such as ## first-step or ## first-step {{predict: y.grad_fn}}, found {found!r}",
            found=section.heading,
        )
        reading.add(section.line, message)
        return None
    reading.step_id = found["id"]
    kind = next((kind for kind in KINDS if kind == (found["kind"] or "run")), None)
    if kind is None:
        message = mark("unknown kind of step {kind!r}; known are {known}", kind=found["kind"], known=", ".join(KINDS))
        reading.add(section.line, message)
        return None
    cells = split_cells(found["cells"] or "")
    if (kind == "predict") != bool(cells):
        message = mark("expected {{predict: EXPRESSION, ...}}, or no expressions in another kind of step")
        reading.add(section.line, message)
    return kind, cells


def split_cells(text: str) -> tuple[str, ...]:
    """Return the expressions of a list; none where it is no list of expressions."""
    try:
        call = ast.parse(f"({text},)", mode="eval").body
    except SyntaxError:
        return ()
    items = call.elts if isinstance(call, ast.Tuple) else []
    return tuple(ast.get_source_segment(f"({text},)", item) or "" for item in items)
