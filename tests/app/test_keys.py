"""What Enter does at the prompt, and how the prompt is driven by keys."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from gradrepl.app import engines
from gradrepl.app.commands.scope import Scope
from gradrepl.app.line import prompt
from gradrepl.app.line.graphemes import width_after, width_before
from gradrepl.app.line.hints import hint
from gradrepl.app.line.history import MOST, QuietHistory
from gradrepl.app.line.keys import is_complete, next_indent
from gradrepl.app.line.prompt import PromptReader
from gradrepl.app.repl import COMMANDS

ENTER, TAB, BACKSPACE, DELETE, CTRL_C, CTRL_D, CTRL_R = "\r", "\t", "\x7f", "\x1b[3~", "\x03", "\x04", "\x12"
UP, DOWN, LEFT, RIGHT = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[C"


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


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (decomposed("việ") + BACKSPACE, "vi"),
        (decomposed("việt") + LEFT + LEFT + "X", "vi" + decomposed("Xệt")),
        (decomposed("việt") + "\x1b[H" + RIGHT * 3 + DELETE, "vit"),
        (decomposed("ệ") + LEFT + CTRL_D, ""),
        (decomposed("vie") + "\x08ê\x08ệt", "việt"),
        (f"vie{BACKSPACE}ê{BACKSPACE}{BACKSPACE}iệt", "việt"),
        ("👩‍🔬a" + LEFT * 2 + "b", "b👩‍🔬a"),
    ],
)
def test_letters_are_moved_over_and_deleted_whole(reader: PromptReader, keys: PipeInput, typed: str, text: str) -> None:
    keys.send_text(f"'{typed}\x1b[F'{ENTER}" if CTRL_D not in typed else f"'{typed}'{ENTER}")
    assert reader.code() == f"'{text}'"


@pytest.mark.parametrize(("seen", "letters"), [("", 0), ("ab", 1), ("e\u0302\u0323", 3), ("a\n", 1), ("\n", 1)])
def test_a_letter_is_as_wide_as_its_marks(seen: str, letters: int) -> None:
    assert width_before(seen) == letters


def test_marks_belong_to_their_letter_without_wcwidth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradrepl.app.line.graphemes._iter_graphemes", None)
    assert width_before(decomposed("việ")) == 3
    assert width_after(decomposed("ệt")) == 3


@pytest.mark.parametrize(
    ("pasted", "text"),
    [
        (">>> x = 1\n>>> x\n1\n", "x = 1\nx"),
        (">>> with a:\n...     b\n...\n>>> c\n", "with a:\n    b\n\nc"),
        ("y = x * 2>>> y.requires_grad", "y = x * 2\ny.requires_grad"),
        ("    >>> x = 1", "x = 1"),
        ("s = '''\n>>> x\n'''", "s = '''\n>>> x\n'''"),
        ("with a:\r\n    b\r\n", "with a:\n    b\n"),
    ],
)
def test_a_paste_shows_what_will_run(reader: PromptReader, keys: PipeInput, pasted: str, text: str) -> None:
    keys.send_text(f"\x1b[200~{pasted}\x1b[201~{ENTER}")
    assert reader.code() == text


def test_a_paste_that_comes_as_keys_keeps_its_own_indent(reader: PromptReader, keys: PipeInput) -> None:
    keys.send_text(f"def f():{ENTER}    if a:{ENTER}        b{ENTER}{ENTER}")
    assert reader.code().rstrip() == "def f():\n    if a:\n        b"


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (f"y.gra{TAB}", "y.grad"),
        (f"y.requires_grad{TAB}", "y.requires_grad"),
        (f"torch.tensor([1.], requires{TAB}True)", "torch.tensor([1.], requires_grad=True)"),
        (f":la{TAB} v{TAB}", ":lang vi"),
        (f":en{TAB} t{TAB}", ":engine torch"),
        (f"'y.gra{TAB}'", "'y.gra'"),
    ],
)
def test_tab_completes(reader: PromptReader, keys: PipeInput, typed: str, text: str) -> None:
    torch = engines.load("builtin").torch
    reader.scope = Scope(lambda: {"torch": torch, "y": torch.ones(1)}, COMMANDS)
    keys.send_text(typed + ENTER)
    assert reader.code().rstrip() == text


def test_a_completer_that_fails_keeps_the_line(reader: PromptReader, keys: PipeInput) -> None:
    def fail() -> dict[str, object]:
        raise RuntimeError("broken")

    reader.scope = Scope(fail)
    keys.send_text(f"x.y{TAB}{ENTER}")
    assert reader.code() == "x.y"


def remember(keys: PipeInput, reader: PromptReader, *inputs: str) -> None:
    for text in inputs:
        keys.send_text(text + ENTER)
        reader.code()


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (f"x{UP}", "x = 2"),
        (f"x{UP}{UP}", "x = 1"),
        (f"x{UP}{UP}{DOWN}", "x = 2"),
        (UP, "y = 3"),
        (f"{CTRL_R}= 1{ENTER}", "x = 1"),
    ],
)
def test_up_looks_for_the_same_start_and_ctrl_r_anywhere(
    reader: PromptReader, keys: PipeInput, typed: str, text: str
) -> None:
    remember(keys, reader, "x = 1", "x = 2", "y = 3")
    keys.send_text(typed + ENTER)
    assert reader.code() == text


def offered(reader: PromptReader, text: str) -> str:
    suggestion = reader._code.auto_suggest
    assert suggestion is not None
    found = suggestion.get_suggestion(reader._code.default_buffer, Document(text))
    return "" if found is None else found.text


def test_the_rest_of_a_line_is_suggested_and_can_be_switched_off(reader: PromptReader, keys: PipeInput) -> None:
    remember(keys, reader, "x = torch.ones(2)", "with torch.no_grad():\ry = x * 2\r")
    assert offered(reader, "x") == " = torch.ones(2)"
    assert offered(reader, "x = t") == "orch.ones(2)"
    assert offered(reader, "x = z") == ""
    assert offered(reader, "with") == " torch.no_grad():"
    assert offered(reader, "with a:\n    y") == " = x * 2"
    assert offered(reader, "with a:\n    z") == ""
    reader.suggests = False
    assert offered(reader, "x") == ""


def test_right_takes_the_suggestion(reader: PromptReader, keys: PipeInput) -> None:
    remember(keys, reader, "x = torch.ones(2)")

    def take(buffer: Buffer) -> None:
        if buffer.suggestion and buffer.text == "x =":
            keys.send_text(RIGHT + ENTER)

    reader._code.default_buffer.on_suggestion_set += take
    keys.send_text("x =")
    assert reader.code() == "x = torch.ones(2)"


def test_vi_keys(reader: PromptReader, keys: PipeInput) -> None:
    reader.vi = True
    assert reader.vi
    keys.send_text(decomposed("'ệt'") + f"\x1b0lx{ENTER}")
    assert reader.code() == "'t'"


def test_idle_time_begins_when_nobody_has_typed_for_a_while(
    reader: PromptReader, keys: PipeInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle: list[str] = []
    reader.idle = lambda: idle.append("idle") or keys.send_text(ENTER)
    monkeypatch.setattr(prompt, "_PAUSE", 3600)
    keys.send_text(f"x{ENTER}")
    assert (reader.code(), idle) == ("x", [])
    monkeypatch.setattr(prompt, "_PAUSE", 0)
    keys.send_text("y")
    assert reader.code().strip() in ("", "y")
    assert idle


def test_two_prompts_share_a_history(tmp_path: Path) -> None:
    one, other = QuietHistory(tmp_path / "history"), QuietHistory(tmp_path / "history")
    one.store_string("a = 1")
    other.store_string("with b:\n    c\n")
    one.store_string("d")
    assert list(QuietHistory(tmp_path / "history").load_history_strings()) == ["d", "with b:\n    c\n", "a = 1"]


def test_a_long_history_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text("".join(f"\n+x = {number}\n" for number in range(MOST + 5)), "utf-8")
    loaded = list(QuietHistory(path).load_history_strings())
    assert len(loaded) == MOST
    assert loaded[0] == f"x = {MOST + 4}"


@pytest.mark.parametrize(
    ("typed", "width", "shown"),
    [
        ("f(", 60, ("f(", "first", ", second=2, *, third=3)")),
        ("f(1, ", 60, ("f(first, ", "second=2", ", *, third=3)")),
        ("f(1, third=", 60, ("f(first, second=2, *, ", "third=3", ")")),
        ("f(1, third=", 20, ("f(…, ", "third=3", ")")),
        ("f(", 20, ("f(", "first", ", …)")),
        ("f(g([1, 2], ", 60, None),
        ("f([1, 2], {", 60, ("f(first, ", "second=2", ", *, third=3)")),
        ("f('(', ", 60, ("f(first, ", "second=2", ", *, third=3)")),
        ("def f(", 60, None),
        ("f()", 60, None),
    ],
)
def test_the_call_under_the_cursor_is_shown(typed: str, width: int, shown: tuple[str, str, str] | None) -> None:
    def f(first: int, second: int = 2, *, third: int = 3) -> None: ...

    assert hint(typed, {"f": f}, width) == shown
