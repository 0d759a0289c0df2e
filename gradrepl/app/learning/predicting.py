"""Predictions: cells of the table are asked for before the code runs, and judged after it."""

from __future__ import annotations

from gradrepl.app import stage
from gradrepl.app.commands import seeing
from gradrepl.app.learning.activity import Activity
from gradrepl.lesson import player
from gradrepl.lesson.player import Verdict
from gradrepl.view import form


class Predicting(Activity):
    """answers: those given so far; answered: all are."""

    answers: tuple[str, ...] = ()
    answered = False

    @property
    def question(self) -> str:
        return "" if self.answered else f"{self.step.cells[len(self.answers)]} = "

    @property
    def offered(self) -> str:
        return super().offered if self.answered else ""

    @property
    def enter(self) -> str:
        return super().enter if self.answered else self.learner._("I don't know")

    @property
    def over(self) -> bool:
        return self.answered and super().over

    def present(self) -> None:
        if self.answered:
            return
        screen = self.learner.screen
        for example in self.pending:
            screen.source(example.source)
        if self.pending:
            screen.gap()
        if self.learner.terminal.drawn:
            screen.spans(form.lines(self.step.cells))

    def go_on(self) -> None:
        if self.answered:
            super().go_on()
        else:
            self.take("")

    def take(self, text: str) -> None:
        if self.answered:
            super().take(text)
            return
        self.answers = (*self.answers, text)
        if len(self.answers) == len(self.step.cells):
            self.answered = True
            self.learner.screen.gap()
            self._judge()

    def answer(self) -> str:
        if self.answered:
            return super().answer()
        self.learner.note(self.learner._("Guess first: that is how it stays in mind. Enter alone runs the code."))
        return ""

    def again(self) -> None:
        self.answered = True
        super().again()
        try:
            with self.learner.trail.copy() as session:
                truths = player.truths(self.step, session)
        except player.CellError as error:
            self._say_no_answer(error)
            return
        for cell, truth in zip(self.step.cells, truths, strict=True):
            self.learner.note(self.learner._("{cell}: it is {truth}.").format(cell=cell, truth=truth))

    def _judge(self) -> None:
        learner = self.learner
        while self.pending:
            if not learner.run_given(self.pending[0].source, shown=len(self.step.examples) == 1):
                return
        try:
            with learner.trail.copy() as session:
                verdicts = player.judge(self.step, self.answers, session)
        except player.CellError as error:
            self._say_no_answer(error)
            return
        learner.memory.predicted(learner.lesson, self.step, verdicts)
        stage.show_right(verdicts, learner.screen, learner._)
        for verdict in verdicts:
            if not verdict.right:
                self._correct(verdict)

    def _say_no_answer(self, error: player.CellError) -> None:
        """Names that the learner brought along can make the lesson's code fail."""
        learner = self.learner
        text = learner._(
            "Your names change what this step does, and there is no answer: {reason}. :reset starts it anew."
        )
        learner.note(text.format(reason=error.message.said(learner._)))

    def _correct(self, verdict: Verdict) -> None:
        """Say what is true, and why: as the lesson has it, else as the record of the session tells it."""
        learner = self.learner
        stage.show_verdict(verdict, learner.screen, learner.options.speech, learner._)
        if verdict.feedback is None:
            seeing.tell_why(learner, verdict.cell)
