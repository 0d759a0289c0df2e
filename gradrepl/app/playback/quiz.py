"""What a step asks before it is played, answered by numbers: an option of a choice, a value of each predicted cell."""

from __future__ import annotations

from collections.abc import Sequence

from gradrepl.app import stage
from gradrepl.app.commands.replay import Dice, reaches_outside, restore
from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Speech, translator
from gradrepl.lesson import player
from gradrepl.lesson.answers import same_answer
from gradrepl.lesson.model import Step
from gradrepl.lesson.order import shuffled
from gradrepl.lesson.player import CellError, ChoiceError, Place
from gradrepl.session.core import Session

MOST = 9
TRUTH_VALUES = ("True", "False")


class Quiz:
    """The questions of one step; here, of one that asks nothing."""

    def __init__(self, step: Step, screen: Screen, speech: Speech) -> None:
        self.step, self.screen, self.speech = step, screen, speech
        self._ = translator(speech)

    @property
    def count(self) -> int:
        """How many answers there are to choose from now; 0 where nothing is asked, or nothing any more."""
        return 0

    def ask(self) -> None:
        """Say what can be answered now."""
        if self.step.cells:
            self.screen.note(self._("What do you expect?") + " " + ", ".join(self.step.cells))

    def take(self, number: int) -> None:
        """Take the answer of that number, from 1; another number is none."""

    def show_answer(self) -> None:
        """The right option, unless it was found."""
        stage.show_answer(self.step, self.screen, self.speech)

    def show_truths(self, truths: Sequence[str]) -> None:
        """What was asked for, once the code has run."""
        stage.show_truths(self.step, truths, self.screen)


class Choice(Quiz):
    """One of the options is right; a wrong one is replied to, and another can be taken."""

    solved = False

    def ask(self) -> None:
        self.screen.gap()

    @property
    def count(self) -> int:
        return 0 if self.solved else min(len(self.step.options), MOST)

    def take(self, number: int) -> None:
        try:
            option = player.choose(self.step, number)
        except ChoiceError:
            return
        self.solved = option.right
        self.screen.note(self._("Right.") if option.right else self._("No, it isn't {number}.").format(number=number))
        if option.reply is not None:
            stage.show_text(option.reply, self.screen, self.speech)
        self.screen.gap()

    def show_answer(self) -> None:
        if not self.solved:
            super().show_answer()


class Prediction(Quiz):
    """One cell after the other; offered: for each of them the answers that there are."""

    def __init__(self, step: Step, screen: Screen, speech: Speech, offered: Sequence[tuple[str, ...]]) -> None:
        super().__init__(step, screen, speech)
        self._offered = offered
        self._answers: list[str] = []
        self._pass_over()

    @property
    def count(self) -> int:
        return len(self._offered[len(self._answers)]) if len(self._answers) < len(self._offered) else 0

    def ask(self) -> None:
        super().ask()
        self._offer()

    def _offer(self) -> None:
        if self.count:
            place = len(self._answers)
            answers = [f"{number} {answer}" for number, answer in enumerate(self._offered[place], 1)]
            self.screen.note(f"{self.step.cells[place]}:  {'   '.join(answers)}")

    def take(self, number: int) -> None:
        if not 1 <= number <= self.count:
            return
        place = len(self._answers)
        self._answers.append(self._offered[place][number - 1])
        self.screen.note(f"{self.step.cells[place]} = {self._answers[-1]}")
        self._pass_over()
        self._offer()
        if not self.count:
            self.screen.gap()

    def show_truths(self, truths: Sequence[str]) -> None:
        if not any(self._answers):
            super().show_truths(truths)
            return
        answers = [*self._answers, *[""] * (len(truths) - len(self._answers))]
        judged = zip(self.step.cells, answers, truths, strict=True)
        verdicts = [player.verdict(self.step, cell, answer, truth) for cell, answer, truth in judged]
        stage.show_right(verdicts, self.screen, self._)
        for verdict in verdicts:
            if not verdict.right:
                stage.show_verdict(verdict, self.screen, self.speech, self._)

    def _pass_over(self) -> None:
        while len(self._answers) < len(self._offered) and not self._offered[len(self._answers)]:
            self._answers.append("")


def quiz(place: Place, session: Session, screen: Screen, speech: Speech) -> Quiz:
    """The questions of a step, the session being where it begins; the session stays as it is."""
    step = place.step
    if step.options:
        return Choice(step, screen, speech)
    if step.cells:
        pairs = zip(step.cells, _rehearsed(place, session), strict=False)
        return Prediction(step, screen, speech, [_answers(step, cell, truth) for cell, truth in pairs])
    return Quiz(step, screen, speech)


def _answers(step: Step, cell: str, truth: str) -> tuple[str, ...]:
    """The truth among the answers that the lesson replies to, in an order that says nothing; none if it is alone."""
    if truth in TRUTH_VALUES:
        return TRUTH_VALUES
    wrong = [item.value for item in step.feedback if item.cell == cell and not same_answer(item.value, truth)]
    found = [truth, *dict.fromkeys(wrong)][:MOST]
    order = shuffled(len(found), f"{step.id} {cell}")
    return tuple(found[index] for index in order) if len(found) > 1 else ()


def _rehearsed(place: Place, session: Session) -> tuple[str, ...]:
    """What the cells will be, from a run of the lesson so far aside; nothing where that would be seen outside."""
    sources = [source for done in place.done for source in done] + [example.source for example in place.step.examples]
    if any(map(reaches_outside, sources)):
        return ()
    enabled, dice = bool(session.engine.torch.is_grad_enabled()), Dice.now(session.engine)
    try:
        with player.session_at(place, session.engine) as other:
            player.run(place.step.examples, other)
            return player.truths(place.step, other)
    except CellError:
        return ()
    finally:
        restore(session, enabled, dice)
