"""Shapes and places: views, broadcasting and its undoing."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import node as node_module
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.tensor import Tensor

Shape = tuple[int, ...]


@op("ExpandBackward0", view=True, samples=(((2, 1), (2, 3)),))
def expand_to(a: Array, shape: Shape) -> Any:
    """a, repeated along its sides of 1 without copying"""
    return np.broadcast_to(a, shape)


@op("SumBackward1", samples=(((2, 3), (2, 1)), ((2, 3), (3,))))
def sum_to(a: Array, shape: Shape) -> Any:
    """a, summed over what broadcasting `shape` to it would repeat"""
    extra = a.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, side in enumerate(shape) if side == 1 != a.shape[i + extra])
    return np.add.reduce(a, axis=axes, keepdims=False).reshape(shape) if axes else a


expand_to.grad(a=lambda g, a_shape: sum_to(g, a_shape))
sum_to.grad(a=lambda g, a_shape: expand_to(g, a_shape))


@op("ToCopyBackward0")
def cast(a: Array, kind: Any) -> Any:
    """a, in the numpy dtype `kind`"""
    return np.asarray(a).astype(kind)


cast.grad(a=lambda g, a_dtype: cast(g, a_dtype))


def sum_to_fit(gradient: Any, shape: Shape, kind: Any) -> Any:
    """Bring a gradient back to the shape and dtype of its input."""
    data = gradient._data if isinstance(gradient, Tensor) else np.asarray(gradient)
    if data.shape != shape:
        gradient = sum_to(gradient if isinstance(gradient, Tensor) else data, shape)
    if data.dtype != kind:
        gradient = cast(gradient, kind)
    return gradient


node_module.fitters.append(sum_to_fit)


@op("WhereBackward0", broadcasts=True)
def where_pointwise(condition: Any, a: Array, b: Array) -> Any:
    """a where the condition holds, else b"""
    return np.where(condition, a, b)


where_pointwise.grad(
    a=lambda g, condition: where_pointwise(condition, g, g * 0),
    b=lambda g, condition: where_pointwise(condition, g * 0, g),
)


def where(condition: Any, input: Any, other: Any) -> Any:
    """Choose by a bool tensor (torch.where)."""
    mask = condition._data if isinstance(condition, Tensor) else condition
    return where_pointwise(mask, input, other)


@op("CloneBackward0", samples=(((2, 3),),))
def clone(a: Array) -> Any:
    """A copy of a"""
    return a.copy()


clone.grad(a=lambda g: g)
