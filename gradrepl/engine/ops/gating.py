"""Nonlinearities that multiply the input by a gate: gelu, glu, prelu."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, public
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.activation import sigmoid, tanh
from gradrepl.engine.ops.arithmetic import exp
from gradrepl.engine.ops.nonlinearity import SPACE, need_float
from gradrepl.engine.ops.number import number_minus
from gradrepl.engine.ops.shape import where
from gradrepl.engine.ops.special import erf
from gradrepl.engine.ops.view import at, dim_of, embed, slice_at
from gradrepl.engine.wanted import wants


@op("PreluKernelBackward0", broadcasts=True, samples=(((2, 3), (3,)),))
def prelu_kernel(a: Array, weight: Array) -> Any:
    """a where it is positive, else weight · a"""
    need_float(a, "prelu_cpu")
    return np.where(a > 0, a, weight * a)


prelu_kernel.grad(
    a=lambda g, a, weight: where(a > 0, g, weight * g),
    weight=lambda g, a: where(a > 0, 0.0, a * g),
)


@op("GluBackward0", samples=(((2, 4), 1), ((4, 3), 0)))
def glu_entry(a: Array, dim: int) -> Any:
    """The first half of a times the sigmoid of the second half"""
    need_float(a, "glu_cpu")
    first, second = np.split(a, 2, axis=dim)
    return first * sigmoid.forward(second)


@op("GluBackwardBackward0", samples=(((2, 2), (2, 4), 1),))
def glu_gradient(g: Array, a: Array, dim: int) -> Any:
    """g carried back to both halves of a"""
    first, second = np.split(a, 2, axis=dim)
    gate = sigmoid.forward(second)
    return np.concatenate([g * gate, g * first * gate * (1 - gate)], axis=dim)


def halves(a: Any, dim: int) -> Any:
    middle = a.shape[dim] // 2
    return slice_at(a, dim, 0, middle, 1), slice_at(a, dim, middle, a.shape[dim], 1)


def glu_again(gg: Any, a: Any, dim: int) -> Any:
    (left, right), (first, second) = halves(gg, dim), halves(a, dim)
    gate = sigmoid(second)
    return left * gate + right * first * gate * (1 - gate)


glu_entry.grad(a=lambda g, a, dim: glu_gradient(g, a, dim))
glu_gradient.grad(
    g=lambda gg, a, dim: glu_again(gg, a, dim),
    a=lambda gg, g, a, dim: glu_second(gg, g, a, dim),
)


def glu_second(gg: Any, g: Any, a: Any, dim: int) -> Any:
    (left, right), (first, second) = halves(gg, dim), halves(a, dim)
    gate = sigmoid(second)
    slope = gate * (1 - gate)
    by_second = g * slope * (left + right * first * (1 - 2 * gate))
    length = a.shape[dim]
    middle = length // 2
    return embed(g * right * slope, a.shape, at(dim, slice(0, middle))) + embed(
        by_second, a.shape, at(dim, slice(middle, length))
    )


ROOT_HALF = math.sqrt(0.5)
TANH_FACTOR, TANH_CUBE = math.sqrt(2 / math.pi), 0.044715


@op("GeluBackward0", samples=(((2, 3), "none"), ((2, 3), "tanh")))
def gelu_entry(a: Array, approximate: str) -> Any:
    """a times the normal distribution function of a, or an approximation of it by tanh"""
    need_float(a, "GeluKernelImpl")
    if approximate == "tanh":
        return 0.5 * a * (1 + np.tanh(TANH_FACTOR * (a + TANH_CUBE * a * a * a)))
    return a * 0.5 * (1 + erf.forward(a * ROOT_HALF))


@op("GeluBackwardBackward0", samples=(((2, 3), (2, 3), "none"), ((2, 3), (2, 3), "tanh")))
def gelu_gradient(g: Array, a: Array, approximate: str) -> Any:
    """g times the derivative of gelu"""
    if approximate == "tanh":
        curve = np.tanh(TANH_FACTOR * (a + TANH_CUBE * a * a * a))
        slope = TANH_FACTOR * (1 + 3 * TANH_CUBE * a * a)
        return g * (0.5 * (1 + curve) + 0.5 * a * (1 - curve * curve) * slope)
    density = np.exp(a * a * -0.5) * (1 / math.sqrt(2 * math.pi))
    return g * (0.5 * (1 + erf.forward(a * ROOT_HALF)) + a * density)


def gelu_bend(a: Any, approximate: str) -> Any:
    """Return the second derivative of gelu."""
    if approximate == "tanh":
        curve = tanh(TANH_FACTOR * (a + TANH_CUBE * a * a * a))
        slope = TANH_FACTOR * (1 + 3 * TANH_CUBE * a * a)
        return (1 - curve * curve) * (slope + a * (3 * TANH_FACTOR * TANH_CUBE * a - curve * slope * slope))
    return exp(a * a * -0.5) * (1 / math.sqrt(2 * math.pi)) * number_minus(2, a * a)


gelu_entry.grad(a=lambda g, a, approximate: gelu_gradient(g, a, approximate))
gelu_gradient.grad(
    g=lambda gg, a, approximate: gelu_gradient(gg, a, approximate),
    a=lambda gg, g, a, approximate: gg * g * gelu_bend(a, approximate),
)


@wants("glu", "input=any", "dim=int")
def glu(input: Any, dim: int = -1) -> Any:
    """Multiply one half by the sigmoid of the other (torch.nn.functional.glu)."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    at_dim = dim_of(dim, input.dim())
    if input._data.shape[at_dim] % 2:
        size = input._data.shape[at_dim]
        raise RuntimeError(f"Halving dimension must be even, but dimension {at_dim} is size {size}")
    return glu_entry.call(input, at_dim)


@public('Tensor input, *, str approximate="none", Tensor? out=None', space=SPACE, method=False)
def gelu(input: Any, approximate: str = "none") -> Any:
    """Multiply by the normal distribution function (torch.nn.functional.gelu)."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return gelu_entry.call(input, approximate)


def check_prelu(input: Any, weight: Any) -> None:
    """Raise what PyTorch raises for a weight that does not go with its input."""
    if input.dtype is not weight.dtype:
        found, other = input.dtype.tensor_type, weight.dtype.tensor_type
        raise RuntimeError(f"prelu: Type promoting not supported. Got {found} and {other}")
    count, channels = weight._data.size, input._data.shape[1] if input._data.ndim > 1 else 1
    if count != 1:
        if input._data.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if count != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} and channel "
                f"size = {channels}."
            )
    if weight._data.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight._data.ndim}")


@public("Tensor input, Tensor weight")
@wants("prelu", "input", "weight")
def prelu(input: Any, weight: Any) -> Any:
    """Let a learned part through below 0 (torch.prelu)."""
    check_prelu(input, weight)
    count, ndim = weight._data.size, input._data.ndim
    if weight._data.ndim == 0:
        return prelu_kernel(input, weight)
    shape = (1, count, *(1,) * (ndim - 2)) if ndim > 1 else (count,) if ndim == 1 else ()
    return prelu_kernel(input, weight.view(shape))


functions(SPACE, glu=glu, prelu=prelu)
