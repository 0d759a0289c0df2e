"""Sums and means of looked-up rows, and other functions of nn that are made of operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.criterion import as_reduced
from gradrepl.engine.ops.neural import check_indices, embedding_gradient, pairwise_distance
from gradrepl.engine.ops.padding import pad_constant
from gradrepl.engine.ops.pooling import avg_pool2d, mean_windows
from gradrepl.engine.ops.refusing import underived
from gradrepl.engine.ops.softmax import softmax_along
from gradrepl.engine.ops.view import dim_of, squeeze_at, unsqueeze_at
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.wanted import wants

PLACES = (np.array([1, 2, 1]), np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0]), 2)
"""A sample: which rows, in which bag each lies, its share of the bag, and how many bags there are."""


@op("EmbeddingBagBackward0", samples=(((4, 3), *PLACES),))
def bag_rows(weight: Array, indices: Any, bag_of: Any, shares: Any, bags: int) -> Any:
    """The rows of weight at the indices, times their shares, added up bag by bag"""
    check_indices(indices, len(weight))
    out = np.zeros((bags, weight.shape[1]), weight.dtype)
    np.add.at(out, bag_of, weight[indices] * shares[:, None].astype(weight.dtype))
    return out


@op("EmbeddingBagBackwardBackward0")
def bags_spread(g: Array, shape: Any, indices: Any, bag_of: Any, shares: Any) -> Any:
    """The row of each index's bag, times its share, added to the row of the index"""
    return embedding_gradient.forward(g[bag_of] * shares[:, None].astype(g.dtype), shape, indices, -1)


bag_rows.grad(
    weight=lambda g, weight_shape, indices, bag_of, shares: bags_spread(g, weight_shape, indices, bag_of, shares)
)
bags_spread.grad(g=underived("_embedding_bag_backward"))

NO_BAG_OPTION = (
    "gradrepl's builtin engine has no max_norm, scale_grad_by_freq, sparse, padding_idx, per_sample_weights or mode "
    "'max' for embedding bags. Start gradrepl with --engine torch to use them."
)


@wants("embedding_bag", "weight.dtype", "indices.dim:input", "offsets.dim?")
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Add up looked-up rows, or take their means, bag by bag (torch.nn.functional.embedding_bag)."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    others = (max_norm, scale_grad_by_freq or None, sparse or None, per_sample_weights, padding_idx)
    if mode == "max" or any(option is not None for option in others):
        raise NotImplementedError(NO_BAG_OPTION)
    indices, starts = bags_of(input, offsets)
    ends = np.append(starts[1:], len(indices))
    if include_last_offset:
        starts, ends = starts[:-1], starts[1:]
    sizes = ends - starts
    bag_of = np.repeat(np.arange(len(starts)), sizes)
    shares = 1 / sizes[bag_of] if mode == "mean" else np.ones(len(indices))
    return bag_rows(weight, indices, bag_of, shares, len(starts))


def bags_of(input: Any, offsets: Any) -> tuple[Any, Any]:
    """Return the indices in one row, and where each bag begins; raises ValueError in PyTorch's words."""
    data = input._data
    if data.ndim == 2:
        if offsets is not None:
            kind = type(offsets)
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {kind}"
            )
        return data.reshape(-1), np.arange(len(data)) * data.shape[1]
    if data.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {data.ndim}")
    if not isinstance(offsets, Tensor):
        raise ValueError("offsets has to be a 1D Tensor but got None")
    starts = offsets._data
    if starts.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    if len(starts) and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
            f"However, got {starts[0]}\n[ torch.LongTensor{{}} ]"
        )
    return data, starts


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """Draw from the categories of logits, differentiably (torch.nn.functional.gumbel_softmax)."""
    noise = -make(np.empty(logits._data.shape, logits._data.dtype)).exponential_().log()  # type: ignore[attr-defined]
    place = dim_of(dim, logits.dim())
    soft = softmax_along((logits + noise) / tau, place)
    if not hard:
        return soft
    greatest = np.expand_dims(soft._data.argmax(place), place)
    one_hot = np.zeros_like(soft._data)
    np.put_along_axis(one_hot, greatest, 1, place)
    return make(one_hot) - soft.detach() + soft


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Divide by the squares of neighbouring channels (torch.nn.functional.local_response_norm)."""
    if input.dim() < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {input.dim()} dimensions)"
        )
    before, after = size // 2, (size - 1) // 2
    squares = unsqueeze_at(input.mul(input), 1)
    if input.dim() == 3:
        means = avg_pool2d(pad_constant(squares, (0, 0, before, after), 0.0), (size, 1), 1)
    else:
        flat = squares.view(input.shape[0], 1, input.shape[1], -1)
        flat = pad_constant(flat, (0, 0, before, after), 0.0)
        out = (input.shape[1], flat.shape[-1])
        means = mean_windows(flat, (size, 1), (1, 1), (0, 0), out, True, None).view(squares.shape)
    return input / squeeze_at(means, 1).mul(alpha).add(k).pow(beta)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """Return triplet_margin_loss with any distance (torch.nn.functional.triplet_margin_with_distance_loss)."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return as_reduced((near - far + margin).clamp_min(0), reduction)


def overwriting(name: str) -> Callable[..., Any]:
    """Return the form of an activation that overwrites its input."""
    function = SPACES["torch.nn.functional"][name]

    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, inplace=True, **kwargs)

    call.__name__ = f"{name}_"
    call.__doc__ = f"Overwrite with {name} (torch.nn.functional.{name}_)."
    return call


functions(
    "torch.nn.functional",
    embedding_bag=embedding_bag,
    gumbel_softmax=gumbel_softmax,
    local_response_norm=local_response_norm,
    triplet_margin_with_distance_loss=triplet_margin_with_distance_loss,
    **{
        f"{name}_": overwriting(name) for name in ("relu", "celu", "elu", "hardtanh", "leaky_relu", "selu", "threshold")
    },
)
