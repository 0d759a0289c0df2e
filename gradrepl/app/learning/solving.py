"""Exercises: code that makes a check come true; any code that does is right."""

from __future__ import annotations

from collections.abc import Sequence

from gradrepl.app import stage
from gradrepl.app.learning.activity import Activity
from gradrepl.app.learning.judging import Judgement, is_look, judge
from gradrepl.lesson import player
from gradrepl.session.outcome import Outcome


class Solving(Activity):
    """An exercise that starts from an empty prompt; solved: its check has come true.

    free: code that only looks at values is no attempt.
    """

    solved = False
    free = True

    @property
    def offered(self) -> str:
        return ""

    @property
    def enter(self) -> str:
        return self.learner._("next") if self.solved else self.learner._("what is missing?")

    @property
    def over(self) -> bool:
        return self.solved

    def begin(self) -> None:
        while self.pending and self.learner.run_given(self.pending[0].source, origin="given"):
            pass
        self.present()

    def go_on(self) -> None:
        if self.solved:
            self.leave()
            return
        learner = self.learner
        learner.note(judge(learner.place, learner.trail).said(learner._))
        learner.note(learner._("Type your answer, or :hint, :solution, :skip."))

    def take(self, text: str) -> None:
        self.learner.execute(text)

    def ran(self, source: str, outcomes: Sequence[Outcome]) -> None:
        if self.solved:
            return
        judgement = judge(self.learner.place, self.learner.trail)
        if judgement.passed:
            self.passed()
        elif not (self.free and is_look(source, outcomes)) or self._is_known(source, judgement):
            self.failed(judgement, outcomes)

    def kept(self) -> None:
        if not self.solved and judge(self.learner.place, self.learner.trail).passed:
            self.passed()

    def undone(self) -> None:
        self.solved = judge(self.learner.place, self.learner.trail).passed

    def _is_known(self, source: str, judgement: Judgement) -> bool:
        known = player.source_of(judgement.meant.examples) if judgement.meant else ""
        return bool(known) and player.meaning(known) == player.meaning(source)

    def passed(self) -> None:
        """The check has come true."""
        self.solved = True
        self.learner.memory.attempted(self.learner.lesson, self.step, True, None)
        self.learner.note(self.learner._("Right. Enter goes on."))

    def failed(self, judgement: Judgement, outcomes: Sequence[Outcome]) -> None:
        """An attempt was wrong: say why, unless it is only the beginning of one, or an error that says so itself."""
        learner = self.learner
        if judgement.meant is not None:
            learner.memory.attempted(learner.lesson, self.step, False, judgement.meant.misconception)
            stage.show_text(judgement.meant.text, learner.screen, learner.options.speech)
            learner.screen.gap()
        elif judgement.begun:
            learner.note(judgement.said(learner._))
        elif not judgement.missing and not outcomes[-1].failure:
            learner.memory.attempted(learner.lesson, self.step, False, None)
            learner.note(judgement.said(learner._))

    def answer(self) -> str:
        return "".join(example.source for example in self.step.solution)

    def sources(self) -> list[str]:
        return self.learner.trail.sources("lesson", "given", "typed", "kept")

    def again(self) -> None:
        self.begin()
