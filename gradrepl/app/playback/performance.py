"""A lesson that plays on a terminal: does what the state machine says, tells it the keys and the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from gradrepl.app import stage
from gradrepl.app.commands.replay import Dice, called
from gradrepl.app.line.reader import Reader, open_reader
from gradrepl.app.options import Options, Terminal
from gradrepl.app.play import Record, place_at
from gradrepl.app.playback import footer
from gradrepl.app.playback.keyboard import Keyboard
from gradrepl.app.playback.machine import (
    Answer,
    Cue,
    End,
    Event,
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
from gradrepl.app.playback.pen import Pen
from gradrepl.app.playback.quiz import Quiz, quiz
from gradrepl.app.playback.score import Beat
from gradrepl.app.screens.drawn import DrawnScreen
from gradrepl.app.screens.limited import Limited
from gradrepl.i18n import translator
from gradrepl.lesson import player
from gradrepl.lesson.matching import broken_promises, difference
from gradrepl.lesson.model import Lesson
from gradrepl.lesson.player import Place
from gradrepl.record import event as record_event
from gradrepl.record.event import LessonBegins, Ran, SolutionBegins, StepBegins, truths
from gradrepl.record.page_graph import picture
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Warned

ASKS = {"input", "getpass", "breakpoint"}
Clock = Callable[[], float]


class Performance:
    """One lesson in somebody's control.

    differing: something was not as the lesson promises; left: somebody has seen enough.
    """

    def __init__(
        self,
        lesson: Lesson,
        engine: Engine,
        screen: DrawnScreen,
        keyboard: Keyboard,
        options: Options,
        terminal: Terminal,
        record: Record,
        clock: Clock = time.monotonic,
    ) -> None:
        self.lesson = lesson
        self.differing = self.left = False
        self._engine, self._screen, self._keyboard, self._clock = engine, screen, keyboard, clock
        self._options, self._terminal = options, terminal
        self._ = translator(options.speech)
        self._pen = Pen(screen.console)
        self._session = player.begin(lesson, engine)
        self._dice = Dice.now(engine, imported=False)
        self._step = 0
        self._ran: list[str] = []  # sources of this step
        self._warnings: list[Warned] = []
        self._reader: Reader | None = None
        self._record = record
        self._quiz = Quiz(lesson.steps[0], screen, options.speech)
        self._answered = False
        self._heard: list[record_event.Event] = []
        self._unrecorded = 0

    def play(self, state: State) -> State:
        """Play until the end; returns the last state. Raises KeyboardInterrupt."""
        with ExitStack() as stack:
            stack.callback(self._close)
            if state.beat.step:
                self._rewind(state.beat.step)
            self._record(LessonBegins(self.lesson))
            state = replace(state, due=self._clock())
            while not state.over:
                self._draw(state)
                state, cue = advance(state, self._event(state))
                if cue is not None:
                    began = self._clock()
                    self._do(cue)
                    state = later(state, self._clock() - began)
        return state

    def _close(self) -> None:
        self._pen.close()
        self._pen.clear()
        self._session.close()

    def _draw(self, state: State) -> None:
        console = self._screen.console
        columns, ascii_only = console.width - 1, console.options.ascii_only
        answers = self._quiz.count if state.asks else 0
        steps = len(self.lesson.steps)
        self._pen.footer(footer.line(state, steps, columns, self._, answers=answers, ascii_only=ascii_only))

    def _event(self, state: State) -> Event:
        if self._answered:
            self._answered = False
            return Key("space", self._clock())
        timeout = None if state.wait is None else max(state.wait - self._clock(), 0.0)
        try:
            key = self._keyboard.key(timeout)
        except EOFError:
            key = "q"
        return Tick(self._clock()) if key is None else Key(key, self._clock())

    def _do(self, cue: Cue) -> None:
        match cue:
            case Type(beat, count):
                self._pen.type(beat.example.source if beat.example else "", count)
            case Run(beat):
                self._between()
                self._run(beat)
            case Show(beat):
                self._between()
                self._show(beat)
            case Rewind(step):
                self._between()
                self._rewind(step)
                self._screen.note(self._("Back to step {number}.").format(number=step + 1))
            case TakeOver():
                self._between()
                self._take_over()
            case Answer(number):
                self._between()
                self._answer(number)
            case End(left):
                self.left = left

    def _between(self) -> None:
        """What comes next has the lines for itself."""
        self._pen.close()
        self._pen.clear()

    def _show(self, beat: Beat) -> None:
        step = self.lesson.steps[beat.step]
        screen, speech = self._screen, self._options.speech
        if beat.kind == "intro":
            self._step, self._ran, self._warnings = beat.step, [], []
            self._heard = [StepBegins(self.lesson, step, beat.step + 1)]
            stage.show_step(Place(self.lesson, beat.step), screen, speech)
            stage.show_task(step, screen, speech)
            self._quiz = quiz(place_at(self.lesson, beat.step), self._session, screen, speech)
        elif beat.kind == "question":
            self._quiz.ask()
        elif beat.kind == "option":
            self._quiz.show_answer()
        elif beat.kind == "truth":
            found = truths(step, self._session)
            self._quiz.show_truths(found.values)
            self._heard.append(found)
            self.differing |= found.broken
        elif beat.kind == "solution":
            stage.show_solution(step, screen, self._)
            self._heard.append(SolutionBegins(step))
        elif beat.kind == "end":
            self.differing |= bool(broken_promises(step.promises, self._warnings))
            self._tell(beat.step)

    def _run(self, beat: Beat) -> None:
        if beat.example is None:
            return
        step = self.lesson.steps[beat.step]
        with ExitStack() as stack:
            if ASKS.intersection(called(beat.example.source)):
                stack.enter_context(self._keyboard.lent())
            screen, limited = self._screen, Limited(self._screen, self._, prompt=False)
            examples = (beat.example,)
            ran = stage.run(examples, step, self.lesson, self._session, screen, sources=False, limited=limited)
        self._ran.append(beat.example.source)
        for example, outcomes in ran:
            self._heard.append(Ran(self.lesson, step, example, tuple(outcomes), picture(self._session, outcomes)))
            self.differing |= bool(difference(example, outcomes))
            self._warnings += [warned for outcome in outcomes for warned in outcome.warnings]

    def _answer(self, number: int) -> None:
        """Take an answer; behind the last one the lesson goes on."""
        asked = self._quiz.count
        self._quiz.take(number)
        self._answered = bool(asked) and not self._quiz.count

    def _tell(self, step: int) -> None:
        """A step is recorded once it has ended, and once only, however often it was played."""
        if step >= self._unrecorded:
            for event in self._heard:
                self._record(event)
            self._unrecorded = step + 1
        self._heard = []

    def _rewind(self, step: int) -> None:
        self._session.close()
        self._dice.throw(self._engine)
        self._session = player.session_at(place_at(self.lesson, step), self._engine)
        self._step, self._ran = step, []

    def _take_over(self) -> None:
        from gradrepl.app.playback.aside import take_over

        sources = [source for done in place_at(self.lesson, self._step).done for source in done] + self._ran
        with self._keyboard.lent():
            self._reader = self._reader or open_reader(self._terminal, self._options)
            take_over(self._session, self._dice, sources, self._reader, self._options, self._terminal)
