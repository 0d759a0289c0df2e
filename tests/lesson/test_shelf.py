"""Lessons by number, id, start of an id, or path."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradrepl.lesson import shelf

ROOT = Path(__file__).parent.parent.parent


def test_the_shipped_lessons_come_in_their_order() -> None:
    shipped = shelf.lessons()
    assert [path.name for path in shipped] == sorted(path.name for path in (ROOT / "lessons").glob("*.md"))
    assert [shelf.number_of(path) for path in shipped] == list(range(1, len(shipped) + 1))


def test_lessons_come_by_number_not_by_letters(tmp_path: Path) -> None:
    for name in ("10-c.md", "9-b.md", "01-a.md", "notes.md"):
        (tmp_path / name).touch()
    assert [path.name for path in shelf.lessons(tmp_path)] == ["01-a.md", "9-b.md", "10-c.md"]


@pytest.mark.parametrize("name", ["1", "01", "no-grad", "NO-GRAD", " no-grad "])
def test_find_the_first(name: str) -> None:
    assert shelf.find(name).name == "01-no-grad.md"


def test_a_start_names_a_lesson_if_it_is_one_alone() -> None:
    assert shelf.find("enable").name == "03-enable-grad.md"
    with pytest.raises(shelf.LessonNotFoundError, match="example-no-grad, example-set-grad-enabled") as raised:
        shelf.find("example")
    assert raised.value.close == ("example-no-grad", "example-set-grad-enabled")


def test_a_path_names_a_lesson(tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.touch()
    assert shelf.find(str(path)) == path


@pytest.mark.parametrize(("name", "close"), [("enable-gard", "enable-grad"), ("nestign", "nesting")])
def test_a_miss_names_what_is_close(name: str, close: str) -> None:
    with pytest.raises(LookupError, match=close):
        shelf.find(name)


@pytest.mark.parametrize("name", ["", " ", "0", "999", "-1", "²", "a\0b", pytest.param("x" * 5000, id="long")])
def test_strange_names_are_no_lessons(name: str) -> None:
    with pytest.raises(LookupError):
        shelf.find(name)
    with pytest.raises(LookupError):
        shelf.expand(name)


def test_a_folder_means_its_lessons(tmp_path: Path) -> None:
    (tmp_path / "b.md").touch()
    (tmp_path / "a.md").touch()
    assert [path.name for path in shelf.expand(str(tmp_path))] == ["a.md", "b.md"]
    assert [path.name for path in shelf.expand("1")] == ["01-no-grad.md"]


def test_a_folder_without_lessons_is_told(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no lesson"):
        shelf.expand(str(tmp_path))
