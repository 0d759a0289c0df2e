"""What a typed or pasted text is."""

from __future__ import annotations

import warnings

import pytest

from gradrepl.session.read import Blank, Code, Command, Incomplete, Question, Reading, read


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
        ("?x", Question("x")),
        ("torch.sum?", Question("torch.sum")),
        ("x.y??", Question("x.y", whole=True)),
        ("'what?'", Code("'what?'")),
        (">>> :lang vi\n", Command("lang", "vi")),
    ],
)
def test_read(text: str, reading: Reading) -> None:
    assert read(text) == reading


def test_a_warning_while_reading_is_not_shown() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        compile(r"'\d'", "s", "exec")
        assert len(shown) == 1
        assert read(r"'\d'") == Code(r"'\d'")
    assert len(shown) == 1
