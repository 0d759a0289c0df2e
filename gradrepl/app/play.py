"""Scripted playback: lessons run by themselves, with a pause between steps where somebody is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gradrepl.app import stage
from gradrepl.app.line.reader import Reader
from gradrepl.app.playback.machine import Stop
from gradrepl.app.playback.quiz import Quiz, quiz
from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Speech, Translate, translator
from gradrepl.lesson import player
from gradrepl.lesson.matching import broken_promises, difference
from gradrepl.lesson.model import Example, Lesson
from gradrepl.lesson.player import Place
from gradrepl.record.event import Event, LessonBegins, Ran, SolutionBegins, StepBegins, truths
from gradrepl.record.page_graph import picture
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Outcome

FAILED = 1
Record = Callable[[Event], None]


class Leave(Exception):  # noqa: N818 - it is no error
    """Whoever is at the keyboard has seen enough."""


def unrecorded(event: Event) -> None:
    """Keep nothing."""


def play(
    lessons: Sequence[Lesson],
    engine: Engine,
    screen: Screen,
    speech: Speech,
    reader: Reader | None,
    record: Record = unrecorded,
    stop: Stop = "step",
    first: int = 0,
) -> int:
    """Play lessons one after the other; reader: who is asked for Enter at the stops, if anybody.

    record: hears of all that happens. stop: at questions, behind each step too, or never. first: the step to begin
    with, from 0, of the first lesson; what is before it runs unseen.

    Returns 1 if anything differs from what a lesson promises, else 0.
    """
    differing = False
    try:
        for lesson in lessons:
            stage.show_title(lesson, screen, speech)
            record(LessonBegins(lesson))
            place, first = place_at(lesson, first), 0
            with player.session_at(place, engine) as session:
                while not place.finished:
                    stage.show_step(place, screen, speech)
                    stage.show_task(place.step, screen, speech)
                    asked = _ask(place, session, screen, speech, reader if stop != "never" else None)
                    differing |= _play_step(place, session, asked, record)
                    place = player.forward(place)
                    if stop == "step":
                        _pause(reader, translator(speech))
    except Leave:
        return 0
    return FAILED if differing else 0


def _play_step(place: Place, session: Session, asked: Quiz, record: Record) -> bool:
    """Play one step, its questions having been asked; returns whether it differs from what the lesson promises."""
    step, screen = place.step, asked.screen
    asked.show_answer()
    record(StepBegins(place.lesson, step, place.index + 1))
    ran = _run(place, step.examples, session, screen, record)
    found = truths(step, session)
    if step.cells:
        asked.show_truths(found.values)
        record(found)
    if step.solution:
        stage.show_solution(step, screen, asked._)
        record(SolutionBegins(step))
        ran += _run(place, step.solution, session, screen, record)
    warnings = [warned for _example, outcomes in ran for outcome in outcomes for warned in outcome.warnings]
    return (
        found.broken
        or any(difference(example, outcomes) for example, outcomes in ran)
        or bool(broken_promises(step.promises, warnings))
    )


def place_at(lesson: Lesson, index: int) -> Place:
    """The place of a step, all steps before it done as the lesson does them."""
    place = Place(lesson)
    while place.index < index:
        place = player.forward(place)
    return place


def _ask(place: Place, session: Session, screen: Screen, speech: Speech, reader: Reader | None) -> Quiz:
    """Ask before the outcome of a question is shown, and take answers, if somebody is there."""
    step = place.step
    if reader is None or not (step.cells or step.options):
        return Quiz(step, screen, speech)
    asked = quiz(place, session, screen, speech)
    for example in step.examples if step.cells else ():
        screen.source(example.source)
    asked.ask()
    answer = _pause(reader, asked._)
    while asked.count and answer.isdecimal():
        asked.take(int(answer))
        answer = _pause(reader, asked._)
    return asked


def _run(
    place: Place, examples: Sequence[Example], session: Session, screen: Screen, record: Record
) -> list[tuple[Example, list[Outcome]]]:
    ran = []
    for each in examples:
        ((example, outcomes),) = stage.run((each,), place.step, place.lesson, session, screen)
        record(Ran(place.lesson, place.step, example, tuple(outcomes), picture(session, outcomes)))
        ran.append((example, outcomes))
    return ran


def _pause(reader: Reader | None, _: Translate) -> str:
    """Wait for somebody, if anybody is there; returns what was typed."""
    if reader is None:
        return ""
    try:
        answer = reader.line(_("Enter: go on; q: leave "))
    except EOFError:
        raise Leave from None
    if answer.strip().lower() in ("q", ":q", ":quit"):
        raise Leave
    return answer.strip()
