"""Lessons by name, from the shelf to the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gradrepl.app.errors import DamagedLessonsError, UsageError
from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Speech, Translate, english
from gradrepl.lesson import shelf
from gradrepl.lesson.load import LessonErrors, load
from gradrepl.lesson.model import Language, Lesson, Text
from gradrepl.lesson.problem import Problem


def all_shipped(_: Translate = english) -> list[Lesson]:
    """Every lesson of the course, in its order; raises DamagedLessonsError."""
    return _load(shelf.lessons(), _)


def named(names: Sequence[str], _: Translate) -> list[Lesson]:
    """The lessons named by number, id, start of an id or path.

    Raises UsageError for a name that no lesson has and DamagedLessonsError for a damaged file.
    """
    try:
        paths = [shelf.find(name) for name in names]
    except shelf.LessonNotFoundError as error:
        raise UsageError(not_found(error, _)) from error
    return _load(paths, _)


def id_named(name: str) -> str:
    """The id of the lesson that a number, an id or its start names; any other name stands for itself."""
    try:
        return shelf.id_of(shelf.find(name))
    except shelf.LessonNotFoundError:
        return name


def is_own(path: Path) -> bool:
    """Whether a lesson file came with gradrepl."""
    return path.resolve().parent == shelf.folder().resolve()


def not_found(error: shelf.LessonNotFoundError, _: Translate) -> str:
    """What to say of a name that doesn't name one lesson."""
    if Path(error.name).suffix or "/" in error.name:
        return _("There is no file {name}. `gradrepl lessons` lists the lessons.").format(name=error.name)
    if not error.close:
        return _("There is no lesson {name}. `gradrepl lessons` lists them.").format(name=error.name)
    text = _("{name} does not name one lesson. Did you mean {close}?")
    return text.format(name=error.name, close=", ".join(error.close))


def languages(speech: Speech) -> tuple[Language, ...]:
    """The languages to show lesson texts in, in this order."""
    return ("vi", "en") if speech == "both" else (speech,)


def texts(text: Text, speech: Speech) -> list[str]:
    """A lesson's text in the languages that are shown."""
    return [text.get(language) for language in languages(speech)]


def title(lesson: Lesson, speech: Speech) -> str:
    """Such as "1. no_grad as a with-block"."""
    words = " / ".join(dict.fromkeys(texts(lesson.title, speech)))
    return words if lesson.number is None else f"{lesson.number}. {words}"


def show(lessons: Sequence[Lesson], screen: Screen, speech: Speech) -> None:
    """List the lessons: number, title, id, goal."""
    for lesson in lessons:
        screen.heading(title(lesson, speech))
        screen.note(lesson.id)
        for goal in texts(lesson.goal, speech):
            screen.prose(goal)


def _load(paths: Sequence[Path], _: Translate) -> list[Lesson]:
    lessons: list[Lesson] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            lessons.append(load(path))
        except LessonErrors as error:
            problems += error.problems
    if problems:
        raise DamagedLessonsError("\n".join(problem.said(_) for problem in problems))
    return lessons
