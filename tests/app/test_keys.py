"""What Enter does at the prompt, and how the prompt is driven by keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from gradrepl.app.history import QuietHistory
from gradrepl.app.keys import is_complete, next_indent
from gradrepl.app.prompt import PromptReader

ENTER, DOWN, LEFT, BACKSPACE, CTRL_C, CTRL_D = "\r", "\x1b[B", "\x1b[D", "\x7f", "\x03", "\x04"


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe:
        yield pipe


@pytest.fixture
def reader(keys: PipeInput, tmp_path: Path) -> PromptReader:
    history = QuietHistory(tmp_path / "state" / "history")
    return PromptReader(history, input=keys, output=DummyOutput())


@pytest.mark.parametrize(
    ("line", "indent"),
    [
        ("x = 1", ""),
        ("with torch.no_grad():", "    "),
        ("def f(): # tính", "    "),
        ("    return x", ""),
        ("        pass", "    "),
        ("    y = 1", "    "),
        ("s = 'a:'", ""),
    ],
)
def test_the_next_line_is_indented(line: str, indent: str) -> None:
    assert next_indent(line) == indent


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("x = 1", True),
        ("", True),
        (":help", True),
        ("with a:", False),
        ("with a:\n    b", False),
        ("with a:\n    b\n    ", True),
        ("f(", False),
        ("x = = 1", True),
    ],
)
def test_enter_runs_what_is_complete(text: str, complete: bool) -> None:
    assert is_complete(text) == complete


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (f"x = 1{ENTER}", "x = 1"),
        (f"with a:{ENTER}b{ENTER}{ENTER}", "with a:\n    b\n    "),
        (f"f(1,{ENTER}2){ENTER}", "f(1,\n2)"),
        (f"with a:{ENTER}{BACKSPACE}b{ENTER}{ENTER}", None),
        (f"x = 12{LEFT}{ENTER}\x1b[F{ENTER}", "x = 1\n2"),
        (f"\tx{ENTER}", "    x"),
        ("\x1b[200~with a:\n    b\nc\n\x1b[201~" + ENTER, "with a:\n    b\nc\n"),
        (f"vie{BACKSPACE}ê{BACKSPACE}ệt{ENTER}", "việt"),
    ],
)
def test_keys_make_the_input(reader: PromptReader, keys: PipeInput, typed: str, text: str | None) -> None:
    keys.send_text(typed)
    if text is None:
        assert reader.code().startswith("with a:\nb")
    else:
        assert reader.code() == text


def test_ctrl_c_and_ctrl_d(reader: PromptReader, keys: PipeInput) -> None:
    keys.send_text(f"abc{CTRL_C}")
    with pytest.raises(KeyboardInterrupt):
        reader.code()
    keys.send_text(CTRL_D)
    with pytest.raises(EOFError):
        reader.code()


def test_history_is_kept_for_its_owner_alone(reader: PromptReader, keys: PipeInput, tmp_path: Path) -> None:
    keys.send_text(f"x = 'việt'{ENTER}")
    reader.code()
    path = tmp_path / "state" / "history"
    assert path.stat().st_mode & 0o077 == 0
    assert list(QuietHistory(path).load_history_strings()) == ["x = 'việt'"]


def test_a_home_that_cannot_be_written_loses_the_history_only(keys: PipeInput, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = QuietHistory(tmp_path / "file" / "history")
    reader = PromptReader(history, input=keys, output=DummyOutput())
    keys.send_text(f"x = 1{ENTER}")
    assert reader.code() == "x = 1"
    assert reader.loss() == "File exists"
    assert reader.loss() is None


def test_what_is_offered_runs_with_enter_and_can_be_edited(reader: PromptReader, keys: PipeInput) -> None:
    keys.send_text(ENTER)
    assert reader.code("x = 1\n") == "x = 1"
    keys.send_text(ENTER)
    assert reader.code("with a:\n    b\n") == "with a:\n    b\n"
    keys.send_text(f"0{ENTER}")
    assert reader.code("x = 1\n") == "x = 10"
