"""Nonlinearities of neural networks, in the forms of torch.nn.functional."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES, functions, own_names, public
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import Op, op
from gradrepl.engine.ops.activation import relu as relu_entry
from gradrepl.engine.ops.activation import sigmoid, sigmoid_gradient, tanh
from gradrepl.engine.ops.number import (
    as_number,
    minus_number,
    number_minus,
    over_number,
    plus_number,
    times_number,
)
from gradrepl.engine.ops.refusing import here, without_formula
from gradrepl.engine.ops.shape import where, zeros_of
from gradrepl.engine.precision.precise import nearest
from gradrepl.engine.precision.sleef import mapped
from gradrepl.engine.values.limits import finfo
from gradrepl.engine.wanted import wants

SPACE = "torch.nn.functional"
PLAIN = ((2.0,), ((2, 3),))
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def need_float(a: Array, kernel: str, with_complex: bool = False) -> None:
    """Raise what PyTorch raises where a kernel knows floating-point numbers (and complex ones) only."""
    if CATEGORY[a.dtype] < FLOAT or (a.dtype.kind == "c" and not with_complex):
        raise no_kernel(kernel, dtypes.of(a))


@op("LeakyReluBackward0", samples=(((2, 3), 0.01), ((2, 3), 0.3)))
def leaky_relu_entry(a: Array, slope: float) -> Any:
    """a where it is positive, else slope · a"""
    need_float(a, "leaky_relu_cpu")
    return np.where(a > 0, a, a * slope)


@op("LeakyReluBackwardBackward0", samples=(((2, 3), (2, 3), 0.3),))
def leaky_relu_gradient(g: Array, a: Array, slope: float) -> Any:
    """g where a is positive, else slope · g"""
    return np.where(a > 0, g, g * slope)


leaky_relu_entry.grad(a=lambda g, a, slope: leaky_relu_gradient(g, a, slope))
leaky_relu_written = here(leaky_relu_entry, "LeakyReluBackward1")
leaky_relu_written.grad(a=lambda g, out, slope: leaky_relu_gradient(g, out, slope))
leaky_relu_gradient.grad(g=lambda gg, a, slope: leaky_relu_gradient(gg, a, slope), a=lambda gg: zeros_of(gg))


@op("EluBackward0", samples=(((2, 3), 1.0, 1.0, 1.0), ((2, 3), SELU_ALPHA, SELU_SCALE, 1.0)))
def elu_entry(a: Array, alpha: float, scale: float, input_scale: float) -> Any:
    """scale · a where a is positive, else scale · alpha · (e ** (input_scale · a) - 1)"""
    need_float(a, "elu_cpu")
    return np.where(a > 0, a * scale, nearest(np.expm1, np.minimum(0, a) * input_scale) * (alpha * scale))


@op("EluBackwardBackward0", samples=(((2, 3), (2, 3), SELU_ALPHA, SELU_SCALE, 0.5),))
def elu_gradient(g: Array, a: Array, alpha: float, scale: float, input_scale: float) -> Any:
    """g · scale, and g · scale · alpha · input_scale · e ** (input_scale · a) where a is not positive"""
    below = g * (input_scale * alpha * scale) * np.exp(np.minimum(a, 0) * input_scale)
    return np.where(a <= 0, below, g * scale)


elu_entry.grad(
    a=lambda g, a, alpha, scale, input_scale: elu_gradient(g, a, alpha, scale, input_scale),
)
elu_gradient.grad(
    g=lambda gg, a, alpha, scale, input_scale: elu_gradient(gg, a, alpha, scale, input_scale),
    a=lambda gg, g, a, alpha, scale, input_scale: (
        elu_gradient(times_number(gg * g, input_scale), a, alpha, scale, input_scale) * as_number(a < 0, a)
    ),
)


@op("EluBackwardBackward0", samples=(((2, 3), (2, 3), SELU_ALPHA, SELU_SCALE, 0.5),))
def elu_gradient_of_result(g: Array, out: Array, alpha: float, scale: float, input_scale: float) -> Any:
    """The gradient of elu, made of its result"""
    return np.where(out <= 0, g * input_scale * (out + alpha * scale), g * scale)


elu_gradient_of_result.grad(
    g=lambda gg, out, alpha, scale, input_scale: elu_gradient_of_result(gg, out, alpha, scale, input_scale),
    out=lambda gg, g, out, input_scale: times_number(gg * g, input_scale) * as_number(out < 0, out),
)
elu_written = here(elu_entry, "EluBackward1")
elu_written.grad(a=lambda g, out, alpha, scale, input_scale: elu_gradient_of_result(g, out, alpha, scale, input_scale))


@op("CeluBackward0", samples=(((2, 3), 1.0), ((2, 3), 0.5)))
def celu_entry(a: Array, alpha: float) -> Any:
    """a where it is positive, else alpha · (e ** (a / alpha) - 1)"""
    need_float(a, "elu_cpu")
    return np.where(a > 0, a, np.expm1(np.minimum(0, a) / alpha) * alpha)


celu_entry.grad(a=lambda g, a, alpha: elu_gradient(g, a, alpha, 1.0, 1.0 / alpha))
celu_written = here(celu_entry, "CeluBackward1")
celu_written.grad(a=lambda g, out, alpha: elu_gradient_of_result(g, out, alpha, 1.0, 1.0 / alpha))


@op("SiluBackward0", samples=PLAIN)
def silu_entry(a: Array) -> Any:
    """a · sigmoid(a)"""
    need_float(a, "silu_cpu", with_complex=True)
    return mapped(lambda a, exp, log1p: a / (1 + exp(-a)), a)


def silu_rule(g: Any, a: Any) -> Any:
    s = sigmoid(a)
    return g * s * plus_number(a * number_minus(1, s), 1)


silu_entry.grad(a=silu_rule)


@op("SoftplusBackward0", samples=(((2, 3), 1.0, 20.0), ((2, 3), 2.0, 1.0)))
def softplus_entry(a: Array, beta: float, threshold: float) -> Any:
    """log(1 + e ** (beta · a)) / beta, and a itself where beta · a is above the threshold"""
    need_float(a, "softplus_cpu")
    scaled = a * beta
    curve = mapped(lambda a, exp, log1p: log1p(exp(a)), scaled)
    return np.where(scaled > threshold, a, curve / beta)


@op("SoftplusBackwardBackward0", samples=(((2, 3), (2, 3), 2.0, 1.0),))
def softplus_gradient(g: Array, a: Array, beta: float, threshold: float) -> Any:
    """g · sigmoid(beta · a), and g where beta · a is above the threshold"""
    return np.where(a * beta > threshold, g, g * sigmoid.forward(a * beta))


softplus_entry.grad(a=lambda g, a, beta, threshold: softplus_gradient(g, a, beta, threshold))
softplus_gradient.grad(
    g=lambda gg, a, beta, threshold: softplus_gradient(gg, a, beta, threshold),
    a=lambda gg, g, a, beta, threshold: times_number(
        sigmoid_gradient(gg * g, sigmoid(times_number(a, beta))) * as_number(a * beta < threshold, a), beta
    ),
)


@op("MishBackward0", samples=PLAIN)
def mish_entry(a: Array) -> Any:
    """a · tanh(log(1 + e ** a))"""
    need_float(a, "mish_cpu")
    return a * nearest(np.tanh, mapped(lambda a, exp, log1p: log1p(exp(a)), a))


def mish_rule(g: Any, a: Any) -> Any:
    curve = tanh(softplus_entry(a, 1.0, math.inf))
    return g * (curve + a * sigmoid(a) * number_minus(1, curve * curve))


mish_entry.grad(a=mish_rule)


@op("LogSigmoidBackward0", samples=PLAIN)
def logsigmoid_entry(a: Array) -> Any:
    """log(sigmoid(a)), without overflow"""
    need_float(a, "log_sigmoid_cpu")
    return np.minimum(a, 0) - mapped(lambda a, exp, log1p: log1p(exp(-np.abs(a))), a)


@op("LogSigmoidBackwardBackward0", samples=(((2, 3), (2, 3)),))
def logsigmoid_gradient(g: Array, a: Array) -> Any:
    """g · sigmoid(-a)"""
    return g * sigmoid.forward(-a)


def logsigmoid_bend(g: Any, a: Any) -> Any:
    s = sigmoid(a)
    return g * minus_number(s, 1) * s


logsigmoid_entry.grad(a=lambda g, a: logsigmoid_gradient(g, a))
logsigmoid_gradient.grad(g=lambda gg, a: logsigmoid_gradient(gg, a), a=lambda gg, g, a: logsigmoid_bend(gg * g, a))


@op("HardtanhBackward0", samples=(((2, 3), -1.0, 1.0), ((2, 3), 0.0, 6.0)))
def hardtanh_entry(a: Array, low: float, high: float) -> Any:
    """a, cut off below low and above high"""
    if a.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    return np.clip(a, low, high) if CATEGORY[a.dtype] == FLOAT else np.clip(a, int(low), int(high))


@op("HardtanhBackwardBackward0", samples=(((2, 3), (2, 3), -1.0, 1.0),))
def hardtanh_gradient(g: Array, a: Array, low: float, high: float) -> Any:
    """g where a is between low and high, and 0 elsewhere"""
    return np.where((a <= low) | (a >= high), g.dtype.type(0), g)


hardtanh_entry.grad(a=lambda g, a, low, high: hardtanh_gradient(g, a, low, high))
hardtanh_gradient.grad(g=lambda gg, a, low, high: hardtanh_gradient(gg, a, low, high), a=lambda gg: zeros_of(gg))


@op("HardsigmoidBackward0", samples=PLAIN)
def hardsigmoid_entry(a: Array) -> Any:
    """(a + 3) / 6, cut off below 0 and above 1"""
    need_float(a, "hardsigmoid_cpu")
    return np.clip(a + 3, 0, 6) / 6


@op("NotImplemented")
def hardsigmoid_gradient(g: Array, a: Array) -> Any:
    """g / 6 where a is between -3 and 3, and 0 elsewhere"""
    return np.where((a > -3) & (a < 3), g / g.dtype.type(6), g.dtype.type(0))


hardsigmoid_entry.grad(a=lambda g, a: hardsigmoid_gradient(g, a))
without_formula(hardsigmoid_gradient, "hardsigmoid_backward")


@op("HardswishBackward0", samples=PLAIN)
def hardswish_entry(a: Array) -> Any:
    """a · hardsigmoid(a)"""
    need_float(a, "hardswish_cpu")
    return a * np.clip(a + 3, 0, 6) / 6


@op("HardswishBackwardBackward0", samples=(((2, 3), (2, 3)),))
def hardswish_gradient(g: Array, a: Array) -> Any:
    """g · (a / 3 + 1 / 2) between -3 and 3, 0 below and g above"""
    return np.where(a <= -3, g.dtype.type(0), np.where(a < 3, g * (a / 3 + 0.5), g))


hardswish_entry.grad(a=lambda g, a: hardswish_gradient(g, a))
hardswish_gradient.grad(
    g=lambda gg, a: hardswish_gradient(gg, a), a=lambda gg, g, a: where((a > -3) & (a < 3), over_number(gg * g, 3), 0.0)
)


@op("HardshrinkBackward0", samples=(((2, 3), 0.5),))
def hardshrink_entry(a: Array, limit: float) -> Any:
    """a, and 0 where |a| is at most the limit"""
    need_float(a, "hardshrink_cpu")
    return np.where((a >= -limit) & (a <= limit), a.dtype.type(0), a)


@op("HardshrinkBackwardBackward0", samples=(((2, 3), (2, 3), 0.5),))
def hardshrink_gradient(g: Array, a: Array, limit: float) -> Any:
    """g where |a| is above the limit, and 0 elsewhere"""
    return np.where((a >= -limit) & (a <= limit), g.dtype.type(0), g)


hardshrink_entry.grad(a=lambda g, a, limit: hardshrink_gradient(g, a, limit))
hardshrink_gradient.grad(g=lambda gg, a, limit: hardshrink_gradient(gg, a, limit), a=lambda gg: zeros_of(gg))


@op("SoftshrinkBackward0", samples=(((2, 3), 0.5),))
def softshrink_entry(a: Array, limit: float) -> Any:
    """a, moved towards 0 by the limit"""
    need_float(a, "softshrink_check")
    return np.where(a > limit, a - limit, np.where(a < -limit, a + limit, a * 0))


@op("SoftshrinkBackwardBackward0", samples=(((2, 3), (2, 3), 0.5),))
def softshrink_gradient(g: Array, a: Array, limit: float) -> Any:
    """g where |a| is above the limit, and 0 elsewhere"""
    return hardshrink_gradient.forward(g, a, limit)


softshrink_entry.grad(a=lambda g, a, limit: softshrink_gradient(g, a, limit))
softshrink_gradient.grad(g=lambda gg, a, limit: softshrink_gradient(gg, a, limit), a=lambda gg: zeros_of(gg))


@op("ThresholdBackward0", samples=(((2, 3), 0.1, 20.0),))
def threshold_entry(a: Array, threshold: float, value: float) -> Any:
    """a, and value where a is not above the threshold"""
    if a.dtype.kind == "c":
        need_float(a, "threshold_cpu")
    return np.where(a <= threshold, a.dtype.type(value), a)


@op("ThresholdBackwardBackward0", samples=(((2, 3), (2, 3), 0.1),))
def threshold_gradient(g: Array, a: Array, threshold: float) -> Any:
    """g where a is above the threshold, and 0 elsewhere"""
    return np.where(a <= threshold, g.dtype.type(0), g)


threshold_entry.grad(a=lambda g, a, threshold: threshold_gradient(g, a, threshold))
threshold_gradient.grad(g=lambda gg, a, threshold: threshold_gradient(gg, a, threshold), a=lambda gg: zeros_of(gg))


def choose(entry: Op, input: Any, inplace: bool, *rest: Any) -> Any:
    return in_place(entry)(input, *rest) if inplace else entry.call(input, *rest)


@wants("relu", "input")
def relu(input: Any, inplace: bool = False) -> Any:
    """Cut off below 0 (torch.nn.functional.relu)."""
    return choose(relu_entry, input, inplace)


@wants("leaky_relu", "input", "negative_slope=Number")
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """Let a little through below 0 (torch.nn.functional.leaky_relu)."""
    return choose(leaky_relu_written if inplace else leaky_relu_entry, input, inplace, float(negative_slope))


@wants("elu", "input", "alpha=Number")
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Bend exponentially below 0 (torch.nn.functional.elu)."""
    return choose(elu_written if inplace else elu_entry, input, inplace, float(alpha), 1.0, 1.0)


@public("Tensor input", method=False)
@wants("selu", "input")
def selu(input: Any, inplace: bool = False) -> Any:
    """Apply elu with the constants that keep mean and variance (torch.nn.functional.selu)."""
    return choose(elu_written if inplace else elu_entry, input, inplace, SELU_ALPHA, SELU_SCALE, 1.0)


@wants("celu", "input", "alpha=Number")
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Bend exponentially below 0, smoothly for every alpha (torch.nn.functional.celu)."""
    return choose(celu_written if inplace else celu_entry, input, inplace, float(alpha))


@wants("silu", "input")
def silu(input: Any, inplace: bool = False) -> Any:
    """Multiply by the own sigmoid (torch.nn.functional.silu)."""
    return choose(silu_entry, input, inplace)


@wants("mish", "input")
def mish(input: Any, inplace: bool = False) -> Any:
    """Multiply by tanh(softplus) (torch.nn.functional.mish)."""
    return choose(mish_entry, input, inplace)


@wants("hardtanh", "input", "min_val=Number", "max_val=Number")
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Cut off on both sides (torch.nn.functional.hardtanh)."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return choose(hardtanh_entry, input, inplace, float(min_val), float(max_val))


@wants("relu6", "input")
def relu6(input: Any, inplace: bool = False) -> Any:
    """Cut off below 0 and above 6 (torch.nn.functional.relu6)."""
    return choose(hardtanh_entry, input, inplace, 0.0, 6.0)


@wants("hardsigmoid", "input")
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """A sigmoid of three straight pieces (torch.nn.functional.hardsigmoid)."""
    return choose(hardsigmoid_entry, input, inplace)


@wants("hardswish", "input")
def hardswish(input: Any, inplace: bool = False) -> Any:
    """Multiply by the own hardsigmoid (torch.nn.functional.hardswish)."""
    return choose(hardswish_entry, input, inplace)


@wants("threshold", "input", "threshold=Number", "value=Number")
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """Replace what is not above the threshold (torch.nn.functional.threshold)."""
    return choose(threshold_entry, input, inplace, threshold, value)


def softsign(input: Any) -> Any:
    """Divide by 1 + |input| (torch.nn.functional.softsign)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Any) -> Any:
    """Subtract the tanh (torch.nn.functional.tanhshrink)."""
    return input - input.tanh()


def sigmoid_function(input: Any) -> Any:
    """1 / (1 + e ** -input) (torch.nn.functional.sigmoid)."""
    return input.sigmoid()


def tanh_function(input: Any) -> Any:
    """The hyperbolic tangent (torch.nn.functional.tanh)."""
    return input.tanh()


@public("Tensor input, Number beta=1, Number threshold=20, *, Tensor? out=None", space=SPACE, method=False)
@wants("softplus", "input", "beta=Number", "threshold=Number")
def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Any:
    """A smooth relu (torch.nn.functional.softplus)."""
    return softplus_entry.call(input, float(beta), float(threshold))


@public("Tensor input, *, Tensor? out=None", space=SPACE, method=False)
@wants("log_sigmoid", "input")
def logsigmoid(input: Any) -> Any:
    """The logarithm of the sigmoid (torch.nn.functional.logsigmoid)."""
    return logsigmoid_entry.call(input)


@public("Tensor input, Number lambd=0.5, *, Tensor? out=None")
@wants("hardshrink", "input", "lambd=Number")
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """Replace small numbers by 0 (torch.nn.functional.hardshrink)."""
    return hardshrink_entry.call(input, float(lambd))


@public("Tensor input, Number lambd=0.5, *, Tensor? out=None", space=SPACE, method=False)
@wants("softshrink", "input", "lambd=Number")
def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """Move every number towards 0 (torch.nn.functional.softshrink)."""
    if not lambd >= 0:
        kind, most = input.dtype.tensor_type, finfo(input.dtype).max
        raise RuntimeError(f"lambda must be in range [0, {most:g}] for input dtype {kind}, but found {lambd:g}")
    return softshrink_entry.call(input, float(lambd))


functions(
    SPACE,
    hardshrink=hardshrink,
    **{
        function.__name__: function
        for function in (
            relu,
            leaky_relu,
            elu,
            selu,
            celu,
            silu,
            mish,
            hardtanh,
            relu6,
            hardsigmoid,
            hardswish,
            threshold,
            softsign,
            tanhshrink,
        )
    },
)
functions(celu=celu, threshold=threshold)
functions("torch.nn.functional", **own_names(sigmoid=sigmoid_function, tanh=tanh_function))
SPACES[SPACE]["logsigmoid"].__name__ = "log_sigmoid"
