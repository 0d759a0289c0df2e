"""A lesson's run as a page needs it: each step with what its statements did, and the truth of its predictions."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradrepl.lesson.model import Lesson, Step
from gradrepl.record.event import Ran
from gradrepl.record.page_graph import Picture
from gradrepl.session.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Scene:
    """One statement: what it did, and the graph of the newest tensor that it changed."""

    outcome: Outcome
    graph: Picture | None


@dataclass(slots=True)
class Act:
    """One step while it is gathered; id: no other on the page has it.

    given: its code; solved: the solution of an exercise; truths: of its cells, in their order.
    """

    lesson: Lesson
    step: Step
    id: str
    given: list[Scene] = field(default_factory=list)
    solved: list[Scene] = field(default_factory=list)
    truths: tuple[str, ...] = ()


def scenes(ran: Ran) -> list[Scene]:
    """The statements of an example; the graph stands at the last one."""
    found = [Scene(outcome, None) for outcome in ran.outcomes]
    return [*found[:-1], Scene(found[-1].outcome, ran.graph)] if found else []
