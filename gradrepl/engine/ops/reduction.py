"""Reductions: sums, means and products over all elements or over dimensions."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import public
from gradrepl.engine.dtype import BOOL8, CATEGORY, FLOAT, FLOAT32, FLOAT64, INEXACT, INT64, Array
from gradrepl.engine.op import op
from gradrepl.engine.operands import in_one_piece
from gradrepl.engine.ops.arithmetic import add, conj_of
from gradrepl.engine.ops.number import over_number
from gradrepl.engine.ops.shape import cast, expand_to
from gradrepl.engine.ops.view import at, dim_of, embed, select_at, unsqueeze_at, view_as
from gradrepl.engine.precision.bfloat16 import Brain
from gradrepl.engine.precision.summing import add_up, total
from gradrepl.engine.tensor import Tensor, make

Dims = tuple[int, ...]
ALL: Any = object()
"""The dimensions where none are given."""
multiply_up: Any = np.multiply.reduce
empty = np.empty
SCALARS = frozenset((np.float32, np.float64))
"""What most sums give; looked up, because isinstance takes longer."""


def widened(a: Array) -> Any:
    """Return the dtype of a sum: bools and ints are summed as int64."""
    return INT64 if CATEGORY[a.dtype] < FLOAT else a.dtype


def fill(g: Any, a_shape: tuple[int, ...]) -> Any:
    """Spread the gradient of a single number over a shape."""
    if type(g) not in SCALARS and isinstance(g, (Tensor, Brain)):
        return expand_to(g, a_shape)
    full = empty(a_shape, g.dtype)
    full.fill(g)
    return full


def restored(value: Any, dim: Dims, keepdim: bool) -> Any:
    """Put the reduced dimensions back, with the size of 1."""
    if keepdim or not dim:
        return value
    if not isinstance(value, Tensor):
        return np.expand_dims(value, dim)
    for d in sorted(dim):
        value = unsqueeze_at(value, d)
    return value


def unreduced(gradient: Any, shape: tuple[int, ...], dim: Dims, keepdim: bool) -> Any:
    """Spread the gradient of a reduction over the dimensions that it reduced."""
    return expand_to(restored(gradient, dim, keepdim), shape)


def count_of(shape: tuple[int, ...], dim: Dims) -> int:
    """Return how many elements went into each result."""
    return math.prod(shape[d] for d in dim)


@op("SumBackward0", samples=(((2, 3),),))
def sum_all(a: Array) -> Any:
    """The sum of all elements"""
    return total(a) if a.dtype is FLOAT32 or a.dtype is FLOAT64 else add_up(a, axis=None, dtype=widened(a))


sum_all.grad(a=fill)


@op("SumBackward0")
def sum_all_as(a: Array, kind: Any) -> Any:
    """The sum of all elements, in another dtype"""
    return add_up(a.astype(kind), axis=None, dtype=kind)


sum_all_as.grad(a=lambda g, a_shape, a_dtype: cast(fill(g, a_shape), a_dtype))


@op("SumBackward1", samples=(((2, 3), (1,), False), ((2, 3), (0,), True), ((2, 3), (0, 1), False)))
def sum_dims(a: Array, dim: Dims, keepdim: bool) -> Any:
    """The sum over some dimensions"""
    return in_one_piece(add_up(a, axis=dim, dtype=widened(a), keepdims=keepdim))


sum_dims.grad(a=lambda g, a_shape, dim, keepdim: unreduced(g, a_shape, dim, keepdim))


@op("SumBackward1")
def sum_dims_as(a: Array, dim: Dims, keepdim: bool, kind: Any) -> Any:
    """The sum over some dimensions, in another dtype"""
    return add_up(a.astype(kind), axis=dim, dtype=kind, keepdims=keepdim)


sum_dims_as.grad(a=lambda g, a_shape, a_dtype, dim, keepdim: cast(unreduced(g, a_shape, dim, keepdim), a_dtype))


@op("NansumBackward0", samples=(((2, 3), (1,), False), ((2, 3), (0, 1), False)))
def nansum_dims(a: Array, dim: Dims, keepdim: bool) -> Any:
    """The sum over some dimensions, nan counted as 0"""
    return np.nansum(a, axis=dim, dtype=widened(a), keepdims=keepdim)


nansum_dims.grad(a=lambda g, a, dim, keepdim: unreduced(g, a.shape, dim, keepdim) * (a == a))


@op("MeanBackward0", samples=(((2, 3),),))
def mean_all(a: Array) -> Any:
    """The mean of all elements"""
    kind = a.dtype
    return total(a) / a.size if kind is FLOAT32 or kind is FLOAT64 else add_up(a) / kind.type(a.size)


def mean_gradient(g: Any, a_shape: tuple[int, ...]) -> Any:
    count = math.prod(a_shape) or 1
    if type(g) not in SCALARS and isinstance(g, Tensor):
        return over_number(expand_to(g, a_shape), count)
    return fill(g / count, a_shape)


mean_all.grad(a=mean_gradient)


@op("MeanBackward1", samples=(((2, 3), (1,), False), ((2, 3), (0, 1), True)))
def mean_dims(a: Array, dim: Dims, keepdim: bool) -> Any:
    """The mean over some dimensions"""
    return in_one_piece(add_up(a, axis=dim, keepdims=keepdim)) / a.dtype.type(count_of(a.shape, dim))


mean_dims.grad(
    a=lambda g, a_shape, dim, keepdim: over_number(unreduced(g, a_shape, dim, keepdim), max(1, count_of(a_shape, dim)))
)


@op("ProdBackward0", samples=(((2, 3),),))
def prod_all(a: Array) -> Any:
    """The product of all elements"""
    return multiply_up(a, axis=None, dtype=widened(a))


@op("ProdBackward1", samples=(((2, 3), 1, False), ((2, 3), 0, True)))
def prod_dim(a: Array, dim: int, keepdim: bool) -> Any:
    """The product over a dimension"""
    return multiply_up(a, axis=dim if a.ndim else None, dtype=widened(a), keepdims=keepdim and a.ndim > 0)


def has_zero(a: Any) -> bool:
    return not np.all(a._data if isinstance(a, Tensor) else a)


def without_each(a: Any, dim: int) -> Any:
    """Return for each element the product of all others along a dimension, made without dividing."""
    count = a.shape[dim]
    slices = [select_at(a, dim, i) for i in range(count)]
    one = ones_of(slices[0])
    before, after = [one], [one]
    for i in range(count - 1):
        before.append(before[-1] * slices[i])
        after.append(after[-1] * slices[count - 1 - i])
    return put_together([before[i] * after[count - 1 - i] for i in range(count)], a.shape, dim)


def ones_of(a: Any) -> Any:
    """Return ones like an array or tensor; they depend on nothing."""
    return make(np.ones_like(a._data)) if isinstance(a, Tensor) else np.ones_like(a)


def put_together(parts: list[Any], shape: tuple[int, ...], dim: int) -> Any:
    """Return slices side by side along a dimension."""
    if not isinstance(parts[0], Tensor):
        return np.stack(parts, axis=dim)
    placed = [embed(part, tuple(shape), at(dim, i)) for i, part in enumerate(parts)]
    return functools.reduce(add, placed)


def prod_gradient(g: Any, a: Any, out: Any) -> Any:
    if not a.shape:
        return g
    if not isinstance(a, Tensor) and np.count_nonzero(a == 0) > 1:
        return np.zeros_like(a)
    if not has_zero(a):
        return g * conj_of(out / a)
    return g * conj_of(view_as(without_each(view_as(a, (math.prod(a.shape),)), 0), a.shape))


def prod_dim_gradient(g: Any, a: Any, out: Any, dim: int, keepdim: bool) -> Any:
    if not a.ndim:
        return g
    g = restored(g, (dim,), keepdim)
    return g * conj_of(without_each(a, dim) if has_zero(a) else restored(out, (dim,), keepdim) / a)


prod_all.grad(a=lambda g, a, out: prod_gradient(g, a, out))
prod_dim.grad(a=lambda g, a, out, dim, keepdim: prod_dim_gradient(g, a, out, dim, keepdim))


def dims_of(dim: Any, ndim: int) -> Dims:
    """Return non-negative dimensions, all where none are given; raises PyTorch's errors."""
    wanted = tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    if not wanted or dim is None:
        return tuple(range(ndim))
    found = tuple(dim_of(d, ndim) for d in wanted)
    if len(found) > 1 and len(set(found)) < len(found):
        twice = next(d for d in found if found.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return found if ndim else ()


SOME = "Tensor input, int_or_ints? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None"


def in_dtype(input: Tensor, dtype: Any) -> Tensor:
    """Return a tensor in the dtype that a reduction is asked for."""
    return input if dtype is None or dtype.numpy == input._data.dtype else cast(input, dtype.numpy)


@public("Tensor input, *, dtype? dtype=None", SOME, alone=sum_all.call)
def sum(input: Any, dim: Any = ALL, keepdim: bool = False, dtype: Any = None) -> Any:
    """Sum all elements, or over `dim` (torch.sum)."""
    if dim is ALL:
        return sum_all.call(input) if dtype is None else sum_all_as(input, dtype.numpy)
    dims = dims_of(dim, input.ndim)
    return sum_dims.call(input, dims, keepdim) if dtype is None else sum_dims_as(input, dims, keepdim, dtype.numpy)


def check_mean(input: Tensor, dtype: Any) -> None:
    kind = input.dtype if dtype is None else dtype
    if kind.category < FLOAT:
        which = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
            f"Got: {kind.tensor_type}"
        )


@public("Tensor input, *, dtype? dtype=None, Tensor? out=None", SOME)
def mean(input: Any, dim: Any = ALL, keepdim: bool = False, dtype: Any = None) -> Any:
    """Return the mean of all elements, or over `dim` (torch.mean)."""
    if dim is ALL and dtype is None and input._data.dtype in INEXACT:
        return mean_all.call(input)
    check_mean(input, dtype)
    input = in_dtype(input, dtype)
    return mean_all.call(input) if dim is ALL else mean_dims.call(input, dims_of(dim, input.ndim), keepdim)


SOME_OR_ALL = "Tensor input, int_or_ints? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None"


@public(SOME_OR_ALL)
def nansum(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Sum with nan counted as 0 (torch.nansum)."""
    input = in_dtype(input, dtype)
    dims = dims_of(dim, input.ndim)
    return nansum_dims(input, dims, keepdim) if CATEGORY[input._data.dtype] >= FLOAT else sum_dims(input, dims, keepdim)


@public(SOME_OR_ALL)
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Return the mean of what is not nan (torch.nanmean)."""
    if CATEGORY[input._data.dtype] < FLOAT:
        kind = dtypes.of(input._data).tensor_type
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {kind}")
    dims = dims_of(dim, input.ndim)
    numbers = make(add_up(input._data == input._data, axis=dims, dtype=INT64, keepdims=keepdim))
    return nansum(input, dim, keepdim, dtype=dtype) / numbers


@public(
    "Tensor input, *, dtype? dtype=None",
    "Tensor input, int dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None",
)
def prod(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Multiply all elements, or over `dim` (torch.prod)."""
    input = in_dtype(input, dtype)
    found = prod_all.call(input) if dim is None else prod_dim.call(input, dim_of(dim, input.ndim), keepdim)
    return found if dtype is None else in_dtype(found, dtype)


def truth(function: Any, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    found = function(input._data, axis=None if dim is ALL else dims_of(dim, input.ndim), keepdims=keepdim)
    return make(np.asarray(found).astype(np.uint8 if input._data.dtype == np.uint8 else BOOL8))


TRUTHS = (
    "Tensor input, *, Tensor? out=None",
    "Tensor input, int_or_ints? dim=None, bool keepdim=False, *, Tensor? out=None",
    "Tensor input, int dim, bool keepdim=False, *, Tensor? out=None",
)


@public(*TRUTHS)
def all(input: Tensor, dim: Any = ALL, keepdim: bool = False) -> Tensor:
    """Tell whether all elements are true (torch.all)."""
    return truth(np.all, input, dim, keepdim)


@public(*TRUTHS)
def any(input: Tensor, dim: Any = ALL, keepdim: bool = False) -> Tensor:
    """Tell whether some element is true (torch.any)."""
    return truth(np.any, input, dim, keepdim)


@public("Tensor input, int? dim=None", "Tensor input, int_or_ints dim")
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """Count the elements that are not zero (torch.count_nonzero)."""
    return make(np.asarray(np.count_nonzero(input._data, axis=dims_of(dim, input.ndim)), INT64))
