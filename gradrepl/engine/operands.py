"""The operands of pointwise operations: numbers as arrays, one dtype for both, shapes that go together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import FLOAT32, FLOAT64, Array
from gradrepl.engine.precision import bfloat16

Kept = tuple[Any, list[int] | None, Any, Any]
"""A saved tensor: its array, its version counter, the version it had, and the tensor itself where it was an input;
for a number None in place of the counter and the number in that of the version."""

Numbers = dict[type, dict[Any, Kept]]
SINGLES: Numbers = {int: {}, float: {}}
DOUBLES: Numbers = {int: {}, float: {}}
numbers: dict[np.dtype[Any], Numbers] = {FLOAT32: SINGLES, FLOAT64: DOUBLES}
"""For each dtype the numbers met so far as the arrays that they become, in the form in which a node keeps them: those
that were written as ints apart from floats. Zero is left out: 0.0 and -0.0 are one key."""
ROOM = 1024
NOTHING: dict[Any, Kept] = {}


def in_one_piece(array: Array) -> Array:
    """Return an array whose elements lie one behind the other, the same one where they do."""
    return array if array.flags.c_contiguous else array.copy()


def order_of(array: Array) -> str:
    """Return in which order a copy's elements lie: as the array's, but one behind the other for an expanded one."""
    return "C" if 0 in array.strides else "K"


class FromEnd(int):
    """A dimension, counted from the front, that was given as counted from the end: as `given`, below 0."""

    given: int


def constant(value: Any, kind: np.dtype[Any]) -> Array:
    """Return a Python number as a 0-d array of `kind`, from a small cache: numpy is slow at converting numbers."""
    by_type = numbers.get(kind)
    if by_type is None:
        by_type = numbers[kind] = {int: {}, float: {}}
    known = by_type.get(type(value), NOTHING)
    kept = known.get(value)
    if kept is None:
        array = np.array(value).astype(kind)
        array.flags.writeable = False
        kept = (array, None, value, None)
        if known is not NOTHING and value and value == value and len(known) < ROOM:
            known[value] = kept
    return kept[0]


def held(value: Any, kind: np.dtype[Any]) -> Any:
    """Return a Python number as integers of `kind` hold it; raises RuntimeError where they can't."""
    return dtypes.fitting_number(value, kind) if kind.kind in "iu" else value


def align(values: list[Any], positions: tuple[int, ...], promotes: str) -> None:
    """Bring the operands of a pointwise operation to one dtype by PyTorch's promotion, in place."""
    if bfloat16.use.seen and bfloat16.among(values):
        bfloat16.align_brains(values, positions)
        if bfloat16.among(values):
            return
    arrays = [i for i in positions if type(values[i]) is np.ndarray]
    kind = values[arrays[0]].dtype
    for i in arrays[1:]:
        if values[i].dtype is not kind:
            kind = dtypes.promote_all([values[i] for i in arrays])
            break
    for i in positions:
        if i not in arrays:
            kind = dtypes.beside_scalar(kind, values[i])
    if promotes == "float" and dtypes.CATEGORY[kind] < dtypes.FLOAT:
        kind = dtypes.default.float.numpy
    for i in positions:
        value = values[i]
        if type(value) is not np.ndarray:
            values[i] = constant(value, kind)
        elif value.dtype is not kind:
            values[i] = value.astype(kind)


def check_broadcast(arrays: Iterable[Array]) -> None:
    """Raise what PyTorch raises for shapes that do not go together."""
    shape: tuple[int, ...] = ()
    for array in arrays:
        a, b = shape, array.shape
        for back in range(1, min(len(a), len(b)) + 1):
            if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
                raise RuntimeError(
                    f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at non-singleton "
                    f"dimension {max(len(a), len(b)) - back}"
                ) from None
        shape = np.broadcast_shapes(a, b)
