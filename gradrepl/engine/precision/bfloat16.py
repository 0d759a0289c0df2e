"""bfloat16 on top of numpy: float32 arrays whose every result is rounded to 8 bits of mantissa."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import CATEGORY, COMPLEX, FLOAT, Array
from gradrepl.engine.precision.steps import run_with

BRAIN = dtypes.bfloat16.numpy


class _Use:
    """Whether any such array was ever made: until then nothing needs to look for them."""

    seen = False


use = _Use()


def rounded(array: Any) -> Brain:
    """Return the nearest bfloat16 numbers, ties to even."""
    use.seen = True
    plain = np.array(stripped(array), np.float32, order="C")
    bits = plain.view(np.uint32)
    kept = (bits + (((bits >> np.uint32(16)) & np.uint32(1)) + np.uint32(0x7FFF))) & np.uint32(0xFFFF0000)
    result: Array = np.where(np.isnan(plain), np.float32("nan"), np.asarray(kept).view(np.float32))
    return np.asarray(result).view(BRAIN).view(Brain)


def stripped(value: Any) -> Any:
    """Return an array, or what is in sequences, as plain float32."""
    if isinstance(value, Brain):
        return value.view(np.ndarray).view(np.float32)
    if type(value) in (tuple, list):
        return type(value)(stripped(item) for item in value)
    return value


def is_wide(value: Any) -> bool:
    """Whether a float32 array, which makes the result float32, is among operands."""
    if isinstance(value, (tuple, list)):
        return any(map(is_wide, value))
    return type(value) is np.ndarray and value.ndim > 0 and value.dtype == np.float32


def rewrapped(result: Any, wide: bool = False) -> Any:
    """Return a float32 result as bfloat16, unless a wide operand makes it float32."""
    if isinstance(result, tuple):
        return tuple(rewrapped(item, wide) for item in result)
    if wide or not isinstance(result, (np.ndarray, np.generic)) or result.dtype != np.float32:
        return result
    return rounded(result)


def among(values: Sequence[Any]) -> bool:
    """Whether some of the operands are bfloat16."""
    return any(isinstance(value, Brain) for value in values)


def as_brain(values: Any) -> Array:
    """Round float32 values to bfloat16."""
    found: Array = stripped(rounded(values))
    return found


def computed(forward: Callable[..., Any], values: Sequence[Any]) -> Any:
    """Return what a forward gives, computed in float32 and rounded once where operands are bfloat16."""
    if not among(values):
        return forward(*values)
    return rewrapped(run_with(as_brain, forward, list(map(stripped, values))))


ONE_DTYPE = frozenset(
    ("mm", "mv", "dot", "vdot", "bmm", "affine", "project", "add_mm", "add_mv", "add_bmm", "add_bmm_sum")
)
"""Entries whose operands must have one dtype: their forwards say so where they see that one is bfloat16."""


def refuse_others(forward: Callable[..., Any], values: Sequence[Any]) -> None:
    """Let a forward raise its error for bfloat16 beside another dtype, which it does not see in stripped arrays."""
    if among(values) and any(type(value) is np.ndarray for value in values):
        forward(*values)


class Brain(np.ndarray[Any, Any]):
    """An array of bfloat16 numbers."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is not None:
            kwargs["out"] = stripped(out)
        result = getattr(ufunc, method)(*stripped(inputs), **kwargs)
        if out is None:
            return rewrapped(result, is_wide(inputs))
        for target in out:
            if isinstance(target, Brain):
                stripped(target)[...] = stripped(rounded(target))
        return out[0]

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        named = {name: stripped(value) for name, value in kwargs.items()}
        result = func(*stripped(tuple(args)), **named)
        if func is np.copyto:
            stripped(args[0])[...] = stripped(rounded(args[0]))
        return rewrapped(result, is_wide(tuple(args)))

    def __setitem__(self, index: Any, value: Any) -> None:
        stripped(self)[index] = stripped(rounded(value))

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the numbers in another dtype."""
        kind = np.dtype(dtype)
        return self.copy() if kind.metadata else stripped(self).astype(kind)


def align_brains(values: list[Any], positions: tuple[int, ...]) -> None:
    """Bring operands among which there are bfloat16 arrays to one dtype, as far as bfloat16 decides."""
    brains = [i for i in positions if isinstance(values[i], Brain)]
    others = [values[i] for i in positions if type(values[i]) is np.ndarray]
    single = all(values[i].ndim == 0 for i in brains)
    if any(outranks(other, single) for other in others):
        for i in brains:
            values[i] = stripped(values[i])
        return
    for i in positions:
        value = values[i]
        if type(value) is np.ndarray:
            values[i] = rounded(value)
        elif not isinstance(value, Brain):
            values[i] = np.complex64(value) if isinstance(value, complex) else np.float32(value)


def outranks(other: Array, single: bool) -> bool:
    """Whether a plain array beside bfloat16 ones makes the result a plain one."""
    category = CATEGORY[other.dtype]
    return category == COMPLEX or (category == FLOAT and (other.ndim > 0 or single))


def promoted(a: dtypes.dtype, b: dtypes.dtype) -> dtypes.dtype:
    """Return the smallest dtype that holds both, one of which is bfloat16."""
    other = b if a is dtypes.bfloat16 else a
    if other is dtypes.bfloat16 or other.category < FLOAT:
        return dtypes.bfloat16
    return dtypes.float32 if other is dtypes.float16 else other
