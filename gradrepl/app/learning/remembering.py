"""What a lesson wants remembered, and a memory that forgets it when the lesson is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gradrepl.lesson.model import Lesson, Option, Step
from gradrepl.lesson.player import Verdict


class Remembering(Protocol):
    """Where a learner's doings are kept; no method raises."""

    def resume(self, lesson: Lesson) -> int:
        """The index of the first step that isn't done, len(lesson.steps) if all are."""

    def marks(self, lesson: Lesson) -> Mapping[str, str]:
        """For each step that was touched: "done", "skipped", "shown", "missed" or "changed"."""

    def done(self, lesson: Lesson, step: Step, how: str) -> None:
        """A step is behind the learner; how: "done", "skipped" or "shown" (its solution was)."""

    def predicted(self, lesson: Lesson, step: Step, verdicts: Sequence[Verdict]) -> None:
        """A prediction was made."""

    def chose(self, lesson: Lesson, step: Step, option: Option, right: bool) -> None:
        """An option was taken."""

    def attempted(self, lesson: Lesson, step: Step, passed: bool, misconception: str | None) -> None:
        """An exercise was tried."""

    def hinted(self, lesson: Lesson, step: Step, number: int) -> None:
        """A hint was shown; number: from 1."""

    def forget(self, lesson: Lesson) -> None:
        """Nothing is known of a lesson from now on."""

    def complaint(self) -> str | None:
        """What went wrong since the last time, for the learner."""


class Forgetful:
    """Remembers the marks of one run, in no file."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    def resume(self, lesson: Lesson) -> int:
        return 0

    def marks(self, lesson: Lesson) -> Mapping[str, str]:
        return self._marks

    def done(self, lesson: Lesson, step: Step, how: str) -> None:
        if how != "done" or self._marks.get(step.id) != "missed":
            self._marks[step.id] = how

    def predicted(self, lesson: Lesson, step: Step, verdicts: Sequence[Verdict]) -> None:
        if not all(verdict.right for verdict in verdicts):
            self._marks[step.id] = "missed"

    def chose(self, lesson: Lesson, step: Step, option: Option, right: bool) -> None:
        if not right:
            self._marks[step.id] = "missed"

    def attempted(self, lesson: Lesson, step: Step, passed: bool, misconception: str | None) -> None:
        """Nothing: an attempt leaves no mark."""

    def hinted(self, lesson: Lesson, step: Step, number: int) -> None:
        """Nothing: a hint leaves no mark."""

    def forget(self, lesson: Lesson) -> None:
        self._marks.clear()

    def complaint(self) -> str | None:
        return None
