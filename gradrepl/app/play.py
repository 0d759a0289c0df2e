"""Scripted playback: lessons run by themselves, with a pause between steps where somebody is there."""

from __future__ import annotations

from collections.abc import Sequence

from gradrepl.app import stage
from gradrepl.app.screen import Screen
from gradrepl.i18n import Speech
from gradrepl.lesson.model import Lesson
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine

FAILED = 1


def play(lessons: Sequence[Lesson], engine: Engine, screen: Screen, speech: Speech, *, ask: bool) -> int:
    """Play lessons one after the other; ask: wait for Enter between steps.

    Returns 1 if any output differs from what its lesson promises, else 0.
    """
    differing = False
    for lesson in lessons:
        stage.show_title(lesson, screen, speech)
        with Session(engine) as session:
            for number, step in enumerate(lesson.steps):
                if ask and number and not _go_on(speech):
                    return 0
                stage.show_step(lesson, number, screen, speech)
                differing |= _play_step(lesson, step, session, screen, speech)
    return FAILED if differing else 0
