"""Sorting and what follows from an order: sort, topk, unique, and places in sorted sequences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, methods, public
from gradrepl.engine.dtype import BOOL, CATEGORY, FLOAT, FLOAT64, INT64, Array, of
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import op
from gradrepl.engine.ops.along import chosen
from gradrepl.engine.ops.refusing import DYNAMIC, check_not_mapped, underived
from gradrepl.engine.ops.view import dim_of
from gradrepl.engine.precision.bfloat16 import Brain, rounded
from gradrepl.engine.precision.unstable import LONG, SHORT, redo_ties, sorted_places, top_places
from gradrepl.engine.results import named
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.wanted import wants

SORT, TOPK = named("sort", "values", "indices"), named("topk", "values", "indices")


def order_of(a: Array, dim: int, descending: bool) -> Array:
    """Return the positions that sort an array; equal elements keep their order, nan counts as the greatest."""
    if a.dtype.kind == "c":
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    if not a.ndim:
        return np.zeros((), INT64)
    if not descending:
        return np.argsort(a, axis=dim, kind="stable")
    turned = np.argsort(np.flip(a, dim), axis=dim, kind="stable")
    return a.shape[dim] - 1 - np.flip(turned, dim)


def loose_order_of(a: Array, dim: int, descending: bool) -> Array:
    """Return the positions that sort an array, equal elements among more than 16 in the order of C++'s std::sort."""
    order = order_of(a, dim, descending)
    if a.ndim and a.shape[dim] > SHORT:
        return redo_ties(lambda row: sorted_places(row, descending), order, a, order, dim)
    return order


def top_order_of(a: Array, k: int, dim: int, largest: bool, in_order: bool) -> Array:
    """Return the positions of the k greatest or smallest elements, of equal ones those that PyTorch selects."""
    order = order_of(a, dim, largest)
    if not a.ndim:
        return order
    if not in_order and a.shape[dim] < LONG:
        return np.apply_along_axis(lambda row: top_places(row, k, largest, False), dim, a)
    return redo_ties(lambda row: top_places(row, k, largest, True), order.take(range(k), axis=dim), a, order, dim)


def sorted_by(a: Array, order: Array, dim: int) -> tuple[Array, Array]:
    return (np.take_along_axis(a, order, dim) if a.ndim else a.copy()), order


@op("SortBackward0", several=True, samples=(((2, 3), 1, False), ((2, 3), 0, True)))
def sort_dim(a: Array, dim: int, descending: bool) -> Any:
    """The elements in order along a dimension, and where each was"""
    return sorted_by(a, loose_order_of(a, dim, descending), dim)


@op("SortBackward1", several=True, samples=(((2, 3), 1, False),))
def stable_sort_dim(a: Array, dim: int, descending: bool) -> Any:
    """The elements in order along a dimension, equal ones in their old order, and where each was"""
    return sorted_by(a, order_of(a, dim, descending), dim)


@op("SortBackward1", several=True, samples=(((2, 3), 1, False),))
def unstable_sort_dim(a: Array, dim: int, descending: bool) -> Any:
    """The elements in order along a dimension, equal ones in any order, and where each was"""
    return sorted_by(a, loose_order_of(a, dim, descending), dim)


@op("TopkBackward0", several=True, samples=(((2, 5), 2, 1, True, True), ((5, 2), 3, 0, False, True)))
def topk_dim(a: Array, k: int, dim: int, largest: bool, in_order: bool) -> Any:
    """The k greatest (or smallest) elements along a dimension, and where each was"""
    return sorted_by(a, top_order_of(a, k, dim, largest, in_order), dim)


for entry in (sort_dim, stable_sort_dim, unstable_sort_dim, topk_dim):
    entry.grad(a=lambda g, a_shape, out1, dim: chosen(g[0], a_shape, out1, dim, True))

ORDERED = (
    "Tensor input, *, bool? stable, int dim=-1, bool descending=False, {} out=None",
    "Tensor input, int dim=-1, bool descending=False, *, {} out=None",
)


@public(*(text.format("Tensors?") for text in ORDERED))
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: Any = None) -> Any:
    """Sort along a dimension (torch.sort)."""
    entry = sort_dim if stable is None else stable_sort_dim if stable else unstable_sort_dim
    return SORT(entry(input, dim_of(dim, input.ndim), descending))


@public(ORDERED[0].format("Tensor?"), "Tensor input, int dim=-1, bool descending=False")
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: Any = None) -> Tensor:
    """Return the positions that sort along a dimension (torch.argsort)."""
    find = order_of if stable else loose_order_of
    return make(find(input._data, dim_of(dim, input.ndim), descending))


@public("Tensor input, *, Tensor? out=None")
def msort(input: Tensor) -> Any:
    """Sort along the first dimension (torch.msort)."""
    return sort_dim(input, 0, False)[0]


@public("Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True, *, Tensors? out=None")
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """Return the k greatest or smallest elements along a dimension (torch.topk)."""
    dim = dim_of(dim, input.ndim)
    if not 0 <= k <= (input._data.shape[dim] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input._data.dtype.kind == "c":
        raise RuntimeError(" topk does not support complex dtypes on CPU")
    return TOPK(topk_dim(input, int(k), dim, largest, sorted))


@op("Unique2Backward0", several=True)
def unique_all(a: Array) -> Any:
    """The different elements in order, where each element is among them, and how often each occurs"""
    values, inverse, counts = np.unique(a, return_inverse=True, return_counts=True)
    return values, inverse.reshape(a.shape), counts


@op("UniqueDimBackward0", several=True)
def unique_dim(a: Array, dim: int) -> Any:
    """The different slices in order, where each slice is among them, and how often each occurs"""
    values, inverse, counts = np.unique(a, return_inverse=True, return_counts=True, axis=dim)
    return values, inverse.reshape(-1), counts


@op("UniqueConsecutiveBackward0", several=True)
def unique_runs(a: Array, dim: Any) -> Any:
    """The first of each run of equal elements (or slices), the run of each, and how long each is"""
    rows = a.reshape(-1) if dim is None else np.moveaxis(a, dim, 0)
    flat = rows.reshape(len(rows), rows.size // len(rows) if len(rows) else 0)
    starts = np.ones(len(rows), bool)
    starts[1:] = (flat[1:] != flat[:-1]).any(axis=1)
    inverse = np.cumsum(starts) - 1
    counts = np.bincount(inverse) if len(rows) else np.zeros(0, INT64)
    values = rows[starts]
    if dim is None:
        return values, inverse.reshape(a.shape), counts
    return np.moveaxis(values, 0, dim), inverse, counts


unique_all.grad(a=underived("_unique2"))
unique_dim.grad(a=underived("unique_dim"))
unique_runs.grad(a=underived("unique_consecutive"))


def wanted(found: tuple[Tensor, ...], return_inverse: bool, return_counts: bool) -> Any:
    parts = [found[0], *found[1:2] * return_inverse, *found[2:] * return_counts]
    return tuple(parts) if len(parts) > 1 else parts[0]


@wants("_unique2", "input")
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the different elements, in order (torch.unique)."""
    check_not_mapped(input, DYNAMIC.format("_unique2" if dim is None else "unique_dim"))
    found = unique_all(input) if dim is None else unique_dim(input, dim_of(dim, input.ndim))
    return wanted(found, return_inverse, return_counts)


@wants("unique_consecutive", "input")
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Return the first of each run of equal elements (torch.unique_consecutive)."""
    check_not_mapped(input, DYNAMIC.format("unique_consecutive"))
    found = unique_runs(input, None if dim is None else dim_of(dim, input.ndim))
    return wanted(found, return_inverse, return_counts)


functions(unique=unique, unique_consecutive=unique_consecutive)
methods(unique=unique, unique_consecutive=unique_consecutive)


def places(sequence: Array, values: Array, right: bool, out_int32: bool) -> Tensor:
    """Return where values would go in sorted rows."""
    side: Any = "right" if right else "left"
    kind = np.int32 if out_int32 else INT64
    if sequence.ndim == 1:
        return make(np.asarray(np.searchsorted(sequence, values, side)).astype(kind))
    rows, wanted_rows = sequence.reshape(-1, sequence.shape[-1]), values.reshape(-1, values.shape[-1])
    found = [np.searchsorted(row, some, side) for row, some in zip(rows, wanted_rows, strict=True)]
    return make(np.array(found, kind).reshape(values.shape))


SEARCH = "{}, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None, Tensor? out=None"
SIDES = "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"


@public(
    SEARCH.format("Tensor sorted_sequence, Tensor input"),
    SEARCH.format("Tensor sorted_sequence, Number self"),
    method=False,
)
def searchsorted(
    sorted_sequence: Tensor,
    input: Any = None,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
    **named_self: Any,
) -> Tensor:
    """Return where values would go in a sorted sequence (torch.searchsorted)."""
    if side == "left" and right:
        raise RuntimeError(SIDES)
    value = named_self.get("self", input)
    sequence = sorted_sequence._data
    if sorter is not None:
        sequence = np.take_along_axis(sequence, sorter._data, -1)
    values = value._data if isinstance(value, Tensor) else np.asarray(value)
    check_sought(sequence, values)
    return places(sequence, values, right or side == "right", out_int32)


def check_sought(sequence: Array, values: Array) -> None:
    """Raise what PyTorch raises for values that do not go together with sorted rows."""
    where, rows = "torch.searchsorted(): ", sequence.ndim
    if not values.ndim and rows != 1:
        raise RuntimeError(
            f"{where}input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries "
            f"tensor dim({rows}) and input value's dim(0) numel(1)"
        )
    if rows != 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            f"{where}boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and "
            f"input value tensor must match, but we got boundaries tensor {list(sequence.shape)} and input value "
            f"tensor {list(values.shape)}"
        )


BUCKETS = "{}, Tensor boundaries, *, bool out_int32=False, bool right=False"


@public(BUCKETS.format("Tensor input") + ", Tensor? out=None", BUCKETS.format("Number self"), method=False)
def bucketize(input: Any, boundaries: Tensor, out_int32: bool = False, right: bool = False) -> Tensor:
    """Return the bucket of each value, between sorted boundaries (torch.bucketize)."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    values = input._data if isinstance(input, Tensor) else np.asarray(input)
    return places(boundaries._data, values, right, out_int32)


@public("Tensor input, Tensor? weights=None, int minlength=0")
def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """Count how often each number occurs (torch.bincount)."""
    a = input._data
    if not BOOL < CATEGORY[a.dtype] < FLOAT:
        raise no_kernel("bincount_cpu", of(a))
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if a.ndim != 1 or (a.size and a.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return make(np.bincount(a, minlength=minlength))
    if weights._data.shape != a.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    kind = weights._data.dtype if weights._data.dtype == np.float32 else FLOAT64
    return make(np.bincount(a, weights._data, minlength).astype(kind))


@public("Tensor input, int bins=100, Number min=0, Number max=0, *, Tensor? out=None")
def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0) -> Tensor:
    """Count the elements in equal ranges between min and max (torch.histc)."""
    a = input._data
    if CATEGORY[a.dtype] < FLOAT:
        raise no_kernel("histogram_cpu", of(a))
    if bins <= 0:
        raise RuntimeError(f"bins must be > 0, but got {bins} for dimension 0")
    if min > max:
        raise RuntimeError("max must be larger than min")
    if a.dtype.kind == "c":
        raise no_kernel("aminmax_cpu", of(a))
    low, high = (float(a.min()), float(a.max())) if min == max and a.size else (min, max)
    if not math.isfinite(low) or not math.isfinite(high):
        shown = f"[{low:g}, {high:g}]".replace("nan", "-nan")
        raise RuntimeError(f"torch.histc: range of {shown} is not finite")
    if low == high:
        low, high = low - 1, high + 1
    among = a[(a >= low) & (a <= high)]
    places = ((among - a.dtype.type(low)) * bins / a.dtype.type(high - low)).astype(INT64)
    counts = np.bincount(np.minimum(places, bins - 1), minlength=bins).astype(a.dtype)
    return make(rounded(counts) if isinstance(a, Brain) else counts)


WITHIN = "*, bool assume_unique=False, bool invert=False, Tensor? out=None"


@public(
    f"Tensor elements, Tensor test_elements, {WITHIN}",
    f"Number element, Tensor test_elements, {WITHIN}",
    f"Tensor elements, Number test_element, {WITHIN}",
    method=False,
)
def isin(
    elements: Any,
    test_elements: Any = None,
    assume_unique: bool = False,
    invert: bool = False,
    test_element: Any = None,
) -> Tensor:
    """Tell for each element whether it is among others (torch.isin)."""
    others = test_element if test_elements is None else test_elements
    wanted, known = (x._data if isinstance(x, Tensor) else np.asarray(x) for x in (elements, others))
    return make(np.asarray(np.isin(wanted, known, invert=invert)))
