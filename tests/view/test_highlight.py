"""Source is coloured without being changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradrepl.view.highlight import pieces


@given(st.text(alphabet="ab0 1.#'\"\\\n@rf=eẽ(:", max_size=60))
def test_nothing_is_lost(source: str) -> None:
    assert "".join(text for _kind, text in pieces(source)) == source


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("with a: pass", {"with": "keyword", "pass": "keyword"}),
        ("x = None # with 1", {"None": "constant", "# with 1": "comment"}),
        ("print('a # b')", {"print": "builtin", "'a # b'": "string"}),
        ("'''a\nb''' + 1", {"'''a\nb'''": "string", "1": "number"}),
        ("x2 = 1.5e-3 + 0xff", {"1.5e-3": "number", "0xff": "number"}),
        ("x.sum(1.)", {"1.": "number"}),
        ("@torch.no_grad()\ndef f(): a @ b", {"@torch.no_grad": "decorator", "def": "keyword"}),
        ('rb"a\\"b" "open', {'rb"a\\"b"': "string", '"open': "string"}),
    ],
)
def test_words_have_their_kind(source: str, kinds: dict[str, str]) -> None:
    assert {text: kind for kind, text in pieces(source) if kind} == kinds
