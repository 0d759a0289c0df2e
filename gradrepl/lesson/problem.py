"""What is wrong with a lesson, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LONGEST = 300


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that differs from what a lesson must be; line counts from 1."""

    path: Path
    line: int
    step: str | None
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}: "
        return f"{place}{self.step}: {self.message}" if self.step else f"{place}{self.message}"


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

    def add(self, line: int, message: str, step: str | None = None) -> None:
        """Note a problem; of a message that quotes a very long line, only its beginning is kept."""
        text = message if len(message) <= LONGEST else f"{message[:LONGEST]} ..."
        self.problems.append(Problem(self.path, line, step or None, text))

    def stop_if_any(self) -> None:
        """Raise LessonErrors if anything was wrong so far."""
        if self.problems:
            raise LessonErrors(sorted(self.problems, key=lambda problem: problem.line))
