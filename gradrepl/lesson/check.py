"""Whether a lesson keeps what it promises, on an engine."""

from __future__ import annotations

from collections.abc import Iterator

from gradrepl.lesson import attempts, lock, player, wording
from gradrepl.lesson.answers import same_answer
from gradrepl.lesson.matching import broken_promises, difference
from gradrepl.lesson.model import EXERCISES, Lesson, Step
from gradrepl.lesson.player import Place
from gradrepl.lesson.problem import Message, Problem, mark
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Warned

__all__ = ["Problem", "check"]


def check(lesson: Lesson, engine: Engine) -> list[Problem]:
    """Return all that differs between a lesson and what the engine says, in the order of the file.

    Runs the whole lesson in one session, and its exercises in sessions of their own.
    """
    found = [*of_name(lesson), *wording.problems(lesson), *lock.problems(lesson)]
    with player.begin(lesson, engine) as session:
        place = Place(lesson)
        while not place.finished:
            found += of_code(lesson, place.step, session)
            if place.step.kind in EXERCISES:
                found += attempts.problems(place, engine)
            place = player.forward(place)
    return sorted(found, key=lambda problem: problem.line)


def of_name(lesson: Lesson) -> Iterator[Problem]:
    """Yield what differs between a numbered file's name and its id."""
    name = lesson.path.stem.partition("-")[2]
    if lesson.number is not None and name != lesson.id:
        message = mark("the id is {id!r}, the file's name says {name!r}", id=lesson.id, name=name)
        yield Problem(lesson.path, 1, None, message)


def of_code(lesson: Lesson, step: Step, session: Session) -> Iterator[Problem]:
    """Run a step; yield where outputs, warnings and the keys of feedback aren't as the lesson says."""
    warnings: list[Warned] = []
    for example in step.examples:
        outcomes = list(session.run(example.source))
        warnings += [warned for outcome in outcomes for warned in outcome.warnings]
        differs = difference(example, outcomes)
        if differs:
            yield Problem(lesson.path, example.line, step.id, differs)
    for broken in broken_promises(step.promises, warnings):
        yield Problem(lesson.path, step.promises[0].line if step.promises else step.line, step.id, broken)
    if step.kind == "predict":
        yield from (Problem(lesson.path, line, step.id, message) for line, message in of_prediction(step, session))
    player.run(step.solution, session)


def of_prediction(step: Step, session: Session) -> Iterator[tuple[int, Message]]:
    """Yield cells that can't be evaluated, feedback to what is the truth, and feedback that came before."""
    try:
        values = dict(zip(step.cells, player.truths(step, session), strict=True))
    except player.CellError as error:
        yield step.line, error.message
        return
    for number, item in enumerate(step.feedback):
        condition = {"cell": item.cell, "value": item.value}
        if same_answer(item.value, values[item.cell]):
            yield item.line, mark("feedback to {cell} == {value}, which is true", **condition)
        for earlier in step.feedback[:number]:
            if earlier.cell == item.cell and same_answer(earlier.value, item.value):
                line = earlier.line
                yield item.line, mark("feedback to {cell} == {value} stands in line {line}", **condition, line=line)
