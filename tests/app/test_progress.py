"""Progress: a row a lesson, and a file that moves it to another computer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from gradrepl.app.errors import UsageError
from gradrepl.app.progress import exchange, overview
from gradrepl.app.progress.memory import Memory
from gradrepl.i18n import english
from gradrepl.lesson import shelf
from gradrepl.lesson.load import load
from gradrepl.lesson.player import Verdict
from gradrepl.store import Event, Store

Run = Callable[..., CompletedProcess[str]]
LESSON = load(shelf.find("nesting"))
ASKED = next(step for step in LESSON.steps if step.kind == "predict")
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def learn(path: Path) -> Store:
    """Do the first step, guess one wrong, take a hint."""
    store = Store(path)
    clock = (START + timedelta(seconds=number) for number in range(99))
    memory = Memory(store, english, clock.__next__)
    memory.done(LESSON, LESSON.steps[0], "done")
    memory.predicted(LESSON, ASKED, [Verdict(ASKED.cells[0], "\ud800 \x1b[31m ơ", "True", False, None)])
    memory.done(LESSON, ASKED, "done")
    memory.hinted(LESSON, ASKED, 1)
    assert memory.complaint() is None
    return store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return learn(tmp_path / ".local" / "share" / "gradrepl" / "progress.db")


def test_a_line_counts_steps_misses_hints_and_what_is_due(store: Store) -> None:
    events = [*store.events(), Event("0" * 32, START, "elsewhere", "one", "c", "done", {"how": "done"})]
    for days, due in ((0, 0), (1, 1)):
        first, other = overview.lines([LESSON], events, START + timedelta(days), "vi")
        assert first.title == "5. " + LESSON.title.vi
        assert (first.done, first.steps, first.missed, first.hints, first.due) == (2, len(LESSON.steps), 1, 1, due)
        assert first.last == START.astimezone().date().isoformat()
        assert (other.title, other.done, other.steps) == ("elsewhere", 1, None)


def test_the_command_shows_a_row_a_lesson(gradrepl: Run, store: Store) -> None:
    shown = gradrepl("progress").stdout.splitlines()
    assert len(shown) == len(shelf.lessons()) + 1
    steps = f"steps done: 2/{len(LESSON.steps)}; guessed wrong: 1; hints: 1; to review: 1; last: 2026-05-01"
    assert shown[4] == f"5. {LESSON.title.en}: {steps}"
    assert shown[-1] == "To review now: 1. `gradrepl review` asks them."
    assert "đoán sai" in gradrepl("progress", "--lang", "vi", "--color", "always").stdout
    listed = json.loads(gradrepl("progress", "--json").stdout)
    assert [line["done"] for line in listed[:5]] == [0, 0, 0, 0, 2]


def test_exported_progress_comes_back_on_another_computer_once(gradrepl: Run, store: Store, tmp_path: Path) -> None:
    assert gradrepl("progress", "--export", "mine.json").stdout == "Saved in mine.json: 4 events.\n"
    readable = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    assert (readable["format"], readable["events"][1]["lesson"]) == ("gradrepl progress", "nesting")
    assert gradrepl("progress", "--export", "-").stdout == (tmp_path / "mine.json").read_text("utf-8")
    other = Store(tmp_path / "other.db")
    for new in (4, 0):
        overview.take_in(str(tmp_path / "mine.json"), other, english)
        assert len(other.events()) == 4
        said = gradrepl("progress", "--import", "mine.json", XDG_DATA_HOME=str(tmp_path / "elsewhere")).stdout
        assert said == f"Taken in: {new} of 4 events; the others were there already.\n"
    assert other.events() == store.events()


def test_two_computers_merge(store: Store, tmp_path: Path) -> None:
    exchange.save(tmp_path / "mine.json", store.events())
    other = learn(tmp_path / "other.db")
    overview.take_in(str(tmp_path / "mine.json"), other, english)
    assert len(other.events()) == 8


def test_a_lesson_is_forgotten_by_any_of_its_names(gradrepl: Run, store: Store) -> None:
    assert gradrepl("progress", "--forget", "5").stdout == "Forgotten: nesting (4 events).\n"
    assert store.events() == []
    again = gradrepl("progress", "--forget", "nesting")
    assert (again.returncode, again.stderr) == (2, "gradrepl: Nothing is remembered of nesting.\n")


def test_a_file_that_cannot_be_written_leaves_the_old_one(gradrepl: Run, store: Store, tmp_path: Path) -> None:
    refused = gradrepl("progress", "--export", "no/such/folder.json")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith("gradrepl: no/such/folder.json can't be written: ")
    assert list(tmp_path.glob("*.part")) == []


GOOD = {"id": "a" * 32, "time": "2026-01-31T20:15:00+00:00", "lesson": "l", "step": "s", "code": "c", "kind": "hinted"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "short"}, "expected an id of 32 hexadecimal digits, found 'short'"),
        ({"lesson": 3}, "expected lesson: text, found 3"),
        ({"step": "\x1b[2J"}, "expected step: text, found '\\x1b[2J'"),
        ({"time": "yesterday"}, "expected time: such as 2026-01-31T20:15:00+00:00, found 'yesterday'"),
        ({"time": "2026-01-31T20:15:00"}, "expected time with its offset from UTC"),
        ({"kind": "won"}, "expected kind: predicted, chose"),
        ({"number": "1"}, "expected number: int, found '1'"),
        ({"misconception": ["x"]}, "expected misconception: str or null, found ['x']"),
    ],
)
def test_an_event_that_makes_no_sense_is_told_and_nothing_is_taken(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path, good = tmp_path / "f.json", {**GOOD, "number": 1}
    whole = {"format": exchange.FORMAT, "version": exchange.VERSION, "events": [good, {**good, **change}]}
    path.write_text(json.dumps(whole), "utf-8")
    with pytest.raises(UsageError) as raised:
        exchange.load(path, english)
    assert f"{path}: event 2: {said}" in str(raised.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "found something else"),
        (b"\xff\xfe", "found something else"),
        (b"[" * 100_000, "found something else"),
        (b'{"format": "recipes", "events": []}', "no 'gradrepl progress'"),
        (b'{"format": "gradrepl progress", "version": 2, "events": []}', "from a newer gradrepl (format 2"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "f.json").write_bytes(data)
    with pytest.raises(UsageError) as raised:
        exchange.load(tmp_path / "f.json", english)
    assert said in str(raised.value)
