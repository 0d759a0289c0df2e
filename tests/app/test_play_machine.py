"""Playback as a state machine: what keys and time lead to, with a clock that is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gradrepl.app.playback.footer import line
from gradrepl.app.playback.machine import (
    Answer,
    Cue,
    End,
    Key,
    Rewind,
    Run,
    Show,
    State,
    TakeOver,
    Tick,
    Type,
    advance,
    later,
)
from gradrepl.app.playback.score import Pace, score
from gradrepl.i18n import english, vietnamese
from gradrepl.lesson.model import Example, Lesson, Step, Text

NOTHING = Text("", "")


def step(name: str, *sources: str, cells: tuple[str, ...] = ()) -> Step:
    examples = tuple(Example(source, "", 1) for source in sources)
    return Step(name, "predict" if cells else "run", 1, Text("một hai", "one two"), cells, examples)


LESSON = Lesson(
    "small", None, Path("small.md"), NOTHING, NOTHING, (step("a", "x = 1\n"), step("b", "x\n", "y\n", cells=("x",)))
)


@dataclass
class Show_:  # noqa: N801 - a show, played
    """Plays LESSON by a clock of its own; said: the cues so far."""

    state: State
    now: float = 0.0
    said: list[Cue] = field(default_factory=list)

    def press(self, name: str) -> Cue | None:
        self.state, cue = advance(self.state, Key(name, self.now))
        if cue is not None:
            self.said.append(cue)
        return cue

    def run(self, most: int = 10_000) -> list[str]:
        """Let time go by until a key is waited for; the cues of that time in short."""
        start = len(self.said)
        while not self.state.over and self.state.wait is not None and most:
            self.now, most = max(self.now, self.state.wait), most - 1
            self.state, cue = advance(self.state, Tick(self.now))
            if cue is not None:
                self.said.append(cue)
        return [short(cue) for cue in self.said[start:] if not isinstance(cue, Type)]

    def until(self, kind: type) -> Cue:
        while not (self.said and isinstance(self.said[-1], kind)):
            assert self.state.wait is not None
            self.run(1)
        return self.said[-1]


def short(cue: Cue) -> str:
    if isinstance(cue, Show):
        return f"{cue.beat.kind} {cue.beat.step}"
    if isinstance(cue, Run):
        return f"run {cue.beat.example.source.strip()}" if cue.beat.example else "run"
    return type(cue).__name__


def playing(stop: str = "never", **more: object) -> Show_:
    return Show_(State(score(LESSON, "en", Pace()), stop, **more))  # type: ignore[arg-type]


def test_everything_comes_in_its_order_once() -> None:
    show = playing()
    first = ["intro 0", "run x = 1", "end 0", "intro 1", "draft 1", "draft 1", "question 1"]
    assert show.run() == [*first, "run x", "run y", "truth 1", "end 1", "End"]
    assert [cue.count for cue in show.said if isinstance(cue, Type)] == [1, 2, 3, 4, 5, 1, 1, 1, 1]
    assert show.said[-1] == End(left=False)


def test_the_same_seed_is_the_same_rhythm_and_another_is_not() -> None:
    assert score(LESSON, "en", Pace(seed=4)) == score(LESSON, "en", Pace(seed=4))
    assert score(LESSON, "en", Pace(seed=4)) != score(LESSON, "en", Pace(seed=5))


def test_without_typing_a_statement_stands_there_at_once() -> None:
    show = Show_(State(score(LESSON, "en", Pace(typing=0.0)), "never"))
    show.run()
    assert [cue.count for cue in show.said if isinstance(cue, Type)] == [5, 1, 1, 1, 1]


def test_no_wait_is_longer_than_the_longest() -> None:
    assert {beat.rest for beat in score(LESSON, "en", Pace(longest=0.25))} == {0.25, 0.0}


@pytest.mark.parametrize(("stop", "pieces"), [("never", 1), ("predict", 2), ("step", 4)])
def test_it_stops_where_it_was_told_to(stop: str, pieces: int) -> None:
    show, heard = playing(stop), 0
    while not show.state.over:
        show.run()
        heard += 1
        if not show.state.over:
            assert show.state.held == "stopped"
            show.press("space")
    assert heard == pieces


def test_a_pause_keeps_what_is_left_of_the_wait() -> None:
    show = playing()
    show.until(Show)
    due = show.state.due
    show.now += 0.1
    show.press("space")
    assert show.state.wait is None
    show.now += 100.0
    show.press("space")
    assert show.state.wait == pytest.approx(due + 100.0)


def test_a_step_goes_to_its_end_at_once_and_a_pause_stays() -> None:
    show = playing()
    show.until(Show)
    show.press("space")
    now = show.now
    show.press("right")
    assert show.run() == ["run x = 1", "end 0"]
    assert (show.now, show.state.held, show.state.at) == (now, "paused", 3)


def test_a_step_answers_a_question_that_waits() -> None:
    show = playing("predict")
    show.run()
    show.press(".")
    assert show.run() == ["run x", "run y", "truth 1", "end 1", "End"]


def test_back_is_the_beginning_of_the_step_before_with_its_state() -> None:
    show = playing("predict")
    show.run()
    assert show.press("left") == Rewind(0)
    assert show.press("left") == Rewind(0)
    assert show.run()[:2] == ["intro 0", "run x = 1"]


def test_enter_skips_the_typing_of_a_line_and_no_more() -> None:
    show = playing()
    show.until(Type)
    cue = show.press("enter")
    assert isinstance(cue, Type)
    assert cue.count == 5
    assert show.run(1) == ["run x = 1"]


def test_speed_stretches_what_is_left_and_has_ends() -> None:
    show = playing()
    show.until(Show)
    left, remaining = show.state.due - show.now, show.state.remaining
    show.press("+")
    assert show.state.speed == 1.5
    assert show.state.due - show.now == pytest.approx(left / 1.5)
    assert show.state.remaining == pytest.approx(remaining / 1.5)
    for _press in range(20):
        show.press("+")
    assert show.state.speed == 8.0
    for _press in range(20):
        show.press("-")
    assert show.state.speed == 0.25
    show.press("=")
    assert show.state.speed == 1.0


def test_a_line_that_was_left_for_the_prompt_is_typed_again() -> None:
    show = playing()
    show.until(Type)
    assert show.press("tab") == TakeOver()
    assert show.state.typed == 0


def test_a_result_is_waited_for_and_then_looked_at_as_long() -> None:
    state = playing().state
    assert later(state, 60.0).due == state.due + 60.0


def test_q_is_the_end() -> None:
    show = playing()
    assert show.press("q") == End(left=True)
    assert show.state.over


def test_an_unknown_key_does_nothing() -> None:
    show = playing()
    before = show.state
    assert show.press("w") is None
    assert show.state == before


@pytest.mark.parametrize("columns", [10, 30, 79, 120])
@pytest.mark.parametrize("speech", [english, vietnamese])
def test_the_line_at_the_bottom_fits(columns: int, speech: object) -> None:
    shown = line(playing().state, 2, columns, speech)  # type: ignore[arg-type]
    assert len(shown) <= columns
    assert "1/2" in shown


def test_the_line_at_the_bottom_names_step_time_speed_and_keys() -> None:
    shown = line(playing(speed=2.0).state, 2, 120, english, ascii_only=True)
    assert shown.isprintable()
    assert "Tab try it" in shown
    assert "x2" in shown
    assert "0:0" in shown


def test_the_code_of_one_example_is_typed_before_its_question_and_not_again() -> None:
    lesson = Lesson("one", None, Path("one.md"), NOTHING, NOTHING, (step("a", "x = 1\n", cells=("x",)),))
    show = Show_(State(score(lesson, "en", Pace()), "predict"))
    assert show.run() == ["intro 0", "draft 0", "question 0"]
    show.press("space")
    assert show.run() == ["run x = 1", "truth 0", "end 0", "End"]
    assert [cue.count for cue in show.said if isinstance(cue, Type)] == [1, 2, 3, 4, 5]


def test_a_digit_answers_only_where_a_question_waits() -> None:
    show = playing("predict")
    assert show.press("2") is None
    show.run()
    assert show.press("2") == Answer(2)
    assert show.state.held == "stopped"
    show.press("space")
    assert show.press("2") is None
