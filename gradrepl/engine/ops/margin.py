"""Losses of classification that ask for a distance between scores: multi_margin_loss and multilabel_margin_loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions
from gradrepl.engine.dtype import Array, Fixed
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import op
from gradrepl.engine.ops.criterion import reduction_of
from gradrepl.engine.ops.loss import beside, reduced
from gradrepl.engine.ops.nonlinearity import need_float
from gradrepl.engine.tensor import Tensor
from gradrepl.engine.wanted import wants


def as_batch(a: Array) -> Any:
    """Return scores as (examples, classes)."""
    return a.reshape(-1, a.shape[-1] if a.ndim else 1)


def shortfalls(a: Array, target: Array, margin: float) -> tuple[Any, Any]:
    """Return how far each wrong class is from staying a margin below the right one, and where the right ones are."""
    scores, classes = as_batch(a), target.reshape(-1)
    right = np.arange(scores.shape[1]) == classes[:, None]
    gaps = margin - scores[np.arange(len(scores)), classes][:, None] + scores
    return np.where(~right & (gaps > 0), gaps, 0).astype(a.dtype), right


@op("MultiMarginLossBackward0")
def class_margin(a: Array, target: Fixed, p: int, margin: float, weight: Fixed, reduction: str) -> Any:
    """max(0, margin - a at the class + a elsewhere) ** p, the mean over the classes"""
    losses = shortfalls(a, target, margin)[0] ** p
    if weight is not None:
        losses *= weight[target].reshape(-1, 1)
    return reduced((losses.sum(axis=1) / losses.shape[1]).reshape(target.shape), reduction)


@op("NotImplemented")
def class_margin_gradient(
    g: Array, a: Array, target: Fixed, p: int, margin: float, weight: Fixed, reduction: str
) -> Any:
    """What each score adds to class_margin, times g"""
    gaps, right = shortfalls(a, target, margin)
    slopes = (gaps > 0).astype(a.dtype) if p == 1 else 2 * gaps
    if weight is not None:
        slopes *= weight[target].reshape(-1, 1)
    slopes = np.where(right, 0 - slopes.sum(axis=1, keepdims=True), slopes) / slopes.shape[1]
    return spread_slopes(g, slopes, a, reduction)


def spread_slopes(g: Array, slopes: Array, a: Array, reduction: str) -> Any:
    share = 1 / len(slopes) if reduction == "mean" else 1
    return (slopes * share * g.reshape(-1, 1)).reshape(a.shape).astype(a.dtype)


class_margin.grad(
    a=lambda g, a, target, p, margin, weight, reduction: class_margin_gradient(
        g, a, *beside(g, target), p, margin, *beside(g, weight), reduction
    )
)


def label_sets(target: Array) -> tuple[Any, Any]:
    """Return which places of each row hold a label (those before the first -1), and which classes are labels."""
    rows = as_batch(target)
    listed = np.cumprod(rows >= 0, axis=1).astype(bool)
    is_label = np.zeros(rows.shape, bool)
    where = np.nonzero(listed)
    is_label[where[0], rows[where]] = True
    return listed, is_label


def label_gaps(a: Array, target: Array) -> tuple[Any, Any, Any]:
    """Return 1 - a[label] + a[other], cut off at 0, as (examples, places, classes); with label_sets."""
    scores = as_batch(a)
    listed, is_label = label_sets(target)
    at_label = np.take_along_axis(scores, np.where(listed, as_batch(target), 0), axis=1)
    gaps = np.maximum(1 - at_label[:, :, None] + scores[:, None, :], 0)
    return gaps * (listed[:, :, None] & ~is_label[:, None, :]), listed, is_label


@op("MultilabelMarginLossBackward0")
def label_margin(a: Array, target: Fixed, reduction: str) -> Any:
    """max(0, 1 - a at a label + a elsewhere), the sum over all such pairs over the count of classes"""
    gaps = label_gaps(a, target)[0]
    losses = gaps.sum(axis=(1, 2)) / gaps.shape[2]
    return reduced(losses.reshape(a.shape[:-1]).astype(a.dtype), reduction)


@op("NotImplemented")
def label_margin_gradient(g: Array, a: Array, target: Fixed, reduction: str) -> Any:
    """What each score adds to label_margin, times g"""
    gaps, listed, _ = label_gaps(a, target)
    pairs = (gaps > 0).astype(a.dtype)
    slopes = pairs.sum(axis=1)
    examples, places = np.nonzero(listed)
    np.subtract.at(slopes, (examples, as_batch(target)[examples, places]), pairs.sum(axis=2)[examples, places])
    return spread_slopes(g, slopes / gaps.shape[2], a, reduction)


label_margin.grad(a=lambda g, a, target, reduction: label_margin_gradient(g, a, *beside(g, target), reduction))


def no_second(name: str) -> Any:
    def rule(g: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    return rule


class_margin_gradient.grad(g=no_second("multi_margin_loss_backward"), a=no_second("multi_margin_loss_backward"))
label_margin_gradient.grad(
    g=no_second("multilabel_margin_loss_backward"), a=no_second("multilabel_margin_loss_backward")
)


def check_scores(scores: Array) -> None:
    if scores.ndim > 2 or 0 in scores.shape[-1:]:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(scores.shape)}"
        )


def need_wide_float(scores: Array, kernel: str) -> None:
    """Raise what PyTorch raises where a kernel knows float32 and float64 only."""
    need_float(scores, kernel)
    kind = dtypes.of(scores)
    if kind.itemsize == 2:
        raise no_kernel(kernel, kind)


def check_long(tensor: Any) -> None:
    found = dtypes.of(tensor._data)
    if found is not dtypes.int64:
        raise RuntimeError(f"expected scalar type Long but found {found.tensor_type}")


def check_classes(input: Tensor, target: Tensor, weight: Any) -> None:
    """Raise what PyTorch raises for classes and weights that do not fit the scores."""
    scores, classes = input._data, target._data
    check_scores(scores)
    batch = scores.shape[0] if scores.ndim == 2 else 1
    if classes.size != batch or classes.ndim > 1 or (classes.ndim == 0 and scores.ndim == 2):
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{batch}], but got {list(classes.shape)}. Input has shape "
            f"{list(scores.shape)}."
        )
    count = as_batch(scores).shape[1]
    if weight is not None and weight._data.shape != (count,):
        raise RuntimeError(f"inconsistent weight size, expected {count} but got {list(weight._data.shape)}")
    need_wide_float(scores, "multi_margin_loss_cpu_kernel")
    check_long(target)
    if ((classes < 0) | (classes >= count)).any():
        raise RuntimeError("target out of range")
    kind = dtypes.of(scores)
    if weight is not None and dtypes.of(weight._data) is not kind:
        raise RuntimeError(f"expected scalar type {kind.tensor_type} but found {dtypes.of(weight._data).tensor_type}")


@wants("multi_margin_loss", "input", "target")
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Return how far wrong classes come near the right one (torch.nn.functional.multi_margin_loss)."""
    reduction = reduction_of(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    check_classes(input, target, weight)
    return class_margin(input, target, p, float(margin), weight, reduction)


@wants("multilabel_margin_loss", "input", "target")
def multilabel_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """Return how far other classes come near the labels; -1 ends a row (torch.nn.functional.multilabel_margin_loss)."""
    reduction = reduction_of(size_average, reduce, reduction)
    check_scores(input._data)
    if input._data.shape != target._data.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    classes = target._data.shape[-1] if target._data.ndim else 1
    if target._data.size and not -1 <= target._data.min() <= target._data.max() < classes:
        raise RuntimeError("argument #2 'target' is out of range")
    need_wide_float(input._data, "multilabel_margin_loss_forward_out_frame")
    check_long(target)
    return label_margin(input, target, reduction)


functions("torch.nn.functional", multi_margin_loss=multi_margin_loss, multilabel_margin_loss=multilabel_margin_loss)
