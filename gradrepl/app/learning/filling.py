"""Programs with blanks, which stand at the prompt to be filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradrepl.app.learning.judging import Judgement
from gradrepl.app.learning.solving import Solving
from gradrepl.lesson import player
from gradrepl.lesson.model import BLANK
from gradrepl.session.outcome import Outcome

# As the last line below a program that stands at the prompt, where nothing else can begin with a colon.
_COMMAND = re.compile(r":[^\W\d]+(?: +\w+)*")


class Filling(Solving):
    """typed: the learner's last try, to go on from."""

    free = False
    typed = ""

    @property
    def enter(self) -> str:
        return super().enter if self.solved else self.learner._("try it")

    @property
    def offered(self) -> str:
        return "" if self.solved else self.typed or player.template(self.step)

    def take(self, text: str) -> None:
        learner = self.learner
        if self.solved:
            learner.execute(text)
            return
        program, _, last = text.rstrip().rpartition("\n")
        if _COMMAND.fullmatch(last.strip()):
            self.typed = program.rstrip() + "\n"
            learner.obey(last.strip())
            return
        self.typed = text
        if BLANK in text:
            asked = learner._("Put something in the place of each {blank}; :hint and :solution work below the program.")
            learner.note(asked.format(blank=BLANK))
            return
        # Each try is a whole program: it begins where the step began.
        learner.rewind("given", "kept")
        learner.execute(text)

    def failed(self, judgement: Judgement, outcomes: Sequence[Outcome]) -> None:
        super().failed(judgement, outcomes)
        if judgement.missing and judgement.meant is None and not outcomes[-1].failure:
            self.learner.note(judgement.said(self.learner._))
