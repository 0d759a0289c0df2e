"""A lesson's run as a page needs it: each step with what its statements did, and the truth of its predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gradrepl.lesson import player
from gradrepl.lesson.model import Example, Lesson, Step
from gradrepl.record.page_graph import Picture, picture
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Outcome

MOST_OUTPUT = 200_000  # bytes of one statement: a browser lays out no more in a moment


@dataclass(frozen=True, slots=True)
class Scene:
    """One statement: what it did, and the graph of the newest tensor that it changed."""

    outcome: Outcome
    graph: Picture | None


@dataclass(frozen=True, slots=True)
class Act:
    """One step; given: its code; solved: the solution of an exercise; truths: of its cells, in their order."""

    step: Step
    given: tuple[Scene, ...]
    solved: tuple[Scene, ...]
    truths: tuple[str, ...]


def perform(lesson: Lesson, engine: Engine) -> tuple[Act, ...]:
    """Run a lesson from its start and return its steps. Raises CellError where a cell can't be evaluated."""
    with player.begin(lesson, engine) as session:
        session.most = MOST_OUTPUT
        return tuple(_act(step, session) for step in lesson.steps)


def _act(step: Step, session: Session) -> Act:
    given = tuple(_scenes(step.examples, session))
    truths = player.truths(step, session) if step.cells else ()
    return Act(step, given, tuple(_scenes(step.solution, session)), truths)


def _scenes(examples: Iterable[Example], session: Session) -> Iterator[Scene]:
    for example in examples:
        for outcome in session.run(example.source):
            yield Scene(outcome, picture(session.engine, session.names, outcome))
