"""Playback as a pure state machine: keys and moments in, cues out; time is what it is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from gradrepl.app.playback.score import Beat

Stop = Literal["predict", "step", "never"]
SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
SLOWEST, FASTEST = SPEEDS[0], SPEEDS[-1]
DIGITS = "123456789"


@dataclass(frozen=True, slots=True)
class Key:
    """A key was pressed: its letter, or "left", "right", "enter", "tab", "space"."""

    name: str
    now: float


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has come this far, or what was asked for is done."""

    now: float


@dataclass(frozen=True, slots=True)
class Show:
    """Show a beat that isn't run; the code of a draft stands there already."""

    beat: Beat


@dataclass(frozen=True, slots=True)
class Type:
    """Show a beat's code as far as its first `count` letters."""

    beat: Beat
    count: int


@dataclass(frozen=True, slots=True)
class Run:
    """Run a beat's code, show what it does, and wait for it; all of the code stands there already."""

    beat: Beat


@dataclass(frozen=True, slots=True)
class Rewind:
    """Make the state again that a step began with."""

    step: int


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Give the prompt to whoever is there, on a copy of the state."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Take the answer of that number to what is asked."""

    number: int


@dataclass(frozen=True, slots=True)
class End:
    """It is over; left: somebody ended it."""

    left: bool


Event = Key | Tick
Cue = Show | Type | Run | Rewind | TakeOver | Answer | End


@dataclass(frozen=True, slots=True)
class State:
    """Where playback is.

    at: the beat that is playing; typed: letters of it that stand there; shown: it is done, its rest goes by.
    due: when something happens next; None while it waits for somebody. held: by whom it waits, paused by a key or
    stopped of itself. hurried: the step up to whose end no time goes by, -1 for none.
    """

    beats: tuple[Beat, ...]
    stop: Stop = "predict"
    speed: float = 1.0
    at: int = 0
    typed: int = 0
    shown: bool = False
    due: float = 0.0
    held: Literal["", "paused", "stopped"] = ""
    left: float = 0.0
    hurried: int = -1
    over: bool = False

    @property
    def beat(self) -> Beat:
        """The beat that is playing, the last one at the end."""
        return self.beats[min(self.at, len(self.beats) - 1)]

    @property
    def asks(self) -> bool:
        """Whether it waits for the answer to a question."""
        return self.held == "stopped" and self.beat.kind == "question"

    @property
    def wait(self) -> float | None:
        """The moment of the next tick; None while a key is waited for."""
        return None if self.held else self.due

    @property
    def remaining(self) -> float:
        """Seconds to the end at this speed, results and stops apart."""
        rest = sum(beat.seconds for beat in self.beats[self.at + 1 :])
        now = self.beat.rest if self.shown else sum(self.beat.letters[self.typed :]) + self.beat.rest
        return 0.0 if self.over else (rest + now) / self.speed


def advance(state: State, event: Event) -> tuple[State, Cue | None]:
    """The state behind an event, and what is to be done; the face ticks when that is done."""
    if isinstance(event, Key):
        return _press(state, event)
    if state.over or state.held or event.now < state.due:
        return state, None
    return _go_on(state, event.now)


def later(state: State, seconds: float) -> State:
    """The same where a cue took some time to be done: a result is waited for, and looked at for as long as ever."""
    return replace(state, due=state.due + seconds)


def _go_on(state: State, now: float) -> tuple[State, Cue | None]:
    if state.shown:
        return _next(state, now)
    if state.at == len(state.beats):
        return replace(state, over=True), End(left=False)
    beat, hurried = state.beat, state.hurried == state.beat.step
    if state.typed < beat.size:
        typed = beat.size if hurried or not beat.letters else state.typed + 1
        pause = beat.letters[typed] if typed < beat.size else 0.0
        return replace(state, typed=typed, due=now + pause / state.speed), Type(beat, typed)
    return _rest(state, now), Run(beat) if beat.kind == "code" else Show(beat)


def _rest(state: State, now: float) -> State:
    """The beat is done: its rest goes by, or it waits for somebody. Time is told anew once it is shown."""
    if state.hurried == state.beat.step:
        return replace(state, shown=True, due=now)
    stops = {"predict": ("question",), "step": ("question", "end"), "never": ()}[state.stop]
    held: Literal["", "stopped"] = "stopped" if state.beat.kind in stops else ""
    return replace(state, shown=True, held=held, due=now + state.beat.rest / state.speed)


def _next(state: State, now: float) -> tuple[State, Cue | None]:
    ahead = replace(state, at=state.at + 1, typed=0, shown=False, due=now)
    if ahead.at < len(ahead.beats) and ahead.beat.step != state.beat.step and state.hurried >= 0:
        ahead = replace(ahead, hurried=-1, held="paused" if state.left else "", left=0.0)
    return ahead, None


def _press(state: State, key: Key) -> tuple[State, Cue | None]:
    now = key.now
    if key.name in ("+", "-", "="):
        return _at_speed(state, _speed(state.speed, key.name), now), None
    if key.name == "q":
        return replace(state, over=True), End(left=True)
    if key.name == "space":
        return _hold(state, now), None
    if key.name in ("right", "."):
        paused = 1.0 if state.held == "paused" else 0.0
        return replace(state, hurried=state.beat.step, held="", left=paused, due=now), None
    if key.name == "left":
        return _back(state, now)
    if key.name == "tab":
        return replace(state, typed=0 if not state.shown else state.typed, due=now), TakeOver()
    if key.name == "enter":
        return _skip(state, now)
    if key.name in DIGITS and state.asks:
        return state, Answer(int(key.name))
    return state, None


def _hold(state: State, now: float) -> State:
    """Pause, or go on with what was left of the wait."""
    if state.held:
        return replace(state, held="", due=now + (state.left if state.held == "paused" else 0.0), left=0.0)
    return replace(state, held="paused", left=max(state.due - now, 0.0))


def _skip(state: State, now: float) -> tuple[State, Cue | None]:
    """The rest of the line at once; where none is being typed, what waits goes on."""
    beat = state.beat
    if state.shown or not beat.size:
        return replace(state, held="", left=0.0, due=now), None
    held: Literal["", "paused", "stopped"] = "" if state.held == "stopped" else state.held
    return replace(state, typed=beat.size, due=now, held=held, left=0.0), Type(beat, beat.size)


def _back(state: State, now: float) -> tuple[State, Cue | None]:
    """To the beginning of the step before; of the first step, to its beginning."""
    step = max(state.beat.step - 1, state.beats[0].step)
    at = next(index for index, beat in enumerate(state.beats) if beat.step == step)
    held: Literal["", "paused"] = "paused" if state.held == "paused" else ""
    ahead = replace(state, at=at, typed=0, shown=False, held=held, due=now, left=0.0, hurried=-1)
    return ahead, Rewind(step)


def _at_speed(state: State, speed: float, now: float) -> State:
    """The same at another speed; what is left of a wait is stretched too."""
    factor = state.speed / speed
    left = state.left * factor if state.held == "paused" else state.left
    return replace(state, speed=speed, left=left, due=now + max(state.due - now, 0.0) * factor)


def _speed(speed: float, key: str) -> float:
    if key == "+":
        return next((faster for faster in SPEEDS if faster > speed), FASTEST)
    if key == "-":
        return next((slower for slower in reversed(SPEEDS) if slower < speed), SLOWEST)
    return 1.0
