"""What is wrong with a lesson, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONGEST = 300


def english(msgid: str) -> str:
    """Return the message itself."""
    return msgid


@dataclass(frozen=True, slots=True)
class Message:
    """What to say, in English, with fields to fill in after it was translated; a field may be a message itself."""

    msgid: str
    fields: Mapping[str, object] = field(default_factory=dict, hash=False)

    def said(self, translate: Callable[[str], str]) -> str:
        """Return the message in the language of `translate`; one that quotes a very long line is cut."""
        values = {k: v.said(translate) if isinstance(v, Message) else v for k, v in self.fields.items()}
        text = translate(self.msgid).format(**values)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."

    def __str__(self) -> str:
        return self.said(english)


def mark(msgid: str, **fields: object) -> Message:
    """Return a message; the name tells where the texts to translate are."""
    return Message(msgid, fields)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that differs from what a lesson must be; line counts from 1."""

    path: Path
    line: int
    step: str | None
    message: Message

    def said(self, translate: Callable[[str], str]) -> str:
        """Return one line: file, line, step, message, in the language of `translate`."""
        place = f"{self.path}:{self.line}: "
        text = self.message.said(translate)
        return f"{place}{self.step}: {text}" if self.step else f"{place}{text}"

    def __str__(self) -> str:
        return self.said(english)


class LessonErrors(Exception):  # noqa: N818 - it holds several
    """A file that is no lesson; `problems` says why, in the order of its lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class Report:
    """Gathers the problems of one file while it is read, so that all of them are told at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def add(self, line: int, message: Message, step: str | None = None) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.path, line, step or None, message))

    def stop_if_any(self) -> None:
        """Raise LessonErrors if anything was wrong so far."""
        if self.problems:
            raise LessonErrors(sorted(self.problems, key=lambda problem: problem.line))
