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
from gradrepl.lesson.problem import Report

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

    def misconception(self, part: Part) -> str | None:
        """Return the id that a directive's argument is."""
        found = MISCONCEPTION.fullmatch(part.argument)
        if part.argument and found is None:
            self.add(part.line, f"expected <!--{part.name} #misconception-->, found {part.argument!r}")
        return found[1] if found else None

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
    return WrongAttempt(reading.misconception(part), reading.examples(part), reading.texts(part), part.line)


def option(reading: Reading, part: Part) -> Option:
    """Return an option; its reply, a part of its own, is given to it later."""
    reading.nothing_else(part, items=True)
    found = MISCONCEPTION.fullmatch(part.argument)
    if part.argument not in ("", RIGHT) and found is None:
        reading.add(
            part.line, f"expected <!--option {RIGHT}--> or <!--option #misconception-->, found {part.argument!r}"
        )
    return Option(reading.texts(part), part.argument == RIGHT, found[1] if found else None, None, part.line)


def reply(reading: Reading, part: Part) -> tuple[int, Text]:
    """Return a reply with its line: it belongs to the option above."""
    reading.nothing_else(part, items=True)
    return part.line, reading.texts(part)


def distractor(reading: Reading, part: Part) -> Distractor:
    """Return a line that doesn't belong; its indentation stands behind the prompt's blank."""
    reading.nothing_else(part, fences=True, items=True)
    examples = reading.examples(part)
    if examples and (len(examples) > 1 or examples[0].source.count("\n") > 1 or examples[0].want):
        reading.add(part.line, f"expected one line of code below {shown(part)}")
    source = examples[0].source.rstrip() if examples else ""
    return Distractor(source, reading.misconception(part), reading.texts(part), part.line)


PARTS: dict[str, Callable[[Reading, Part], Any]] = {
    "vi": prose,
    "en": prose,
    "code": code,
    "warns": promise,
    "if": feedback,
    "option": option,
    "reply": reply,
    "template": code,
    "distractor": distractor,
    "hint": hint,
    "solution": code,
    "check": code,
    "wrong": wrong,
}
ONCE = ("vi", "en", "code", "template", "solution", "check")
