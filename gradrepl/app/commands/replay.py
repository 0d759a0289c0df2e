"""Running a session's inputs again from the start: exact, where nothing outside of it had a part."""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradrepl.app.commands.merge import merge
from gradrepl.i18n import Translate, mark
from gradrepl.session.chronicle import Chronicle, Input
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Outcome

OUTSIDE = {"input", "open", "breakpoint", "system", "popen", "Popen", "urlopen", "time", "sleep", "now", "today"}
OUTSIDE |= {"write_text", "write_bytes", "unlink", "mkdir", "save", "load", "Thread"}
LONGEST = 20.0
OUTSIDE_HAD_A_PART = mark("Input {input} reaches outside of the session (`{name}`): running it again is not exact.")
INTERRUPTED = mark("Input {input} was interrupted: running it again is not exact.")
FORGOTTEN = mark("The first inputs are not kept any more, so they can't be run again.")
TOO_LONG = mark("Running all inputs again would take {seconds} seconds.")
BEGAN_WITH_NAMES = mark("The session began with names of its own, which can't be made again.")
DIFFERENT = mark("Running the inputs again gave other values ({names}): nothing was changed.")
INSIDE_INFERENCE = mark("An inference_mode that was entered by hand is still open: leave it first.")


class NotReplayableError(Exception):
    """The inputs can't be run again exactly; `said` says why."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values

    def said(self, _: Translate) -> str:
        """The reason in the learner's language."""
        return _(self.reason).format(**self.values)


@dataclass(frozen=True, slots=True)
class Dice:
    """The states of the random generators as a session began, numpy's if it was imported.

    imported: whether the session began with `torch`.
    """

    torch: Any
    python: Any
    numpy: Any
    imported: bool = True

    @classmethod
    def now(cls, engine: Engine, *, imported: bool = True) -> Dice:
        """The states of this moment."""
        module = sys.modules.get("numpy.random")
        numpy = None if module is None else module.get_state()
        return cls(engine.torch.get_rng_state(), random.getstate(), numpy, imported)

    def throw(self, engine: Engine) -> None:
        """Put them back."""
        engine.torch.set_rng_state(self.torch)
        random.setstate(self.python)
        numpy = sys.modules.get("numpy.random")
        if numpy is not None and self.numpy is not None:
            numpy.set_state(self.numpy)


def watch_numpy(chronicle: Chronicle, source: str) -> None:
    """Note the state of numpy's generator before the first input that may use it.

    Importing it earlier would cost all prompts memory that few need.
    """
    dice = chronicle.dice
    if isinstance(dice, Dice) and dice.numpy is None and "numpy" in source:
        import numpy.random

        chronicle.dice = replace(dice, numpy=numpy.random.get_state())


def check(chronicle: Chronicle, inputs: Sequence[Input]) -> None:
    """Raise NotReplayableError where running these inputs again would not be exact, or take long."""
    if chronicle.dice is None:
        raise NotReplayableError(BEGAN_WITH_NAMES)
    if chronicle.lost:
        raise NotReplayableError(FORGOTTEN)
    for entry in inputs:
        failed = entry.outcomes[-1].failure if entry.outcomes else None
        if failed is not None and failed.type == "KeyboardInterrupt":
            raise NotReplayableError(INTERRUPTED, input=entry.number)
        for name in reaches_outside(entry.source):
            raise NotReplayableError(OUTSIDE_HAD_A_PART, input=entry.number, name=name)
    seconds = sum(entry.seconds for entry in inputs)
    if seconds > LONGEST:
        raise NotReplayableError(TOO_LONG, seconds=round(seconds))


def reaches_outside(source: str) -> list[str]:
    """What a source calls that reads or changes more than the session."""
    return [name for name in dict.fromkeys(called(source)) if name in OUTSIDE]


def called(source: str) -> Iterator[str]:
    """The last names of what a source calls."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            yield function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def back(session: Session, chronicle: Chronicle, count: int) -> tuple[Session, Chronicle]:
    """The session as it was before the last `count` inputs, and its chronicle.

    Raises NotReplayableError, and leaves all as it is, where that can't be had exactly.
    """
    inputs = chronicle.inputs[: len(chronicle.inputs) - count]
    check(chronicle, inputs)
    enabled, dice = bool(session.engine.torch.is_grad_enabled()), Dice.now(session.engine)
    try:
        other, told = rerun(session, chronicle, inputs)
        wanted, found = chronicle.prints[-1 - count], told.prints[-1]
        if found != wanted:
            names = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
            raise NotReplayableError(DIFFERENT, names=", ".join(names))
    except BaseException:
        restore(session, enabled, dice)
        raise
    other.started = session.started
    return other, told


def worlds(session: Session, chronicle: Chronicle, code: str) -> tuple[Outcome, Outcome]:
    """What code does with grad mode on, and off, each in a session of its own; raises NotReplayableError."""
    check(chronicle, chronicle.inputs)
    return world(session, chronicle, code, True), world(session, chronicle, code, False)


def world(session: Session, chronicle: Chronicle, code: str, enabled: bool) -> Outcome:
    """What code, at least one statement, does after all inputs have run again."""
    before, dice = bool(session.engine.torch.is_grad_enabled()), Dice.now(session.engine)
    try:
        other, _told = rerun(session, chronicle, chronicle.inputs)
        other.set_mode(enabled)
        return merge(list(other.run(code)))
    finally:
        restore(session, before, dice)


def rerun(session: Session, chronicle: Chronicle, inputs: Sequence[Input]) -> tuple[Session, Chronicle]:
    """A new session in which the inputs have run again, without a sound, and its chronicle."""
    if any(switch.name == "inference_mode" for switch in chronicle.switches):
        raise NotReplayableError(INSIDE_INFERENCE)
    return from_start(session.engine, chronicle.dice, [entry.source for entry in inputs])


def from_start(engine: Engine, dice: object, sources: Iterable[str]) -> tuple[Session, Chronicle]:
    """A new session that begins with these dice and in which the sources have run, and its chronicle."""
    session, chronicle = Session(engine), Chronicle(dice)
    if not isinstance(dice, Dice) or dice.imported:
        session.names["torch"] = engine.torch
    if isinstance(dice, Dice):
        dice.throw(engine)
    for source in sources:
        chronicle.note(source, tuple(session.run(source)), session.names)
    return session, chronicle


def restore(session: Session, enabled: bool, dice: Dice) -> None:
    """Put back the grad mode and the random generators that a session goes on with."""
    dice.throw(session.engine)
    session.set_mode(enabled)
