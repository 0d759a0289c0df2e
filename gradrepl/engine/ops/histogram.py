"""Histograms with their edges (torch.histogram)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import Array, of
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.results import named
from gradrepl.engine.tensor import C_NAMES, Tensor, make
from gradrepl.engine.values.creation import spread

LONG = "torch.histogramdd: "


def given_edges(bins: Tensor, values: Array) -> Array:
    """Return edges given as a tensor; raises RuntimeError in PyTorch's words for what can be none."""
    edges = bins._data
    if edges.dtype != values.dtype:
        found, other = (C_NAMES.get(array.dtype.name, array.dtype.name) for array in (values, edges))
        raise RuntimeError(
            f"{LONG}input tensor and bins tensors should have the same dtype, but got input with dtype {found} and "
            f"bins for dimension 0 with dtype {other}"
        )
    if edges.ndim != 1:
        raise RuntimeError(
            f"{LONG}bins tensor should have one dimension, but got {edges.ndim} dimensions in the bins tensor for "
            "dimension 0"
        )
    if not edges.size:
        raise RuntimeError(
            f"{LONG}bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension 0"
        )
    return edges


def even_edges(values: Array, count: int, limits: Any) -> Array:
    """Return edges of ranges of one width between two limits, or between the smallest and the largest element."""
    if limits is not None and len(limits) != 2:
        raise RuntimeError(f"{LONG}for a 1-dimensional histogram range should have 2 elements, but got {len(limits)}")
    low, high = limits or ((float(values.min()), float(values.max())) if values.size else (0.0, 1.0))
    if not np.isfinite((low, high)).all():
        raise RuntimeError(f"{LONG}dimension 0's range [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(f"{LONG}min should not exceed max, but got min {low:g} max {high:g} for dimension 0")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return spread(low, high, count + 1, of(values))


def counted(values: Array, edges: Array, weight: Array | None, density: bool) -> Array:
    """Return how many elements, or which weight, lie between each two edges; the last range includes its end."""
    weights = np.ones_like(values) if weight is None else weight.reshape(-1)
    inside = (values >= edges[0]) & (values <= edges[-1])
    places = np.minimum(np.searchsorted(edges, values[inside], side="right"), edges.size - 1) - 1
    found = np.bincount(places, weights[inside], edges.size - 1).astype(values.dtype)
    return found / found.sum() / np.diff(edges) if density else found


REST = "Tensor? weight=None, bool density=False, Tensors? out=None"


@public(f"Tensor input, Tensor bins, *, {REST}", f"Tensor input, int bins=100, *, floats? range=None, {REST}")
def histogram(
    input: Tensor, bins: Any = 100, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> Any:
    """Count elements between edges, and return the edges too (torch.histogram)."""
    values = input._data.reshape(-1)
    edges = given_edges(bins, values) if isinstance(bins, Tensor) else None
    count = int(bins) if edges is None else edges.size - 1
    if count < 1:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {count} for dimension 0")
    if values.dtype not in (np.float32, np.float64):
        raise no_kernel("histogramdd", of(values))
    if weight is not None and weight._data.shape != input._data.shape:
        raise RuntimeError(
            f"{LONG}if weight tensor is provided it should have the same shape as the input tensor excluding its "
            f"innermost dimension, but got input with shape {[values.size, 1]} and weight with shape "
            f"{list(weight._data.shape)}"
        )
    edges = even_edges(values, count, range) if edges is None else edges
    hist = counted(values, edges, None if weight is None else weight._data, density)
    return named("histogram", "hist", "bin_edges")((make(hist), make(edges.copy())))
