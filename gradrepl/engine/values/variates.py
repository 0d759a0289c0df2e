"""Numbers of gamma, Poisson and binomial distributions, drawn one by one as PyTorch draws them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT64, Array
from gradrepl.engine.values import random

TAIL = (
    0.0810614667953272,
    0.0413406959554092,
    0.0276779256849983,
    0.02079067210376509,
    0.0166446911898211,
    0.0138761288230707,
    0.0118967099458917,
    0.0104112652619720,
    0.00925546218271273,
    0.00833056343336287,
)
"""What Stirling's formula leaves out of the logarithm of a factorial, of 0 to 9."""


def uniform(source: Any) -> float:
    return float(source.uniform64(1)[0])


def gamma_number(alpha: Any, source: Any) -> float:
    """Return a number of the gamma distribution of a shape and rate 1 (Marsaglia and Tsang); alpha: a numpy float."""
    kind, scale = type(alpha), 1.0
    if alpha < 1:
        if alpha == 0:
            return 0.0
        scale = (1 - uniform(source)) ** float(kind(1) / alpha)
        alpha = alpha + kind(1)
    d = float(alpha - kind(np.float32(1) / np.float32(3)))
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x, y = 0.0, 0.0
        while y <= 0:
            x = float(source.normals_one_by_one(1)[0])
            y = 1.0 + c * x
        v, u, xx = y * y * y, 1 - uniform(source), x * x
        squeezed = u < 1.0 - float(np.float32(0.0331)) * xx * xx
        if squeezed or math.log(u) < 0.5 * xx + d * (1.0 - v + math.log(v)):
            return scale * d * v


def poisson_number(rate: float, source: Any) -> int:
    """Return a number of the Poisson distribution: by multiplying uniforms, or by rejection (Hörmann) from 10 on."""
    if rate >= 10:
        return rejected_poisson(rate, source)
    if rate == 0:
        return 0
    limit, count, product = math.exp(-rate), 0, uniform(source)
    while product > limit:
        count += 1
        product *= uniform(source)
    return count


def rejected_poisson(rate: float, source: Any) -> int:
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse, fast = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = uniform(source) - 0.5, uniform(source)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= fast:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        if math.log(v) + math.log(inverse) - math.log(a / (us * us) + b) <= (
            -rate + k * math.log(rate) - math.lgamma(k + 1)
        ):
            return k


def binomial_number(count: Any, share: Any, source: Any) -> float:
    """Return how many of `count` tries succeed with a probability; both are numpy floats of one dtype."""
    if count <= 0 or share <= 0:
        return 0.0
    if share >= 1:
        return float(count)
    if share > 0.5:
        return float(count) - binomial_number(count, type(share)(1) - share, source)
    if count * share >= 10:
        return rejected_binomial(float(count), float(share), source)
    rest, total, number = math.log1p(-float(share)), 0.0, -1
    while total <= count:
        number += 1
        total += math.ceil(math.log(uniform(source)) / rest)
    return float(number)


def tail(k: float) -> float:
    """Return what Stirling's formula leaves out of log(k!)."""
    if k <= 9:
        return TAIL[int(k)]
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)


def rejected_binomial(count: float, share: float, source: Any) -> float:
    spread = math.sqrt(count * share * (1 - share))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * share
    c, fast, ratio = count * share + 0.5, 0.92 - 4.2 / b, share / (1 - share)
    alpha, m = (2.83 + 5.1 / b) * spread, math.floor((count + 1) * share)
    while True:
        u, v = uniform(source) - 0.5, uniform(source)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + c)
        if k < 0 or k > count:
            continue
        if us >= 0.07 and v <= fast:
            return k
        bound = (
            (m + 0.5) * math.log((m + 1) / (ratio * (count - m + 1)))
            + (count + 1) * math.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * math.log(ratio * (count - k + 1) / (k + 1))
            + (tail(m) + tail(count - m) - tail(k) - tail(count - k))
        )
        if math.log(v * alpha / (a / (us * us) + b)) <= bound:
            return k


def each_drawn(draw: Callable[..., float], generator: Any, *operands: Array) -> Array:
    """Return draw(element, ..., source) of each element of arrays of one shape, float64."""
    source = generator or random.default_generator
    flat = zip(*(operand.reshape(-1) for operand in operands), strict=True)
    return np.array([draw(*values, source) for values in flat], FLOAT64).reshape(operands[0].shape)


def gammas(shape: Array, generator: Any = None) -> Array:
    """Return numbers of the gamma distribution, in the dtype of its shapes, none of them 0."""
    drawn = each_drawn(gamma_number, generator, shape).astype(shape.dtype)
    return np.maximum(drawn, np.finfo(shape.dtype).tiny)


def shares(concentration: Array, generator: Any = None) -> Array:
    """Return numbers of the Dirichlet distribution along the last dimension: gammas over their sum."""
    drawn = np.maximum(each_drawn(gamma_number, generator, concentration.astype(FLOAT64)), np.finfo(FLOAT64).tiny)
    part = (drawn / drawn.sum(-1, keepdims=True)).astype(concentration.dtype)
    kind = concentration.dtype.type
    return np.clip(part, np.finfo(kind).tiny, np.nextafter(kind(1), kind(0)))
