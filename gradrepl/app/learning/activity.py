"""What one does in a step: the ground of all kinds, which is code that is shown and run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradrepl.app import stage
from gradrepl.lesson import player
from gradrepl.lesson.model import Example, Step

if TYPE_CHECKING:
    from gradrepl.app.learning.learner import Learner
    from gradrepl.session.outcome import Outcome


class Activity:
    """A step while it is being done; revealed: the learner has seen its solution."""

    def __init__(self, learner: Learner, step: Step) -> None:
        self.learner = learner
        self.step = step
        self.revealed = False

    @property
    def question(self) -> str:
        """What stands before the answer; empty where code is typed."""
        return ""

    @property
    def offered(self) -> str:
        """What stands at the prompt to begin with."""
        return self.pending[0].source if self.pending else ""

    @property
    def enter(self) -> str:
        """What Enter alone does, in a few words; empty where that is nothing."""
        return self.learner._("run") if self.pending else self.learner._("next")

    @property
    def pending(self) -> Sequence[Example]:
        """The step's own examples that haven't run yet."""
        return self.step.examples[len(self.learner.trail.sources("lesson", "given")) :]

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return not self.pending

    def show(self) -> None:
        """Show the step's words."""
        learner = self.learner
        stage.show_step(learner.place, learner.screen, learner.options.speech)

    def begin(self) -> None:
        """Do what comes before the first input; the words were shown."""
        self.present()

    def present(self) -> None:
        """Show what there is to choose from, to guess or to put in order."""

    def go_on(self) -> None:
        """What Enter alone does."""
        if self.pending:
            self.learner.run_given(self.pending[0].source)
        else:
            self.leave()

    def take(self, text: str) -> None:
        """What the learner typed, if it is neither a command nor nothing."""
        if self.pending and text.strip() == self.pending[0].source.strip():
            self.learner.run_given(self.pending[0].source, shown=True)
        else:
            self.learner.execute(text)

    def ran(self, source: str, outcomes: Sequence[Outcome]) -> None:
        """Code of the learner's has run."""

    def kept(self) -> None:
        """Names from free play have come over."""

    def undone(self) -> None:
        """Inputs were undone."""

    def answer(self) -> str:
        """What `:solution` puts at the prompt; empty, and said why, where there is nothing."""
        self.learner.note(self.learner._("This step asks for no code; Enter goes on."))
        return ""

    def leave(self) -> None:
        """Go on to the next step with what ran in this one."""
        self.learner.leave("shown" if self.revealed else "done", self.sources())

    def sources(self) -> list[str]:
        """What of this step is there in the next ones: what the learner tried beside the lesson isn't."""
        return self.learner.trail.sources("lesson", "given", "kept")

    def skip(self) -> None:
        """Run what the step would have run, and go on."""
        if self.over:
            self.leave()
            return
        learner = self.learner
        for example in self.step.solution:
            learner.screen.source(example.source)
        learner.rewind("kept")
        made = ", ".join(learner.run_silently([example.source for example in player.code_of(self.step)]))
        text = learner._("Skipped; it made: {names}").format(names=made) if made else learner._("Skipped.")
        learner.note(text)
        learner.leave("skipped", self.sources())

    def again(self) -> None:
        """Run the step once more, from its start; the words were shown."""
        while self.pending and self.learner.run_given(self.pending[0].source):
            pass
