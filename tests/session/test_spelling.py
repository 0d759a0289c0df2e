"""Misspelt names: which known one was meant, with the Vietnamese keyboard left on too."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cost import with_calls

from gradrepl.session.spelling import closest

KNOWN = ("net", "next", "tensor", "sensor", "autograd", "autocast", "requires_grad", "backward", "await", "print")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("autogard", ("autograd", False)),
        ("require_grad", ("requires_grad", False)),
        ("Autograd", ("autograd", False)),
        ("prnt", ("print", False)),
        ("ténor", ("tensor", True)),
        ("nẽt", ("next", True)),
        ("backwảd", ("backward", True)),
        ("aưait", ("await", True)),
        ("prínt", ("print", True)),
        ("zzz", None),
        ("ộộộ", None),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_closest_name(name: str, found: tuple[str, bool] | None, form: str) -> None:
    assert closest(unicodedata.normalize(form, name), KNOWN) == found


def test_a_name_is_not_close_to_itself() -> None:
    assert closest("tensor", ["tensor"]) is None


def test_names_known_earlier_win() -> None:
    assert closest("weigth", ["weight", "Weight"]) == ("weight", False)


def test_a_name_of_a_million_letters_is_nothing_to_think_about() -> None:
    found, calls = with_calls(lambda: closest("tensor" * 200_000, KNOWN))
    assert found is None
    assert calls < 100


@given(st.text(max_size=20))
def test_any_text_may_be_asked_about(name: str) -> None:
    found = closest(name, KNOWN)
    assert found is None or found[0] in KNOWN
