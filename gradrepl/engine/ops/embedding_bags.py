"""Sums, means and greatest elements of looked-up rows, bag by bag."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.neural import check_indices, embedding_gradient, shorten_rows
from gradrepl.engine.ops.refusing import underived
from gradrepl.engine.tensor import Tensor
from gradrepl.engine.wanted import wants

PLACES = (np.array([1, 2, 1]), np.array([0, 0, 1]))
"""A sample: which rows, and in which bag each lies."""


@op("EmbeddingBagBackward0", samples=(((4, 3), *PLACES, np.array([0.5, 0.5, 1.0]), 2),))
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


@op("EmbeddingBagBackward0", samples=(((4, 3), (3,), *PLACES, 2),))
def weighted_bags(weight: Array, shares: Array, indices: Any, bag_of: Any, bags: int) -> Any:
    """The rows of weight at the indices, times shares that may have a gradient, added up bag by bag"""
    return bag_rows.forward(weight, indices, bag_of, shares, bags)


@op("EmbeddingBagPerSampleWeightsBackwardBackward0")
def shares_of(g: Array, weight: Array, indices: Any, bag_of: Any) -> Any:
    """What each share gets: the row of its bag times the row of its index"""
    return (g[bag_of] * weight[indices]).sum(-1)


weighted_bags.grad(
    weight=lambda g, weight_shape, shares, indices, bag_of: bags_spread(
        g, weight_shape, indices, bag_of, getattr(shares, "_data", shares)
    ),
    shares=lambda g, weight, indices, bag_of: shares_of(g, weight, indices, bag_of),
)
shares_of.grad(
    g=underived("_embedding_bag_per_sample_weights_backward"),
    weight=underived("_embedding_bag_per_sample_weights_backward"),
)


def greatest_places(weight: Array, indices: Any, bag_of: Any, bags: int) -> Any:
    """Return which row of weight holds the greatest element of each bag and column, -1 for a bag that is empty."""
    places = np.full((bags, weight.shape[1]), -1)
    for bag in np.unique(bag_of):
        rows = indices[bag_of == bag]
        places[bag] = rows[weight[rows].argmax(0)]
    return places


@op("EmbeddingBagBackward0", samples=(((4, 3), *PLACES, 2),))
def greatest_of_bags(weight: Array, indices: Any, bag_of: Any, bags: int) -> Any:
    """The greatest elements of the rows of weight at the indices, bag by bag"""
    check_indices(indices, len(weight))
    places = greatest_places(weight, indices, bag_of, bags)
    found = np.take_along_axis(weight, np.maximum(places, 0), 0)
    return np.where(places < 0, weight.dtype.type(0), found)


@op("EmbeddingBagBackwardBackward0")
def greatest_spread(g: Array, weight: Array, indices: Any, bag_of: Any) -> Any:
    """Each element of g added where the greatest element of its bag and column stands"""
    places = greatest_places(weight, indices, bag_of, len(g))
    whole = np.zeros(weight.shape, g.dtype)
    bags, columns = np.nonzero(places >= 0)
    np.add.at(whole, (places[bags, columns], columns), g[bags, columns])
    return whole


greatest_of_bags.grad(weight=lambda g, weight, indices, bag_of: greatest_spread(g, weight, indices, bag_of))
greatest_spread.grad(g=underived("_embedding_bag_backward"), weight=underived("_embedding_bag_backward"))

NO_BAG_OPTION = (
    "gradrepl's builtin engine has no scale_grad_by_freq or sparse for embedding bags. Start gradrepl with "
    "--engine torch to use them."
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
    """Add up looked-up rows, or take their means or greatest elements, bag by bag.

    torch.nn.functional.embedding_bag
    """
    check_sample_weights(input, per_sample_weights)
    indices, starts = bags_of(input, offsets)
    check_mode(mode, scale_grad_by_freq, sparse)
    if max_norm is not None:
        shorten_rows(weight, indices, float(max_norm), norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}'). Please open a feature request on GitHub."
        )
    ends = np.append(starts[1:], len(indices))
    if include_last_offset and input.dim() == 1:
        starts, ends = starts[:-1], starts[1:]
    bag_of = np.repeat(np.arange(len(starts)), ends - starts)
    kept = slice(None) if padding_idx is None else indices != padding_idx % len(weight._data)
    return of_bags(weight, mode, per_sample_weights, indices, bag_of, len(starts), kept)


def of_bags(weight: Any, mode: str, given: Any, indices: Array, bag_of: Array, bags: int, kept: Any) -> Any:
    """Return what is made of each bag; kept: which indices count; given: the weights of samples or None."""
    if given is not None:
        return weighted_bags(weight, given.reshape(-1)[kept], indices[kept], bag_of[kept], bags)
    indices, bag_of = indices[kept], bag_of[kept]
    if mode == "max":
        return greatest_of_bags(weight, indices, bag_of, bags)
    shares = 1 / np.bincount(bag_of, minlength=bags)[bag_of] if mode == "mean" else np.ones(len(indices))
    return bag_rows(weight, indices, bag_of, shares, bags)


def check_sample_weights(input: Any, given: Any) -> None:
    if given is not None and input.size() != given.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({given.shape}) is not None, then it must have the same shape as "
            f"the input ({input.shape})"
        )


def check_mode(mode: str, scale_grad_by_freq: bool, sparse: bool) -> None:
    """Raise what PyTorch raises for a mode and options that exclude each other, or say what is not here."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if scale_grad_by_freq or sparse:
        raise NotImplementedError(NO_BAG_OPTION)


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


functions("torch.nn.functional", embedding_bag=embedding_bag)
