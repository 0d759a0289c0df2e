"""The command `review`: what was answered wrong comes back, by lesson, with other numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gradrepl.app import stage
from gradrepl.app.commands.replay import Dice
from gradrepl.app.commands.table import without_marks
from gradrepl.app.lessons import languages, title
from gradrepl.app.line.reader import Reader
from gradrepl.app.progress import schedule
from gradrepl.app.progress.memory import Memory, now, open_memory
from gradrepl.app.progress.schedule import Due
from gradrepl.app.screens.screen import Screen
from gradrepl.app.trust import named_and_allowed
from gradrepl.i18n import Speech, Translate, translator
from gradrepl.lesson import fresh, player
from gradrepl.lesson.model import Lesson, Step
from gradrepl.lesson.player import Place, Verdict
from gradrepl.session import read
from gradrepl.session.engine import Engine
from gradrepl.view import form
from gradrepl.view.prose import split_label

if TYPE_CHECKING:
    from gradrepl.app.commands.state import PromptState

LEAVE, SKIP, HINT = ("q", "quit", "exit", "thoat"), ("s", "skip", "bo"), ("h", "hint", "goi")


class Leave(Exception):  # noqa: N818 - it is no error
    """Whoever is at the keyboard has had enough."""


class Skip(Exception):  # noqa: N818 - it is no error
    """This question is left for another time."""


def due(lessons: Iterable[Lesson], memory: Memory, now: datetime) -> list[Due]:
    """What is to be asked now, lesson by lesson."""
    return [item for lesson in lessons for item in schedule.due(lesson, memory.events(lesson.id), now)]


def find(lessons: Sequence[Lesson], memory: Memory, screen: Screen, _: Translate) -> list[Due]:
    """What is to be asked now; that there is nothing is said, and what went wrong with the file."""
    found = due(lessons, memory, now())
    complaint = memory.complaint()
    if complaint:
        screen.note(complaint)
    if not found:
        show_none(lessons, memory, screen, _)
    return found


def command(state: PromptState, argument: str) -> None:
    """`:review`, `:review 3`: ask here what is due; names, grad mode and random numbers stay as they are."""
    chosen = named_and_allowed(state, argument.split())
    if not chosen:
        return
    memory, engine = open_memory(state._), state.engine
    found = find(chosen, memory, state.screen, state._)
    if found:
        dice = Dice.now(engine)
        drawn = state.terminal.drawn
        Review(engine, state.reader, state.screen, memory, state.options.speech, drawn=drawn).run(found)
        dice.throw(engine)


def show_due(found: Sequence[Due], screen: Screen, speech: Speech) -> None:
    """A row for each question, where nobody can be asked."""
    _ = translator(speech)
    screen.listing([_("step"), _("due since")], [[_name(item, speech), item.on.isoformat()] for item in found])


def show_none(lessons: Iterable[Lesson], memory: Memory, screen: Screen, _: Translate) -> None:
    """That there is nothing to ask now, and when there will be."""
    later = [item.on for lesson in lessons for item in schedule.plan(lesson, memory.events(lesson.id))]
    if later:
        screen.note(_("Nothing to review now; the next question comes on {day}.").format(day=min(later).isoformat()))
    else:
        screen.note(_("Nothing to review: what you guess wrong in a lesson comes back here after 1, 3 and 7 days."))


class Review:
    """Asks questions, each on a session of its own, and remembers how they went.

    drawn: the screen can draw a form. right, asked: how many so far.
    """

    def __init__(
        self, engine: Engine, reader: Reader, screen: Screen, memory: Memory, speech: Speech, *, drawn: bool
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._screen = screen
        self._memory = memory
        self._speech = speech
        self._drawn = drawn
        self._ = translator(speech)
        self.right = self.asked = 0

    def run(self, found: Sequence[Due]) -> None:
        """Ask one after the other, until the end or until the learner leaves."""
        toolbar, shortcuts = self._reader.toolbar, self._reader.shortcuts
        self._reader.toolbar = lambda: self._(":hint helps, :skip leaves this question for later, :q ends the review")
        self._reader.shortcuts = ()
        try:
            for number, item in enumerate(found, 1):
                self._screen.heading(f"{number}/{len(found)}  {_name(item, self._speech)}")
                self._ask_one(item)
        except (Leave, EOFError, KeyboardInterrupt):
            self._screen.gap()
        self._reader.toolbar, self._reader.shortcuts = toolbar, shortcuts
        if self.asked:
            self._screen.note(self._("Right: {right} of {asked}.").format(right=self.right, asked=self.asked))

    def _ask_one(self, item: Due) -> None:
        index = item.lesson.steps.index(item.step)
        place, step = fresh.question(item.lesson, index, f"{item.lesson.id} {item.step.id} {item.times}", self._engine)
        try:
            right = self._predict(place, step) if step.kind == "predict" else self._choose(place, step)
        except Skip:
            return
        self.asked += 1
        self.right += right
        self._memory.reviewed(item.lesson, item.step, right=right)
        if not right:
            text = self._("It comes back tomorrow. To read it again: gradrepl learn {lesson}, then :go {step}")
            self._screen.note(text.format(lesson=item.lesson.id, step=item.step.id))
        complaint = self._memory.complaint()
        if complaint:
            self._screen.note(complaint)

    def _predict(self, place: Place, step: Step) -> bool:
        """Ask for each cell, then run; returns whether all answers are right."""
        self._show(place, step)
        for example in step.examples:
            self._screen.source(example.source)
        self._screen.gap()
        if self._drawn:
            self._screen.spans(form.lines(step.cells))
        answers = [self._answer(f"{cell} = ", step) for cell in step.cells]
        self._screen.gap()
        with fresh.session_at(place, self._engine) as session:
            stage.run(step.examples, step, place.lesson, session, self._screen, sources=False)
            verdicts = player.judge(step, answers, session)
        self._say(verdicts)
        return all(verdict.right for verdict in verdicts)

    def _say(self, verdicts: Sequence[Verdict]) -> None:
        stage.show_right(verdicts, self._screen, self._)
        for verdict in verdicts:
            if not verdict.right:
                stage.show_verdict(verdict, self._screen, self._speech, self._)

    def _choose(self, place: Place, step: Step) -> bool:
        """Ask for the number of an option; returns whether it is the right one."""
        self._show(place, step)
        stage.show_task(step, self._screen, self._speech)
        self._screen.gap()
        question = self._("your answer, 1-{count}:").format(count=len(step.options)) + " "
        answer = self._answer(question, step).strip().rstrip(".)")
        while not (answer.isdecimal() and 1 <= int(answer) <= len(step.options)):
            answer = self._answer(question, step).strip().rstrip(".)")
        option = player.choose(step, int(answer))
        told = self._("Right.") if option.right else self._("No, it isn't {number}.").format(number=answer)
        self._screen.note(told)
        if option.reply is not None:
            stage.show_text(option.reply, self._screen, self._speech)
            self._screen.gap()
        with fresh.session_at(place, self._engine) as session:
            stage.run(step.examples, step, place.lesson, session, self._screen)
        return option.right

    def _show(self, place: Place, step: Step) -> None:
        """The question's words, and the code that ran before it."""
        for language in languages(self._speech):
            self._screen.prose(split_label(step.prose.get(language))[1])
        self._screen.gap()
        before = [source for sources in place.done for source in sources]
        if before:
            self._screen.note(self._("What has run so far:"))
            for source in before:
                self._screen.source(source)
            self._screen.gap()

    def _answer(self, question: str, step: Step) -> str:
        """What is typed, if it is no command. Raises Leave and Skip."""
        seen = 0
        while True:
            text = self._reader.line(question)
            self._screen.typed()
            typed = read.read(text)
            if not isinstance(typed, read.Command):
                return text
            name = without_marks(typed.name)
            if name in LEAVE:
                raise Leave
            if name in SKIP:
                raise Skip
            if name in HINT and seen < len(step.hints):
                stage.show_text(step.hints[seen], self._screen, self._speech)
                self._screen.gap()
                seen += 1
            else:
                none = self._("No more hints here.") if name in HINT else self._reader.toolbar()
                self._screen.note(none)


def _name(item: Due, speech: Speech) -> str:
    """Such as "5. Nesting: the nearest one wins: Through a call"."""
    label = split_label(item.step.prose.get(languages(speech)[0]))[0] or item.step.id
    return f"{title(item.lesson, speech)}: {label}"
