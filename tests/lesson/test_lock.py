"""The lock file of the shipped lessons tells of each step as it is now."""

from __future__ import annotations

from gradrepl.lesson import lock, shelf
from gradrepl.lesson.load import load


def test_the_lock_file_is_current() -> None:
    lessons = [load(path) for path in shelf.lessons()]
    locked = lock.read(shelf.folder() / lock.NAME)
    now = {lesson.id: lock.hashes(lesson) for lesson in lessons}
    stale = [
        f"{id}: {step}" for id, steps in now.items() for step in steps if locked.get(id, {}).get(step) != steps[step]
    ]
    assert stale == [], "after a look at both languages: gradrepl check --accept all"
    assert locked == now
