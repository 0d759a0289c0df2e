"""A lesson's run as a page needs it: each step with what its statements did, and the truth of its predictions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby

from gradrepl.lesson.model import Lesson, Step
from gradrepl.record.event import Ran
from gradrepl.record.page_graph import Picture
from gradrepl.session.outcome import Outcome, Output

MOST_LETTERS = 200_000  # of one stream of a statement: more of them makes a browser slow


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
    found = [Scene(_cut(outcome), None) for outcome in ran.outcomes]
    return [*found[:-1], Scene(found[-1].outcome, ran.graph)] if found else []


def _cut(outcome: Outcome) -> Outcome:
    """The outcome with what a page shows of its outputs: pieces of one kind are one, of a long one two ends."""
    outputs = []
    for kind, group in groupby(outcome.outputs, key=lambda output: output.kind):
        text = "".join(output.text + ("\n" if kind == "echo" else "") for output in group).rstrip("\n")
        if len(text) > MOST_LETTERS:
            text = f"{text[: MOST_LETTERS // 2]}\n...\n{text[-MOST_LETTERS // 2 :]}"
        outputs.append(Output(kind, text))
    return replace(outcome, outputs=tuple(outputs))
