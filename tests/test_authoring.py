"""The page on writing lessons: its lesson passes, its damages are told as it says; `gradrepl new` starts well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradrepl.app.authoring import new
from gradrepl.app.errors import UsageError
from gradrepl.i18n import english
from gradrepl.lesson import lock
from gradrepl.lesson.check import check
from gradrepl.lesson.load import load
from gradrepl.session.engine import Engine

PAGE = (Path(__file__).parent.parent / "docs" / "authoring.md").read_text("utf-8")
DAMAGES = {"(6.0, True)": "(7.0, True)", "if y.requires_grad == True": "if y.requires_grad == False"}


def told(path: Path, engine: Engine) -> list[str]:
    return [str(problem).replace(str(path), path.name) for problem in check(load(path), engine)]


def test_the_pages_lesson_and_its_damages(tmp_path: Path, engine: Engine) -> None:
    (lesson,) = re.findall(r"^````markdown\n(.*?)^````$", PAGE, re.DOTALL | re.MULTILINE)
    (messages,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    path = tmp_path / "first.md"
    path.write_text(lesson, "utf-8")
    assert told(path, engine) == []
    for right, damaged in DAMAGES.items():
        assert lesson.count(right) == 1
        lesson = lesson.replace(right, damaged)
    path.write_text(lesson, "utf-8")
    assert told(path, engine) == messages.splitlines()


def test_a_new_lesson_passes_and_is_never_overwritten(tmp_path: Path, engine: Engine) -> None:
    name = str(tmp_path / "my-lesson")
    assert new(name, 'Bài "một"', None, english) == 0
    path = tmp_path / "my-lesson.md"
    assert told(path, engine) == []
    assert load(path).title.vi == 'Bài "một"'
    path.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="already"):
        new(name, None, None, english)
    assert path.read_text("utf-8") == "mine"
    with pytest.raises(UsageError, match="small letters"):
        new(str(tmp_path / "Bài"), None, None, english)


def test_a_change_in_one_language_is_told_until_it_is_accepted(tmp_path: Path, engine: Engine) -> None:
    new(str(tmp_path / "my-lesson"), None, None, english)
    path = tmp_path / "my-lesson.md"
    assert lock.accept(tmp_path, [load(path)], lock.ALL) == 5
    path.write_text(path.read_text("utf-8").replace("### Why?", "### Why so?"), "utf-8")
    (line,) = told(path, engine)
    assert "why: the English text was changed" in line
    assert lock.accept(tmp_path, [load(path)], "why") == 1
    assert told(path, engine) == []
