"""The session of a lesson with all that ran in it, so that it can be made again, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from gradrepl.app.commands.replay import Dice, from_start, restore
from gradrepl.lesson import player
from gradrepl.lesson.model import Lesson
from gradrepl.lesson.player import Place
from gradrepl.session.chronicle import Chronicle, Input
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine

# Where an input of a step comes from: the lesson, which may be undone; the lesson, given before an exercise begins;
# the learner; the learner, to be kept when the step is left.
Origin = Literal["lesson", "given", "typed", "kept"]


class Trail:
    """What ran since a lesson began. origins: of the inputs since its step began, the last ones of the chronicle."""

    def __init__(self, session: Session, chronicle: Chronicle) -> None:
        self.session = session
        self.chronicle = chronicle
        self.origins: list[Origin] = []
        self._paused = (True, chronicle.dice)

    @property
    def entries(self) -> list[tuple[Input, Origin]]:
        """The inputs since the step began."""
        inputs = self.chronicle.inputs
        return list(zip(inputs[len(inputs) - len(self.origins) :], self.origins, strict=True))

    @property
    def undoable(self) -> int:
        """How many of the last inputs may be undone without leaving the step."""
        free = len(self.origins) - self.origins.count("given")
        return min(free, len(self.chronicle.prints) - 1)

    def sources(self, *origins: Origin) -> list[str]:
        """What ran since the step began and can run again: not what Ctrl-C stopped."""
        return [entry.source for entry, origin in self.entries if origin in origins and not interrupted(entry)]

    def again(self, sources: Iterable[str]) -> Trail:
        """Go back to the lesson's beginning and run these; this trail ends."""
        self.session.close()
        return Trail(*from_start(self.session.engine, self.chronicle.dice, sources))

    def take_over(self, session: Session, chronicle: Chronicle) -> None:
        """Go on with a session of fewer inputs."""
        gone = len(self.chronicle.inputs) - len(chronicle.inputs)
        self.session, self.chronicle = session, chronicle
        del self.origins[len(self.origins) - gone :]

    def fork(self) -> Trail:
        """A trail of its own with the same names and values, on which nothing of the step has run yet."""
        runnable = (entry.source for entry in self.chronicle.inputs if not interrupted(entry))
        return Trail(*from_start(self.session.engine, self.chronicle.dice, runnable))

    def pause(self) -> None:
        """Another session runs from now on."""
        torch = self.session.engine.torch
        self._paused = (bool(torch.is_grad_enabled()), Dice.now(self.session.engine))

    def resume(self) -> None:
        """Put the grad mode and the random generators back to what they were at the pause."""
        enabled, dice = self._paused
        if isinstance(dice, Dice):
            restore(self.session, enabled, dice)

    @contextmanager
    def copy(self) -> Iterator[Session]:
        """A session with the same names and values, to look at: whatever is done to them there isn't seen here."""
        self.pause()
        other = self.fork()
        try:
            yield other.session
        finally:
            other.session.close()
            self.resume()


def start(lesson: Lesson, engine: Engine) -> Trail:
    """The trail of a lesson at its beginning: gradients on, random numbers from the lesson's seed."""
    with player.begin(lesson, engine):
        dice = Dice.now(engine, imported=False)
    return Trail(*from_start(engine, dice, ()))


def before(place: Place) -> list[str]:
    """All that ran in the steps before a place."""
    return [source for sources in place.done for source in sources]


def interrupted(entry: Input) -> bool:
    """Whether Ctrl-C stopped an input."""
    return any(outcome.failure and outcome.failure.type == "KeyboardInterrupt" for outcome in entry.outcomes)
