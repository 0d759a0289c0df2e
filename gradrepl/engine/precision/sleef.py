"""Functions of float32 as Sleef, the vector library within PyTorch, approximates them: to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, FLOAT64, Array
from gradrepl.engine.precision.fused import multiply_add
from gradrepl.engine.precision.precise import nearest

Function = Callable[[Array], Any]
Formula = Callable[[Array, Function, Function], Any]

FEW = 512
"""From so many elements on, speed counts more than the last bit."""
LANES = 32
"""Elements that PyTorch computes at once: two vectors of 64 bytes."""

single = np.float32
EXP = (
    *(0.000198527617612853646278381, 0.00139304355252534151077271, 0.00833336077630519866943359),
    *(0.0416664853692054748535156, 0.166666671633720397949219, 0.5),
)
"""(e ** x - 1 - x) / x ** 2 between -log(2) / 2 and log(2) / 2, the highest power first."""
LOG = tuple(map(single, (0.3027294874, 0.3996108174, 0.6666694880)))
"""(log((1 + x) / (1 - x)) - 2 x) / x ** 3, in powers of x ** 2."""
ONE, LOG_2_E = single(1), single(1.4426950408889634)
LOG_2 = 0.693145751953125 + float(single(1.428606765330187045e-06))
EXACT_LOG_2 = 0.69314718246459960938 - 1.904654323148236017e-09


def polynomial(factors: tuple[Any, ...], x: Array) -> Any:
    """Return a polynomial at x, float32; each step is rounded once."""
    wide, value = x.astype(FLOAT64), factors[0]
    for factor in factors[1:]:
        value = (wide * value + factor).astype(FLOAT32)
    return value


def exp(x: Array) -> Any:
    """Return e ** x; of a few float32 as Sleef gives it."""
    if x.dtype is not FLOAT32 or x.size >= FEW or not math.isfinite(x.sum()):
        return nearest(np.exp, x)
    halvings = np.rint(x * LOG_2_E)
    wide = halvings.astype(FLOAT64)
    rest = (x - wide * LOG_2).astype(FLOAT32)
    near = rest.astype(FLOAT64)
    value = near * EXP[0]
    for factor in EXP[1:-1]:
        value += factor
        value *= near
    value += EXP[-1]
    value = ((rest * rest).astype(FLOAT64) * value.astype(FLOAT32) + rest).astype(FLOAT32)
    return np.ldexp(value + ONE, wide.astype(np.int32))


def log1p(x: Array) -> Any:
    """Return log(1 + x) for x from 0 on; of a few float32 as Sleef gives it."""
    if x.dtype is not FLOAT32 or x.size >= FEW:
        return nearest(np.log1p, x)
    _, exponent = np.frexp((single(1) + x) * single(4 / 3))
    scale = np.ldexp(single(1), 1 - exponent)
    part = multiply_add(x, scale, scale - single(1)).astype(FLOAT64)
    ratio = part / (2.0 + part)
    near = ratio.astype(FLOAT32)
    square = near * near
    rest = square * near * polynomial(LOG, square)
    found = ((exponent - 1) * EXACT_LOG_2 + 2 * ratio + rest).astype(FLOAT32)
    return np.where((x >= 0) & (x < 1e38), found, nearest(np.log1p, x))


def mapped(formula: Formula, x: Array) -> Any:
    """Return what a formula of elements gives, the last ones that don't fill two vectors computed one by one.

    formula: of the elements, and of the functions exp and log1p to compute with.
    """
    whole = x.size - x.size % LANES if x.dtype is FLOAT32 and x.size < FEW else 0
    if not whole:
        return formula(x, one_exp, one_log1p)
    flat = x.reshape(-1)
    parts = formula(flat[:whole], exp, log1p), formula(flat[whole:], one_exp, one_log1p)
    return np.concatenate(parts).reshape(x.shape)


def one_exp(x: Array) -> Any:
    return nearest(np.exp, x)


def one_log1p(x: Array) -> Any:
    return nearest(np.log1p, x)
