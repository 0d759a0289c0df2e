"""Numbers on one line."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gradrepl.session.numbers import LIMIT, nested_text, shorten


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (2.0, "2."),
        (-0.0, "-0."),
        (0.5, "0.5000"),
        (3, "3"),
        (True, "True"),
        ([], "[]"),
        ([1.0, 2.5], "[1.0000, 2.5000]"),
        ([2.0, 4.0], "[2., 4.]"),
        ([1.0, 5000.0], "[1.0000e+00, 5.0000e+03]"),
        ([1e-5], "[1.0000e-05]"),
        ([math.nan, 1.0, math.inf], "[nan, 1., inf]"),
        ([math.nan, 0.5, -math.inf], "[nan, 0.5000, -inf]"),
        ([1 + 2j, 1 - 2.5j], "[1.0000+2.0000j, 1.0000-2.5000j]"),
        ([[1.0], [2.0]], "[[1.], [2.]]"),
        ([[1.0, None], None], "[[1., ...], ...]"),
        (None, "..."),
    ],
)
def test_style_is_that_of_pytorch(values: Any, text: str) -> None:
    assert nested_text(values) == text


def test_a_long_text_ends_behind_a_number_and_closes_its_brackets() -> None:
    short = shorten(nested_text([[0.1234] * 4, [0.5678] * 4]))
    assert short == "[[0.1234, 0.1234, 0.1234, 0.1234], [0.5678, 0.5678, ...]]"
    assert len(short) <= LIMIT


def test_a_short_text_stays() -> None:
    assert shorten("x" * LIMIT) == "x" * LIMIT
