"""The forms of recordings, by the ending of the file, and the run of a lesson that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from gradrepl.app.recording.easel import Easel, show
from gradrepl.app.screens import explaining
from gradrepl.app.screens.screen import PlainScreen
from gradrepl.i18n import Speech
from gradrepl.lesson import player
from gradrepl.lesson.matching import difference
from gradrepl.lesson.model import Example, Lesson, Step
from gradrepl.record import cast, json_lines, svg
from gradrepl.record.event import Event, LessonBegins, Ran, SolutionBegins, StepBegins, Truths, truths
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
                self._out.writelines(json_lines.parts(outcome, event.lesson.id, event.step.id))
                self._out.write("\n")

    def end(self) -> None:
        """Nothing more."""


class PictureWriter:
    """A terminal's picture."""

    def __init__(self, out: TextIO, setting: Setting) -> None:
        self._out, self._setting = out, setting
        self._picture: svg.Picture | None = None

    def add(self, event: Event) -> None:
        if self._picture is None:
            self._picture = svg.Picture(self._out, title_of(event, self._setting), self._setting.theme)
            self._easel = Easel(self._setting, svg.COLUMNS, self._picture.draw)
        self._easel.event(event)

    def end(self) -> None:
        if self._picture is not None:
            self._picture.end()


class CastWriter:
    """A terminal's output in time: statements are typed, words wait until they are read."""

    def __init__(self, out: TextIO, setting: Setting) -> None:
        self._out, self._setting = out, setting
        self._cast: cast.Cast | None = None

    def add(self, event: Event) -> None:
        if self._cast is None:
            title, version = title_of(event, self._setting), self._setting.cast_version
            self._cast = cast.Cast(self._out, title, version, self._setting.seed)
            self._easel = Easel(self._setting, cast.COLUMNS, self._cast.output)
        if isinstance(event, StepBegins):
            self._cast.marker(event.step.id)
        if not isinstance(event, Ran):
            self._cast.wait(reading(self._easel.event(event)))
            return
        self._cast.typed(self._easel.source(event.example.source))
        for outcome in event.outcomes:
            self._cast.wait(reading(self._easel.outcome(outcome)))

    def end(self) -> None:
        if self._cast is not None:
            self._cast.end()


def title_of(event: Event, setting: Setting) -> str:
    """The title of a recording that begins with an event."""
    return setting.title(event.lesson) if isinstance(event, LessonBegins) else "gradrepl"


def reading(letters: int) -> float:
    """How long somebody reads that many letters; seconds."""
    return min(max(letters / LETTERS_A_SECOND, SHORTEST), LONGEST)


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
    """Run a lesson from start to end and yield what happens."""
    with player.begin(lesson, engine) as session:
        yield LessonBegins(lesson)
        for number, step in enumerate(lesson.steps, 1):
            yield StepBegins(lesson, step, number)
            yield from _run(lesson, step, step.examples, session)
            if step.cells:
                yield truths(step, session)
            if step.solution:
                yield SolutionBegins(step)
                yield from _run(lesson, step, step.solution, session)


def differs(event: Event) -> bool:
    """Whether an example did something else than its lesson promises, or left a prediction without an answer."""
    if isinstance(event, Truths):
        return event.broken
    return isinstance(event, Ran) and difference(event.example, list(event.outcomes)) is not None


def _run(lesson: Lesson, step: Step, examples: tuple[Example, ...], session: Session) -> Iterator[Event]:
    for example in examples:
        outcomes = tuple(session.run(example.source))
        yield Ran(lesson, step, example, outcomes, picture(session, outcomes))
