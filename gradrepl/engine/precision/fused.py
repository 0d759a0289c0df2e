"""Products and sums in one rounding, as a processor's multiply-add does them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.precision.bfloat16 import Brain

LARGE = 10_000
"""Elements from which on speed counts more than the last digit, which depends on the processor there anyway."""


def fused(a: Any, b: Any, c: Any) -> Any:
    """Return a · b + c in the dtype of the array c; float32 and float16 are rounded once, unless c is large.

    a, b: arrays or numbers that go with c; a number is made float32 first where c is.
    """
    if c.size > LARGE or isinstance(c, Brain) or c.dtype not in (np.float32, np.float16):
        return (a * b + c).astype(c.dtype, copy=False)
    return (wide(a) * wide(b) + c).astype(c.dtype)


def multiply_add(a: Any, b: Any, c: Any) -> Any:
    """Return a · b + c of float32, where a is one of numpy's, rounded once."""
    return (a.astype(np.float64) * b + c).astype(np.float32)


def wide(value: Any) -> Any:
    """Return what float32 holds of an array or number, as float64: products of two are exact there."""
    return np.float64(np.float32(value)) if isinstance(value, (int, float)) else value.astype(np.float64)


def between(start: Any, end: Any, weight: float) -> Any:
    """Return start + weight · (end - start), from the end that is nearer."""
    kind = np.float32 if start.dtype == np.float16 else start.dtype
    near, far = start.astype(kind, copy=False), end.astype(kind, copy=False)
    if abs(weight) < 0.5:
        return fused(weight, far - near, near).astype(start.dtype, copy=False)
    share = float(np.float32(1) - np.float32(weight)) if kind == np.float32 else 1 - weight
    return fused(share, near - far, far).astype(start.dtype, copy=False)
