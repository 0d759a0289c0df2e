"""How far a learner is in a lesson, derived from events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256

from gradrepl.lesson.model import Example, Lesson, Step
from gradrepl.store import Event

HOW = ("done", "skipped", "shown")


def code_hash(step: Step) -> str:
    """What tells an edited step from the one that was done: all of its code, none of its prose; 16 hex digits."""
    parts = [
        step.kind,
        list(step.cells),
        *(sources(part) for part in (step.examples, step.template, step.solution, step.check)),
        [item.source for item in step.distractors],
        [option.right for option in step.options],
    ]
    return sha256(json.dumps(parts).encode("utf-8")).hexdigest()[:16]


def sources(examples: Iterable[Example]) -> list[str]:
    """The statements of examples."""
    return [example.source for example in examples]


def marks(lesson: Lesson, events: Iterable[Event]) -> Mapping[str, str]:
    """For each step that was touched: "done", "skipped", "shown", "missed" or "changed".

    missed: the last answers to its questions have a wrong one; changed: only an earlier edition of it was done.
    """
    found: dict[str, str] = {}
    by_step: dict[str, list[Event]] = {}
    for event in events:
        by_step.setdefault(event.step, []).append(event)
    for step in lesson.steps:
        mark = mark_of(code_hash(step), by_step.get(step.id, ()))
        if mark is not None:
            found[step.id] = mark
    return found


def mark_of(code: str, events: Iterable[Event]) -> str | None:
    """The mark of one step from its events in the order of time; code: of its edition now."""
    how: str | None = None
    right: dict[str, bool] = {}
    earlier = False
    for event in events:
        if event.code != code:
            earlier = earlier or event.kind == "done"
        elif event.kind == "done":
            how = str(event.data.get("how"))
        elif event.kind in ("predicted", "chose"):
            right[str(event.data.get("cell"))] = bool(event.data.get("right"))
    if how is None and not right:
        return "changed" if earlier else None
    return "missed" if how in (None, "done") and not all(right.values()) else how


def done_steps(lesson: Lesson, events: Iterable[Event]) -> frozenset[str]:
    """The ids of the steps that were done, skipped or shown in the edition that they have now."""
    codes = {step.id: code_hash(step) for step in lesson.steps}
    return frozenset(event.step for event in events if event.kind == "done" and codes.get(event.step) == event.code)


def resume(lesson: Lesson, events: Iterable[Event]) -> int:
    """The index of the first step that isn't done; len(lesson.steps) if all are."""
    done = done_steps(lesson, events)
    return next((n for n, step in enumerate(lesson.steps) if step.id not in done), len(lesson.steps))
