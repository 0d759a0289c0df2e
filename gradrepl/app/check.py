"""The command `check`: each lesson on an engine, one line a difference."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gradrepl.app.errors import UsageError
from gradrepl.app.lessons import not_found
from gradrepl.i18n import Translate
from gradrepl.lesson import shelf
from gradrepl.lesson.check import check as differences
from gradrepl.lesson.load import LessonErrors, load
from gradrepl.session.engine import Engine
from gradrepl.view.safe import visible

FAILED = 1


def check(names: Sequence[str], engine: Engine, _: Translate) -> int:
    """Check files, folders or lessons by name (all that are shipped, unless given); returns the exit status."""
    try:
        paths = [path for name in names for path in shelf.expand(name)] if names else list(shelf.lessons())
    except shelf.LessonNotFoundError as error:
        raise UsageError(not_found(error, _)) from error
    good = True
    for path in paths:
        try:
            problems = differences(load(path), engine)
        except LessonErrors as error:
            problems = list(error.problems)
        for problem in problems:
            sys.stdout.write(f"{visible(problem.said(_))}\n")
        if not problems:
            sys.stdout.write(_("{path}: OK ({engine})").format(path=visible(str(path)), engine=engine.name) + "\n")
        good = good and not problems
    return 0 if good else FAILED
