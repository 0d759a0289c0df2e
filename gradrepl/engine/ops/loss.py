"""Losses that are operations of their own: squared, absolute, logistic and classification errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import Array, Fixed
from gradrepl.engine.op import op
from gradrepl.engine.ops.activation import sigmoid
from gradrepl.engine.ops.arithmetic import exp, log
from gradrepl.engine.ops.nonlinearity import need_float
from gradrepl.engine.ops.number import as_number, over_number, times_number
from gradrepl.engine.ops.reduction import sum_all
from gradrepl.engine.ops.shape import summed_to, where, zeros_of
from gradrepl.engine.precision.steps import put_down
from gradrepl.engine.precision.summing import add_up, chain_up
from gradrepl.engine.tensor import Tensor, make

Shape = tuple[int, ...]
PAIR = (((2, 3), (2, 3), "mean"), ((2, 3), (2, 3), "sum"), ((2, 3), (2, 3), "none"))


def reduced(losses: Array, reduction: str) -> Any:
    """Return the mean or the sum of losses, or the losses themselves."""
    if reduction == "none":
        return losses
    total = add_up(losses)
    return total if reduction == "sum" else total / losses.dtype.type(losses.size)


def shared(g: Any, like: Any, reduction: str) -> Any:
    """Return the gradient of each single loss."""
    return g * (1.0 / (size_of(like) or math.nan)) if reduction == "mean" else g


def beside(x: Any, *arrays: Any) -> list[Any]:
    """Return arrays (or None) in the form that x has: tensors beside a tensor."""
    if not isinstance(x, Tensor):
        return list(arrays)
    return [make(array) if isinstance(array, np.ndarray) else array for array in arrays]


def size_of(x: Any) -> int:
    return x._data.size if isinstance(x, Tensor) else x.size


@op("MseLossBackward0", broadcasts=True, samples=PAIR)
def squared_error(a: Array, b: Array, reduction: str) -> Any:
    """(a - b)²: its mean, its sum or each"""
    need_float(a, "mse_cpu")
    difference = put_down(a - b)
    difference *= difference
    return reduced(put_down(difference), reduction)


@op(
    "MseLossBackwardBackward0",
    broadcasts=True,
    samples=(((), (2, 3), (2, 3), "mean"), ((2, 3), (2, 3), (2, 3), "none")),
)
def squared_error_gradient(g: Array, a: Array, b: Array, reduction: str) -> Any:
    """2 · (a - b) · g, divided by the count where the mean was taken"""
    difference = a - b
    difference *= g * g.dtype.type(2 / (difference.size or math.nan) if reduction == "mean" else 2)
    return difference


def averaged(g: Any, reduction: str) -> Any:
    """Return gradients divided by their count where the mean was taken."""
    return over_number(g, size_of(g) or math.nan) if reduction == "mean" else g


def squared_error_second(g: Any, reduction: str) -> Any:
    return averaged(times_number(g, 2), reduction)


squared_error.grad(
    a=lambda g, a, b, reduction: squared_error_gradient(g, a, b, reduction),
    b=lambda g, a, b, reduction: squared_error_gradient(g, b, a, reduction),
)
squared_error_gradient.grad(
    g=lambda gg, a, b, reduction: squared_error_gradient(gg, a, b, reduction),
    a=lambda gg, g, reduction: squared_error_second(gg * g, reduction),
    b=lambda gg, g, reduction: -squared_error_second(gg * g, reduction),
)


@op("SmoothL1LossBackward0", broadcasts=True, samples=tuple((*pair, 1.0) for pair in PAIR))
def smooth_absolute_error(a: Array, b: Array, reduction: str, beta: float) -> Any:
    """|a - b| - beta / 2, and (a - b)² / (2 · beta) where |a - b| is below beta"""
    need_float(a, "smooth_l1_cpu")
    size = np.abs(a - b)
    return reduced(np.where(size < beta, 0.5 * size * size / (beta or 1.0), size - 0.5 * beta), reduction)


LIMITED = (((), (2, 3), (2, 3), "mean", 1.0), ((2, 3), (2, 3), (2, 3), "none", 1.0))


@op("SmoothL1LossBackwardBackward0", broadcasts=True, samples=LIMITED)
def smooth_absolute_gradient(g: Array, a: Array, b: Array, reduction: str, beta: float) -> Any:
    """g times the sign of a - b, or (a - b) / beta where that is smaller"""
    x = a - b
    slope = np.where(x <= -beta, -1, np.where(x >= beta, 1, x / beta)) if beta else np.sign(x)
    return shared(g, a, reduction) * slope.astype(a.dtype)


def smooth_absolute_bend(g: Any, a: Any, b: Any, reduction: str, beta: float) -> Any:
    if not beta:
        return zeros_of(g)
    return averaged(over_number(g * as_number(abs(a - b) < beta, g), beta), reduction)


smooth_absolute_error.grad(
    a=lambda g, a, b, reduction, beta: smooth_absolute_gradient(g, a, b, reduction, beta),
    b=lambda g, a, b, reduction, beta: smooth_absolute_gradient(g, b, a, reduction, beta),
)
smooth_absolute_gradient.grad(
    g=lambda gg, g_shape, a, b, reduction, beta: summed_to(
        smooth_absolute_gradient(gg, a, b, reduction, beta), g_shape
    ),
    a=lambda gg, g, a, b, reduction, beta: smooth_absolute_bend(gg * g, a, b, reduction, beta),
    b=lambda gg, g, a, b, reduction, beta: -smooth_absolute_bend(gg * g, a, b, reduction, beta),
)


@op("HuberLossBackward0", broadcasts=True, samples=tuple((*pair, 1.0) for pair in PAIR))
def huber_error(a: Array, b: Array, reduction: str, delta: float) -> Any:
    """(a - b)² / 2, and delta · (|a - b| - delta / 2) where |a - b| is above delta"""
    need_float(a, "huber_cpu")
    size = np.abs(a - b)
    losses = np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))
    return reduced(losses.astype(a.dtype, copy=False), reduction)


@op("HuberLossBackwardBackward0", samples=LIMITED)
def huber_gradient(g: Array, a: Array, b: Array, reduction: str, delta: float) -> Any:
    """g times a - b, cut off at delta"""
    x = a - b
    return shared(g, a, reduction) * np.where(x <= -delta, -delta, np.where(x >= delta, delta, x)).astype(a.dtype)


def huber_bend(g: Any, a: Any, b: Any, reduction: str, delta: float) -> Any:
    return averaged(g * as_number(abs(a - b) < delta, g), reduction)


def huber_again(gg: Any, g: Any, a: Any, b: Any, reduction: str, delta: float) -> Any:
    """Return the gradient by the gradient of the loss, or by that of each loss."""
    if reduction == "none":
        return huber_gradient(gg, a, b, reduction, delta)
    (one,) = beside(g, np.ones((), (g._data if isinstance(g, Tensor) else g).dtype))
    return sum_all(huber_gradient(one, a, b, reduction, delta) * gg)


huber_error.grad(
    a=lambda g, a, b, reduction, delta: huber_gradient(g, a, b, reduction, delta),
    b=lambda g, a, b, reduction, delta: huber_gradient(g, b, a, reduction, delta),
)
huber_gradient.grad(
    g=lambda gg, g, a, b, reduction, delta: huber_again(gg, g, a, b, reduction, delta),
    a=lambda gg, g, a, b, reduction, delta: huber_bend(gg * g, a, b, reduction, delta),
    b=lambda gg, g, a, b, reduction, delta: -huber_bend(gg * g, a, b, reduction, delta),
)


@op("HuberLossBackward0")
def huber_error_of_mixed(a: Array, b: Array, reduction: str, delta: float) -> Any:
    """huber_error where b has another dtype than a: PyTorch computes it, and finds out on its way back"""
    return huber_error.forward(a, b.astype(a.dtype), reduction, delta)


def found_other(a: Any, b: Any) -> None:
    found, expected = (dtypes.of(getattr(x, "_data", x)).tensor_type for x in (b, a))
    raise RuntimeError(f"Found dtype {found} but expected {expected}")


huber_error_of_mixed.grad(a=lambda g, a, b: found_other(a, b), b=lambda g, a, b: found_other(a, b))


@op("BinaryCrossEntropyBackward0")
def binary_entropy(a: Array, target: Array, weight: Any, reduction: str) -> Any:
    """-(target · log(a) + (1 - target) · log(1 - a)), logarithms cut off at -100"""
    for name, values in (("input", a), ("target", target)):
        if not ((values >= 0) & (values <= 1)).all():
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    losses = (target - 1) * np.maximum(np.log1p(-a), -100) - target * np.maximum(np.log(a), -100)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_entropy_rule(g: Any, a: Any, target: Any, weight: Any, reduction: str) -> Any:
    (weight,) = beside(g, weight)
    slope = (a - target) / at_least((1 - a) * a, 1e-12)
    return shared(g * slope if weight is None else g * slope * weight, a, reduction)


def at_least(x: Any, low: float) -> Any:
    return where(x < low, low, x)


def binary_target_rule(g: Any, a: Any, weight: Any, reduction: str) -> Any:
    (weight,) = beside(g, weight)
    slope = log(1 - a) - log(a)
    return shared(g * slope if weight is None else g * slope * weight, a, reduction)


binary_entropy.grad(
    a=lambda g, a, target, weight, reduction: binary_entropy_rule(g, a, target, weight, reduction),
    target=lambda g, a, weight, reduction: binary_target_rule(g, a, weight, reduction),
)


@op("BinaryCrossEntropyWithLogitsBackward0", samples=(((2, 3), (2, 3), None, None, "mean"),))
def logistic_entropy(a: Array, target: Array, weight: Fixed, pos_weight: Fixed, reduction: str) -> Any:
    """The binary cross entropy of sigmoid(a), without overflow, in the dtype of the target"""
    turned = np.log1p(np.exp(-np.abs(a))) + np.maximum(-a, 0)
    factor = 1 if pos_weight is None else (pos_weight - 1) * target + 1
    losses = np.asarray((1 - target) * a + factor * turned).astype(target.dtype, copy=False)
    return reduced(losses if weight is None else losses * weight, reduction)


def logistic_rule(g: Any, a: Any, target: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    weight, pos_weight = beside(g, weight, pos_weight)
    s = 1 / (1 + exp(-a))
    if pos_weight is None:
        slope = s - target
    else:
        positive = pos_weight * target
        slope = (positive + 1 - target) * s - positive
    return averaged(slope * g if weight is None else slope * g * weight, reduction)


def logistic_target_rule(g: Any, a: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    weight, pos_weight = beside(g, weight, pos_weight)
    slope = -a if pos_weight is None else log(sigmoid(-a)) - pos_weight * log(sigmoid(a))
    return averaged(slope * g if weight is None else slope * g * weight, reduction)


logistic_entropy.grad(
    a=lambda g, a, target, weight, pos_weight, reduction: logistic_rule(g, a, target, weight, pos_weight, reduction),
    target=lambda g, a, weight, pos_weight, reduction: logistic_target_rule(g, a, weight, pos_weight, reduction),
)


@op("SoftMarginLossBackward0")
def soft_margin_error(a: Array, target: Fixed, reduction: str) -> Any:
    """log(1 + e ** (-target · a))"""
    return reduced(np.logaddexp(-target * a, a.dtype.type(0)), reduction)


def soft_margin_rule(g: Any, a: Any, target: Any, reduction: str) -> Any:
    (target,) = beside(g, target)
    return shared(g * (-target / (1 + exp(a * target))), a, reduction)


soft_margin_error.grad(a=lambda g, a, target, reduction: soft_margin_rule(g, a, target, reduction))


def check_classes(target: Array, kept: Array | None, classes: int) -> None:
    """Raise what PyTorch raises for a class that is none."""
    outside = (target < 0) | (target >= classes)
    if kept is not None:
        outside &= kept
    if outside.any():
        raise IndexError(f"Target {int(target[outside].flat[0])} is out of bounds.")


def at_classes(a_shape: Shape, target: Array) -> tuple[Any, ...]:
    """Return the index of the element of its class for every example; the class dimension is the second."""
    if len(a_shape) == 1:
        return (target,)
    rest = np.ix_(*(np.arange(side) for side in target.shape)) if target.ndim > 1 else (np.arange(len(target)),)
    return (rest[0], target, *rest[1:])


def class_weights(target: Array, weight: Any, ignored: int, kind: Any) -> Any:
    """Return the weight of every example, 0 for the ignored, and the target with those at class 0."""
    kept = target != ignored
    safe = np.where(kept, target, 0)
    weights = kept.astype(kind)
    return (weights if weight is None else weights * weight[safe]), safe


def in_a_chain(losses: Array, reduction: str) -> Any:
    """Return the mean or the sum of the losses of examples, or the losses themselves."""
    if reduction == "none":
        return losses
    return chain_up(losses) if reduction == "sum" else chain_up(losses) / losses.dtype.type(losses.size)


def class_losses(a: Array, target: Array, weight: Any, reduction: str, ignored: int) -> Any:
    classes = a.shape[0 if a.ndim == 1 else 1]
    if weight is None and target.size and target.min() >= 0 and target.max() < classes and not 0 <= ignored < classes:
        return in_a_chain(-a[at_classes(a.shape, target)], reduction)
    check_classes(target, target != ignored, classes)
    weights, safe = class_weights(target, weight, ignored, a.dtype)
    losses = np.where(target == ignored, a.dtype.type(0), -a[at_classes(a.shape, safe)] * weights)
    if reduction != "mean":
        return in_a_chain(losses, reduction)
    return chain_up(losses) / chain_up(weights)


@op("NllLossBackward0")
def class_error(a: Array, target: Fixed, weight: Fixed, reduction: str, ignored: int) -> Any:
    """-a at the class of each example, weighted: the mean, the sum or each"""
    need_float(a, "nll_loss_out_frame")
    return class_losses(a, target, weight, reduction, ignored)


@op("NllLoss2DBackward0")
def class_error_2d(a: Array, target: Fixed, weight: Fixed, reduction: str, ignored: int) -> Any:
    """-a at the class of each pixel, weighted: the mean, the sum or each"""
    return class_losses(a, target, weight, reduction, ignored)


def class_slopes(g: Array, a: Array, target: Array, weight: Any, reduction: str, ignored: int) -> Any:
    whole = np.zeros(a.shape, g.dtype)
    if weight is None and not (target == ignored).any():
        share = 1 / g.dtype.type(target.size) if reduction == "mean" else 1
        whole[at_classes(a.shape, target)] = -g * share
        return whole
    weights, safe = class_weights(target, weight, ignored, g.dtype)
    if reduction == "mean":
        weights = weights / (np.add.reduce(weights, None) if weight is None else chain_up(weights))
    whole[at_classes(a.shape, safe)] = np.where(target == ignored, g.dtype.type(0), -g * weights)
    return whole


@op("NllLossBackwardBackward0")
def class_error_gradient(g: Array, a: Array, target: Fixed, weight: Fixed, reduction: str, ignored: int) -> Any:
    """Zeros in the shape of a, with -g, weighted, at the class of each example"""
    return class_slopes(g, a, target, weight, reduction, ignored)


@op("NllLoss2DBackwardBackward0")
def class_error_2d_gradient(g: Array, a: Array, target: Fixed, weight: Fixed, reduction: str, ignored: int) -> Any:
    """Zeros in the shape of a, with -g, weighted, at the class of each pixel"""
    return class_slopes(g, a, target, weight, reduction, ignored)


class_error.grad(
    a=lambda g, a, target, weight, reduction, ignored: class_error_gradient(g, a, target, weight, reduction, ignored)
)
class_error_gradient.grad(
    g=lambda gg, target, weight, reduction, ignored: class_error(gg, target, weight, reduction, ignored),
    a=lambda gg: zeros_of(gg),
)
class_error_2d.grad(
    a=lambda g, a, target, weight, reduction, ignored: class_error_2d_gradient(g, a, target, weight, reduction, ignored)
)
class_error_2d_gradient.grad(
    g=lambda gg, target, weight, reduction, ignored: class_error_2d(gg, target, weight, reduction, ignored),
    a=lambda gg: zeros_of(gg),
)
