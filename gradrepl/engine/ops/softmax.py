"""Softmax and its logarithm, with the operations that their gradients are made of."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, own_names, public
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import Op, op
from gradrepl.engine.operands import in_one_piece
from gradrepl.engine.ops.arithmetic import exp
from gradrepl.engine.ops.nonlinearity import need_float
from gradrepl.engine.ops.reduction import sum_dims
from gradrepl.engine.ops.shape import cast
from gradrepl.engine.ops.view import dim_of
from gradrepl.engine.precision import sleef
from gradrepl.engine.precision.fused import fused
from gradrepl.engine.precision.precise import nearest
from gradrepl.engine.precision.sleef import LANES
from gradrepl.engine.precision.steps import put_down
from gradrepl.engine.precision.summing import is_last, lanes_up

SAMPLES = (((2, 3), 1), ((2, 3), 0), ((3,), 0))


def need_float_along(a: Array, dim: int, kernel: str) -> None:
    need_float(a, f"{kernel}_lastdim_kernel_impl" if dim == max(a.ndim - 1, 0) else f"{kernel}_kernel_impl")


def less_maximum(a: Array, dim: int) -> Any:
    """Return a less its maximum along a dimension; empty arrays have none."""
    return a - np.maximum.reduce(a, axis=dim, keepdims=True) if a.size else a


@op("SoftmaxBackward0", samples=SAMPLES)
def softmax_along(a: Array, dim: int) -> Any:
    """e ** a, divided by its sum along a dimension"""
    need_float_along(a, dim, "softmax")
    if not a.ndim:
        return np.ones_like(a)
    lowered, last = in_one_piece(less_maximum(a, dim)), is_last(a, dim)
    beside = last or math.prod(a.shape[dim + 1 :]) >= LANES
    powers = sleef.exp(lowered) if beside else nearest(np.exp, lowered)
    total = lanes_up(powers, dim)
    return powers * (1 / total) if last else put_down(powers) / total


@op("SoftmaxBackwardDataBackward0", samples=(((2, 3), (2, 3), 1),))
def softmax_gradient(g: Array, out: Array, dim: int) -> Any:
    """(g - sum(g · out)) · out, the sum along a dimension"""
    return out * (g - lanes_up(in_one_piece(g * out), dim)) if g.ndim else g * 0


def softmax_second(gg: Any, g: Any, out: Any, dim: int) -> Any:
    if not out.ndim:
        return gg * 0
    total = sum_dims(g * out, (dim,), True)
    return g * gg - total * gg - g * sum_dims(out * gg, (dim,), True)


softmax_along.grad(a=lambda g, out, dim: softmax_gradient(g, out, dim))
softmax_gradient.grad(
    g=lambda gg, out, dim: softmax_gradient(gg, out, dim),
    out=lambda gg, g, out, dim: softmax_second(gg, g, out, dim),
)


@op("LogSoftmaxBackward0", samples=SAMPLES)
def log_softmax_along(a: Array, dim: int) -> Any:
    """a - log(sum(e ** a)), the sum along a dimension"""
    need_float_along(a, dim, "log_softmax")
    if not a.ndim:
        return np.zeros_like(a)
    lowered = in_one_piece(less_maximum(a, dim))
    total = lanes_up(sleef.exp(lowered), dim)
    lowered -= put_down(nearest(np.log, put_down(total))) if is_last(a, dim) else nearest(np.log, total)
    return lowered


@op("LogSoftmaxBackwardDataBackward0", samples=(((2, 3), (2, 3), 1),))
def log_softmax_gradient(g: Array, out: Array, dim: int) -> Any:
    """g - e ** out · sum(g), the sum along a dimension"""
    return fused(-sleef.exp(out), lanes_up(in_one_piece(g), dim), g) if g.ndim else g * 0


def log_softmax_second(gg: Any, g: Any, out: Any, dim: int) -> Any:
    if not out.ndim:
        return gg * 0
    return -gg * exp(out) * sum_dims(g, (dim,), True)


def log_softmax_again(gg: Any, out: Any, dim: int) -> Any:
    if not out.ndim:
        return gg * 0
    return gg - sum_dims(gg * exp(out), (dim,), True)


log_softmax_along.grad(a=lambda g, out, dim: log_softmax_gradient(g, out, dim))
log_softmax_gradient.grad(
    g=lambda gg, out, dim: log_softmax_again(gg, out, dim),
    out=lambda gg, g, out, dim: log_softmax_second(gg, g, out, dim),
)


def along(entry: Op, input: Any, dim: int, dtype: Any) -> Any:
    """Run a softmax along a dimension, in another dtype where one is given."""
    if dtype is not None and input._data.dtype != dtype.numpy:
        input = cast(input, dtype.numpy)
    return entry.call(input, dim_of(dim, input._data.ndim))


@public("Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None")
def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """Turn numbers into probabilities along a dimension (torch.softmax)."""
    return along(softmax_along, input, dim, dtype)


@public("Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None")
def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """Return the logarithm of softmax (torch.log_softmax)."""
    return along(log_softmax_along, input, dim, dtype)


def guessed(name: str, dim: int | None, input: Any, depth: int) -> int:
    """Return the dimension, or the one that PyTorch guesses, with its warning."""
    if dim is not None:
        input.softmax  # noqa: B018 (Python's own words for what is no tensor)
        return dim
    ndim = input.dim()
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        UserWarning,
        stacklevel=depth + 1,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax_function(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Turn numbers into probabilities along a dimension (torch.nn.functional.softmax)."""
    dim = guessed("softmax", dim, input, _stacklevel)
    return input.softmax(dim, dtype)


def log_softmax_function(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return the logarithm of softmax (torch.nn.functional.log_softmax)."""
    dim = guessed("log_softmax", dim, input, _stacklevel)
    return input.log_softmax(dim, dtype)


def softmin_function(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return softmax of the negated input (torch.nn.functional.softmin)."""
    dim = guessed("softmin", dim, input, _stacklevel)
    return (-input).softmax(dim, dtype)


functions(
    "torch.nn.functional",
    **own_names(softmax=softmax_function, log_softmax=log_softmax_function, softmin=softmin_function),
)
