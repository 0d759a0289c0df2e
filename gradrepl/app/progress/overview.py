"""The command `progress`: how far a learner is in each lesson, and where that moves to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from gradrepl.app.errors import UsageError
from gradrepl.app.lessons import title
from gradrepl.app.progress import exchange, schedule, standing
from gradrepl.app.progress.memory import aside_said, reason
from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Speech, Translate
from gradrepl.lesson.model import Lesson
from gradrepl.store import Event, Store, StoreError
from gradrepl.view.safe import as_json, one_line

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Line:
    """One lesson; steps: None where its file isn't at hand. due: questions that are to be asked again now.

    last: the day of the last event, such as 2026-01-31; empty where there is none.
    """

    lesson: str
    title: str
    done: int
    steps: int | None
    missed: int
    hints: int
    due: int
    last: str


def lines(lessons: Sequence[Lesson], events: Iterable[Event], now: datetime, speech: Speech) -> list[Line]:
    """A line for each lesson of the course, and for others that were begun; events: in the order of time."""
    by_lesson: dict[str, list[Event]] = {}
    for event in events:
        by_lesson.setdefault(event.lesson, []).append(event)
    known = [_line(lesson, by_lesson.pop(lesson.id, []), now, speech) for lesson in lessons]
    return known + [_stranger(id, found) for id, found in by_lesson.items()]


def _line(lesson: Lesson, events: list[Event], now: datetime, speech: Speech) -> Line:
    return Line(
        lesson.id,
        title(lesson, speech),
        len(standing.done_steps(lesson, events)),
        len(lesson.steps),
        list(standing.marks(lesson, events).values()).count("missed"),
        _hints(events),
        len(schedule.due(lesson, events, now)),
        _last(events),
    )


def _stranger(id: str, events: list[Event]) -> Line:
    done = {event.step for event in events if event.kind == "done"}
    return Line(id, id, len(done), None, 0, _hints(events), 0, _last(events))


def _hints(events: list[Event]) -> int:
    return sum(event.kind == "hinted" for event in events)


def _last(events: list[Event]) -> str:
    return events[-1].time.astimezone().date().isoformat() if events else ""


def show(found: Sequence[Line], screen: Screen, _: Translate) -> None:
    """A row for each lesson, and what to do next."""
    headings = [_("lesson"), _("steps done"), _("guessed wrong"), _("hints"), _("to review"), _("last")]
    screen.listing(headings, [_cells(line) for line in found])
    due = sum(line.due for line in found)
    if due:
        screen.sentence(_("To review now: {count}. `gradrepl review` asks them.").format(count=due))


def _cells(line: Line) -> list[str]:
    done = f"{line.done}/{'?' if line.steps is None else line.steps}"
    return [line.title, done, *(str(n or "") for n in (line.missed, line.hints, line.due)), line.last]


def to_json(found: Sequence[Line]) -> str:
    """The lines as one JSON text."""
    return as_json([asdict(line) for line in found])


def events(store: Store, _: Translate) -> list[Event]:
    """All events. Raises UsageError where they can't be read."""
    return _worked(store.events, store, _)


def export(path: str, store: Store, _: Translate) -> None:
    """Write all events to a file, or to standard output for "-". Raises UsageError."""
    found = events(store, _)
    if path == "-":
        sys.stdout.write(exchange.written(found))
        return
    try:
        exchange.save(Path(path), found)
    except OSError as error:
        text = _("{path} can't be written: {reason}")
        raise UsageError(text.format(path=one_line(path), reason=error.strerror)) from error
    _say(_("Saved in {path}: {count} events.").format(path=path, count=len(found)))


def take_in(path: str, store: Store, _: Translate) -> None:
    """Add the events of a file; those that are there already are not doubled. Raises UsageError."""
    found = exchange.load(Path(path), _)
    new = _worked(lambda: store.append(found), store, _)
    _say(_("Taken in: {new} of {count} events; the others were there already.").format(new=new, count=len(found)))


def forget(lesson: str, store: Store, _: Translate) -> None:
    """Delete what is known of a lesson. Raises UsageError where that is nothing."""
    count = _worked(lambda: store.forget(lesson), store, _)
    if not count:
        raise UsageError(_("Nothing is remembered of {lesson}.").format(lesson=one_line(lesson)))
    _say(_("Forgotten: {lesson} ({count} events).").format(lesson=lesson, count=count))


def _worked(work: Callable[[], Result], store: Store, _: Translate) -> Result:
    """Do it; a file that had to be set aside is said, one that can't be used is a UsageError."""
    before = len(store.asides)
    try:
        result = work()
    except StoreError as error:
        text = _("{path}: your progress can't be read or saved ({reason}).")
        raise UsageError(text.format(path=one_line(str(store.path)), reason=reason(error, _))) from error
    for aside in store.asides[before:]:
        sys.stderr.write(one_line(aside_said(aside, store.path, _)) + "\n")
    return result


def _say(text: str) -> None:
    sys.stdout.write(one_line(text) + "\n")
