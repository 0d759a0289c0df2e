"""Sums of floats in PyTorch's order: added up in another one, the last digits would be others."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, FLOAT64, Array
from gradrepl.engine.precision.steps import now, put_down

ndarray = np.ndarray
add = np.add
concatenate = np.concatenate
reduce: Any = np.add.reduce
add_parts: Any = np.add.reduceat
"""Adds to the first number of each part the sum of its others: of three, the last must come first."""
accumulate: Any = np.add.accumulate
"""Adds strictly one after the other, where reduce adds in pairs if there are eight or more."""

SHARED = 32768
"""From so many numbers on PyTorch lets several threads add, in an order that depends on their number."""

ONE = (1,)
Dims = tuple[int, ...]
Sum = Callable[[Array], Any]


def lanes_of(a: Array) -> int:
    """Return how many numbers PyTorch adds at once."""
    return 8 if a.dtype is FLOAT32 else 4


def add_up(a: Array, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Return the sum over `axis` (an int, a tuple or None for all), as np.add.reduce does.

    float32 and float64 below SHARED elements, laid out densely, are added in the order of PyTorch's cascade_sum
    (aten/src/ATen/native/cpu/SumKernel.cpp); all else in numpy's.
    """
    kind = a.dtype
    ours = (kind is FLOAT32 or kind is FLOAT64) and (dtype is None or dtype is kind) and type(a) is ndarray
    if not ours or not 1 < a.size < SHARED:
        return reduce(a, axis=axis, dtype=dtype, keepdims=keepdims)
    way, sizes, shape = arrangement(a.shape, axis, keepdims)
    if way is total:
        return ending(in_steps(a), shape)
    flags = a.flags
    if flags.c_contiguous and way is not None:
        return way(a.reshape(sizes)).reshape(shape)
    if flags.f_contiguous and not flags.c_contiguous:
        axes = (axis,) if isinstance(axis, int) else axis
        return add_up(a.T, tuple(a.ndim - 1 - d % a.ndim for d in axes), None, keepdims).T
    return reduce(a, axis=axis, keepdims=keepdims)


@functools.lru_cache(maxsize=1024)
def undoing(wide: Dims, shape: Dims) -> Sum | None:
    """Return the sum over all that broadcasting `shape` to `wide` repeats; None if that is nothing.

    It takes arrays of shape `wide`; its results have `shape`.
    """
    extra = len(wide) - len(shape)
    axes = (*range(extra), *(i + extra for i, side in enumerate(shape) if side == 1 != wide[i + extra]))
    if not axes:
        return None
    count = math.prod(wide)
    to_one = math.prod(shape) == 1 < count < SHARED
    single, double = (steps_of(FLOAT32, count), steps_of(FLOAT64, count)) if to_one else (None, None)

    def sum_of(a: Array) -> Any:
        kind = a.dtype
        way = single if kind is FLOAT32 else double if kind is FLOAT64 else None
        if way is None or type(a) is not ndarray:
            return add_up(a, axes).reshape(shape)
        steps = way(a) if a.flags.c_contiguous else in_steps(a)
        last = steps[-1:] if steps[-1] else steps[-1:] + 0.0
        return last if shape == ONE else last.reshape(shape)[()]

    return sum_of


def total(a: Array) -> Any:
    """Return the sum of all elements of a float32 or float64 array, as a numpy scalar."""
    way = (SINGLE if a.dtype is FLOAT32 else DOUBLE).get(a.size)
    if way is not None and a.flags.c_contiguous:
        return way(a)[-1] + 0.0
    return in_steps(a)[-1] + 0.0 if 1 < a.size < SHARED else reduce(a, None)


def ending(steps: Array, shape: Dims) -> Any:
    """Return the last of the steps in a shape of one element; PyTorch's sums start from 0, so it is never -0."""
    last = steps[-1:] if steps[-1] else steps[-1:] + 0.0
    return last if shape == ONE else last.reshape(shape)[()]


def in_steps(a: Array) -> Array:
    """Return an array that ends in the sum of all elements of `a`: more than one, fewer than SHARED."""
    if a.flags.c_contiguous:
        return steps_of(a.dtype, a.size)(a)
    if a.flags.f_contiguous:
        return steps_of(a.dtype, a.size)(a.T)
    return by_four(a[None]) if a.ndim == 1 else reduce(a, None, keepdims=True).reshape(1)


def steps_of(kind: Any, count: int) -> Sum:
    """Return how so many numbers that lie one behind the other are added up."""
    ways, lanes = (SINGLE, 8) if kind is FLOAT32 else (DOUBLE, 4)
    way = ways.get(count)
    if way is None:
        way = ways[count] = few(count, lanes) if count < 4 * lanes else in_rows
    return way


SINGLE: dict[int, Sum] = {}
DOUBLE: dict[int, Sum] = {}
"""How so many float32, or float64, are added up: filled as they are met."""


def in_rows(a: Array) -> Any:
    return over_last(a.reshape(1, -1))


def few(count: int, lanes: int) -> Sum:
    """Return how fewer than four rows of lanes are added up: the rows, then a tail and the lanes one by one."""
    rows, places = count // lanes, np.arange(count)
    if not rows:
        return in_a_row(np.array(one_by_one(count)))
    tail, matrix = places[rows * lanes :], places[: rows * lanes].reshape(rows, lanes)
    order = concatenate((tail, np.roll(matrix, 1, 0).T.reshape(-1)))
    if rows == 1:
        return in_a_row(order)
    starts = concatenate((places[: tail.size], np.arange(tail.size, count, rows)))
    return lambda a: accumulate(add_parts(a.take(order), starts))


def in_a_row(order: Array) -> Sum:
    """Return how numbers are added up one after the other in an order."""
    if (order == np.arange(order.size)).all():
        return lambda a: accumulate(a.ravel())
    return lambda a: accumulate(a.take(order))


def one_by_one(count: int) -> list[int]:
    """Return in which order fewer than eight rows are added: in four chains, all but the first of one row."""
    return [0, *range(4, count), 1, 2, 3] if 4 < count < 8 else list(range(count))


def cascade(rows: Array) -> Any:
    """Return the sum over axis 1: of every 16 rows (more where there are very many), of every 16 of these sums ..."""
    step = 1 << max(4, (rows.shape[1] - 1).bit_length() // 4)
    if rows.shape[1] <= step:
        return reduce(rows, 1)
    sums = []
    for _ in range(3):
        whole, rest = divmod(rows.shape[1], step)
        if rest:
            sums.append(reduce(rows[:, whole * step :], 1))
        if not whole:
            break
        rows = reduce(rows[:, : whole * step].reshape(len(rows), whole, step, *rows.shape[2:]), 2)
    else:
        sums.append(reduce(rows, 1))
    return functools.reduce(add, sums)


def by_four(rows: Array) -> Any:
    """Return the sum over axis 1 in four chains side by side, what is left over in the first of them."""
    count = rows.shape[1]
    if count < 8:
        return reduce(rows if count < 5 else rows.take(one_by_one(count), 1), 1)
    whole = count // 4 * 4
    chains = cascade(rows[:, :whole].reshape(len(rows), whole // 4, 4, *rows.shape[2:]))
    if whole == count:
        return reduce(chains, 1)
    return reduce(concatenate((chains[:, :1], rows[:, whole:], chains[:, 1:]), 1), 1)


def over_last(a: Array) -> Any:
    """Return the sums of the rows of a matrix."""
    count, lanes = a.shape[1], lanes_of(a)
    if count < lanes:
        return by_four(a)
    whole = count // lanes * lanes
    sums = by_four(a[:, :whole].reshape(len(a), -1, lanes))
    return accumulate(sums if whole == count else concatenate((a[:, whole:], sums), 1), 1)[:, -1]


def between(a: Array) -> Any:
    """Return the sums over the middle axis of three: of the columns of each matrix."""
    rows, count = a.shape[1:]
    wide = 4 * lanes_of(a) if count >= lanes_of(a) else 4
    whole = count // wide * wide
    if rows < 4:
        return reduce(a, 1)
    if not whole or whole == count:
        return cascade(a) if whole else by_four(a)
    return concatenate((cascade(a[..., :whole]), by_four(a[..., whole:])), -1)


def over_first(a: Array) -> Any:
    """Return the sums of the columns of a matrix."""
    return between(a[None])


def around(a: Array) -> Any:
    """Return the sums over the first and the last axis of three: of the rows, then of these one after the other."""
    rows = over_last(a.reshape(-1, a.shape[2])).reshape(a.shape[:2])
    return accumulate(rows, 0)[-1]


def squares_up(a: Array, axis: Dims, keepdims: bool) -> Any:
    """Return the sum of squares over `axis`, as np.add.reduce does with a * a.

    float32 and float64 laid out densely in the order of PyTorch's norm (aten/src/ATen/native/cpu/ReduceOpsKernel.cpp).
    """
    squares, kind = a * a, a.dtype
    ours = (kind is FLOAT32 or kind is FLOAT64) and type(a) is ndarray and a.flags.c_contiguous
    if not ours or not 1 < a.size < SHARED:
        return add_up(squares, axis, keepdims=keepdims)
    way, sizes, shape = arrangement(a.shape, axis, keepdims)
    if way is total or way is over_last:
        return squared_rows(a.reshape(-1, sizes[-1]), squares.reshape(-1, sizes[-1])).reshape(shape)[()]
    sums = accumulate(squares, axis[0]).take(-1, axis[0]) if len(axis) == 1 else reduce(squares, axis)
    return sums.reshape(shape)


def squared_rows(a: Array, squares: Array) -> Array:
    """Return the sum of the squares of each row: lanes one after the other, fours of the rest, and what is left.

    The last are multiplied and added in one step, rounded once.
    """
    count, lanes = a.shape[1], lanes_of(a)
    whole, fours = count // lanes * lanes, count // 4 * 4
    first = reduce(squares[:, :whole].reshape(len(a), -1, lanes), 1)[:, : whole and lanes]
    sums = accumulate(concatenate((first, squares[:, whole:fours]), 1), 1)[:, -1] if fours else np.zeros_like(a[:, 0])
    for place in range(fours, count):
        last = a[:, place].astype(WIDER[a.dtype])
        sums = (last * last + sums).astype(a.dtype)
    return sums


WIDER = {FLOAT32: FLOAT64, FLOAT64: np.dtype(np.longdouble)}


def chain_up(a: Array) -> Any:
    """Return the sum of all elements of an array of floats in the order of PyTorch's nll_loss (LossNLL.cpp).

    The first comes last; of the others every 16 are added up, and every 16 of these sums ...
    """
    terms = a.reshape(-1)
    if type(a) is not ndarray or not 1 < a.size < SHARED:
        return reduce(terms)
    if now.rounding is not None:
        return chain_step_by_step(terms)
    rows, sums = terms[1:], []
    while (count := len(rows)) > 15:
        whole = count // 16 * 16
        if whole < count:
            sums.append(accumulate(rows[whole:])[-1])
        rows = accumulate(rows[:whole].reshape(-1, 16), 1)[:, -1]
    sums.append(accumulate(rows)[-1])
    return functools.reduce(add, [*sums, terms[0]]) + 0.0


def chain_step_by_step(terms: Any) -> Any:
    """Return the sum of chain_up where every sum on the way is rounded to 16 bits."""
    rows, sums = terms[1:], []
    while len(rows) > 15:
        whole = len(rows) // 16 * 16
        sums += [functools.reduce(rounded_sum, rows[whole:])] if whole < len(rows) else []
        rows = [functools.reduce(rounded_sum, rows[start : start + 16]) for start in range(0, whole, 16)]
    return functools.reduce(rounded_sum, [*sums, functools.reduce(rounded_sum, rows), terms[0]])


def rounded_sum(a: Any, b: Any) -> Any:
    return put_down(add(a, b))


def is_last(a: Array, dim: int) -> bool:
    """Whether nothing but sides of 1 follows a dimension: PyTorch has kernels of their own for that."""
    return math.prod(a.shape[dim:]) == a.shape[dim]


def lanes_up(a: Array, dim: int) -> Any:
    """Return the sum along a dimension, kept with the size of 1, in the order of PyTorch's softmax.

    Along the last one 64 bytes at once, whose halves are then added up (at::vec::reduce_all with AVX512).
    """
    if type(a) is not ndarray or not a.size or not is_last(a, dim):
        return reduce(a, axis=dim, keepdims=True)
    count, lanes = a.shape[dim], 64 // a.itemsize
    rows = a.reshape(-1, count)
    shape = list(a.shape)
    shape[dim] = 1
    whole = count // lanes * lanes
    if not whole:
        return accumulate(rows, 1)[:, -1].reshape(shape)
    sums = reduce(rows[:, :whole].reshape(len(rows), -1, lanes), 1)
    sums[:, : count - whole] += rows[:, whole:]
    while sums.shape[1] > 1:
        half = sums.shape[1] // 2
        sums = sums[:, :half] + sums[:, half:]
    return sums.reshape(shape)


WAYS: dict[str, Sum] = {"+": total, "-+": over_last, "+-": over_first, "-+-": between, "+-+": around}
"""The sum for each arrangement of axes that are summed over (+) and that are not (-)."""


@functools.lru_cache(maxsize=1024)
def arrangement(shape: Dims, axis: Any, keepdims: bool) -> tuple[Sum | None, Dims, Dims]:
    """Return how a sum is taken, the sizes of its axes (those of 1 left out, others merged), and its shape."""
    dims = {d % len(shape) for d in (range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis)}
    marks, sizes = "", list[int]()
    for d, side in enumerate(shape):
        mark = "+" if d in dims else "-"
        if side == 1:
            continue
        if marks.endswith(mark):
            sizes[-1] *= side
        else:
            marks, sizes = marks + mark, [*sizes, side]
    kept = tuple(1 if d in dims else side for d, side in enumerate(shape) if keepdims or d not in dims)
    return WAYS.get(marks), tuple(sizes), kept
