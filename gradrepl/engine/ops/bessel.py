"""Modified Bessel functions of the first kind: torch.i0 and torch.special.i0e, i1 and i1e."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import checked, functions, unary
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import sgn
from gradrepl.engine.ops.shape import where
from gradrepl.engine.ops.special import ONE, each
from gradrepl.engine.tensor import Tensor

ANY = ((0.4,), ((2, 3),))
FAR = 30.0
"""From here on the series in 1 / x is exact, and shorter than the one in x."""
MOST_TERMS = 30
"""Behind these the terms of the series in 1 / x would grow again."""


def scaled_bessel(order: int, value: float) -> float:
    """Return the modified Bessel function of order 0 or 1, times exp(-|value|)."""
    size = abs(value)
    if math.isnan(size) or math.isinf(size):
        return value if math.isnan(size) else math.copysign(0.0, value if order else size)
    total, term, k = 0.0, 1.0, 0
    if size < FAR:
        term = (size / 2) ** order
        while abs(term) > total * 1e-18:
            total += term
            k += 1
            term *= size * size / 4 / (k * (k + order))
        found = total * math.exp(-size)
    else:
        while abs(term) > 1e-17 and k < MOST_TERMS:
            total += term
            k += 1
            term *= -(4 * order - (2 * k - 1) ** 2) / (8 * k * size)
        found = total / math.sqrt(2 * math.pi * size)
    return math.copysign(found, value) if order else found


def bessel(order: int) -> Callable[[float], float]:
    """Return the modified Bessel function of an order."""

    def function(value: float) -> float:
        if not math.isfinite(value):
            return math.nan
        scaled = scaled_bessel(order, value)
        return scaled * math.exp(abs(value)) if abs(value) < 700 else math.copysign(math.inf, scaled)

    return function


@op("I0Backward0", broadcasts=True, promotes="float", samples=ANY)
def i0(a: Array) -> Any:
    """The modified Bessel function of order 0 at a"""
    return each(bessel(0), a)


@op("SpecialI0EBackward0", broadcasts=True, promotes="float", samples=ANY)
def i0e(a: Array) -> Any:
    """i0(a) · exp(-|a|)"""
    return each(lambda value: scaled_bessel(0, value), a)


@op("SpecialI1Backward0", broadcasts=True, promotes="float", samples=ANY)
def i1(a: Array) -> Any:
    """The modified Bessel function of order 1 at a"""
    return each(bessel(1), a)


@op("SpecialI1EBackward0", broadcasts=True, promotes="float", samples=ANY)
def i1e(a: Array) -> Any:
    """i1(a) · exp(-|a|)"""
    return each(lambda value: scaled_bessel(1, value), a)


def first_order(g: Any, a: Any, out: Any, slope: Callable[[Any, Any], Any]) -> Any:
    """Return the gradient of a function of order 1: a half of g at zero, else by slope(argument, out / argument)."""
    data = a._data if isinstance(a, Tensor) else a
    tiny = np.finfo(data.dtype).eps
    zero = np.abs(data) <= tiny
    safe = where(zero, float(tiny), a)
    return g * where(zero, 0.5, slope(safe, out / safe))


i0.grad(a=lambda g, a: g * i1(a))
i0e.grad(a=lambda g, a, out: g * (i1e(a) - sgn(a) * out))
i1.grad(a=lambda g, a, out: first_order(g, a, out, lambda x, ratio: i0(x) - ratio))
i1e.grad(a=lambda g, a, out: first_order(g, a, out, lambda x, ratio: i0e(x) - (sgn(x) * out + ratio)))

unary(i0)
functions(
    "torch.special",
    **{entry.name: checked(entry.call, f"special_{entry.name}", (ONE,)) for entry in (i0, i0e, i1, i1e)},
)
