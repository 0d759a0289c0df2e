"""PyTorch's own random numbers: its Mersenne twister, uniforms and normals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.device import CPU, require_cpu
from gradrepl.engine.dtype import FLOAT32, FLOAT64, Array, CNamed, name_with_module
from gradrepl.engine.grad_mode import mode
from gradrepl.engine.precision.box_muller import single_normals
from gradrepl.engine.tensor import Tensor, make

MASK64 = 2**64 - 1
STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("words", "<u8", 624),
        ("first", "<f8"),
        ("spare", "<f8"),
        ("second", "<f8"),
        ("has_spare", "<u8"),
        ("rest", "<u8"),
    ]
)
"""The bytes of a generator's state."""


DRAWN_WHILE_MAPPING = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
    "randomness flags on vmap or perform the randomness operation out of vmap"
)


def words_of_seed(seed: int) -> list[int]:
    """Return the 624 words that the Mersenne twister begins with; seed: below 2**32."""
    words = [seed]
    for place in range(1, 624):
        last = words[-1]
        words.append((1812433253 * (last ^ (last >> 30)) + place) & 0xFFFFFFFF)
    return words


class Generator(metaclass=CNamed):
    """A source of random numbers (torch.Generator, CPU): mt19937, of whose seed the low 32 bits count.

    `_spare` is the sine half of the last Box-Muller pair, kept for the next single normal. The twister is made
    with the first number: numpy.random is slow to import.
    """

    def __init__(self, device: Any = None) -> None:
        require_cpu(device)
        self._seed(67280421310721)

    def _seed(self, seed: int) -> None:
        self._twister_is_new = True
        self._initial = seed
        self._twister: Any = None
        self._spare: float | None = None

    device = CPU

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`; negative seeds count from 2**64 down (torch.Generator.manual_seed)."""
        if not isinstance(seed, int):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed <= MASK64:
            raise ValueError("Overflow when unpacking long long")
        self._seed(seed & MASK64)
        return self

    def initial_seed(self) -> int:
        """Return the seed that the stream started with."""
        return self._initial

    def seed(self) -> int:
        """Start from a seed that nobody chose, and return it."""
        self._seed(int(time.time_ns() * 2654435761) & MASK64)
        return self._initial

    def get_state(self) -> Tensor:
        """Return the whole state as bytes, laid out as PyTorch does (torch.Generator.get_state)."""
        fresh = self._twister_is_new
        if self._twister is None:
            key, position = words_of_seed(self._initial & 0xFFFFFFFF), 624
        else:
            key, position = self._twister.state["state"].values()
        state = np.zeros((), STATE)
        state["seed"], state["seeded"], state["words"] = self._initial, 1, key
        state["left"], state["next"] = (1, 0) if fresh else (625 - position, position)
        if self._spare is not None:
            state["spare"], state["has_spare"] = self._spare, 1
        return make(np.frombuffer(state.tobytes(), np.uint8).copy())

    def set_state(self, new_state: Any) -> Generator:
        """Go on from a state that get_state() returned; raises TypeError or RuntimeError for anything else."""
        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if new_state._data.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if new_state._data.size != STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE.itemsize} but found the input RNG state size to be "
                f"{new_state._data.size}"
            )
        state = np.frombuffer(new_state._data.tobytes(), STATE)[0]
        self._seed(int(state["seed"]))
        fresh = int(state["next"]) == 0
        inner = {"key": state["words"].astype(np.uint32), "pos": 624 if fresh else int(state["next"])}
        self._twister_now().state = {"bit_generator": "MT19937", "state": inner}
        self._twister_is_new = fresh
        self._spare = float(state["spare"]) if state["has_spare"] else None
        return self

    def clone_state(self) -> Generator:
        """Return another generator in the same state."""
        return Generator().set_state(self.get_state())

    def _twister_now(self) -> Any:
        if self._twister is None:
            self._twister = np.random.RandomState(self._initial & 0xFFFFFFFF)._bit_generator
        return self._twister

    def raw(self, count: int) -> Array:
        """Return the next `count` 32-bit words, as uint64."""
        if mode.drawing_refused:
            raise RuntimeError(DRAWN_WHILE_MAPPING)
        twister = self._twister_now()
        if count:
            self._twister_is_new = False
        return twister.random_raw(count)

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

    def halves_in_blocks(self, count: int) -> Array:
        """Return standard normals for a dtype of 16 bits, float32: as in blocks, but none is drawn in vain."""
        values = np.empty(count, FLOAT32)
        whole = count - count % 16
        values[:whole] = box_muller(self.uniform32(whole))
        if whole < count:
            values[-16:] = box_muller(self.uniform32(16))
        return values


Generator.__module__ = "torch._C"
name_with_module(Generator)


def box_muller(uniforms: Array) -> Array:
    """Turn blocks of 8 + 8 uniforms into normals: cosines first, then sines."""
    if uniforms.dtype is FLOAT32:
        return single_normals(uniforms)
    blocks = uniforms.reshape(-1, 2, 8)
    radius = np.sqrt(-2.0 * np.log(1.0 - blocks[:, 0]))
    angle = 2.0 * math.pi * blocks[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator and return it (torch.manual_seed)."""
    return default_generator.manual_seed(int(seed))


def normal_array(shape: tuple[int, ...], kind: Any, generator: Generator | None = None) -> Array:
    """Return standard normals of a shape and numpy dtype, drawn as torch.randn draws them."""
    return scaled_normals(shape, kind, 0.0, 1.0, generator)


def in_memory_order(array: Array, draw: Callable[[tuple[int, ...]], Array]) -> Array:
    """Return draw(shape) for an array, with the numbers in the order in which the array lies in memory."""
    if array.flags.c_contiguous:
        return draw(array.shape)
    order = memory_order(array)
    return draw(tuple(array.shape[dim] for dim in order)).transpose(np.argsort(order))


def memory_order(array: Array) -> list[int]:
    """Return the dimensions of an array, that with the longest steps first; those of no step stay where they are."""
    order = list(range(array.ndim))[::-1]
    for start in range(1, array.ndim):
        place = start
        for before in range(start - 1, -1, -1):
            here, there = (array.strides[order[at]] for at in (place, before))
            if here and there and here < there:
                order[place], order[before] = order[before], order[place]
                place = before
            elif here and there and here > there:
                break
    return order[::-1]


def scaled_normals(
    shape: tuple[int, ...], kind: Any, mean: float, std: float, generator: Generator | None, whole: bool = True
) -> Array:
    """Return normals of a shape, numpy dtype, mean and standard deviation, drawn as Tensor.normal_ draws them.

    whole: whether what they are for lies in one piece.
    """
    if np.dtype(kind).kind == "c":
        parts = scaled_normals((*shape, 2), part_of(kind), mean, std * math.sqrt(0.5), generator, whole)
        return parts.view(kind)[..., 0]
    source, count = generator or default_generator, math.prod(shape)
    if count < 16 or not whole:
        values = source.normals_one_by_one(count)
    elif is_half(kind):
        values = source.halves_in_blocks(count)
    else:
        values = source.normals_in_blocks(count, source.uniform64 if kind == FLOAT64 else source.uniform32)
    return scaled(values, std, mean).astype(kind).reshape(shape)


def part_of(kind: Any) -> np.dtype[Any]:
    """Return the dtype of the two parts of complex numbers."""
    return FLOAT64 if kind == np.complex128 else FLOAT32


def is_half(kind: Any) -> bool:
    """Whether a numpy dtype is one of 16 bits: float16 or bfloat16."""
    return np.dtype(kind).itemsize == 2 or np.dtype(kind).metadata is not None


def scaled(values: Array, factor: float, start: float) -> Any:
    """Return values · factor + start in the dtype of the values, rounded once."""
    if factor == 1 and start == 0:
        return values
    wide: Any = FLOAT64 if values.dtype == FLOAT32 else np.longdouble
    kind = values.dtype.type
    return (values.astype(wide) * kind(factor) + kind(start)).astype(values.dtype)


def uniform_array(
    shape: tuple[int, ...], kind: Any, generator: Generator | None = None, low: float = 0.0, high: float = 1.0
) -> Array:
    """Return uniforms in [low, high) of a shape and numpy dtype, drawn as Tensor.uniform_ draws them."""
    if np.dtype(kind).kind == "c":
        return uniform_array((*shape, 2), part_of(kind), generator, low, high).view(kind)[..., 0]
    source = generator or default_generator
    values = (source.uniform64 if kind == FLOAT64 else source.uniform32)(math.prod(shape))
    number = values.dtype.type
    return scaled(values, number(high) - number(low), low).astype(kind).reshape(shape)


def exact_uniforms(shape: tuple[int, ...], generator: Generator | None = None) -> Array:
    """Return uniforms in [0, 1) of 53 bits: what most distributions start from, whatever their dtype."""
    return (generator or default_generator).uniform64(math.prod(shape)).reshape(shape)


def exponential_array(shape: tuple[int, ...], generator: Generator | None = None) -> Array:
    """Return exponentially distributed numbers of rate 1, float64."""
    return -np.log1p(-exact_uniforms(shape, generator))


def integer_array(shape: tuple[int, ...], low: int, high: int, generator: Generator | None = None) -> Array:
    """Return integers in [low, high), int64; ranges from 2**28 on take 64-bit words."""
    source, width, count = generator or default_generator, high - low, math.prod(shape)
    words = source.raw64(count) if width >= 2**28 else source.raw(count)
    return ((words % np.uint64(width)).astype(np.int64) + low).reshape(shape)


def permutation(count: int, generator: Generator | None = None) -> list[int]:
    """Return 0 ... count - 1 in random order (torch.randperm)."""
    source = generator or default_generator
    order = list(range(count))
    if count > 1:
        words = source.raw(count - 1).tolist()
        for i, word in enumerate(words):
            other = i + word % (count - i)
            order[i], order[other] = order[other], order[i]
    return order
