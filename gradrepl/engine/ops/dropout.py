"""Dropout: of elements and of channels, and the kind that keeps mean and variance."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions
from gradrepl.engine.dtype import FLOAT32, Array
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.precision.bfloat16 import BRAIN, rounded, stripped
from gradrepl.engine.precision.half import HALF
from gradrepl.engine.tensor import make
from gradrepl.engine.values.random import default_generator, in_memory_order
from gradrepl.engine.wanted import check_switch, wants

ALPHA = 1.7580993408473766
"""How far below zero selu goes: what dropped elements become, before all are shifted and scaled."""

DEPRECATED_RANK = (
    "{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future release. "
    "To retain the behavior and silence this warning, please use dropout instead. Note that {name} exists to provide "
    "channel-wise dropout on inputs with {spatial} spatial dimensions, a channel dimension, and an optional batch "
    "dimension (i.e. {ranks} inputs)."
)
NO_SINGLE_IMAGE = (
    "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input "
    "is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to "
    "interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
    "dropout behavior, please switch to using dropout1d instead."
)


def check_probability(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


REST = ("p=any", "train:training=bool")


def kept_of(a: Array, p: float) -> Array:
    """Return ones with probability 1 - p, else zeros, for each element of an array."""
    return in_memory_order(a, lambda shape: kept(shape, p, a.dtype))


def kept_channels(a: Array, p: float) -> Array:
    """Return ones with probability 1 - p, else zeros, for each channel of each example of an array."""
    if a.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return kept((*a.shape[:2], *(1,) * (a.ndim - 2)), p, a.dtype)


def kept(shape: tuple[int, ...], p: float, kind: Any) -> Array:
    """Return ones with probability 1 - p, else zeros: PyTorch's own draw."""
    return (default_generator.uniform64(math.prod(shape)) < 1 - p).astype(kind).reshape(shape)


def times(input: Any, noise: Any, inplace: bool) -> Any:
    return input.mul_(noise) if inplace else input * noise


def is_idle(input: Any, p: float, training: bool) -> bool:
    """Whether nothing is dropped from a tensor; raises ValueError for what is no probability."""
    check_probability(p)
    size = input._data.size
    check_switch(training)
    return p == 0 or not training or not size


def check_droppable(kind: dtypes.dtype) -> None:
    """Raise what PyTorch raises where elements of a dtype can't be scaled, or none can be drawn."""
    if kind.numpy.kind == "c":
        raise no_kernel("bernoulli_scalar_cpu_", kind)
    if kind.numpy.kind in "iub":
        raise RuntimeError(f"result type Float can't be cast to the desired output type {kind.tensor_type}")


def dropped(input: Any, draw: Any, p: float, training: bool, inplace: bool) -> Any:
    """Zero elements with probability p and scale the others by 1 / (1 - p); `draw`: kept_of or kept_channels."""
    if is_idle(input, p, training):
        return input
    data, kind = input._data, input._data.dtype
    check_droppable(dtypes.of(data))
    plain = stripped(data) if kind is BRAIN else data.astype(FLOAT32) if kind is HALF else data
    noise = np.zeros((), plain.dtype) if p == 1 else draw(plain, p) / plain.dtype.type(1 - p)
    return times(input, make(rounded(noise) if kind is BRAIN else noise.astype(kind, copy=False)), inplace)


def alpha_dropped(input: Any, draw: Any, p: float, training: bool, inplace: bool) -> Any:
    """Drop out so that mean and variance stay; `draw`: kept_of or kept_channels."""
    if is_idle(input, p, training):
        return input
    data, kind = input._data, input._data.dtype
    if p == 1:
        return times(input, make(np.zeros((), kind)), inplace)
    check_droppable(dtypes.int64 if kind.kind == "b" else dtypes.of(data))
    a = 1 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    noise = draw(data, p)
    shift: Any = make((noise - 1) * kind.type(ALPHA * a) + kind.type(ALPHA * a * p))
    factor: Any = make(noise * kind.type(a))
    return times(input, factor.to(input.dtype), inplace).add_(shift.to(input.dtype))


@wants("dropout", "input", *REST)
def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero random elements while training (torch.nn.functional.dropout)."""
    return dropped(input, kept_of, p, training, inplace)


@wants("feature_dropout", "input.dim", *REST)
def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero random channels of sequences (torch.nn.functional.dropout1d)."""
    check_probability(p)
    ndim = input.dim()
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."
        )
    return of_examples(input, 3, p, training, inplace)


def of_examples(input: Any, rank: int, p: float, training: bool, inplace: bool) -> Any:
    """Drop channels out of a batch, or of one example that has no dimension for the batch."""
    if input.dim() == rank:
        return dropped(input, kept_channels, p, training, inplace)
    batch = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    out = dropped(batch, kept_channels, p, training, inplace)
    return out.squeeze_(0) if inplace else out.squeeze(0)


@wants("feature_dropout", "input.dim", *REST)
def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero random channels of images (torch.nn.functional.dropout2d)."""
    check_probability(p)
    warn_of_rank("dropout2d", input.dim(), 2)
    if input.dim() == 3:
        warnings.warn(NO_SINGLE_IMAGE, UserWarning, stacklevel=3)
    return dropped(input, kept_channels, p, training, inplace)


@wants("feature_dropout", "input.dim", *REST)
def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero random channels of volumes (torch.nn.functional.dropout3d)."""
    check_probability(p)
    warn_of_rank("dropout3d", input.dim(), 3)
    return of_examples(input, 5, p, training, inplace)


def warn_of_rank(name: str, ndim: int, spatial: int) -> None:
    """Warn of an input that is neither an example nor a batch."""
    if ndim not in (spatial + 1, spatial + 2):
        ranks = f"{spatial + 1}D or {spatial + 2}D"
        text = DEPRECATED_RANK.format(name=name, ndim=ndim, spatial=spatial, ranks=ranks)
        warnings.warn(text, UserWarning, stacklevel=4)


@wants("alpha_dropout", "input", *REST)
def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Drop out so that mean and variance stay, for selu (torch.nn.functional.alpha_dropout)."""
    return alpha_dropped(input, kept_of, p, training, inplace)


@wants("feature_alpha_dropout", "input", *REST)
def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Drop whole channels out so that mean and variance stay (torch.nn.functional.feature_alpha_dropout)."""
    return alpha_dropped(input, kept_channels, p, training, inplace)


FUNCTIONS = {
    function.__name__: function
    for function in (dropout, dropout1d, dropout2d, dropout3d, alpha_dropout, feature_alpha_dropout)
}
functions("torch.nn.functional", **FUNCTIONS)
functions(dropout=dropout, alpha_dropout=alpha_dropout, feature_alpha_dropout=feature_alpha_dropout)
