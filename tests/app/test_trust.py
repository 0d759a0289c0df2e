"""A lesson file is a program: one from elsewhere runs only after a yes to its path and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from gradrepl.app.errors import UsageError
from gradrepl.app.trust import Judge
from gradrepl.i18n import english
from gradrepl.lesson import shelf
from gradrepl.lesson.load import load
from gradrepl.store import Store

Run = Callable[..., CompletedProcess[str]]
LESSON = """\
+++
id = "elsewhere"
title.en = "From elsewhere"
title.vi = "Từ nơi khác"
goal.en = "Run."
goal.vi = "Chạy."
+++

## one
<!--vi-->
Chạy.
<!--en-->
Run.
<!--code-->
```pycon
>>> from pathlib import Path
>>> _ = Path("ran").write_text("it did")

```
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere.md"
    path.write_text(LESSON, "utf-8")
    return path


@dataclass
class Seat:
    """Somebody at a terminal, with the answers that they will give."""

    store: Store
    answers: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def ask(self, question: str) -> str:
        self.said.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)

    def allows(self, *paths: Path, trusting: bool = False) -> bool:
        return Judge(self.store, self.ask, self.said.append, english, trusting).allows(map(load, paths))


@pytest.fixture
def seat(tmp_path: Path) -> Seat:
    return Seat(Store(tmp_path / "progress.db"))


def test_a_yes_is_remembered_for_the_file_as_it_is(seat: Seat, lesson: Path) -> None:
    seat.answers = ["y"]
    assert seat.allows(lesson)
    assert seat.said == [
        f"{lesson} is not one of gradrepl's own lessons.",
        "A lesson is a program: it can do whatever you can do on this computer.",
        "Run it? [y/N] ",
    ]
    assert seat.allows(lesson)
    assert len(seat.said) == 3


def test_a_changed_file_is_asked_about_again_and_an_old_edition_is_not(seat: Seat, lesson: Path) -> None:
    seat.answers = ["yes", "có"]
    assert seat.allows(lesson)
    lesson.write_text(LESSON.replace("it did", "it did so"), "utf-8")
    assert seat.allows(lesson)
    assert f"{lesson} has changed since you allowed it to run." in seat.said
    lesson.write_text(LESSON, "utf-8")
    assert seat.allows(lesson)
    assert seat.answers == []


@pytest.mark.parametrize("answer", ["", "n", "no", "không", "what?", "\x1b[A"])
def test_anything_but_yes_is_no_and_is_asked_again_next_time(seat: Seat, lesson: Path, answer: str) -> None:
    seat.answers = [answer, answer]
    assert not seat.allows(lesson)
    assert seat.said[-1] == "Not run."
    assert not seat.allows(lesson)
    assert seat.answers == []
    assert not seat.allows(lesson)  # Ctrl-D


def test_the_same_text_elsewhere_is_another_file_and_a_link_is_the_same(seat: Seat, lesson: Path) -> None:
    seat.answers = ["y", "n"]
    assert seat.allows(lesson)
    link, copy = lesson.with_name("link.md"), lesson.with_name("copy.md")
    link.symlink_to(lesson)
    copy.write_text(LESSON, "utf-8")
    assert seat.allows(link)
    assert not seat.allows(copy)


def test_trust_asks_nothing_and_is_remembered(seat: Seat, lesson: Path) -> None:
    assert seat.allows(lesson, trusting=True)
    assert seat.allows(lesson)
    assert seat.said == []


def test_lessons_of_gradrepl_are_not_asked_about(seat: Seat) -> None:
    assert seat.allows(*shelf.lessons())
    assert seat.said == []


def test_where_it_cannot_be_saved_a_yes_holds_for_now(lesson: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    seat = Seat(Store(tmp_path / "file" / "progress.db"), ["y", "n"])
    assert seat.allows(lesson)
    assert seat.said[-1].startswith("Your yes holds for this time only: it can't be saved (")
    assert not seat.allows(lesson)


def test_nobody_there_is_an_error_that_names_the_way(lesson: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="use --trust"):
        Judge(Store(tmp_path / "p.db"), None, print, english).allows([load(lesson)])


@pytest.mark.parametrize("command", ["learn", "play", "review"])
def test_without_a_terminal_nothing_runs_until_it_is_trusted(
    gradrepl: Run, lesson: Path, tmp_path: Path, command: str
) -> None:
    refused = gradrepl(command, "elsewhere.md", input="y\n")
    told = "elsewhere.md is not one of gradrepl's own lessons. A lesson is a program: read it, then use --trust.\n"
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"gradrepl: {told}")
    assert not (tmp_path / "ran").exists()
    assert gradrepl(command, "elsewhere.md", "--trust").returncode == 0
    assert (tmp_path / "ran").exists() == (command != "review")
    assert gradrepl(command, "elsewhere.md").returncode == 0
