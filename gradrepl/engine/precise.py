"""Functions of float32 as PyTorch's vector library has them: nearly always the nearest number there is."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, FLOAT64, Array

MANY = 1 << 14
"""From so many elements on, speed counts more than the last bit."""


def nearest(function: np.ufunc, a: Array) -> Any:
    """Return a function of an array, for a few float32 computed in float64 and rounded once."""
    if a.dtype is FLOAT32 and a.size < MANY:
        return function(a.astype(FLOAT64)).astype(FLOAT32)
    return function(a)
