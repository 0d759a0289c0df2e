"""Picking and putting elements along a dimension, as the gradients of max, sort and their kin need it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.view import unsqueeze_at
from gradrepl.engine.tensor import Tensor


@op("ScatterBackward0", zeros=1)
def put_along(a: Array, shape: tuple[int, ...], index: Any, dim: int) -> Any:
    """Zeros of a shape, with a put at positions along a dimension"""
    if not shape:
        return a.copy()
    whole = np.zeros(shape, a.dtype)
    np.put_along_axis(whole, index, a, dim)
    return whole


@op("ScatterAddBackward0", zeros=1)
def add_along(a: Array, shape: tuple[int, ...], index: Any, dim: int) -> Any:
    """Zeros of a shape, with a added at positions along a dimension"""
    if not shape:
        return a.copy()
    whole = np.zeros(shape, a.dtype)
    places = list(np.indices(index.shape, sparse=True))
    places[dim] = index
    np.add.at(whole, tuple(places), a)
    return whole


@op("GatherBackward0")
def take_along(a: Array, index: Any, dim: int) -> Any:
    """The elements of a at positions along a dimension"""
    return np.take_along_axis(a, index, dim) if a.ndim else a.copy()


put_along.grad(a=lambda g, index, dim: take_along(g, index, dim))
add_along.grad(a=lambda g, index, dim: take_along(g, index, dim))
take_along.grad(a=lambda g, a_shape, index, dim: add_along(g, a_shape, index, dim))


def plain(index: Any) -> Array:
    """Return an index as an array."""
    return index._data if isinstance(index, Tensor) else index


def chosen(g: Any, shape: tuple[int, ...], index: Any, dim: int, keepdim: bool) -> Any:
    """Return the gradient of elements that were chosen along a dimension: theirs, and 0 for the others."""
    if g is None:
        return None
    index = plain(index)
    if shape and not keepdim:
        g = unsqueeze_at(g, dim)
        index = np.expand_dims(index, dim)
    return put_along(g, shape, index, dim)
