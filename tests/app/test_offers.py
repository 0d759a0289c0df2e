"""What Tab offers behind a colon, and that it offers names where names are meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradrepl.app.commands.scope import Scope
from gradrepl.app.line.offers import offers
from gradrepl.app.repl import COMMANDS

SCOPE = Scope(lambda: {"tensor_of_mine": 1, "text": "a"}, COMMANDS)


@pytest.mark.parametrize(
    ("text", "length", "texts"),
    [
        (":le", 2, ("lessons", "learn")),
        (":lear", 4, ("learn",)),
        (":lang ", 0, ("en", "vi", "both")),
        (":lang v", 1, ("vi",)),
        (":ngôn v", 1, ()),
        (":nn v", 1, ("vi",)),
        (":keys v", 1, ("vi",)),
        (":theme d", 1, ("dark",)),
        (":help la", 2, ("lang",)),
        (":set ke", 2, ("keys",)),
        (":set keys e", 1, ("emacs",)),
        (":set nothing e", 1, ()),
        (":learn no-grad-d", 9, ("no-grad-decorator",)),
        (":why tensor_of", 9, ("tensor_of_mine",)),
        (":t te", 2, ("tensor_of_mine", "text")),
        (":quit x", 0, ()),
        (":nothing x", 0, ()),
        (":op log_so", 6, ("log_softmax", "log_softmax_along", "log_softmax_gradient")),
        (":op matmu", 5, ("matmul",)),
        ("?tensor_of", 9, ("tensor_of_mine",)),
    ],
)
def test_commands_and_their_arguments_are_offered(text: str, length: int, texts: tuple[str, ...]) -> None:
    found = offers(text, SCOPE)
    assert found.texts == texts
    assert found.length == length or not texts


def test_files_are_offered_to_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bài một.py").touch()
    (tmp_path / ".hidden.py").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert offers(":load ", SCOPE).texts == ("bài một.py", "folder/")
    assert offers(":load bài m", SCOPE).texts == ("bài một.py",)
    assert offers(":load folder/in", SCOPE).texts == ("inner.py",)
    assert offers(":load ~/f", SCOPE).texts == ("folder/",)
    assert offers(":load nowhere/", SCOPE).texts == ()
    assert offers(":load \0/", SCOPE).texts == ()
