"""From lesson to lesson, until the learner leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradrepl.app import engines
from gradrepl.app.commands.replay import Dice
from gradrepl.app.learning.commands import COMMANDS
from gradrepl.app.learning.learner import Learner

if TYPE_CHECKING:
    from gradrepl.app.learning.remembering import Remembering
    from gradrepl.app.line.reader import Reader
    from gradrepl.app.options import Options, Terminal
    from gradrepl.lesson.model import Lesson
    from gradrepl.session.engine import Engine


def learn(
    lesson: Lesson,
    engine: Engine,
    reader: Reader,
    options: Options,
    terminal: Terminal,
    memory: Remembering,
    start: int | None = None,
) -> Options:
    """Go through a lesson and those that are started from it; returns the options as they are then.

    start: the index of the step to begin with, rather than where the learner stopped.
    The random generators are afterwards as they were before.
    """
    before, dice, footer = engine, Dice.now(engine), reader.footer
    following: Lesson | None = lesson
    while following is not None:
        learner = Learner(following, engine, reader, options, terminal, memory)
        learner.commands = COMMANDS
        learner.loop(start)
        start = None
        options, terminal, following = learner.options, learner.terminal, learner.following
        engine = engines.load(options.engine) if options.engine != engine.name else engine
    reader.footer = footer
    dice.throw(before)
    return options
