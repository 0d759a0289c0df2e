"""A lesson file as frozen values: what its Markdown means, or all that is wrong with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, get_args

from gradrepl.lesson import front, markup
from gradrepl.lesson.examples import parse_examples
from gradrepl.lesson.markup import Part, Section
from gradrepl.lesson.model import LANGUAGES, Example, Feedback, Kind, Lesson, Step, Text, WarningPromise, WrongAttempt
from gradrepl.lesson.problem import LessonErrors, Report
from gradrepl.lesson.source import read_source

__all__ = ["LessonErrors", "load"]

HEADING = re.compile(r"(?P<id>\S+)(?:\s+\{(?P<kind>\w+)(?::\s*(?P<cells>.*))?\})?")
CONDITION = re.compile(r"(?P<cell>.+) == (?P<value>.+?)(?:\s+#(?P<misconception>[\w-]+))?")
MISCONCEPTION = re.compile(r"#([\w-]+)")
WARNING = re.compile(r"(?P<category>\w+): (?P<message>.+)")
PROMPTED = "pycon"


class KindSpec(NamedTuple):
    """Which directives a kind of step must have and may have."""

    needs: tuple[str, ...]
    may: tuple[str, ...]


KINDS: dict[Kind, KindSpec] = {
    "run": KindSpec(("vi", "en"), ("code", "warns")),
    "predict": KindSpec(("vi", "en", "code"), ("warns", "if", "hint")),
    "try": KindSpec(("vi", "en", "solution", "check"), ("code", "warns", "hint", "wrong")),
}
assert set(KINDS) == set(get_args(Kind))


class Reading:
    """One step while its parts are read."""

    def __init__(self, section: Section, report: Report) -> None:
        self.section = section
        self.report = report
        self.step_id = ""

    def add(self, line: int, message: str) -> None:
        self.report.add(line, message, self.step_id)

    def texts(self, part: Part) -> Text:
        """Return the text of the list items `- vi: ...` and `- en: ...`."""
        for language in LANGUAGES:
            count = sum(1 for name, text in part.items if name == language and text)
            if count != 1:
                self.add(part.line, f"expected one line `- {language}: ...` below {shown(part)}, found {count}")
        found = dict(part.items)
        return Text(*(found.get(language, "") for language in LANGUAGES))

    def examples(self, part: Part) -> tuple[Example, ...]:
        """Return the examples of the one fence below a directive."""
        if len(part.fences) != 1 or part.fences[0].info != PROMPTED:
            found = ", ".join(fence.info or "a fence without a name" for fence in part.fences) or "none"
            self.add(part.line, f"expected one ```{PROMPTED} fence below {shown(part)}, found {found}")
            return ()
        fence = part.fences[0]
        if not fence.closed:
            self.add(fence.line - 1, "the fence has no end; put ``` behind it")
            return ()
        examples = parse_examples(fence.content, fence.line, self.report, self.step_id)
        if not examples:
            self.add(fence.line, "the fence has no line that starts with >>>")
        return examples

    def nothing_else(self, part: Part, *, fences: bool = False, items: bool = False) -> None:
        """Report what stands below a directive that has no place there."""
        if not all(fence.closed for fence in part.fences):
            return  # what follows such a fence may belong to anything
        if part.stray is not None:
            self.add(part.stray, f"expected no text here, below {shown(part)}")
        if part.fences and not fences:
            self.add(part.fences[0].line - 1, f"expected no fence here, below {shown(part)}")
        if part.items and not items:
            self.add(part.line, f"expected no list below {shown(part)}")


def shown(part: Part) -> str:
    return f"<!--{part.name}-->"


def prose(reading: Reading, part: Part) -> str:
    if not part.text:
        reading.add(part.line, f"expected text below {shown(part)}")
    return part.text


def code(reading: Reading, part: Part) -> tuple[Example, ...]:
    reading.nothing_else(part, fences=True)
    return reading.examples(part)


def hint(reading: Reading, part: Part) -> Text:
    reading.nothing_else(part, items=True)
    return reading.texts(part)


def promise(reading: Reading, part: Part) -> WarningPromise | None:
    reading.nothing_else(part)
    found = WARNING.fullmatch(part.argument)
    if found is None:
        reading.add(part.line, f"expected <!--warns CATEGORY: first words-->, found {part.argument!r}")
        return None
    return WarningPromise(found["category"], found["message"], part.line)


def feedback(reading: Reading, part: Part) -> Feedback | None:
    reading.nothing_else(part, items=True)
    found = CONDITION.fullmatch(part.argument)
    if found is None:
        reading.add(part.line, f"expected <!--if CELL == VALUE #misconception-->, found {part.argument!r}")
        return None
    return Feedback(found["cell"], found["value"], found["misconception"], reading.texts(part), part.line)


def wrong(reading: Reading, part: Part) -> WrongAttempt | None:
    reading.nothing_else(part, fences=True, items=True)
    found = MISCONCEPTION.fullmatch(part.argument)
    if part.argument and found is None:
        reading.add(part.line, f"expected <!--wrong #misconception-->, found {part.argument!r}")
    return WrongAttempt(found[1] if found else None, reading.examples(part), reading.texts(part), part.line)


PARTS: dict[str, Callable[[Reading, Part], Any]] = {
    "vi": prose,
    "en": prose,
    "code": code,
    "warns": promise,
    "if": feedback,
    "hint": hint,
    "solution": code,
    "check": code,
    "wrong": wrong,
}
ONCE = ("vi", "en", "code", "solution", "check")


def load(path: Path) -> Lesson:
    """Return the lesson in a file. Raises LessonErrors, with every problem of the file."""
    report = Report(path)
    head = front.read_front(read_source(path, report), report)
    sections = markup.sections(head.body)
    if not any(section.heading for section in sections):
        report.add(1, "the lesson has no step; a step begins with a line such as ## first-step")
        report.stop_if_any()
    steps = tuple(read_step(section, report) for section in sections)
    for step, earlier in duplicates(steps):
        report.add(step.line, f"there is a step of this name already, in line {earlier}", step.id)
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
            reading.add(section.line, f"expected <!--{name}--> in this step, found none")
    step = build(reading, kind, cells, found)
    for item in step.feedback:
        if cells and item.cell not in cells:
            reading.add(item.line, f"the step doesn't ask for {item.cell!r}; it asks for {', '.join(cells)}")
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
    )


def known_parts(reading: Reading, kind: Kind) -> Iterable[Part]:
    """Yield the parts that a step of this kind may have, each of ONCE once; report the others."""
    section, spec = reading.section, KINDS[kind]
    if section.stray is not None:
        reading.add(section.stray, "expected a directive such as <!--vi--> before this text")
    seen: set[str] = set()
    for part in section.parts:
        if part.name not in PARTS:
            reading.add(part.line, f"unknown directive {part.name!r}; {meant(part.name)}")
        elif part.name not in spec.needs + spec.may:
            reading.add(part.line, f"{shown(part)} has no place in a step of kind {kind}")
        elif part.name in ONCE and part.name in seen:
            reading.add(part.line, f"{shown(part)} stands in this step already")
        else:
            seen.add(part.name)
            yield part


def meant(name: str) -> str:
    """Return what an unknown directive was perhaps meant to be."""
    from difflib import get_close_matches  # slow to import, and a lesson rarely needs it

    close = get_close_matches(name, PARTS, 1)
    return f"did you mean <!--{close[0]}-->?" if close else f"known are {', '.join(PARTS)}"


def read_heading(reading: Reading) -> tuple[Kind, tuple[str, ...]] | None:
    """Set the step's id; return its kind and the cells that it asks for, or None where it can't be told."""
    section = reading.section
    if not section.heading:
        reading.add(section.line, "expected a heading such as ## first-step before any other text")
        return None
    found = HEADING.fullmatch(section.heading)
    if found is None or not front.ID.fullmatch(found["id"]):
        wanted = "a heading such as ## first-step or ## first-step {predict: y.grad_fn}"
        reading.add(section.line, f"expected {wanted}, found {section.heading!r}")
        return None
    reading.step_id = found["id"]
    kind = next((kind for kind in KINDS if kind == (found["kind"] or "run")), None)
    if kind is None:
        reading.add(section.line, f"unknown kind of step {found['kind']!r}; known are {', '.join(KINDS)}")
        return None
    cells = split_cells(found["cells"] or "")
    if (kind == "predict") != bool(cells):
        reading.add(section.line, "expected {predict: EXPRESSION, ...}, or no expressions in another kind of step")
    return kind, cells


def split_cells(text: str) -> tuple[str, ...]:
    """Return the expressions of a list; none where it is no list of expressions."""
    try:
        call = ast.parse(f"({text},)", mode="eval").body
    except SyntaxError:
        return ()
    items = call.elts if isinstance(call, ast.Tuple) else []
    return tuple(ast.get_source_segment(f"({text},)", item) or "" for item in items)
