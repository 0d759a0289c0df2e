"""When a question that was answered wrong comes back: after 1, 3 and 7 days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gradrepl.app.progress.standing import code_hash
from gradrepl.lesson.model import Lesson, Step
from gradrepl.store import Event

DAYS = (1, 3, 7)


@dataclass(frozen=True, slots=True)
class Due:
    """A question that comes back; on: the day; times: how often it came back already."""

    lesson: Lesson
    step: Step
    on: date
    times: int


def due(lesson: Lesson, events: Iterable[Event], now: datetime) -> list[Due]:
    """The questions of a lesson that are to be asked now, those that wait longest first.

    events: of the lesson, in the order of time; days are those of the local calendar.
    """
    planned = plan(lesson, events)
    return sorted((item for item in planned if item.on <= now.astimezone().date()), key=lambda item: item.on)


def plan(lesson: Lesson, events: Iterable[Event]) -> list[Due]:
    """All questions of a lesson that come back, now or later, in the order of its steps.

    A question comes back once it was answered wrong in the lesson; a wrong answer in a review is like a new miss,
    and after a right one on each of DAYS it is learned. A step that was edited since doesn't come back.
    """
    steps = {step.id: step for step in lesson.steps}
    codes = {id: code_hash(step) for id, step in steps.items()}
    stages: dict[str, tuple[int, datetime]] = {}
    times: dict[str, int] = dict.fromkeys(steps, 0)
    for event in events:
        if codes.get(event.step) != event.code or event.kind not in ("predicted", "chose", "reviewed"):
            continue
        times[event.step] += event.kind == "reviewed"
        if event.data.get("right") is False:
            stages[event.step] = (0, event.time)
        elif event.kind == "reviewed" and event.step in stages:
            stages[event.step] = (stages[event.step][0] + 1, event.time)
    waiting = {id: (stage, time) for id, (stage, time) in stages.items() if stage < len(DAYS)}
    return [
        Due(lesson, steps[id], time.astimezone().date() + timedelta(DAYS[stage]), times[id])
        for id, (stage, time) in sorted(waiting.items(), key=lambda item: list(steps).index(item[0]))
    ]
