"""Activations: the kinks and curves between layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import public, unary
from gradrepl.engine.dtype import BOOL8, FLOAT32, FLOAT64, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import analytic, op
from gradrepl.engine.ops.shape import where, zeros_of
from gradrepl.engine.precision.precise import MANY, nearest
from gradrepl.engine.precision.sleef import mapped
from gradrepl.engine.tensor import Tensor

PLAIN = ((2.0,), ((2, 3),))
TWO = (((2, 3), (2, 3)),)


@op("SigmoidBackward0", broadcasts=True, promotes="float", samples=PLAIN)
def sigmoid(a: Array) -> Any:
    """1 / (1 + e ** -a)"""
    if a.dtype == np.float16:
        return sigmoid.forward(a.astype(np.float32)).astype(a.dtype)
    return mapped(lambda a, exp, log1p: 1 / (1 + exp(-a)), a)


@op("SigmoidBackwardBackward0", samples=TWO)
def sigmoid_gradient(g: Array, out: Array) -> Any:
    """g · (1 - out) · out"""
    return g * (1 - out) * out


sigmoid.grad(a=lambda g, out: sigmoid_gradient(g, out))
sigmoid_gradient.grad(
    g=lambda gg, out: sigmoid_gradient(gg, out),
    out=lambda gg, g, out: gg * g * (1 - 2 * out),
)


@op("TanhBackward0", broadcasts=True, promotes="float", samples=PLAIN)
def tanh(a: Array) -> Any:
    """The hyperbolic tangent of a"""
    return nearest(np.tanh, a)


@op("TanhBackwardBackward0", samples=TWO)
def tanh_gradient(g: Array, out: Array) -> Any:
    """g · (1 - out²)"""
    if out.dtype is FLOAT32 and out.size < MANY:
        wide = out.astype(FLOAT64)
        return g * (1 - wide * wide).astype(FLOAT32)
    return g * (1 - out * out)


tanh.grad(a=lambda g, out: tanh_gradient(g, out))
tanh_gradient.grad(
    g=lambda gg, out: tanh_gradient(gg, out),
    out=lambda gg, g, out: -2 * (gg * g * out),
)


@op("ReluBackward0", samples=PLAIN)
def relu(a: Array) -> Any:
    """max(a, 0)"""
    if a.dtype == BOOL8:
        raise RuntimeError("Boolean inputs not supported for relu")
    if a.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    return np.maximum(0, a)  # of 0 and -0 numpy takes the second, as PyTorch does


@op("ThresholdBackwardBackward0", samples=TWO)
def relu_gradient(g: Array, out: Array) -> Any:
    """g where out is above 0, and 0 elsewhere"""
    if g.dtype is not FLOAT32 or type(g) is not np.ndarray or not (g.flags.c_contiguous and out.flags.c_contiguous):
        return np.where(out <= 0, g.dtype.type(0), g)
    bits = (out <= 0).astype(np.int32)
    bits -= 1
    bits &= g.view(np.int32)  # np.where takes twice as long where signs come in no order
    return bits.view(np.float32)


relu.grad(a=lambda g, out: relu_gradient(g, out))
relu_gradient.grad(g=lambda gg, out: relu_gradient(gg, out), out=lambda gg: zeros_of(gg))


@op("LogitBackward0", broadcasts=True, promotes="float", samples=((0.3, None), (0.9, 0.2)))
def logit_of(a: Array, eps: Any) -> Any:
    """log(a / (1 - a)), a kept eps away from 0 and 1"""
    if eps is not None:
        low, high = a.dtype.type(eps), a.dtype.type(1 - eps)
        a = np.where(a < low, low, np.where(a > high, high, a))
    return np.log(a / (1 - a))


def logit_slope(g: Any, a: Any, eps: Any) -> Any:
    low, outside = (0.0, float("nan")) if eps is None else (eps, 0.0)
    return where((a >= low) & (a <= 1 - low), g / (a * (1 - a)), outside)


logit_of.grad(a=lambda g, a, eps: logit_slope(g, a, eps))


@public("Tensor input, float? eps=None, *, Tensor? out=None")
def logit(input: Tensor, eps: Any = None) -> Any:
    """Return the inverse of sigmoid (torch.logit)."""
    return logit_of(input, eps)


@public("Tensor input, float? eps=None")
def logit_(input: Tensor, eps: Any = None) -> Any:
    """Take the inverse of sigmoid in place (torch.logit_)."""
    return in_place(logit_of)(input, eps)


analytic(sigmoid, sigmoid_gradient, tanh, tanh_gradient)
unary(sigmoid, tanh, relu)
