"""Whether a lesson keeps what it promises, on an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gradrepl.lesson import player
from gradrepl.lesson.answers import same_answer
from gradrepl.lesson.markup import code_spans
from gradrepl.lesson.matching import broken_promises, difference
from gradrepl.lesson.model import EXERCISES, Example, Lesson, Step, Text
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
    found = [*of_name(lesson), *of_texts(lesson)]
    with player.begin(lesson, engine) as session:
        place = Place(lesson)
        while not place.finished:
            found += of_code(lesson, place.step, session)
            if place.step.kind in EXERCISES:
                found += of_exercise(place, engine)
            place = player.forward(place)
    return sorted(found, key=lambda problem: problem.line)


def of_name(lesson: Lesson) -> Iterator[Problem]:
    """Yield what differs between a numbered file's name and its id."""
    name = lesson.path.stem.partition("-")[2]
    if lesson.number is not None and name != lesson.id:
        message = mark("the id is {id!r}, the file's name says {name!r}", id=lesson.id, name=name)
        yield Problem(lesson.path, 1, None, message)


def of_texts(lesson: Lesson) -> Iterator[Problem]:
    """Yield where the two languages show different code within their sentences."""
    for step in lesson.steps:
        for line, text in texts(step):
            vi, en = code_spans(text.vi), code_spans(text.en)
            if vi != en:
                only = {"vi": listed(vi - en), "en": listed(en - vi)}
                message = mark("the languages differ in their code; only in vi: {vi}; only in en: {en}", **only)
                yield Problem(lesson.path, line, step.id, message)


def listed(spans: Iterable[str]) -> str:
    return ", ".join(f"`{span}`" for span in sorted(spans)) or "-"


def texts(step: Step) -> Iterator[tuple[int, Text]]:
    """Yield every text of a step with its line."""
    yield step.line, step.prose
    yield from ((item.line, item.text) for item in step.feedback)
    yield from ((step.line, hint) for hint in step.hints)
    yield from ((item.line, item.text) for item in step.wrong)
    yield from ((option.line, option.text) for option in step.options)
    yield from ((distractor.line, distractor.text) for distractor in step.distractors)
    yield from ((option.line, option.reply) for option in step.options if option.reply)


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
        yield from of_prediction(lesson, step, session)
    player.run(step.solution, session)


def of_prediction(lesson: Lesson, step: Step, session: Session) -> Iterator[Problem]:
    """Yield cells that can't be evaluated, and feedback to what is the truth."""
    try:
        values = dict(zip(step.cells, player.truths(step, session), strict=True))
    except player.CellError as error:
        yield Problem(lesson.path, step.line, step.id, error.message)
        return
    for item in step.feedback:
        if same_answer(item.value, values[item.cell]):
            message = mark("feedback to {cell} == {value}, which is true", cell=item.cell, value=item.value)
            yield Problem(lesson.path, item.line, step.id, message)


def of_exercise(place: Place, engine: Engine) -> Iterator[Problem]:
    """Yield why an exercise's check doesn't tell right from wrong."""
    step, path = place.step, place.lesson.path
    for example, differs in tried(place, step.solution, engine):
        message = mark("the solution does not pass the check: {differs}", differs=differs)
        yield Problem(path, example.line, step.id, message)
    if passes(place, [], engine):
        yield Problem(path, step.check[0].line, step.id, mark("the check passes before anything is typed"))
    if step.template and passes(place, [player.template(step)], engine):
        yield Problem(path, step.template[0].line, step.id, mark("the template passes the check as it stands"))
    if step.kind == "parsons" and not passes(place, [player.arranged(step, player.right_order(step))], engine):
        yield Problem(
            path, step.solution[0].line, step.id, mark("the lines in their right order do not pass the check")
        )
    for wrong in step.wrong:
        if passes(place, [example.source for example in wrong.examples], engine):
            yield Problem(path, wrong.line, step.id, mark("this wrong attempt passes the check"))


def tried(place: Place, examples: Sequence[Example], engine: Engine) -> Iterator[tuple[Example, Message]]:
    """Yield what differs in examples, and in an exercise's check after them, in a session of its own."""
    with player.session_at(place, engine) as session:
        player.run(place.step.examples, session)
        for example, outcomes in player.run(examples, session):
            differs = difference(example, outcomes)
            if differs:
                yield example, differs
        for example, _, differs in player.checked(place.step, session):
            if differs:
                yield example, differs


def passes(place: Place, sources: Sequence[str], engine: Engine) -> bool:
    """Whether an exercise's check says yes to what an attempt left behind."""
    with player.session_at(place, engine) as session:
        player.run(place.step.examples, session)
        for source in sources:
            for _ in session.run(source):
                pass
        return player.attempt(place, session).passed
