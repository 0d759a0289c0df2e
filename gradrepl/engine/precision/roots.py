"""Square roots of float32 as PyTorch's library has them: from the processor's estimate of 1 / sqrt(x), in two steps."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, Array

MANY = 1 << 12
"""From so many elements on, speed counts more than the last bit."""
HALF = np.float32(0.5)
ROUNDED = (
    "hdk6w7yvmjk1h7e79mtogbpw0oju8stcs0xgebw3jt5sen4orn8kwtrn4b9quhf4u68qrkfa975jl0hqedxgkv0klqd4rznsnb6utoaox"
    "1edp4wuj7krgjoshflzrh02pv25beonocqp6ungd9f09frr80v5you5uxqq7rkp8fx6h7ta6pytyxixhubgvp02s4ols8gqomcx3gbciu"
    "9v0urblc1xthkpfvuuzbz70s3g3w8ssvrbcpsxvhqrig43o62vvc7sxzpyc825geunkdomaqxi1um8lzyqbh0mue73slkck276uyds4"
)
"""How AMD's estimates differ from rounded ones, as digits of base 3: first where a part starts, then in its steps."""


def sqrt(a: Array) -> Any:
    """Return the square roots of an array; of a few float32 as PyTorch's library gives them."""
    if a.dtype is not FLOAT32 or a.size > MANY:
        return np.sqrt(a)
    if not a.ndim:
        return sqrt(a.reshape(1))[0]
    half = estimates().take(a.view(np.int32) >> 11, out=np.empty_like(a), mode="clip")
    root = a * half
    half *= HALF
    rest = root * half
    np.subtract(HALF, rest, rest)
    rest *= root
    root += rest
    np.multiply(root, root, rest)
    np.subtract(a, rest, rest)
    rest *= half
    root += rest
    if not math.isfinite(np.add.reduce(root, None)):
        np.copyto(root, np.sqrt(a), where=np.isnan(root))
    return root


@functools.cache
def estimates() -> Array:
    """Return what AMD's processors estimate 1 / sqrt(x) to be, by the first 20 bits of x; nan where it is no number.

    Mantissas are cut into 16 lines of 16 parts of 16 steps; in units of 2 ** -13.
    """
    number = int(ROUNDED, 36)
    off = np.array([number // 3**place % 3 for place in range(1023, -1, -1)]).reshape(2, 2, 16, 16) - 1
    scale = np.array([1, 2])[:, None, None]
    starts = 1 + (np.arange(256).reshape(16, 16) * 16 + 0.5) / 4096
    slopes = scale * (scale * (1 + (np.arange(16)[:, None] + 0.5) / 16)) ** -1.5
    first = np.floor(8192 / np.sqrt(scale * starts) + 0.5) + off[0]
    steps = np.floor(slopes * np.arange(16) + 0.5) + off[1]
    parts = (first[..., None] - steps[:, :, None]).reshape(2, 4096) / 8192
    exponents = np.arange(256) - 127
    found = parts.astype(FLOAT32)[exponents & 1] * np.ldexp(np.float32(1), -(exponents >> 1))[:, None]
    found[[0, 255]] = np.nan
    return found.reshape(-1)
