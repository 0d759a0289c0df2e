"""Uniforms of float32 turned into normals with the logarithm, sine and cosine that PyTorch's kernel has for it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, Array
from gradrepl.engine.precision.fused import multiply_add
from gradrepl.engine.precision.sleef import polynomial

PIECE = 1 << 10
"""Blocks of 16 that are turned at a time: what lies between stays in the processor's cache."""

single = np.float32
LOGARITHM = tuple(
    map(
        single,
        (
            *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
            *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
        ),
    )
)
"""Cephes' polynomial for log(1 + x) between sqrt(1/2) - 1 and sqrt(2) - 1, the highest power first."""
LOG_2 = single(-2.12194440e-4), single(0.693359375)
SINE = tuple(map(single, (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)))
COSINE = tuple(map(single, (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)))
QUARTER_PI = tuple(map(single, (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)))
"""-pi / 4 in three parts."""


def logarithm(x: Array) -> Any:
    """Return log(x) of float32 above 0."""
    part, exponent = np.frexp(x)
    low = part < single(math.sqrt(0.5))
    power = (exponent - low).astype(FLOAT32)
    rest = part - single(1) + np.where(low, part, single(0))
    square = rest * rest
    value = multiply_add(polynomial(LOGARITHM, rest) * rest, square, power * LOG_2[0])
    value = rest + multiply_add(square, single(-0.5), value)
    return multiply_add(power, LOG_2[1], value)


def sine_and_cosine(x: Array) -> tuple[Any, Any]:
    """Return sin(x) and cos(x) of float32 from 0 on."""
    octant = ((x * single(4 / math.pi)).astype(np.int32) + 1) & ~1
    turns = octant.astype(FLOAT32)
    for part in QUARTER_PI:
        x = multiply_add(turns, part, x)
    square = x * x
    cosine = multiply_add(polynomial(COSINE, square) * square, square, -(square * single(0.5))) + single(1)
    sine = multiply_add(polynomial(SINE, square) * square, x, x)
    straight = (octant & 2) == 0
    first, second = np.where(straight, sine, cosine), np.where(straight, cosine, sine)
    return np.where(octant & 4, -first, first), np.where((octant - 2) & 4, second, -second)


def single_normals(uniforms: Array) -> Array:
    """Return normals of blocks of 8 + 8 uniforms in [0, 1), float32: cosines first, then sines."""
    blocks = uniforms.reshape(-1, 2, 8)
    normals = np.empty_like(blocks)
    for start in range(0, len(blocks), PIECE):
        piece = blocks[start : start + PIECE]
        radius = np.sqrt(single(-2) * logarithm(single(1) - piece[:, 0]))
        sine, cosine = sine_and_cosine(single(2 * math.pi) * piece[:, 1])
        normals[start : start + PIECE] = np.stack([radius * cosine, radius * sine], axis=1)
    return normals.reshape(-1)
