"""Scripted playback: lessons run by themselves, with a pause between steps where somebody is there."""

from __future__ import annotations

from collections.abc import Sequence

from gradrepl.app import stage
from gradrepl.app.reader import Reader
from gradrepl.app.screen import Screen
from gradrepl.i18n import Speech, Translate, translator
from gradrepl.lesson import player
from gradrepl.lesson.matching import broken_promises, difference
from gradrepl.lesson.model import Lesson, Step
from gradrepl.lesson.player import Place
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine

FAILED = 1


class Leave(Exception):  # noqa: N818 - it is no error
    """Whoever is at the keyboard has seen enough."""


def play(lessons: Sequence[Lesson], engine: Engine, screen: Screen, speech: Speech, reader: Reader | None) -> int:
    """Play lessons one after the other; reader: who is asked for Enter between steps, if anybody.

    Returns 1 if anything differs from what a lesson promises, else 0.
    """
    differing = False
    try:
        for lesson in lessons:
            stage.show_title(lesson, screen, speech)
            with player.begin(lesson, engine) as session:
                place = Place(lesson)
                while not place.finished:
                    differing |= _play_step(place, session, screen, speech)
                    place = player.forward(place)
                    _pause(reader, translator(speech))
    except Leave:
        return 0
    return FAILED if differing else 0


def _play_step(place: Place, session: Session, screen: Screen, speech: Speech) -> bool:
    """Play one step; returns whether it differs from what the lesson promises."""
    _, step = translator(speech), place.step
    stage.show_step(place, screen, speech)
    stage.show_task(step, screen, speech)
    _answer(step, screen, speech)
    ran = stage.run(step.examples, step, place.lesson, session, screen)
    if step.cells:
        for cell, truth in zip(step.cells, player.truths(step, session), strict=True):
            screen.note(f"{cell} -> {truth}")
    if step.solution:
        order = " ".join(map(str, player.right_order(step))) if step.kind == "parsons" else ""
        screen.note(_("A solution:") + f" {order}".rstrip())
        ran += stage.run(step.solution, step, place.lesson, session, screen)
    warnings = [warned for _example, outcomes in ran for outcome in outcomes for warned in outcome.warnings]
    return any(difference(example, outcomes) for example, outcomes in ran) or bool(
        broken_promises(step.promises, warnings)
    )


def _answer(step: Step, screen: Screen, speech: Speech) -> None:
    """The right option of a choice, and what the lesson says to it."""
    _ = translator(speech)
    for number, option in enumerate(player.options(step), 1):
        if option.right:
            screen.note(_("Right is {number}.").format(number=number))
            if option.reply is not None:
                stage.show_text(option.reply, screen, speech)
            screen.gap()


def _pause(reader: Reader | None, _: Translate) -> None:
    if reader is None:
        return
    try:
        answer = reader.line(_("Enter: go on; q: leave "))
    except EOFError:
        raise Leave from None
    if answer.strip().lower() in ("q", ":q", ":quit"):
        raise Leave
