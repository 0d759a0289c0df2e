"""Functions of float32 as PyTorch's vector library has them: nearly always the nearest number there is."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, FLOAT64, Array
from gradrepl.engine.operands import in_one_piece

MANY = 1 << 14
"""From so many elements on, speed counts more than the last bit."""


def nearest(function: np.ufunc, a: Array, *others: Array) -> Any:
    """Return a function of an array and others of its dtype, for a few float32 computed in float64 and rounded once."""
    if a.dtype is FLOAT32 and a.size < MANY:
        return function(a.astype(FLOAT64), *others, dtype=FLOAT64).astype(FLOAT32)
    return function(a, *others)


def accumulated(function: np.ufunc, a: Array, dim: int, kind: np.dtype[Any]) -> Any:
    """Return the results so far along a dimension in a dtype, those of float32 computed in float64."""
    wide = FLOAT64 if kind is FLOAT32 else kind
    return in_one_piece(function.accumulate(a, axis=dim, dtype=wide).astype(kind, copy=False))
