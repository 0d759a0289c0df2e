"""Quantiles: values between the sorted elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.along import take_along
from gradrepl.engine.ops.blending import lerp_tensor
from gradrepl.engine.ops.shape import summed_to, where
from gradrepl.engine.ops.sorting import sort_dim
from gradrepl.engine.ops.view import dim_of, permute_dims, view_as
from gradrepl.engine.tensor import Tensor, make

MODES = ("linear", "lower", "higher", "midpoint", "nearest")


@op("SqueezeBackward4", samples=(((2, 3, 1), (2, 3)),))
def squeezed(a: Array, shape: tuple[int, ...]) -> Any:
    """a, without dimensions of 1"""
    return a.reshape(shape)


squeezed.grad(a=lambda g, a_shape: view_as(g, a_shape))


def check(name: str, input: Tensor, q: Any, interpolation: str) -> None:
    """Raise what PyTorch raises for arguments that do not fit."""
    a = input._data
    if not a.size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if a.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Tensor):
        if q.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if q._data.dtype != a.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if not ((q._data >= 0) & (q._data <= 1)).all():
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    elif not 0 <= q <= 1:
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
    if interpolation not in MODES:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )


@op("SubBackward0")
def fraction_of(q: Array, fraction: Any, last: Any) -> Any:
    """How far a quantile's rank, q times a number, lies above the rank below it"""
    return fraction


def fraction_gradient(g: Any, shape: tuple[int, ...], last: Array) -> Any:
    """Return q's gradient; none of it comes from rows where the rank does not depend on q."""
    along = where(last != 0, g * (make(last) if isinstance(g, Tensor) else last), 0.0)
    return summed_to(along, shape)


fraction_of.grad(q=lambda g, q_shape, last: fraction_gradient(g, q_shape, last))


def lasts_of(a: Array, ignore_nan: bool) -> Array:
    """Return what q is multiplied with for a rank; 0 where the rank does not depend on q."""
    numbers = np.add.reduce(a == a, axis=-1)[..., None]
    last = np.maximum(numbers - 1, 0) if ignore_nan else np.where(numbers < a.shape[-1], 0, a.shape[-1] - 1)
    return np.asarray(last, a.dtype)


def ranks_of(a: Array, q: Array, ignore_nan: bool) -> Array:
    """Return where each quantile lies among the sorted elements of the last dimension; nan wins unless ignored."""
    last = a.shape[-1] - 1
    numbers = np.add.reduce(a == a, axis=-1)[..., None]
    if ignore_nan:
        return np.maximum(numbers - 1, 0) * q
    return np.where(numbers <= last, a.dtype.type(last), (q * last).astype(a.dtype))


def picked(ordered: Any, ranks: Array, interpolation: str, q: Any, last: Array) -> Any:
    """Take the elements at fractional ranks from the last dimension."""
    dim = ordered.ndim - 1
    rounding = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}.get(interpolation)
    if rounding is not None:
        return take_along(ordered, rounding(ranks).astype(np.int64), dim)
    below = np.floor(ranks)
    weight = np.full_like(ranks, 0.5) if interpolation == "midpoint" else ranks - below
    low = take_along(ordered, below.astype(np.int64), dim)
    high = take_along(ordered, np.ceil(ranks).astype(np.int64), dim)
    weight = weight.astype(ordered._data.dtype)
    follows = isinstance(q, Tensor) and interpolation == "linear"
    return lerp_tensor(low, high, fraction_of(q, weight, last) if follows else make(weight))


def compute(input: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, ignore_nan: bool) -> Any:
    name = "nanquantile" if ignore_nan else "quantile"
    check(name, input, q, interpolation)
    values = q._data if isinstance(q, Tensor) else np.asarray(q, input._data.dtype)
    if dim is None or not input.ndim:
        rows, kept = view_as(input, (math.prod(input.shape),)), (1,) * input.ndim
    else:
        dim = dim_of(dim, input.ndim)
        order = (*(d for d in range(input.ndim) if d != dim), dim)
        rows, kept = permute_dims(input, order), tuple(1 if d == dim else s for d, s in enumerate(input.shape))
    ordered = sort_dim(rows, rows.ndim - 1, False)[0]
    ranks = np.broadcast_to(ranks_of(ordered._data, np.atleast_1d(values), ignore_nan), (*rows.shape[:-1], values.size))
    found = picked(ordered, ranks, interpolation, q, lasts_of(ordered._data, ignore_nan))
    shape = kept if keepdim else rows.shape[:-1]
    if not values.ndim:
        return squeezed(found, tuple(shape))
    front = permute_dims(found, (found.ndim - 1, *range(found.ndim - 1)))
    return squeezed(front, (values.size, *shape))


REST = 'int? dim=None, bool keepdim=False, *, str interpolation="linear"'


def expose(name: str, ignore_nan: bool) -> None:
    """Expose quantile or nanquantile."""

    def call(input: Tensor, q: Any, dim: Any = None, keepdim: bool = False, interpolation: str = "linear") -> Any:
        return compute(input, q, dim, keepdim, interpolation, ignore_nan)

    call.__doc__ = f"Return values between the sorted elements (torch.{name})."
    texts = (f"Tensor input, {kind} q, {REST}, Tensor? out=None" for kind in ("Tensor", "float"))
    public(*texts, name=name)(call)


expose("quantile", False)
expose("nanquantile", True)
