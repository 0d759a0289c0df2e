"""Choices: one of several answers is right, and each has its reply."""

from __future__ import annotations

from gradrepl.app import stage
from gradrepl.app.learning.activity import Activity
from gradrepl.lesson import player


class Choosing(Activity):
    """solved: the right option was taken."""

    solved = False

    @property
    def question(self) -> str:
        if self.solved:
            return ""
        return self.learner._("your answer, 1-{count}:").format(count=len(self.step.options)) + " "

    @property
    def offered(self) -> str:
        return super().offered if self.solved else ""

    @property
    def enter(self) -> str:
        return super().enter if self.solved else ""

    @property
    def over(self) -> bool:
        return self.solved and super().over

    def present(self) -> None:
        if not self.solved:
            stage.show_task(self.step, self.learner.screen, self.learner.options.speech)
            self.learner.screen.gap()

    def go_on(self) -> None:
        if self.solved:
            super().go_on()
        else:
            self._ask_for_number()

    def take(self, text: str) -> None:
        number = text.strip().rstrip(".)")
        if self.solved:
            super().take(text)
        elif number.isdecimal():
            self._choose(int(number))
        else:
            self._ask_for_number()

    def answer(self) -> str:
        return super().answer() if self.solved else str(self._right())

    def skip(self) -> None:
        if not self.solved:
            self.learner.note(self.learner._("Right is {number}.").format(number=self._right()))
        super().skip()

    def again(self) -> None:
        self.present()

    def _right(self) -> int:
        return next(number for number, option in enumerate(player.options(self.step), 1) if option.right)

    def _ask_for_number(self) -> None:
        text = self.learner._("Type a number from 1 to {count}; :hint helps, :skip goes on.")
        self.learner.note(text.format(count=len(self.step.options)))

    def _choose(self, number: int) -> None:
        learner = self.learner
        try:
            option = player.choose(self.step, number)
        except player.ChoiceError:
            self._ask_for_number()
            return
        learner.memory.chose(learner.lesson, self.step, option, option.right)
        self.solved = option.right
        learner.note(learner._("Right.") if option.right else learner._("No, it isn't {number}.").format(number=number))
        if option.reply is not None:
            stage.show_text(option.reply, learner.screen, learner.options.speech)
            learner.screen.gap()
        while option.right and self.pending and learner.run_given(self.pending[0].source):
            pass
