"""Steps of a lesson by name."""

from __future__ import annotations

from gradrepl.app.commands.table import without_marks
from gradrepl.lesson.model import Lesson


def index_of(lesson: Lesson, name: str) -> int | None:
    """The index of the step that a number from 1, an id or the start of just one id names; None where none is."""
    wanted = without_marks(name.strip())
    ids = [step.id for step in lesson.steps]
    if wanted.isdecimal():
        return int(wanted) - 1 if 1 <= int(wanted) <= len(ids) else None
    if wanted in ids:
        return ids.index(wanted)
    found = [index for index, id in enumerate(ids) if wanted and id.startswith(wanted)]
    return found[0] if len(found) == 1 else None
