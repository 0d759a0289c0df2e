"""What a learner does, remembered from run to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from gradrepl.app.progress import standing
from gradrepl.i18n import Translate, mark
from gradrepl.lesson.model import Lesson, Option, Step
from gradrepl.lesson.player import Verdict
from gradrepl.store import Aside, Event, Fault, Store, StoreError, default_path

REASONS: dict[Fault, str] = {
    "full": mark("the disk is full"),
    "failing": mark("the disk is full or damaged"),
    "unwritable": mark("no permission, or the disk can only be read"),
    "busy": mark("another program keeps it busy"),
    "other": "{reason}",
}
ASIDE: dict[str, str] = {
    "damaged": mark("{path} is damaged. It is kept as {aside}; {count} entries could be read and were taken over."),
    "lost": mark("{path} is damaged and can't be read. It is kept as {aside}; your progress begins anew."),
    "newer": mark("{path} comes from a newer gradrepl. It is kept as {aside}; your progress begins anew."),
}


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Memory:
    """One learner's events: written at once, and kept in memory as long as the disk doesn't take them.

    No method raises to the learner; what went wrong is said by `complaint`, each thing once.
    """

    def __init__(self, store: Store, _: Translate, clock: Callable[[], datetime] = now) -> None:
        self._store = store
        self._ = _
        self._clock = clock
        self._known: dict[str, Event] = {}
        self._unsaved: list[Event] = []
        self._fault: StoreError | None = None
        self._said: set[Fault] = set()
        self._asides = self._retold = 0

    def resume(self, lesson: Lesson) -> int:
        """The index of the first step that isn't done, len(lesson.steps) if all are.

        A step that was edited since, by the hash of its code, counts as not done.
        """
        return standing.resume(lesson, self.events(lesson.id))

    def marks(self, lesson: Lesson) -> Mapping[str, str]:
        """For each step that was touched: "done", "skipped", "shown", "missed" or "changed"."""
        return standing.marks(lesson, self.events(lesson.id))

    def done(self, lesson: Lesson, step: Step, how: str) -> None:
        """Remember that a step is behind the learner; how: "done", "skipped" or "shown" (its solution was)."""
        self._add(lesson, step, "done", {"how": how})

    def predicted(self, lesson: Lesson, step: Step, verdicts: Sequence[Verdict]) -> None:
        """Remember the answers to a predict step."""
        self._add(lesson, step, "predicted", *map(answer, verdicts))

    def reviewed(self, lesson: Lesson, step: Step, *, right: bool) -> None:
        """Remember how a question went that came back."""
        self._add(lesson, step, "reviewed", {"right": right})

    def chose(self, lesson: Lesson, step: Step, option: Option, right: bool) -> None:
        """Remember the option taken in a choice step."""
        number = step.options.index(option) + 1
        self._add(lesson, step, "chose", {"option": number, "right": right, "misconception": option.misconception})

    def attempted(self, lesson: Lesson, step: Step, passed: bool, misconception: str | None) -> None:
        """Remember an attempt at an exercise."""
        self._add(lesson, step, "attempted", {"passed": passed, "misconception": misconception})

    def hinted(self, lesson: Lesson, step: Step, number: int) -> None:
        """Remember that a hint was shown; number: from 1."""
        self._add(lesson, step, "hinted", {"number": number})

    def forget(self, lesson: Lesson) -> None:
        """Know nothing of a lesson from now on; other lessons stay."""
        self._known = {id: event for id, event in self._known.items() if event.lesson != lesson.id}
        self._unsaved = [event for event in self._unsaved if event.lesson != lesson.id]
        try:
            self._store.forget(lesson.id)
        except StoreError as error:
            self._fault = error

    def events(self, lesson: str | None = None) -> list[Event]:
        """The events of a lesson, or all, in the order of time: those of the file and those not saved yet."""
        try:
            self._known |= {event.id: event for event in self._store.events(lesson)}
        except StoreError as error:
            self._fault = error
        chosen = (event for event in self._known.values() if lesson in (None, event.lesson))
        return sorted(chosen, key=lambda event: event.time)

    def complaint(self) -> str | None:
        """What went wrong since the last time, for the learner; None when there is nothing new."""
        asides = self._store.asides[self._asides :]
        self._asides += len(asides)
        told = [aside_said(aside, self._store.path, self._) for aside in asides]
        if self._fault is not None and self._fault.fault not in self._said:
            self._said.add(self._fault.fault)
            text = self._("{path}: progress can't be saved ({reason}). The lesson goes on; it is kept until you leave.")
            told.append(text.format(path=self._store.path, reason=reason(self._fault, self._)))
        return "\n".join(told) or None

    def _add(self, lesson: Lesson, step: Step, kind: str, *data: Mapping[str, Any]) -> None:
        code, time = standing.code_hash(step), self._clock()
        events = [Event(uuid4().hex, time, lesson.id, step.id, code, kind, item) for item in data]
        self._known |= {event.id: event for event in events}
        self._unsaved += events
        self._save()

    def _save(self) -> None:
        """Write what isn't written yet; if that fails, the next event tries again.

        If the file was set aside, all that is known goes into the new one.
        """
        try:
            self._store.append(self._unsaved)
            if self._retold < len(self._store.asides):
                self._store.append(self._known.values())
        except StoreError as error:
            self._fault = error
            return
        self._unsaved, self._fault = [], None
        self._retold = len(self._store.asides)


def answer(verdict: Verdict) -> Mapping[str, Any]:
    """A verdict as an event keeps it."""
    misconception = verdict.feedback.misconception if verdict.feedback else None
    return {
        "cell": verdict.cell,
        "answer": verdict.answer,
        "truth": verdict.truth,
        "right": verdict.right,
        "misconception": misconception,
    }


def reason(error: StoreError, translate: Translate) -> str:
    """Why the file can't be read or written, in a few words."""
    return translate(REASONS[error.fault]).format(reason=error)


def aside_said(aside: Aside, path: Path, translate: Translate) -> str:
    """What to say of a file that was set aside; path: where it was."""
    flaw = "lost" if aside.flaw == "damaged" and not aside.rescued else aside.flaw
    return translate(ASIDE[flaw]).format(path=path, aside=aside.path.name, count=aside.rescued)


def open_memory(_: Translate) -> Memory:
    """The memory in the user's data folder."""
    return Memory(Store(default_path()), _)
