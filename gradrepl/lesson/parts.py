"""The parts of a step, each directive with what it reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gradrepl.lesson.examples import parse_examples
from gradrepl.lesson.markup import Part, Section
from gradrepl.lesson.model import (
    LANGUAGES,
    Distractor,
    Example,
    Feedback,
    Option,
    Text,
    WarningPromise,
    WrongAttempt,
)
from gradrepl.lesson.problem import Message, Report, mark

CONDITION = re.compile(r"(?P<cell>.+) == (?P<value>.+?)(?:\s+#(?P<misconception>[\w-]+))?")
MISCONCEPTION = re.compile(r"#([\w-]+)")
WARNING = re.compile(r"(?P<category>\w+): (?P<message>.+)")
PROMPTED, RIGHT = "pycon", "right"


class Reading:
    """One step while its parts are read."""

    def __init__(self, section: Section, report: Report) -> None:
        self.section = section
        self.report = report
        self.step_id = ""

    def add(self, line: int, message: Message) -> None:
        self.report.add(line, message, self.step_id)

    def texts(self, part: Part) -> Text:
        """Return the text of the list items `- vi: ...` and `- en: ...`."""
        for language in LANGUAGES:
            count = sum(1 for name, text in part.items if name == language and text)
            if count != 1:
                found = {"language": language, "part": shown(part), "count": count}
                self.add(part.line, mark("expected one line `- {language}: ...` below {part}, found {count}", **found))
        texts = dict(part.items)
        return Text(texts.get("vi", ""), texts.get("en", ""), part.line)

    def examples(self, part: Part) -> tuple[Example, ...]:
        """Return the examples of the one fence below a directive."""
        if len(part.fences) != 1 or part.fences[0].info != PROMPTED:
            found = ", ".join(f"```{fence.info}" for fence in part.fences) or "-"
            self.add(
                part.line,
                mark("expected one ```pycon fence below {part}, found {found}", part=shown(part), found=found),
            )
            return ()
        fence = part.fences[0]
        if not fence.closed:
            self.add(fence.line - 1, mark("the fence has no end; put ``` behind it"))
            return ()
        examples = parse_examples(fence.content, fence.line, self.report, self.step_id)
        if fence.content.split("\n")[-2:][0].strip():
            # Python's doctest would take the end of the fence for output.
            end = fence.line + fence.content.count("\n")
            self.add(end, mark("expected an empty line before the end of the fence"))
        if not examples:
            self.add(fence.line, mark("the fence has no line that starts with >>>"))
        return examples

    def misconception(self, part: Part) -> str | None:
        """Return the id that a directive's argument is."""
        found = MISCONCEPTION.fullmatch(part.argument)
        if part.argument and found is None:
            message = mark(
                "expected <!--{name} #misconception-->, found {found!r}", name=part.name, found=part.argument
            )
            self.add(part.line, message)
        return found[1] if found else None

    def nothing_else(self, part: Part, *, fences: bool = False, items: bool = False) -> None:
        """Report what stands below a directive that has no place there."""
        if not all(fence.closed for fence in part.fences):
            return  # what follows such a fence may belong to anything
        if part.stray is not None:
            self.add(part.stray, mark("expected no text here, below {part}", part=shown(part)))
        if part.fences and not fences:
            self.add(part.fences[0].line - 1, mark("expected no fence here, below {part}", part=shown(part)))
        if part.items and not items:
            self.add(part.line, mark("expected no list below {part}", part=shown(part)))


def shown(part: Part) -> str:
    return f"<!--{part.name}-->"


def prose(reading: Reading, part: Part) -> str:
    if not part.text:
        reading.add(part.line, mark("expected text below {part}", part=shown(part)))
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
        reading.add(
            part.line, mark("expected <!--warns CATEGORY: first words-->, found {found!r}", found=part.argument)
        )
        return None
    return WarningPromise(found["category"], found["message"], part.line)


def feedback(reading: Reading, part: Part) -> Feedback | None:
    reading.nothing_else(part, items=True)
    found = CONDITION.fullmatch(part.argument)
    if found is None:
        reading.add(
            part.line, mark("expected <!--if CELL == VALUE #misconception-->, found {found!r}", found=part.argument)
        )
        return None
    return Feedback(found["cell"], found["value"], found["misconception"], reading.texts(part), part.line)


def wrong(reading: Reading, part: Part) -> WrongAttempt | None:
    reading.nothing_else(part, fences=True, items=True)
    return WrongAttempt(reading.misconception(part), reading.examples(part), reading.texts(part), part.line)


def option(reading: Reading, part: Part) -> Option:
    """Return an option; its reply, a part of its own, is given to it later."""
    reading.nothing_else(part, items=True)
    found = MISCONCEPTION.fullmatch(part.argument)
    if part.argument not in ("", RIGHT) and found is None:
        message = mark(
            "expected <!--option right--> or <!--option #misconception-->, found {found!r}", found=part.argument
        )
        reading.add(part.line, message)
    return Option(reading.texts(part), part.argument == RIGHT, found[1] if found else None, None, part.line)


def distractor(reading: Reading, part: Part) -> Distractor:
    """Return a line that doesn't belong; its indentation stands behind the prompt's blank."""
    reading.nothing_else(part, fences=True, items=True)
    examples = reading.examples(part)
    if examples and (len(examples) > 1 or examples[0].source.count("\n") > 1 or examples[0].want):
        reading.add(part.line, mark("expected one line of code below {part}", part=shown(part)))
    source = examples[0].source.rstrip() if examples else ""
    return Distractor(source, reading.misconception(part), reading.texts(part), part.line)


PARTS: dict[str, Callable[[Reading, Part], Any]] = {
    "vi": prose,
    "en": prose,
    "code": code,
    "warns": promise,
    "if": feedback,
    "option": option,
    "reply": hint,
    "template": code,
    "distractor": distractor,
    "hint": hint,
    "solution": code,
    "check": code,
    "wrong": wrong,
}
ONCE = ("vi", "en", "code", "template", "solution", "check")
