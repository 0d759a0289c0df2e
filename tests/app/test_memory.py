"""Memory: what was done is known the next time, whatever happened in between."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gradrepl.app.progress.memory import Memory
from gradrepl.i18n import english, vietnamese
from gradrepl.lesson import shelf
from gradrepl.lesson.load import load
from gradrepl.lesson.model import Example, Feedback, Lesson, Option, Step, Text
from gradrepl.lesson.player import Verdict
from gradrepl.store import Store

ROOT = Path(__file__).parent.parent.parent
WORDS = Text("chữ", "words")
WRONG_OPTION = Option(WORDS, False, "outermost-wins", WORDS, 3)
STEPS = (
    Step("one", "run", 1, WORDS, examples=(Example("x = 1\n", "", 2),)),
    Step("two", "predict", 3, WORDS, cells=("x", "y"), examples=(Example("y = 2\n", "", 4),)),
    Step("three", "choice", 5, WORDS, options=(WRONG_OPTION, Option(WORDS, True, None, None, 4))),
    Step("four", "try", 6, WORDS, hints=(WORDS, WORDS), solution=(Example("z = 1\n", "", 7),)),
)
LESSON = Lesson("small", None, Path("small.md"), WORDS, WORDS, STEPS)
ONE, TWO, THREE, FOUR = STEPS
RIGHT = Verdict("x", "1", "1", True, None)
MISSED = Verdict("y", "3", "2", False, Feedback("y", "3", "adds-one", WORDS, 9))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.db"


def opened(path: Path, clock: Iterator[datetime] | None = None) -> Memory:
    return Memory(Store(path), english, clock.__next__) if clock else Memory(Store(path), english)


def told(memory: Memory) -> list[tuple[str, str, dict[str, object]]]:
    return [(event.step, event.kind, dict(event.data)) for event in memory.events()]


def test_a_lesson_goes_on_where_it_was_left(path: Path) -> None:
    memory = opened(path)
    assert (memory.resume(LESSON), memory.marks(LESSON)) == (0, {})
    memory.done(LESSON, ONE, "done")
    memory.done(LESSON, TWO, "skipped")
    assert opened(path).resume(LESSON) == 2
    for step in (THREE, FOUR):
        memory.done(LESSON, step, "shown")
    assert opened(path).resume(LESSON) == 4
    assert opened(path).marks(LESSON) == {"one": "done", "two": "skipped", "three": "shown", "four": "shown"}
    assert memory.complaint() is None


def test_each_thing_is_an_event(path: Path) -> None:
    clock = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(99))
    memory = opened(path, clock)
    memory.predicted(LESSON, TWO, [RIGHT, MISSED])
    memory.chose(LESSON, THREE, WRONG_OPTION, False)
    memory.attempted(LESSON, FOUR, False, "adds-one")
    memory.hinted(LESSON, FOUR, 1)
    memory.done(LESSON, FOUR, "shown")
    memory.reviewed(LESSON, TWO, right=True)
    wanted = [
        ("two", "predicted", {"cell": "x", "answer": "1", "truth": "1", "right": True, "misconception": None}),
        ("two", "predicted", {"cell": "y", "answer": "3", "truth": "2", "right": False, "misconception": "adds-one"}),
        ("three", "chose", {"option": 1, "right": False, "misconception": "outermost-wins"}),
        ("four", "attempted", {"passed": False, "misconception": "adds-one"}),
        ("four", "hinted", {"number": 1}),
        ("four", "done", {"how": "shown"}),
        ("two", "reviewed", {"right": True}),
    ]
    assert told(memory) == told(opened(path)) == wanted
    assert {event.lesson for event in memory.events()} == {"small"}
    assert len({event.id for event in memory.events()}) == 7
    assert [event.time.second for event in opened(path).events()] == [0, 0, 1, 2, 3, 4, 5]


def test_a_step_that_was_predicted_wrong_is_marked_until_it_is_predicted_right(path: Path) -> None:
    memory = opened(path)
    memory.predicted(LESSON, TWO, [RIGHT, MISSED])
    memory.done(LESSON, TWO, "done")
    memory.chose(LESSON, THREE, WRONG_OPTION, False)
    assert memory.marks(LESSON) == {"two": "missed", "three": "missed"}
    memory.predicted(LESSON, TWO, [RIGHT, replace(MISSED, right=True)])
    memory.chose(LESSON, THREE, THREE.options[1], True)
    memory.done(LESSON, THREE, "done")
    assert memory.marks(LESSON) == {"two": "done", "three": "done"}


@pytest.mark.parametrize(
    "edit",
    [
        {"examples": (Example("y = 3\n", "", 4),)},
        {"cells": ("x",)},
        {"kind": "run"},
        {"check": (Example("True\n", "True\n", 4),)},
    ],
)
def test_an_edited_step_is_to_be_done_again_and_the_rest_is_kept(path: Path, edit: dict[str, object]) -> None:
    memory = opened(path)
    for step in STEPS:
        memory.done(LESSON, step, "done")
    edited = replace(LESSON, steps=(ONE, replace(TWO, **edit), THREE, FOUR))  # type: ignore[arg-type]
    assert memory.resume(edited) == 1
    assert memory.marks(edited) == {"one": "done", "two": "changed", "three": "done", "four": "done"}
    memory.done(edited, edited.steps[1], "done")
    assert (memory.resume(edited), memory.resume(LESSON)) == (4, 4)


def test_other_words_and_other_lines_are_the_same_step(path: Path) -> None:
    memory = opened(path)
    memory.done(LESSON, TWO, "done")
    reworded = replace(TWO, prose=Text("khác", "other"), line=99, examples=(Example("y = 2\n", "", 100),))
    assert memory.marks(replace(LESSON, steps=(reworded,))) == {"two": "done"}


def test_two_at_once_see_what_the_other_did(path: Path) -> None:
    one, other = opened(path), opened(path)
    one.done(LESSON, ONE, "done")
    other.done(LESSON, TWO, "done")
    assert [one.resume(LESSON), other.resume(LESSON)] == [2, 2]


def test_on_a_full_disk_the_lesson_goes_on_and_all_is_saved_when_there_is_room(path: Path) -> None:
    memory = opened(path)
    memory.done(LESSON, ONE, "done")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, old[1]))
    try:
        memory.done(LESSON, TWO, "done")
        complaint = memory.complaint()
        memory.done(LESSON, THREE, "done")
        assert memory.complaint() is None
        assert memory.resume(LESSON) == 3
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert complaint is not None
    assert complaint.startswith(f"{path}: progress can't be saved (the disk is full")
    assert opened(path).resume(LESSON) == 1
    memory.done(LESSON, FOUR, "done")
    assert opened(path).resume(LESSON) == 4


def test_where_nothing_can_be_written_the_lesson_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    memory = Memory(Store(tmp_path / "file" / "progress.db"), vietnamese)
    memory.done(LESSON, ONE, "done")
    assert memory.resume(LESSON) == 1
    assert "không lưu được tiến độ (không có quyền ghi" in (memory.complaint() or "")
    memory.done(LESSON, TWO, "done")
    assert (memory.resume(LESSON), memory.complaint()) == (2, None)


@pytest.mark.parametrize("reading", [True, False])
def test_a_damaged_file_is_said_once_and_what_is_known_is_saved_anew(path: Path, reading: bool) -> None:
    memory = opened(path)
    memory.done(LESSON, ONE, "done")
    path.write_bytes(b"junk" * 1000)
    if reading:
        assert memory.resume(LESSON) == 1
    memory.done(LESSON, TWO, "done")
    aside = "can't be read. It is kept as progress-damaged-1.db; your progress begins anew."
    assert memory.complaint() == f"{path} is damaged and {aside}"
    assert memory.complaint() is None
    assert opened(path).resume(LESSON) == 2


OVER, KILLED, ENDED = ("over",), ("killed",), ("ended",)


class Course:
    """The process that takes the course, and what it says."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(ROOT / "tests" / "support" / "course.py")]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def take(self, path: Path, kill_after: tuple[int, float] | None) -> tuple[list[tuple[str, ...]], bool]:
        """Let a child take the course and kill it some seconds after it said so many words.

        Words rather than seconds alone, so that on a busy machine too each child comes as far. Returns what it had
        saved for sure, and whether it was killed before its end.
        """
        self.write(str(path))
        child, said = int(self.read()[1]), list[tuple[str, ...]]()
        if kill_after is not None:
            words, seconds = kill_after
            while len(said) < words and said[-1:] != [OVER]:
                said.append(self.read())
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        self.write("")
        while said[-1:] not in ([KILLED], [ENDED]):
            said.append(self.read())
        return [words for words in said[:-1] if words != OVER], said[-1] == KILLED

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def read(self) -> tuple[str, ...]:
        assert self.process.stdout is not None
        return tuple(self.process.stdout.readline().split())


def saved(path: Path) -> Counter[tuple[str, ...]]:
    store = Store(path)
    found = Counter((event.kind, event.lesson, event.step) for event in store.events())
    assert store.asides == []
    return found


def test_killed_at_200_random_moments_a_course_loses_at_most_the_step_in_progress(tmp_path: Path) -> None:
    lessons = [load(shelf.find(name)) for name in ("no-grad", "nesting")]
    course, chance = Course(), random.Random(5)
    began = time.monotonic()
    whole, _killed = course.take(tmp_path / "unharmed.db", None)
    a_word = (time.monotonic() - began) / len(whole)
    assert saved(tmp_path / "unharmed.db").keys() == set(whole)
    kills = courses = 0
    sure = Counter[tuple[str, ...]]()
    while kills < 200:
        path = tmp_path / f"{courses}.db"
        moment = chance.randrange(len(whole) // 5), chance.uniform(0, 2 * a_word)
        said, killed = course.take(path, moment)
        kills += killed
        sure.update(said)
        assert not sure - saved(path)
        for lesson in lessons:
            steps, index = [step.id for step in lesson.steps], opened(path).resume(lesson)
            assert sum(word[:2] == ("done", lesson.id) for word in sure) <= index
            assert set(opened(path).marks(lesson)) <= set(steps[: index + 1])
        if not killed:
            courses, sure = courses + 1, Counter()
    course.process.communicate()
    assert courses > 0


def test_a_lesson_that_is_started_over_is_forgotten_and_others_are_not(path: Path) -> None:
    other, memory = replace(LESSON, id="other"), opened(path)
    memory.done(LESSON, ONE, "done")
    memory.done(other, ONE, "done")
    memory.forget(LESSON)
    for remembered in (memory, opened(path)):
        assert (remembered.resume(LESSON), remembered.marks(LESSON)) == (0, {})
        assert remembered.resume(other) == 1


def test_forgetting_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", "utf-8")
    memory = opened(tmp_path / "file" / "progress.db")
    memory.done(LESSON, ONE, "done")
    memory.forget(LESSON)
    assert memory.marks(LESSON) == {}
    assert memory.complaint()
