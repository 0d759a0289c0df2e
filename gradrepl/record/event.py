"""What happens in a lesson that runs, as frozen values in their order: all recordings are made of these."""

from __future__ import annotations

from dataclasses import dataclass

from gradrepl.lesson import player
from gradrepl.lesson.model import Example, Lesson, Step
from gradrepl.record.page_graph import Picture
from gradrepl.session.core import Session
from gradrepl.session.outcome import Outcome


@dataclass(frozen=True, slots=True)
class LessonBegins:
    """A lesson begins, in a fresh session."""

    lesson: Lesson


@dataclass(frozen=True, slots=True)
class StepBegins:
    """A step begins; number: its place in the lesson, from 1."""

    lesson: Lesson
    step: Step
    number: int


@dataclass(frozen=True, slots=True)
class SolutionBegins:
    """What runs from here to the end of the step is its solution."""

    step: Step


@dataclass(frozen=True, slots=True)
class Ran:
    """One example of a step has run; outcomes: of its statements; graph: behind the newest tensor that they changed."""

    lesson: Lesson
    step: Step
    example: Example
    outcomes: tuple[Outcome, ...]
    graph: Picture | None = None


@dataclass(frozen=True, slots=True)
class Truths:
    """What a prediction asked for; values: of the step's cells, in their order; broken: one of them is an error."""

    step: Step
    values: tuple[str, ...]
    broken: bool = False


Event = LessonBegins | StepBegins | SolutionBegins | Ran | Truths


def truths(step: Step, session: Session) -> Truths:
    """What a prediction asked for, on a copy of the names, its code having run; the error of a cell that raises."""
    with player.aside(session) as fork:
        found = [_value(cell, fork) for cell in step.cells]
    return Truths(step, tuple(value for value, _broken in found), any(broken for _value, broken in found))


def _value(cell: str, session: Session) -> tuple[str, bool]:
    try:
        return player.truth(cell, session), False
    except player.CellError as error:
        return str(error.message.fields["error"]), True
