"""Nothing from outside reaches the terminal as a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradrepl.view.safe import one_line, pieces, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b2J", "\\x9b2J"),
        ("a\rb", "a\\x0db"),
        ("a\r\nb", "a\nb"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("tab\tand\nline stay", "tab\tand\nline stay"),
        ("Tiếng Việt ổn", "Tiếng Việt ổn"),
    ],
)
def test_control_characters_are_seen_not_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "L"])))
def test_no_control_character_is_left(text: str) -> None:
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in one_line(text))
    visible(text).encode("utf-8")


@given(st.text("ab\r\n"), st.integers(2, 9))
def test_pieces_are_short_and_look_as_the_whole_does(text: str, size: int) -> None:
    found = list(pieces(text, size))
    assert "".join(found) == text
    assert all(0 < len(piece) <= size for piece in found)
    assert "".join(map(visible, found)) == visible(text)


def test_pieces_end_with_a_line_where_they_can() -> None:
    assert list(pieces("one\ntwo\nthree", 9)) == ["one\ntwo\n", "three"]
