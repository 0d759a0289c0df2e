"""A teacher's report: which steps and which wrong ideas most learners missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from gradrepl.app.progress import exchange, report
from gradrepl.lesson import misconceptions, shelf
from gradrepl.lesson.load import load
from gradrepl.store import Event

Run = Callable[..., CompletedProcess[str]]
NUMBERS = count()
LESSON = load(shelf.find("nesting"))
ASKED = next(step for step in LESSON.steps if step.kind == "predict")
CHOSEN = next(step for step in LESSON.steps if step.kind == "choice")
IDEA = "outermost-wins"


def event(step: str, kind: str, **data: object) -> Event:
    return Event(f"{next(NUMBERS):032x}", datetime(2026, 5, 1, tzinfo=UTC), "nesting", step, "c0de", kind, data)


def guess(step: str, right: bool, misconception: str | None = None) -> Event:
    told = {"cell": "y", "answer": "1", "truth": "2", "right": right, "misconception": misconception}
    return event(step, "predicted", **told)


@pytest.fixture
def people() -> list[list[Event]]:
    """Three: the first misses a step twice, the second once and another step, the third nothing."""
    one = [guess(ASKED.id, False, IDEA), guess(ASKED.id, False, IDEA), event(ASKED.id, "hinted", number=1)]
    two = [
        guess(ASKED.id, False),
        event(CHOSEN.id, "chose", option=1, right=False, misconception=IDEA),
        event("exercise", "attempted", passed=True, misconception=None),
        event("exercise", "done", how="shown"),
    ]
    three = [guess(ASKED.id, True), event(ASKED.id, "done", how="done")]
    return [one, two, three]


def test_steps_and_ideas_missed_by_most_come_first(people: list[list[Event]]) -> None:
    found = report.report(people)
    assert found.learners == 3
    assert found.steps == (
        report.StepFigures("nesting", ASKED.id, 3, 2, 3, 1, 0),
        report.StepFigures("nesting", CHOSEN.id, 1, 1, 1, 0, 0),
        report.StepFigures("nesting", "exercise", 1, 0, 0, 0, 1),
    )
    assert found.misconceptions == (report.MisconceptionFigures(IDEA, 2, 3, ("nesting",)),)


def test_files_of_one_learner_count_as_one(people: list[list[Event]]) -> None:
    one, two, three = people
    assert [len(events) for events in report.learners([one[:2], two, three, one])] == [4, 2, 3]
    bridge = [*one, *three]
    assert sorted(map(len, report.learners([one, two, three, bridge]))) == [4, 5]


@pytest.fixture
def files(people: list[list[Event]], tmp_path: Path) -> list[str]:
    for number, events in enumerate(people):
        exchange.save(tmp_path / f"{number}.json", events)
    return [f"{number}.json" for number in range(len(people))]


def test_the_report_is_a_table_of_names(gradrepl: Run, files: list[str]) -> None:
    lines = gradrepl("report", *files).stdout.splitlines()
    place = f"{[step.id for step in LESSON.steps].index(ASKED.id) + 1}/{len(LESSON.steps)}"
    assert lines[0] == "Learners: 3"
    assert lines[3].startswith(f"5. {LESSON.title.en}, {place} ")
    assert lines[3].endswith(": missed by: 2/3; wrong answers: 3; hints: 1")
    assert lines[-1] == f"{misconceptions.names()[IDEA].en}: learners: 2; times: 3; lessons: nesting"
    drawn = gradrepl("report", *files, "--lang", "vi", "--color", "always", COLUMNS="200").stdout
    assert misconceptions.names()[IDEA].vi in drawn
    assert "2/3" in drawn


def test_the_report_is_json_too(gradrepl: Run, files: list[str]) -> None:
    found = json.loads(gradrepl("report", "--json", *files).stdout)
    assert (found["learners"], found["steps"][0]["missed"], found["steps"][0]["step"]) == (3, 2, ASKED.id)
    idea = misconceptions.names()[IDEA]
    wanted = {"id": IDEA, "learners": 2, "times": 3, "lessons": ["nesting"], "vi": idea.vi, "en": idea.en}
    assert found["misconceptions"] == [wanted]


def test_where_nothing_was_wrong_that_is_said(gradrepl: Run, files: list[str]) -> None:
    assert gradrepl("report", files[2]).stdout == "Learners: 1\nNo wrong answer is in these files.\n"


def test_a_bad_file_is_named_and_nothing_is_reported(gradrepl: Run, files: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    refused = gradrepl("report", *files, "bad.json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("gradrepl: bad.json: expected a file that `gradrepl progress --export` wrote")
