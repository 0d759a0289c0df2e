"""What is wrong with a lesson, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend in a lesson file; line from 1, step is its id, both None where there is none."""

    path: Path
    line: int | None
    step: str | None
    message: str

    def __str__(self) -> str:
        place = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return ": ".join(part for part in (place, self.step, self.message) if part)


class LessonError(Exception):
    """A file can't be read as a lesson; `problems` has all that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(slots=True)
class Report:
    """Problems of one file, gathered while it is read; `step` is the one being read."""

    path: Path
    step: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def add(self, line: int | None, message: str) -> None:
        """Note a problem in the step being read."""
        self.problems.append(Problem(self.path, line, self.step, message))

    def stop(self) -> None:
        """Raise LessonError if there is any problem."""
        if self.problems:
            raise LessonError(sorted(self.problems, key=lambda problem: problem.line or 0))
