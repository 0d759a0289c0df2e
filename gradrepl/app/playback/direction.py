"""How lessons are to be played: what the command line asks for, and who plays them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradrepl.app.errors import UsageError
from gradrepl.app.options import Options, Terminal
from gradrepl.app.play import Record, play, unrecorded
from gradrepl.app.playback.machine import FASTEST, SLOWEST, State, Stop
from gradrepl.app.playback.score import Pace, score
from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Translate
from gradrepl.lesson.model import Lesson
from gradrepl.session.engine import Engine

if TYPE_CHECKING:
    from gradrepl.app.screens.drawn import DrawnScreen

FAILED = 1
MOST_TYPING, MOST_WAIT = 2000.0, 3600.0  # milliseconds, seconds


@dataclass(frozen=True, slots=True)
class Direction:
    """speed: how many times as fast as usual; first: the step to begin with, from 0, of the first lesson."""

    pace: Pace
    speed: float = 1.0
    stop: Stop = "predict"
    first: int = 0


def direction(parsed: Namespace, lessons: Sequence[Lesson], _: Translate) -> Direction:
    """What was asked for; raises UsageError for a value that can't be."""
    typing = 0.0 if parsed.typing == "off" else _number(parsed.typing, "--typing", 0.0, MOST_TYPING, _) / 1000
    pace = Pace(typing, _number(parsed.max_wait, "--max-wait", 0.0, MOST_WAIT, _), parsed.seed)
    speed = _number(parsed.speed, "--speed", SLOWEST, FASTEST, _)
    first = 0 if parsed.start is None else _step(parsed.start, lessons[0], _)
    return Direction(pace, speed, parsed.stop, first)


def _number(text: str, option: str, least: float, most: float, _: Translate) -> float:
    units = {"--typing": "ms", "--max-wait": "s", "--speed": "x"}
    try:
        value = float(text.strip().lower().removesuffix(units[option]))
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        said = _("{option} wants a number from {least} to {most}, found {found}.")
        raise UsageError(said.format(option=option, least=f"{least:g}", most=f"{most:g}", found=repr(text)))
    return value


def _step(name: str, lesson: Lesson, _: Translate) -> int:
    ids = [step.id for step in lesson.steps]
    if name in ids:
        return ids.index(name)
    if name.isdecimal() and 1 <= int(name) <= len(ids):
        return int(name) - 1
    said = _("--from wants a step of {lesson}: a number from 1 to {count}, or an id such as {id}; found {found}.")
    raise UsageError(said.format(lesson=lesson.id, count=len(ids), id=ids[0], found=repr(name)))


def perform(
    lessons: Sequence[Lesson],
    engine: Engine,
    screen: Screen,
    options: Options,
    terminal: Terminal,
    chosen: Direction,
    record: Record = unrecorded,
) -> int:
    """Play lessons as this terminal can; returns 1 if anything differs from what a lesson promises, else 0."""
    if terminal.keyboard and terminal.drawn:
        from gradrepl.app.screens.drawn import DrawnScreen

        assert isinstance(screen, DrawnScreen)
        return _perform(lessons, engine, screen, options, terminal, chosen, record)
    from gradrepl.app.line.reader import LineReader

    reader = LineReader() if terminal.keyboard else None
    return play(lessons, engine, screen, options.speech, reader, record, chosen.stop, chosen.first)


def _perform(
    lessons: Sequence[Lesson],
    engine: Engine,
    screen: DrawnScreen,
    options: Options,
    terminal: Terminal,
    chosen: Direction,
    record: Record,
) -> int:
    from gradrepl.app import stage
    from gradrepl.app.playback.keyboard import Keyboard
    from gradrepl.app.playback.performance import Performance

    keyboard, speed, first, differing = Keyboard(), chosen.speed, chosen.first, False
    with keyboard.raw():
        for lesson in lessons:
            stage.show_title(lesson, screen, options.speech)
            beats = score(lesson, options.speech, chosen.pace)
            at = next(index for index, beat in enumerate(beats) if beat.step == first)
            performance = Performance(lesson, engine, screen, keyboard, options, terminal, record)
            state = performance.play(State(beats, chosen.stop, speed, at))
            speed, first, differing = state.speed, 0, differing or performance.differing
            if performance.left:
                return 0
    return FAILED if differing else 0
