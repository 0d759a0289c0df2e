"""Questions come back after 1, 3 and 7 days, until they were answered right each time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from gradrepl.app.progress import schedule
from gradrepl.app.progress.standing import code_hash
from gradrepl.lesson.model import Example, Lesson, Step, Text
from gradrepl.store import Event

WORDS = Text("chữ", "words")
ASKED = Step("asked", "predict", 1, WORDS, cells=("y",), examples=(Example("y = 2\n", "", 4),))
OTHER = Step("other", "choice", 5, WORDS)
LESSON = Lesson("small", None, Path("small.md"), WORDS, WORDS, (ASKED, OTHER))
NOON = datetime(2026, 5, 1, 12).astimezone()


def event(days: int, kind: str, right: bool, step: Step = ASKED, code: str = "") -> Event:
    code = code or code_hash(step)
    return Event(f"{days:032}", NOON + timedelta(days), "small", step.id, code, kind, {"right": right})


def days(*events: Event) -> list[tuple[str, int, int]]:
    """Step, days from the beginning, and how often it came back."""
    planned = schedule.plan(LESSON, events)
    return [(item.step.id, (item.on - NOON.date()).days, item.times) for item in planned]


def test_what_was_right_does_not_come_back() -> None:
    assert days(event(0, "predicted", True), event(0, "chose", True, OTHER)) == []


def test_a_wrong_answer_comes_back_after_1_then_3_then_7_days_and_is_learned_then() -> None:
    history = [event(0, "predicted", False)]
    assert days(*history) == [("asked", 1, 0)]
    for on, following in ((1, 4), (4, 11)):
        history.append(event(on, "reviewed", True))
        assert days(*history) == [("asked", following, len(history) - 1)]
    assert days(*history, event(11, "reviewed", True)) == []


@pytest.mark.parametrize("kind", ["predicted", "reviewed"])
def test_a_wrong_answer_begins_again(kind: str) -> None:
    history = [event(0, "predicted", False), event(1, "reviewed", True), event(5, kind, False)]
    assert days(*history)[0][:2] == ("asked", 6)


def test_one_wrong_cell_is_enough_and_a_right_one_afterwards_in_the_lesson_is_no_review() -> None:
    assert days(event(0, "predicted", False), event(0, "predicted", True)) == [("asked", 1, 0)]


def test_an_edited_step_does_not_come_back() -> None:
    assert days(event(0, "predicted", False, code="another")) == []


def test_what_waits_longest_is_asked_first_and_tomorrow_is_not_yet_due() -> None:
    history = [event(0, "chose", False, OTHER), event(1, "predicted", False)]

    def on(day: date) -> list[str]:
        now = datetime(day.year, day.month, day.day, 0, 1).astimezone()
        return [item.step.id for item in schedule.due(LESSON, history, now)]

    assert [on(date(2026, 5, number)) for number in (1, 2, 3)] == [[], ["other"], ["other", "asked"]]
