"""Shapes and places: views, broadcasting and its undoing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine import node as node_module
from gradrepl.engine.dtype import Array, Fixed
from gradrepl.engine.formats import laid_out
from gradrepl.engine.op import op
from gradrepl.engine.operands import order_of
from gradrepl.engine.precision.bfloat16 import Brain, rounded
from gradrepl.engine.precision.summing import undoing
from gradrepl.engine.tensor import Tensor, make

Shape = tuple[int, ...]
ndarray = np.ndarray


@op("ExpandBackward0", view=True, samples=(((2, 1), (2, 3)),))
def expand_to(a: Array, shape: Shape) -> Any:
    """a, repeated along its sides of 1 without copying"""
    if not a.ndim:
        kind = Brain if a.dtype.metadata else np.ndarray
        return kind(shape, a.dtype, a, 0, (0,) * len(shape))  # what broadcast_to comes to, five times as fast
    return np.broadcast_to(a, shape, subok=True)


@op("SumBackward1", samples=(((2, 3), (2, 1)), ((2, 3), (3,))))
def sum_to(a: Array, shape: Shape) -> Any:
    """a, summed over what broadcasting `shape` to it would repeat"""
    way = undoing(a.shape, shape)
    return a if way is None else way(a)


def summed_to(gradient: Any, shape: Shape) -> Any:
    """Undo broadcasting: sum, then leave out the dimensions that broadcasting put in front."""
    if not isinstance(gradient, Tensor):
        return sum_to.forward(gradient, shape)
    own = gradient._data.shape
    if own == shape:
        return gradient
    if not shape:
        return gradient.sum()  # type: ignore[attr-defined]
    new = len(own) - len(shape)
    if not new:
        return sum_to(gradient, shape)
    kept = (1,) * new + shape
    return (gradient if own == kept else sum_to(gradient, kept)).reshape(shape)  # type: ignore[union-attr]


expand_to.grad(a=lambda g, a_shape: summed_to(g, a_shape))
sum_to.grad(a=lambda g, a_shape: expand_to(g, a_shape))


@op("ToCopyBackward0")
def cast(a: Array, kind: Any) -> Any:
    """a, in the numpy dtype `kind`"""
    if kind.metadata:
        return rounded(a)
    a = np.asarray(a)
    return a.real.astype(kind) if a.dtype.kind == "c" and kind.kind not in "cb" else a.astype(kind, order_of(a))


cast.grad(a=lambda g, a_dtype: cast(g, a_dtype))


def sum_to_fit(gradient: Any, shape: Shape, kind: Any) -> Any:
    """Bring a gradient back to the shape and dtype of its input."""
    if type(gradient) is ndarray and gradient.dtype is kind:
        way = undoing(gradient.shape, shape)
        return gradient if way is None else way(gradient)
    data = gradient._data if isinstance(gradient, Tensor) else np.asanyarray(gradient)
    if data.dtype.kind == "c" != kind.kind:
        gradient = real_parts[0](gradient)
        data = gradient._data if isinstance(gradient, Tensor) else np.asanyarray(gradient)
    if data.shape != shape:
        gradient = summed_to(gradient if isinstance(gradient, Tensor) else data, shape)
    if data.dtype != kind or data.dtype.metadata != kind.metadata:
        gradient = cast(gradient, kind)
    return gradient


node_module.fitters.append(sum_to_fit)

real_parts: list[Callable[[Any], Any]] = []
"""Filled by ops/complexes.py, which is made of operations itself."""


def zeros_of(gradient: Any, shape: Shape | None = None) -> Any:
    """Return zeros like a gradient, or of a shape; they depend on nothing."""
    if isinstance(gradient, Tensor):
        return make(np.zeros_like(gradient._data, shape=shape))
    return np.zeros_like(gradient, shape=shape)


@op("WhereBackward0", broadcasts=True)
def where_pointwise(condition: Fixed, a: Array, b: Array) -> Any:
    """a where the condition holds, else b"""
    return np.where(condition, a, b)


where_pointwise.grad(
    a=lambda g, condition: where_pointwise(condition, g, 0.0),
    b=lambda g, condition: where_pointwise(condition, 0.0, g),
)


def where(condition: Any, input: Any, other: Any) -> Any:
    """Choose by a bool tensor (torch.where)."""
    mask = condition._data if isinstance(condition, Tensor) else condition
    return where_pointwise(mask, input, other)


@op("MaskedFillBackward0")
def masked_out(a: Array, mask: Any) -> Any:
    """a, with 0 where the mask holds"""
    return np.where(mask, a.dtype.type(0), a)


masked_out.grad(a=lambda g, mask: masked_out(g, mask))


def without(condition: Any, a: Any) -> Any:
    """Return a, and 0 where the condition, an array or a tensor, holds."""
    return masked_out(a, condition._data if isinstance(condition, Tensor) else condition)


@op("CloneBackward0", samples=(((2, 3),),))
def clone(a: Array, order: Any = "K") -> Any:
    """A copy of a, its elements in memory as a's, one behind the other for order C, or in a format"""
    if type(order) is not str:
        return laid_out(a.copy("C"), order)
    return a.copy(order if order == "C" else order_of(a))


clone.grad(a=lambda g: g)
