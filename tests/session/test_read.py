"""What a typed or pasted text is."""

from __future__ import annotations

import warnings

import pytest

from gradrepl.session.read import Blank, Code, Command, Incomplete, Reading, read, strip_prompts


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("", Blank()),
        ("  \n\t\n", Blank()),
        ("# only a comment\n", Blank()),
        ("x = 1", Code("x = 1")),
        ("with torch.no_grad():", Incomplete("with torch.no_grad():")),
        ("with torch.no_grad():\n    y = 1", Incomplete("with torch.no_grad():\n    y = 1")),
        ("with torch.no_grad():\n    y = 1\n\n", Code("with torch.no_grad():\n    y = 1\n\n")),
        ("@torch.no_grad()", Incomplete("@torch.no_grad()")),
        ("f(1,", Incomplete("f(1,")),
        ('"""half', Incomplete('"""half')),
        ("x = = 1", Code("x = = 1")),
        ("với torch.no_grad():", Code("với torch.no_grad():")),
        ("await f()", Code("await f()")),
        (":help", Command("help", "")),
        (":learn 2", Command("learn", "2")),
        ("  : lang  vi ", Command("lang", "vi")),
        (":?", Command("?", "")),
        ("x[:2]", Code("x[:2]")),
        (":2", Code(":2")),
    ],
)
def test_read(text: str, reading: Reading) -> None:
    assert read(text) == reading


def test_a_pasted_transcript_loses_prompts_and_output() -> None:
    pasted = ">>> x = 1\n>>> x\n1\n>>> for i in [1]:\n...     i\n...\n1\n"
    assert read(pasted) == Code("x = 1\nx\nfor i in [1]:\n    i\n\n")


def test_an_indented_transcript_is_read_too() -> None:
    assert strip_prompts("    >>> x = 1\n    >>> x\n    1\n") == "x = 1\nx\n"


def test_a_notebook_transcript_is_read_too() -> None:
    assert strip_prompts("In [1]: x = 1\nIn [2]: x\nOut[2]: 1\n") == "x = 1\nx\n"


@pytest.mark.parametrize("text", ['s = ">>> x"\n', 's = """\n>>> x\n"""\n', "x = ...\n"])
def test_a_string_that_holds_prompts_survives(text: str) -> None:
    assert read(text) == Code(text)


def test_only_a_text_that_starts_with_a_prompt_is_a_transcript() -> None:
    text = "x = 1\n>>> y = 2\n"
    assert strip_prompts(text) == text


def test_a_warning_while_reading_is_not_shown() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        compile(r"'\d'", "s", "exec")
        assert len(shown) == 1
        assert read(r"'\d'") == Code(r"'\d'")
    assert len(shown) == 1
