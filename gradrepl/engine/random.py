"""PyTorch's own random numbers: its Mersenne twister, uniforms and normals."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, FLOAT64, Array

MASK64 = 2**64 - 1


class Generator:
    """A source of random numbers (torch.Generator, CPU): mt19937, of whose seed the low 32 bits count.

    `_spare` is the sine half of the last Box-Muller pair, kept for the next single normal. The twister is made
    with the first number: numpy.random is slow to import.
    """

    def __init__(self, device: Any = None) -> None:
        self._seed(67280421310721)

    def _seed(self, seed: int) -> None:
        self._initial = seed
        self._twister: Any = None
        self._spare: float | None = None

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`; negative seeds count from 2**64 down (torch.Generator.manual_seed)."""
        self._seed(int(seed) & MASK64)
        return self

    def initial_seed(self) -> int:
        """Return the seed that the stream started with."""
        return self._initial

    def seed(self) -> int:
        """Start from a seed that nobody chose, and return it."""
        self._seed(int(time.time_ns() * 2654435761) & MASK64)
        return self._initial

    def raw(self, count: int) -> Array:
        """Return the next `count` 32-bit words, as uint64."""
        if self._twister is None:
            self._twister = np.random.RandomState(self._initial & 0xFFFFFFFF)._bit_generator
        return self._twister.random_raw(count)

    def raw64(self, count: int) -> Array:
        """Return the next `count` 64-bit words, each of two 32-bit ones, the high half first."""
        words = self.raw(2 * count)
        return (words[0::2] << np.uint64(32)) | words[1::2]

    def uniform32(self, count: int) -> Array:
        """Return uniforms in [0, 1) of 24 bits, float32."""
        return ((self.raw(count) & np.uint64(2**24 - 1)).astype(FLOAT32)) * np.float32(2**-24)

    def uniform64(self, count: int) -> Array:
        """Return uniforms in [0, 1) of 53 bits, float64."""
        return ((self.raw64(count) & np.uint64(2**53 - 1)).astype(FLOAT64)) * 2.0**-53

    def normals_one_by_one(self, count: int) -> Array:
        """Return standard normals by Box-Muller in double precision, float64: the form below 16 elements."""
        values = np.empty(count)
        for i in range(count):
            if self._spare is not None:
                values[i], self._spare = self._spare, None
                continue
            first, second = self.uniform64(2).tolist()
            radius = math.sqrt(-2.0 * math.log1p(-second))
            angle = 2.0 * math.pi * first
            values[i], self._spare = radius * math.cos(angle), radius * math.sin(angle)
        return values

    def normals_in_blocks(self, count: int, uniform: Any) -> Array:
        """Return standard normals by Box-Muller in blocks of 16, the form from 16 elements on.

        The last block is drawn anew where `count` is no multiple of 16.
        """
        values = uniform(count)
        whole = count - count % 16
        values[:whole] = box_muller(values[:whole])
        if whole < count:
            values[-16:] = box_muller(uniform(16))
        return np.asarray(values)


Generator.__module__ = "torch._C"


def box_muller(uniforms: Array) -> Array:
    """Turn blocks of 8 + 8 uniforms into normals: cosines first, then sines."""
    blocks = uniforms.reshape(-1, 2, 8)
    kind = uniforms.dtype.type
    radius = np.sqrt(kind(-2.0) * np.log(kind(1.0) - blocks[:, 0]))
    angle = kind(2.0 * math.pi) * blocks[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator and return it (torch.manual_seed)."""
    return default_generator.manual_seed(seed)


def normal_array(shape: tuple[int, ...], kind: Any, generator: Generator | None = None) -> Array:
    """Return standard normals of a shape and numpy dtype, drawn as torch.randn draws them."""
    source = generator or default_generator
    count = math.prod(shape)
    if count < 16:
        return source.normals_one_by_one(count).astype(kind).reshape(shape)
    uniform = source.uniform64 if kind == FLOAT64 else source.uniform32
    return source.normals_in_blocks(count, uniform).astype(kind).reshape(shape)


def uniform_array(shape: tuple[int, ...], kind: Any, generator: Generator | None = None) -> Array:
    """Return uniforms in [0, 1) of a shape and numpy dtype, drawn as torch.rand draws them."""
    source = generator or default_generator
    uniform = source.uniform64 if kind == FLOAT64 else source.uniform32
    return uniform(math.prod(shape)).astype(kind).reshape(shape)
