"""The forms of recordings, by the ending of the file, and what is shown of events on any screen."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from gradrepl.app import explaining, stage
from gradrepl.app.drawn import DrawnScreen
from gradrepl.app.screen import PlainScreen, Screen
from gradrepl.i18n import Speech, translator
from gradrepl.lesson import player
from gradrepl.lesson.matching import difference
from gradrepl.lesson.model import Example, Lesson, Step
from gradrepl.record import cast, json_lines, svg
from gradrepl.record.event import Event, LessonBegins, Ran, SolutionBegins, StepBegins, Truths
from gradrepl.record.markdown import MarkdownWriter
from gradrepl.record.notebook import NotebookWriter
from gradrepl.record.page_graph import picture
from gradrepl.record.page_writer import PageWriter
from gradrepl.record.writer import Setting, Writer
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine

EACH: tuple[Speech, ...] = ("vi", "en")
LETTERS_A_SECOND, SHORTEST, LONGEST = 30, 0.4, 6.0  # of somebody who reads along; seconds


class TextWriter:
    """A transcript: what `play --plain` shows."""

    def __init__(self, out: TextIO, setting: Setting) -> None:
        self._screen = PlainScreen(setting._, out, explain=setting.explain)
        self._speech = setting.speech

    def add(self, event: Event) -> None:
        show(event, self._screen, self._speech)

    def end(self) -> None:
        """Nothing more."""


class EventsWriter:
    """The event stream: what `play --json` prints."""

    def __init__(self, out: TextIO, setting: Setting) -> None:
        self._out = out
        self._out.write(json_lines.header(setting.engine.name, setting.speech) + "\n")

    def add(self, event: Event) -> None:
        if isinstance(event, Ran):
            for outcome in event.outcomes:
                self._out.write(json_lines.event(outcome, event.lesson.id, event.step.id))
                self._out.write("\n")

    def end(self) -> None:
        """Nothing more."""


class PictureWriter:
    """A terminal's picture."""

    def __init__(self, out: TextIO, setting: Setting) -> None:
        self._out, self._setting = out, setting
        self._easel = Easel(setting, svg.COLUMNS)
        self._picture: svg.Picture | None = None

    def add(self, event: Event) -> None:
        if self._picture is None:
            title = self._setting.title(event.lesson) if isinstance(event, LessonBegins) else "gradrepl"
            self._picture = svg.Picture(self._out, title, self._setting.theme)
        for text in self._easel.drawn(event):
            self._picture.lines(text)

    def end(self) -> None:
        if self._picture is not None:
            self._picture.end()


class CastWriter:
    """A terminal's output in time: statements are typed, words wait until they are read."""

    def __init__(self, out: TextIO, setting: Setting) -> None:
        self._out, self._setting = out, setting
        self._easel = Easel(setting, cast.COLUMNS)
        self._cast: cast.Cast | None = None

    def add(self, event: Event) -> None:
        if self._cast is None:
            title = self._setting.title(event.lesson) if isinstance(event, LessonBegins) else "gradrepl"
            self._cast = cast.Cast(self._out, title, self._setting.cast_version, self._setting.seed)
        if isinstance(event, StepBegins):
            self._cast.marker(event.step.id)
        drawn = self._easel.drawn(event)
        if isinstance(event, Ran):
            self._cast.typed(next(drawn))
        for text in drawn:
            self._cast.output(text)
            self._cast.wait(min(max(len(text) / LETTERS_A_SECOND, SHORTEST), LONGEST))

    def end(self) -> None:
        if self._cast is not None:
            self._cast.end()


class Easel:
    """A drawn screen whose text is taken off after each piece."""

    def __init__(self, setting: Setting, columns: int) -> None:
        self._screen = DrawnScreen(setting._, colored=True, width=columns, explain=setting.explain)
        self._screen.console.size = (columns, 30)  # whatever the environment says
        self._speech = setting.speech
        self._clean()

    def drawn(self, event: Event) -> Iterator[str]:
        """What an event shows, with the escape sequences of colours; of Ran, the statement first."""
        if not isinstance(event, Ran):
            show(event, self._screen, self._speech)
            yield self._taken()
            return
        self._screen.source(event.example.source)
        yield self._taken()
        for outcome in event.outcomes:
            for output in outcome.outputs:
                self._screen.output(output)
            self._screen.result(outcome)
            yield self._taken()

    def _taken(self) -> str:
        text = self._buffer.getvalue()
        self._clean()
        return text

    def _clean(self) -> None:
        self._buffer = io.StringIO()
        self._screen.console.file = self._buffer


@dataclass(frozen=True, slots=True)
class Form:
    """One form of recording; speeches: in which languages it is made where none is asked for."""

    writer: Callable[[TextIO, Setting], Writer]
    speeches: tuple[Speech, ...] = EACH


def _page(out: TextIO, setting: Setting) -> Writer:
    return PageWriter(out, setting, lambda explanation: explaining.short(explanation, "both"))


FORMS: Mapping[str, Form] = {
    ".cast": Form(CastWriter),
    ".txt": Form(TextWriter),
    ".svg": Form(PictureWriter),
    ".md": Form(MarkdownWriter),
    ".ipynb": Form(NotebookWriter),
    ".json": Form(EventsWriter, ("en",)),
    ".html": Form(_page, ("vi",)),
}


def take(lesson: Lesson, engine: Engine) -> Iterator[Event]:
    """Run a lesson from start to end and yield what happens. Raises CellError where a cell can't be evaluated."""
    with player.begin(lesson, engine) as session:
        yield LessonBegins(lesson)
        for number, step in enumerate(lesson.steps, 1):
            yield StepBegins(lesson, step, number)
            yield from _run(lesson, step, step.examples, session)
            if step.cells:
                yield Truths(step, player.truths(step, session))
            if step.solution:
                yield SolutionBegins(step)
                yield from _run(lesson, step, step.solution, session)


def differs(event: Event) -> bool:
    """Whether an example did something else than its lesson promises."""
    return isinstance(event, Ran) and difference(event.example, list(event.outcomes)) is not None


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
                for output in outcome.outputs:
                    screen.output(output)
                screen.result(outcome, event.lesson.id, event.step.id)
        case Truths():
            for cell, value in zip(event.step.cells, event.values, strict=True):
                screen.note(f"{cell} -> {value}")


def _run(lesson: Lesson, step: Step, examples: tuple[Example, ...], session: Session) -> Iterator[Event]:
    for example in examples:
        outcomes = tuple(session.run(example.source))
        yield Ran(lesson, step, example, outcomes, picture(session, outcomes))
