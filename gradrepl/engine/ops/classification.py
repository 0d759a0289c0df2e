"""The losses of classification in torch.nn.functional: nll_loss and cross_entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions
from gradrepl.engine.dtype import CATEGORY, FLOAT, INT64
from gradrepl.engine.ops.criterion import as_reduced, reduction_of
from gradrepl.engine.ops.loss import class_error, class_error_2d
from gradrepl.engine.ops.nonlinearity import need_float
from gradrepl.engine.ops.number import over_number, plus_number, times_number
from gradrepl.engine.ops.softmax import log_softmax
from gradrepl.engine.tensor import make
from gradrepl.engine.wanted import wants


def check_target(input: Any, target: Any, weight: Any) -> int:
    """Raise what PyTorch raises for classes that do not fit their scores; return the number of classes."""
    scores, classes = input._data, target._data
    if scores.ndim and classes.ndim and scores.ndim > 1 and len(scores) != len(classes):
        raise ValueError(f"Expected input batch_size ({len(scores)}) to match target batch_size ({len(classes)}).")
    expected = [*scores.shape[:1], *scores.shape[2:]]
    if scores.ndim > 2 and scores.ndim != 4 and list(classes.shape) != expected:
        raise RuntimeError(f"Expected target size {expected}, got {list(classes.shape)}")
    if scores.ndim == 1 == classes.ndim and len(classes) != 1:
        raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {len(classes)}")
    if scores.ndim <= 2 and classes.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if classes.dtype not in (INT64, np.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {dtypes.of(classes).tensor_type}")
    count = int(scores.shape[0 if scores.ndim == 1 else 1])
    if weight is not None and weight._data.shape != (count,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {count} classes or no classes but got weight tensor of "
            f"shape: {list(weight._data.shape)}"
        )
    if weight is not None:
        check_weight_dtype(weight, input)
    return count


def check_weight_dtype(weight: Any, scores: Any) -> None:
    if scores._data.ndim <= 2:
        need_float(scores._data, "nll_loss_out_frame")
    found, wanted = (dtypes.of(tensor._data) for tensor in (weight, scores))
    if found is not wanted:
        raise RuntimeError(f"expected scalar type {wanted.tensor_type} but found {found.tensor_type}")


def negative_likelihood(input: Any, target: Any, weight: Any, ignored: int, reduction: str) -> Any:
    """Choose the operation by the number of dimensions, as PyTorch does."""
    check_target(input, target, weight)
    scores = input._data
    if scores.ndim <= 2:
        return class_error(input, target, weight, reduction, ignored)
    if scores.ndim == 4:
        return class_error_2d(input, target, weight, reduction, ignored)
    batch, classes = scores.shape[:2]
    flat = target._data.reshape(batch, 1, -1)
    losses = class_error_2d(input.reshape(batch, classes, 1, -1), flat, weight, reduction, ignored)
    return losses.reshape(target._data.shape) if reduction == "none" else losses


@wants("nll_loss_nd", "input", "target", "weight?")
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return the negative log likelihood of the classes (torch.nn.functional.nll_loss)."""
    reduction = reduction_of(size_average, reduce, reduction)
    if input.dim() == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    return negative_likelihood(input, target, weight, ignore_index, reduction)


@wants(
    "cross_entropy_loss",
    *("input", "target", "weight?", "reduction=any", "ignore_index=int", "label_smoothing=float"),
)
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Return the cross entropy of logits and classes or probabilities (torch.nn.functional.cross_entropy)."""
    reduction = reduction_of(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    if input._data.shape == target._data.shape:
        if ignore_index >= 0 and CATEGORY[target._data.dtype] >= FLOAT:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return probability_entropy(input, target, weight, reduction, label_smoothing)
    scores = log_softmax(input, 0 if input._data.ndim == 1 else 1)
    loss = negative_likelihood(scores, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return loss
    smooth = smoothed(scores, target, weight, ignore_index, reduction)
    share = label_smoothing / scores._data.shape[0 if scores._data.ndim == 1 else 1]
    return times_number(loss, 1 - label_smoothing) + times_number(smooth, share)


def class_weight_shape(scores: Any) -> tuple[int, ...]:
    return tuple(-1 if dim == (scores._data.ndim > 1) else 1 for dim in range(scores._data.ndim))


def smoothed(scores: Any, target: Any, weight: Any, ignored: int, reduction: str) -> Any:
    """Return the part of the loss that label smoothing spreads over all classes."""
    dim = 0 if scores._data.ndim == 1 else 1
    weighted = scores if weight is None else scores * weight.view(class_weight_shape(scores))
    losses = -weighted.sum(dim)
    skip = target == ignored
    losses.masked_fill_(skip, 0.0)
    if reduction != "mean":
        return as_reduced(losses, reduction)
    kept = target._data[~skip._data]
    total = kept.size if weight is None else weight._data[kept].sum()
    return losses.sum() / make(np.asarray(total, scores._data.dtype))


def probability_entropy(input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float) -> Any:
    """Return the cross entropy where the target holds probabilities."""
    if CATEGORY[target._data.dtype] < FLOAT:
        name = dtypes.of(target._data).tensor_type
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {name}")
    dim = 0 if input._data.ndim == 1 else 1
    classes = input._data.shape[dim]
    if weight is not None and weight._data.shape != (classes,):
        raise RuntimeError(
            "cross_entropy: weight tensor should be defined either for all "
            f"{classes} classes or no classes but got weight tensor of shape: {list(weight._data.shape)}"
        )
    scores = log_softmax(input, dim)
    if label_smoothing > 0:
        target = plus_number(times_number(target, 1 - label_smoothing), label_smoothing / classes)
    losses = scores * target
    if weight is not None:
        losses = losses * weight.view(class_weight_shape(scores))
    if reduction == "none":
        return -losses.sum(dim)
    total = -losses.sum()
    return total if reduction == "sum" else over_number(total, input._data.size / classes)


functions("torch.nn.functional", nll_loss=nll_loss, cross_entropy=cross_entropy)
