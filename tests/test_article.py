"""Every row of the article that runs is in the shipped lessons with exactly its output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
ROWS: list[dict[str, Any]] = json.loads((ROOT / "tests/data/article.json").read_text(encoding="utf-8"))
SESSIONS = ("S1-3", "EX1", "EX2")
Event = dict[str, Any]
ENGINES = [
    "builtin",
    pytest.param(
        "torch",
        marks=pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed"),
    ),
]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["vi", "en"])
def events(engine: str, request: pytest.FixtureRequest) -> list[Event]:
    """The events of all lessons, as `gradrepl play --all --json` prints them."""
    command = [sys.executable, "-m", "gradrepl", "play", "--all", "--json", "--no-input"]
    done = subprocess.run(
        [*command, "--engine", engine, "--lang", str(request.param)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()[1:]]


def statements(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a row that run: a comment alone is none."""
    return [each for each in row["statements"] if not each["source"].startswith("#")]


RUNNING = [row for row in ROWS if statements(row)]
COMMENTS = [row for row in ROWS if not statements(row)]


def same_text(expected: str | None, found: str | None) -> bool:
    """Whether two texts are equal, where `0x...` stands for any address."""
    if expected is None or found is None:
        return expected is found
    return re.fullmatch(re.escape(expected).replace(r"0x\.\.\.", "0x[0-9a-f]+"), found) is not None


def matches(statement: dict[str, Any], event: Event) -> bool:
    """Whether an event is this statement with this output: printed, echoed, warned and raised."""
    output = statement["output"]
    warnings = [
        {**each, "message": re.sub(r" \(Triggered internally at .*\)$", "", each["message"])}
        for each in event["warnings"]
    ]
    return (
        event["source"].strip() == statement["source"]
        and event["stdout"] == output.get("stdout", "")
        and same_text(output.get("echo"), event["value"])
        and event["error"] == output.get("error")
        and warnings == ([output["warning"]] if "warning" in output else [])
    )


def first_missing(wanted: list[dict[str, Any]], events: list[Event]) -> dict[str, Any] | None:
    """The first statement that does not follow the ones before it in the events; None if all do."""
    rest = iter(events)
    return next((each for each in wanted if not any(matches(each, event) for event in rest)), None)


def by_lesson(events: list[Event]) -> list[list[Event]]:
    return [list(group) for _, group in groupby(events, key=lambda event: event["lesson"])]


@pytest.mark.parametrize("row", RUNNING, ids=lambda row: row["id"])
def test_row_is_in_a_lesson_with_its_output(row: dict[str, Any], events: list[Event]) -> None:
    assert any(first_missing(statements(row), lesson) is None for lesson in by_lesson(events)), row


@pytest.mark.parametrize("session", SESSIONS)
def test_session_runs_in_the_order_of_the_article(session: str, events: list[Event]) -> None:
    wanted = [each for row in ROWS if row["session"] == session for each in statements(row)]
    assert len(wanted) > 15
    assert first_missing(wanted, events) is None


@pytest.mark.parametrize("row", COMMENTS, ids=lambda row: row["id"])
def test_comment_is_shown_in_a_lesson(row: dict[str, Any]) -> None:
    lessons = [path.read_text(encoding="utf-8") for path in (ROOT / "lessons").glob("*.md")]
    assert any(f">>> {row['statements'][0]['source']}\n" in text for text in lessons)


def test_matching_is_exact() -> None:
    wanted = {"source": "x", "output": {"echo": "<G object at 0x...>"}}
    event = {"source": "x\n", "stdout": "", "value": "<G object at 0xaf>", "warnings": [], "error": None}
    assert matches(wanted, event)
    for change in ({"source": "y"}, {"stdout": "1"}, {"value": "<G object at 0xaf> "}, {"value": None}):
        assert not matches(wanted, {**event, **change})
    assert not matches(wanted, {**event, "error": {"type": "E", "message": ""}})
    assert not matches(wanted, {**event, "warnings": [{"category": "W", "message": ""}]})
