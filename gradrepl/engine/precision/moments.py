"""Means and variances of rows of float32, taken one number after the other as PyTorch's layer norm takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, Array
from gradrepl.engine.precision.fused import multiply_add

FEW = 256
"""For more numbers, speed counts more than the last digit."""
LANES = 8
LONG = 128
"""From so many numbers in a row on, PyTorch takes them in several parts."""

single = np.float32
Moments = tuple[Any, Any]
"""The mean, and the sum of the squares of what lies off it."""


def row_moments(rows: Array) -> Moments:
    """Return mean and variance of each row of a float32 matrix with up to LONG columns: lanes, then these joined."""
    count = rows.shape[1]
    steps, rest = divmod(count, LANES)
    mean, squares = of_rest(rows[:, count - rest :])
    means, sums = of_lanes(rows[:, : count - rest].reshape(len(rows), steps, LANES))
    for lane in range(LANES if steps else 0):
        share = single(steps) / single(rest + steps)
        off = means[:, lane] - mean
        mean = multiply_add(share, off, mean)
        squares = squares + multiply_add(off * off * share, single(rest), sums[:, lane])
        rest += steps
    return mean, squares / single(count)


def of_rest(rows: Array) -> Moments:
    mean = squares = np.zeros(len(rows), FLOAT32)
    for place in range(rows.shape[1]):
        off = rows[:, place] - mean
        mean = mean + off / single(place + 1)
        squares = squares + off * (rows[:, place] - mean)
    return mean, squares


def of_lanes(lanes: Array) -> Moments:
    mean = squares = np.zeros_like(lanes[:, 0]) if lanes.size else lanes
    for step in range(lanes.shape[1]):
        off = lanes[:, step] - mean
        mean = multiply_add(off, single(1) / single(step + 1), mean)
        squares = multiply_add(off, lanes[:, step] - mean, squares)
    return mean, squares
