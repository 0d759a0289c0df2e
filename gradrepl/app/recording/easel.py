"""What is shown of a lesson's events, on any screen, and a drawn screen whose text goes into a recording."""

from __future__ import annotations

from collections.abc import Callable

from gradrepl.app import stage
from gradrepl.app.screens.drawn import DrawnScreen
from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Speech, translator
from gradrepl.lesson import player
from gradrepl.record.event import Event, LessonBegins, Ran, SolutionBegins, StepBegins, Truths
from gradrepl.record.writer import Setting
from gradrepl.session.outcome import Outcome
from gradrepl.view.safe import PIECE

ROWS = 30


class Paper:
    """What a console writes, handed on to `out`: whole if it is short, in pieces if it is long."""

    def __init__(self, out: Callable[[str], object]) -> None:
        self._out = out
        self._waiting: list[str] = []
        self._size = self._given = 0

    def write(self, text: str) -> int:
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= PIECE:
            self._hand_on()
        return len(text)

    def flush(self) -> None:
        """Nothing: rich asks for it after each line."""

    def end(self) -> int:
        """Hand on what is left; returns how many letters came since the last end."""
        self._hand_on()
        given, self._given = self._given, 0
        return given

    def _hand_on(self) -> None:
        text = "".join(self._waiting)
        self._waiting.clear()
        self._given, self._size = self._given + self._size, 0
        self._out(text)


class Easel:
    """A drawn screen; its text, with the escape sequences of colours, goes to `out`."""

    def __init__(self, setting: Setting, columns: int, out: Callable[[str], object]) -> None:
        self._screen = DrawnScreen(setting._, colored=True, width=columns, explain=setting.explain)
        self._screen.console.size = (columns, ROWS)  # whatever the environment says
        self._paper = Paper(out)
        self._screen.console.file = self._paper  # type: ignore[assignment]  # rich writes and flushes, no more
        self._speech = setting.speech

    def event(self, event: Event) -> int:
        """Draw an event; returns how many letters that was."""
        show(event, self._screen, self._speech)
        return self._paper.end()

    def outcome(self, outcome: Outcome) -> int:
        """Draw what a statement did; returns how many letters that was."""
        show_outcome(outcome, self._screen)
        return self._paper.end()

    def source(self, source: str) -> str:
        """The text of a statement, which doesn't go to `out`."""
        with self._screen.console.capture() as captured:
            self._screen.source(source)
        return captured.get()


def show(event: Event, screen: Screen, speech: Speech) -> None:
    """Show what has happened, all at once."""
    match event:
        case LessonBegins():
            stage.show_title(event.lesson, screen, speech)
        case StepBegins():
            stage.show_step(player.Place(event.lesson, event.number - 1), screen, speech)
            stage.show_task(event.step, screen, speech)
            stage.show_answer(event.step, screen, speech)
        case SolutionBegins():
            stage.show_solution(event.step, screen, translator(speech))
        case Ran():
            screen.source(event.example.source)
            for outcome in event.outcomes:
                show_outcome(outcome, screen)
        case Truths():
            stage.show_truths(event.step, event.values, screen)


def show_outcome(outcome: Outcome, screen: Screen) -> None:
    """Show what a statement printed, and then what it did."""
    for output in outcome.outputs:
        screen.output(output)
    screen.result(outcome)
