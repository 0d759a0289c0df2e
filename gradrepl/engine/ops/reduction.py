"""Reductions: sums and means over all elements or over dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import CATEGORY, FLOAT, INT64, Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.shape import expand_to

Dims = tuple[int, ...]


def widened(a: Array) -> Any:
    """Return the dtype of a sum: bools and ints are summed as int64."""
    return INT64 if CATEGORY[a.dtype] < FLOAT else a.dtype


def fill(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Spread the gradient of a single number over a shape."""
    if isinstance(gradient, (np.ndarray, np.generic)):
        full = np.empty(shape, gradient.dtype)
        full.fill(gradient)
        return full
    return expand_to(gradient, shape)


def unreduced(gradient: Any, shape: tuple[int, ...], dim: Dims, keepdim: bool) -> Any:
    """Spread the gradient of a reduction over the dimensions that it reduced."""
    if not keepdim:
        kept = tuple(1 if i in dim else side for i, side in enumerate(shape))
        gradient = gradient.reshape(kept)
    return expand_to(gradient, shape)


@op("SumBackward0", samples=(((2, 3),),))
def sum_all(a: Array) -> Any:
    """The sum of all elements"""
    return np.add.reduce(a, axis=None, dtype=widened(a))


sum_all.grad(a=lambda g, a_shape: fill(g, a_shape))


@op("SumBackward1", samples=(((2, 3), (1,), False), ((2, 3), (0,), True)))
def sum_dims(a: Array, dim: Dims, keepdim: bool) -> Any:
    """The sum over some dimensions"""
    return a.sum(axis=dim, dtype=widened(a), keepdims=keepdim)


sum_dims.grad(a=lambda g, a_shape, dim, keepdim: unreduced(g, a_shape, dim, keepdim))


@op("MeanBackward0", samples=(((2, 3),),))
def mean_all(a: Array) -> Any:
    """The mean of all elements"""
    return np.mean(a)


mean_all.grad(a=lambda g, a_shape: fill(g / max(1, int(np.prod(a_shape))), a_shape))


def dims_of(dim: Any, ndim: int) -> Dims:
    """Return non-negative dimensions; raises IndexError in PyTorch's words."""
    wanted = tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    span = max(ndim, 1)
    for d in wanted:
        if not -span <= d < span:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {d})")
    return tuple(d % span for d in wanted)


@public(
    "Tensor input, *, dtype? dtype=None",
    "Tensor input, int_or_ints? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None",
)
def sum(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Sum all elements, or over `dim` (torch.sum)."""
    if dim is None:
        return sum_all.call(input)
    return sum_dims.call(input, dims_of(dim, input.ndim), keepdim)


@public("Tensor input, *, dtype? dtype=None")
def mean(input: Any, dtype: Any = None) -> Any:
    """Return the mean of all elements (torch.mean)."""
    return mean_all.call(input)
