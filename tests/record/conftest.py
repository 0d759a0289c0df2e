"""Every recording of the course, made once, and a lesson made for a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gradrepl.app import engines
from gradrepl.app.cli import main
from gradrepl.app.recording.forms import take
from gradrepl.lesson.load import load
from gradrepl.lesson.shelf import lessons
from gradrepl.record.event import Event, Ran
from gradrepl.record.steady import Steady

FRONT = """+++
id = "made"
title.en = "{title}"
title.vi = "{title}"
goal.en = "{goal}"
goal.vi = "{goal}"
+++
"""
STEP = """
## s{number}
<!--vi-->
{prose}
<!--en-->
{prose}
<!--code-->
```pycon
{code}
```
"""
Make = Callable[..., Path]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every form of every lesson in every language."""
    folder = tmp_path_factory.mktemp("site")
    assert main(["export", "--all", "--to", f"{folder}/", "--engine", "builtin"]) == 0
    return folder


@pytest.fixture(scope="session")
def events() -> dict[str, list[Event]]:
    """What happens in each lesson, by the stem of its file."""
    found = {}
    for path in lessons():
        steady = Steady()
        found[path.stem] = [steady.event(event) for event in take(load(path), engines.load("builtin"))]
    return found


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Writes a lesson of some steps, all alike."""

    def make(code: str, prose: str = "Words.", steps: int = 1, title: str = "Made", goal: str = "See.") -> Path:
        text = FRONT.format(title=title, goal=goal)
        text += "".join(STEP.format(number=number, prose=prose, code=code) for number in range(steps))
        path = tmp_path / "made.md"
        path.write_text(text, "utf-8")
        return path

    return make


def ran(events: list[Event]) -> list[Ran]:
    """The events that are code."""
    return [event for event in events if isinstance(event, Ran)]
