"""Lines to be put in order, answered by their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradrepl.app import stage
from gradrepl.app.learning.judging import Judgement
from gradrepl.app.learning.solving import Solving
from gradrepl.lesson import player
from gradrepl.lesson.model import Distractor
from gradrepl.session.outcome import Outcome

_NUMBERS = re.compile(r"\d+(?:[\s,;]+\d+)*[\s,;.]*")


class Arranging(Solving):
    """stray: the line that doesn't belong among those taken last."""

    free = False
    stray: Distractor | None = None

    @property
    def question(self) -> str:
        return "" if self.solved else self.learner._("the lines in order, such as 2 1 3:") + " "

    @property
    def enter(self) -> str:
        return super().enter if self.solved else ""

    def present(self) -> None:
        if not self.solved:
            self.learner.screen.gap()
            stage.show_task(self.step, self.learner.screen, self.learner.options.speech)
            self.learner.screen.gap()

    def go_on(self) -> None:
        if self.solved:
            self.leave()
        else:
            self._ask_for_numbers()

    def take(self, text: str) -> None:
        if self.solved:
            self.learner.execute(text)
        elif _NUMBERS.fullmatch(text.strip()):
            self._arrange([int(number) for number in re.findall(r"\d+", text)])
        else:
            self._ask_for_numbers()

    def failed(self, judgement: Judgement, outcomes: Sequence[Outcome]) -> None:
        learner = self.learner
        if self.stray is not None:
            self._say_stray(self.stray)
            return
        super().failed(judgement, outcomes)
        if judgement.meant is None and not judgement.begun and (judgement.missing or outcomes[-1].failure):
            learner.memory.attempted(learner.lesson, self.step, False, None)
            learner.note(judgement.said(learner._))

    def answer(self) -> str:
        return "" if self.solved else " ".join(map(str, player.right_order(self.step)))

    def _ask_for_numbers(self) -> None:
        text = self.learner._("Type the numbers of the lines in their order, each from 1 to {count} and once.")
        self.learner.note(text.format(count=len(player.lines(self.step))))

    def _arrange(self, numbers: list[int]) -> None:
        learner = self.learner
        try:
            source = player.arranged(self.step, numbers)
        except player.ChoiceError:
            self._ask_for_numbers()
            return
        self.stray = player.distracted(self.step, numbers)
        learner.rewind("given", "kept")
        learner.screen.source(source)
        place = player.misplaced(self.step, numbers)
        if place is None:
            learner.execute(source)
        elif self.stray is not None:
            self._say_stray(self.stray)
        else:
            learner.memory.attempted(learner.lesson, self.step, False, None)
            learner.note(self._misplaced(numbers, place))

    def _say_stray(self, stray: Distractor) -> None:
        learner = self.learner
        learner.memory.attempted(learner.lesson, self.step, False, stray.misconception)
        learner.note(learner._("This line does not belong: {line}").format(line=stray.source.strip()))
        stage.show_text(stray.text, learner.screen, learner.options.speech)
        learner.screen.gap()

    def _misplaced(self, numbers: list[int], place: int) -> str:
        """What is wrong with lines that make no program, which Python's own error would say of a file."""
        if place == len(numbers):
            return self.learner._("Not yet: a line must follow the last one, indented more deeply.")
        text = self.learner._("Not yet: line {number} can't stand there: {line}")
        line = player.lines(self.step)[numbers[place] - 1].strip()
        return text.format(number=numbers[place], line=line)
