"""The losses of torch.nn.functional: arguments checked, made of the operations in loss.py and others."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions
from gradrepl.engine.dtype import BOOL8, CATEGORY, FLOAT
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.ops.arithmetic import mul, sub
from gradrepl.engine.ops.blending import xlogy_tensors
from gradrepl.engine.ops.loss import (
    binary_entropy,
    huber_error,
    huber_error_of_mixed,
    logistic_entropy,
    smooth_absolute_error,
    soft_margin_error,
    squared_error,
)
from gradrepl.engine.ops.neural import pairwise_distance
from gradrepl.engine.ops.nonlinearity import logsigmoid
from gradrepl.engine.ops.number import minus_number, plus_number
from gradrepl.engine.ops.shape import expand_to, where
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.wanted import wants

DIFFERENT_SIZES = (
    "Using a target size ({}) that is different to the input size ({}). This will likely lead to incorrect results "
    "due to broadcasting. Please ensure they have the same size."
)


def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str, depth: int = 3) -> str:
    """Return the reduction, read from the old arguments where they are given; raises ValueError for none."""
    if size_average is not None or reduce is not None:
        average, reduces = size_average is None or size_average, reduce is None or reduce
        reduction = "mean" if average and reduces else "sum" if reduces else "none"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            UserWarning,
            stacklevel=depth,
        )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def as_reduced(losses: Any, reduction: str) -> Any:
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


def broadcast_pair(input: Any, target: Any) -> tuple[Any, Any]:
    """Expand input and target to one shape, with PyTorch's warning where they differ."""
    if target.size() == input.size():
        return input, target
    warnings.warn(DIFFERENT_SIZES.format(target.size(), input.size()), UserWarning, stacklevel=3)
    try:
        shape = np.broadcast_shapes(input._data.shape, target._data.shape)
    except ValueError:
        sub(input, target)
        raise
    return tuple(x if x._data.shape == shape else expand_to(x, shape) for x in (input, target))


def weighted_error(errors: Any, weight: Any, input: Any, reduction: str) -> Any:
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    losses = errors * weight
    return losses.sum() / weight.sum() if reduction == "mean" else as_reduced(losses, reduction)


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """Return the squared error (torch.nn.functional.mse_loss)."""
    if input.__class__ is Tensor is target.__class__ and input._data.shape == target._data.shape and weight is None:
        return squared_error(input, target, reduction_of(size_average, reduce, reduction))
    a, b = broadcast_pair(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    if weight is not None:
        return weighted_error((a - b) ** 2, weight, input, reduction)
    return squared_error(a, b, reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """Return the absolute error (torch.nn.functional.l1_loss)."""
    a, b = broadcast_pair(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    if weight is not None:
        return weighted_error((a - b).abs(), weight, input, reduction)
    return as_reduced((a - b).abs(), reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """Return the absolute error, squared near 0 (torch.nn.functional.smooth_l1_loss)."""
    a, b = broadcast_pair(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    if beta == 0.0:
        return l1_loss(a, b, reduction=reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    return smooth_absolute_error(a, b, reduction, float(beta))


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """Return the squared error, linear far from 0 (torch.nn.functional.huber_loss)."""
    a, b = broadcast_pair(input, target)
    reduction = reduction_of(None, None, reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    check_castable(b, a)
    if weight is not None:
        return weighted_error(huber_error(a, b, "none", float(delta)), weight, input, reduction)
    mixed = a._data.dtype != b._data.dtype and not (a.is_complex() or b.is_complex())
    return (huber_error_of_mixed if mixed else huber_error)(a, b, reduction, float(delta))


def check_castable(input: Any, target: Any) -> None:
    """Raise what PyTorch raises where a loss of floats is to be written in the target's dtype of integers."""
    if CATEGORY[target._data.dtype] < FLOAT <= CATEGORY[input._data.dtype]:
        found, wanted = dtypes.of(input._data).tensor_type, dtypes.of(target._data).tensor_type
        raise RuntimeError(f"result type {found} can't be cast to the desired output type {wanted}")


def weights_beside(weight: Any, input: Any) -> Any:
    """Return the array of a weight in the input's shape."""
    shape, given = input._data.shape, weight.size()
    try:
        return np.broadcast_to(weight._data, shape)
    except ValueError:
        place = next(i for i in range(-1, -len(shape) - 1, -1) if given[i] not in (1, shape[i]))
        raise RuntimeError(
            f"Attempting to broadcast a dimension of length {given[place]} at {place}! Mismatching "
            f"argument at index 1 had {given}; but expected shape should be broadcastable to {list(shape)}"
        ) from None


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return the cross entropy of probabilities of two classes (torch.nn.functional.binary_cross_entropy)."""
    reduction = reduction_of(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is "
            "deprecated. Please ensure they have the same size."
        )
    if target._data.dtype != input._data.dtype:
        found, wanted = dtypes.of(target._data).tensor_type, dtypes.of(input._data).tensor_type
        raise RuntimeError(f"Found dtype {found} but expected {wanted}")
    weights = None if weight is None else weights_beside(weight, input)
    return binary_entropy(input, target, weights, reduction)


@wants("binary_cross_entropy_with_logits", "input=any", "target=any", "weight?", "pos_weight?")
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """Return the cross entropy of logits of two classes (torch.nn.functional.binary_cross_entropy_with_logits)."""
    reduction = reduction_of(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    if target._data.dtype == BOOL8:
        target - target  # raises
    check_castable(input, target)
    for factor, other in ((pos_weight, target), (weight, input)):
        if factor is not None and factor._data.shape != other._data.shape:
            mul(*((factor, other) if factor is pos_weight else (other, factor)))
    return logistic_entropy(input, target, weight, pos_weight, reduction)


@wants("soft_margin_loss", "input", "target")
def soft_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """Return log(1 + e ** (-target * input)) (torch.nn.functional.soft_margin_loss)."""
    check_broadcast((input._data, target._data))
    return soft_margin_error(input, target, reduction_of(size_average, reduce, reduction))


@wants("kl_div", "input", "target")
def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """Return the divergence of Kullback and Leibler; `input` holds logarithms (torch.nn.functional.kl_div)."""
    integral = min(CATEGORY[x._data.dtype] for x in (input, target)) < FLOAT
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            UserWarning,
            stacklevel=2,
        )
    if integral:
        raise RuntimeError("kl_div: Integral inputs not supported.")
    batch = reduction == "batchmean"
    reduction = reduction_of(size_average, reduce, "sum" if batch else reduction)
    losses = target.exp() * (target - input) if log_target else xlogy_tensors(target, target) - target * input
    result = as_reduced(losses, reduction)
    return result / input.size()[0] if batch and input.dim() else result


@wants("hinge_embedding_loss", "input", "target")
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return input where the target is 1, and max(0, margin - input) where it is -1."""
    reduction = reduction_of(size_average, reduce, reduction)
    zeros = make(np.zeros_like(input._data))
    far = (number_like(margin, input) - input).clamp_min_(0)
    return as_reduced(where(target != 1, far, zeros) + where(target != -1, input, zeros), reduction)


def number_like(number: float, tensor: Any) -> Tensor:
    return make(np.asarray(number, tensor._data.dtype))


def check_cosine_shapes(input1: Any, input2: Any, target: Any) -> None:
    dims = target.dim()
    if dims > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.dim() == input2.dim() == dims + 1:
        raise RuntimeError(
            f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.size())} and {list(input2.size())}."
        )


@wants("cosine_embedding_loss", "input1", "input2", "target")
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return 1 - cos where the target is 1, and max(0, cos - margin) where it is -1."""
    reduction = reduction_of(size_average, reduce, reduction)
    check_cosine_shapes(input1, input2, target)
    dim = target.dim()
    product = (input1 * input2).sum(dim)
    lengths = [plus_number((x * x).sum(dim), 1e-12) for x in (input1, input2)]
    cosine = product / (lengths[0] * lengths[1]).sqrt_()
    zeros = make(np.zeros_like(cosine._data))
    near = number_like(1.0, cosine) - cosine
    far = minus_number(cosine, margin).clamp_min_(0)
    return as_reduced(where(target == 1, near, zeros) + where(target == -1, far, zeros), reduction)


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return max(0, -target * (input1 - input2) + margin) (torch.nn.functional.margin_ranking_loss)."""
    reduction = reduction_of(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return as_reduced(plus_number(-target * (input1 - input2), margin).clamp_min_(0), reduction)


@wants("triplet_margin_loss", "anchor", "positive", "negative")
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return max(0, margin + |anchor - positive| - |anchor - negative|) (torch.nn.functional.triplet_margin_loss)."""
    reduction = reduction_of(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(pairwise_distance(positive, negative, p, eps))
    return as_reduced((plus_number(near, margin) - far).clamp_min(0), reduction)


@wants("poisson_nll_loss", "input", "target")
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return the negative log likelihood of a Poisson distribution (torch.nn.functional.poisson_nll_loss)."""
    reduction = reduction_of(size_average, reduce, reduction)
    losses = input.exp() - target * input if log_input else input - target * plus_number(input, eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        losses = losses + where(target <= 1, 0.0, stirling)
    return as_reduced(losses, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """Return the negative log likelihood of a normal distribution (torch.nn.functional.gaussian_nll_loss)."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = expand_to(number_like(var, input), input._data.shape)
    elif (var._data < 0).any():
        raise ValueError("var has negative entry/entries")
    if var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = var.unsqueeze(-1)
        elif input.dim() != var.dim() or differing(input._data.shape, var._data.shape) != [1]:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    var = var.clone()
    np.maximum(var._data, eps, out=var._data)
    losses = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return as_reduced(losses, reduction)


def differing(shape: tuple[int, ...], other: tuple[int, ...]) -> list[int]:
    """Return the sides of the second shape that are not those of the first."""
    return [size for whole, size in zip(shape, other, strict=True) if whole != size]


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return the mean binary cross entropy of the labels of each example, from logits."""
    reduction = reduction_of(size_average, reduce, reduction)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    dim = input.dim() - 1
    return as_reduced(losses.sum(dim=dim) / input.size(dim), reduction)


for _loss in (
    mse_loss,
    l1_loss,
    smooth_l1_loss,
    huber_loss,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    soft_margin_loss,
    kl_div,
    hinge_embedding_loss,
    cosine_embedding_loss,
    margin_ranking_loss,
    triplet_margin_loss,
    poisson_nll_loss,
    gaussian_nll_loss,
    multilabel_soft_margin_loss,
):
    functions("torch.nn.functional", **{_loss.__name__: _loss})
