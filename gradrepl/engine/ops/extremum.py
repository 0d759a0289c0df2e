"""The greatest, the smallest and the one in the middle: max, argmax, amax, median, mode, kthvalue, quantile."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import BOOL8, INT64, Array, of
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import Op, op
from gradrepl.engine.ops.along import chosen
from gradrepl.engine.ops.choosing import maximum, minimum
from gradrepl.engine.ops.reduction import Dims, dims_of, restored, sum_all, sum_dims_as
from gradrepl.engine.ops.shape import where, zeros_of
from gradrepl.engine.ops.view import dim_of
from gradrepl.engine.precision.summing import add_up
from gradrepl.engine.precision.unstable import LONG, SHORT, quickly_selected, redo_ties, sorted_places
from gradrepl.engine.results import Named, named
from gradrepl.engine.tensor import Tensor, make

greatest: Any = np.maximum.reduce
smallest: Any = np.minimum.reduce
ONE = (((2, 3),), ((5,),))
ALONG = (((2, 3), 0, False), ((2, 3), 1, True))

EMPTY = (
    "{}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' "
    "argument."
)


def data_of(value: Any) -> Array:
    return value._data if isinstance(value, Tensor) else value


def equal_to(a: Any, out: Any) -> Array:
    """Whether each element is the one that was found; nan is nan."""
    x, y = data_of(a), data_of(out)
    return (x == y) | ((x != x) & (y != y))


@op("MaskedFillBackward1")
def put_at(a: Array, value: Array, mask: Any) -> Any:
    """A number where the mask holds, and a elsewhere"""
    return np.where(mask, value, a)


put_at.grad(a=lambda g, mask: where(mask, 0.0, g), value=lambda g, mask: sum_all(where(mask, g, 0.0)))


def evenly(g: Any, a: Any, out: Any) -> Any:
    """Divide a gradient evenly among the elements that are equal to the result."""
    same = equal_to(a, out)
    return put_at(zeros_of(a), g / int(np.count_nonzero(same)), same)


def check_real(kernel: str, a: Array) -> None:
    """Raise what PyTorch raises for complex numbers, which have no order."""
    if a.dtype.kind == "c":
        raise no_kernel(kernel, of(a))


@op("MaxBackward1", samples=ONE)
def max_all(a: Array) -> Any:
    """The greatest element"""
    check_real("max_all", a)
    return np.max(a)


@op("MinBackward1", samples=ONE)
def min_all(a: Array) -> Any:
    """The smallest element"""
    check_real("min_all", a)
    return np.min(a)


@op("MedianBackward0", samples=ONE)
def median_all(a: Array) -> Any:
    """The element in the middle of the sorted elements; of two, the smaller"""
    return median_of(a.reshape(-1), nan_wins=True)


@op("NanmedianBackward0", samples=ONE)
def nanmedian_all(a: Array) -> Any:
    """The element in the middle of those that are not nan"""
    return median_of(a.reshape(-1), nan_wins=False)


def median_of(a: Array, nan_wins: bool) -> Any:
    numbers = a[a == a]
    if not numbers.size or (nan_wins and numbers.size < a.size):
        return a.dtype.type(math.nan)
    return np.partition(numbers, (numbers.size - 1) // 2)[(numbers.size - 1) // 2]


for entry in (max_all, min_all, median_all, nanmedian_all):
    entry.grad(a=lambda g, a, out: evenly(g, a, out))


def picked(a: Array, index: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    """Return the elements at one position along a dimension, and the positions."""
    if not a.ndim:
        return a.copy(), np.zeros((), INT64)
    index = np.expand_dims(index, dim)
    values = np.take_along_axis(a, index, dim)
    return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))


@op("MaxBackward0", several=True, samples=ALONG)
def max_dim(a: Array, dim: int, keepdim: bool) -> Any:
    """The greatest element along a dimension, and where it is"""
    return picked(a, np.argmax(a, axis=dim if a.ndim else None), dim, keepdim)


@op("MinBackward0", several=True, samples=ALONG)
def min_dim(a: Array, dim: int, keepdim: bool) -> Any:
    """The smallest element along a dimension, and where it is"""
    return picked(a, np.argmin(a, axis=dim if a.ndim else None), dim, keepdim)


def middle(a: Array, dim: int, nan_wins: bool) -> Array:
    """Return where the median lies along a dimension."""
    if not a.ndim:
        return np.zeros((), INT64)
    order = np.argsort(a, axis=dim, kind="stable")
    count = add_up(a == a, axis=dim, keepdims=True)
    place = np.maximum(count - 1, 0) // 2
    if nan_wins:
        place = np.where(count < a.shape[dim], count, place)
    return np.take_along_axis(order, place, dim).squeeze(dim)


@op("MedianBackward1", several=True, samples=ALONG)
def median_dim(a: Array, dim: int, keepdim: bool) -> Any:
    """The median along a dimension, and where it is"""
    return picked(a, middle(a, dim, True), dim, keepdim)


@op("NanmedianBackward1", several=True, samples=ALONG)
def nanmedian_dim(a: Array, dim: int, keepdim: bool) -> Any:
    """The median of what is not nan along a dimension, and where it is"""
    return picked(a, middle(a, dim, False), dim, keepdim)


def most_frequent(a: Array) -> int:
    """Return the position of the smallest of the most frequent elements that a sort leaves last."""
    values, counts = np.unique(a, return_counts=True)
    most = np.argmax(counts)
    if not SHORT < len(a) < LONG:
        return int(np.nonzero(a == values[most])[0][-1])
    return int(sorted_places(a, False)[counts[: most + 1].sum() - 1])


@op("ModeBackward0", several=True, samples=ALONG)
def mode_dim(a: Array, dim: int, keepdim: bool) -> Any:
    """The most frequent element along a dimension, and where it is"""
    index = np.apply_along_axis(most_frequent, dim, a) if a.ndim else np.zeros((), INT64)
    return picked(a, index, dim, keepdim)


@op("KthvalueBackward0", several=True, samples=(((2, 3), 2, 1, False),))
def kthvalue_dim(a: Array, k: int, dim: int, keepdim: bool) -> Any:
    """The k-th smallest element along a dimension, and where it is"""
    if not a.ndim:
        return picked(a, a, dim, keepdim)
    order = np.argsort(a, axis=dim, kind="stable")
    found = redo_ties(lambda row: quickly_selected(row, k - 1), order.take([k - 1], axis=dim), a, order, dim)
    return picked(a, found.squeeze(dim), dim, keepdim)


for entry in (max_dim, min_dim, median_dim, nanmedian_dim, mode_dim, kthvalue_dim):
    entry.grad(a=lambda g, a_shape, out1, dim, keepdim: chosen(g[0], a_shape, out1, dim, keepdim))


def shared_along(g: Any, a: Any, out: Any, dim: Dims, keepdim: bool) -> Any:
    """Divide a gradient among the elements along dimensions that are equal to the result."""
    same = a == restored(out, dim, keepdim)
    return restored(g, dim, keepdim) / sum_dims_as(same, dim, True, data_of(g).dtype) * same


MANY = (((2, 3), (1,), False), ((2, 3), (0, 1), True))


@op("AmaxBackward0", samples=MANY)
def amax(a: Array, dim: Dims, keepdim: bool) -> Any:
    """The greatest element over some dimensions"""
    return greatest(a, axis=dim, keepdims=keepdim)


@op("AminBackward0", samples=MANY)
def amin(a: Array, dim: Dims, keepdim: bool) -> Any:
    """The smallest element over some dimensions"""
    return smallest(a, axis=dim, keepdims=keepdim)


@op("AminmaxBackward0", several=True, samples=MANY)
def aminmax_dims(a: Array, dim: Dims, keepdim: bool) -> Any:
    """The smallest and the greatest element over some dimensions"""
    return smallest(a, axis=dim, keepdims=keepdim), greatest(a, axis=dim, keepdims=keepdim)


def both_ends(g: Any, a: Any, low: Any, high: Any, dim: Dims, keepdim: bool) -> Any:
    ends = ((g[0], low), (g[1], high))
    parts = [shared_along(gradient, a, out, dim, keepdim) for gradient, out in ends if gradient is not None]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


for entry in (amax, amin):
    entry.grad(a=lambda g, a, out, dim, keepdim: shared_along(g, a, out, dim, keepdim))
aminmax_dims.grad(a=lambda g, a, out0, out1, dim, keepdim: both_ends(g, a, out0, out1, dim, keepdim))


def check_not_empty(name: str, input: Tensor, dim: Any = None) -> None:
    """Raise what PyTorch raises where there is nothing to choose from."""
    if input._data.size:
        return
    if dim is None:
        raise RuntimeError(EMPTY.format(name))
    for d, given in zip(dims_of(dim, input.ndim), dim if isinstance(dim, tuple) else (dim,), strict=False):
        if input._data.shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {given} to have non-zero size.")


def along(entry: Op, kind: type[Named], input: Tensor, dim: int, keepdim: bool) -> Named:
    dim = dim_of(dim, input.ndim)
    check_not_empty(kind.__qualname__.removeprefix("nan"), input, dim)
    return kind(entry(input, dim, keepdim))


ALONG_DIM = "Tensor input, int dim, bool keepdim=False, *, Tensors? out=None"


def expose_extreme(name: str, all_: Op, of_two: Op, one: Op) -> None:
    """Expose max or min: of all elements, of two tensors, along a dimension."""
    kind = named(name, "values", "indices")

    def call(input: Tensor, other: Any = None, dim: Any = None, keepdim: bool = False) -> Any:
        if other is not None:
            return of_two(input, other)
        if dim is None:
            check_not_empty(name, input)
            return all_.call(input)
        return along(one, kind, input, dim, keepdim)

    call.__doc__ = f"Return the {'greatest' if name == 'max' else 'smallest'} element (torch.{name})."
    public(
        "Tensor input, *, Tensor? out=None", "Tensor input, Tensor other, *, Tensor? out=None", ALONG_DIM, name=name
    )(call)


def expose_median(name: str, all_: Op, one: Op) -> None:
    """Expose median or nanmedian."""
    kind = named(name, "values", "indices")

    def call(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
        if input._data.dtype == BOOL8:
            kernel = "median_cpu" if dim is None else "median_out"
            raise no_kernel(kernel, of(input._data))
        return all_.call(input) if dim is None else along(one, kind, input, dim, keepdim)

    call.__doc__ = f"Return the element in the middle (torch.{name})."
    public("Tensor input", ALONG_DIM, name=name)(call)


expose_extreme("max", max_all, maximum, max_dim)
expose_extreme("min", min_all, minimum, min_dim)
expose_median("median", median_all, median_dim)
expose_median("nanmedian", nanmedian_all, nanmedian_dim)
MODE, KTHVALUE = named("mode", "values", "indices"), named("kthvalue", "values", "indices")
AMINMAX = named("aminmax", "min", "max")


@public("Tensor input, int dim=-1, bool keepdim=False, *, Tensors? out=None")
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the most frequent element along a dimension (torch.mode)."""
    return along(mode_dim, MODE, input, dim, keepdim)


@public("Tensor input, int k, int dim=-1, bool keepdim=False, *, Tensors? out=None")
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the k-th smallest element along a dimension (torch.kthvalue)."""
    dim = dim_of(dim, input.ndim)
    if not 0 < k <= (input._data.shape[dim] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    return KTHVALUE(kthvalue_dim(input, int(k), dim, keepdim))


def expose_over(name: str, entry: Op) -> None:
    """Expose amax or amin."""

    def call(input: Tensor, dim: Any = (), keepdim: bool = False) -> Any:
        check_not_empty(name, input, dim or None if dim != 0 else 0)
        return entry(input, dims_of(dim, input.ndim), keepdim)

    call.__doc__ = f"Return the {'greatest' if name == 'amax' else 'smallest'} element over `dim` (torch.{name})."
    public("Tensor input, int_or_ints? dim=(), bool keepdim=False, *, Tensor? out=None", name=name)(call)


expose_over("amax", amax)
expose_over("amin", amin)


@public("Tensor input, *, int? dim=None, bool keepdim=False, Tensors? out=None")
def aminmax(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the smallest and the greatest element (torch.aminmax)."""
    if dim is None and not input._data.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    check_not_empty("aminmax", input, dim)
    return AMINMAX(aminmax_dims(input, dims_of(dim, input.ndim), keepdim))


def expose_place(name: str, function: Any) -> None:
    """Expose argmax or argmin."""

    def call(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        check_place(name, input, dim)
        axis = None if dim is None or not input.ndim else dim_of(dim, input.ndim)
        return make(np.asarray(function(input._data, axis=axis, keepdims=keepdim), INT64))

    call.__doc__ = f"Return where the {name[3:]}imum is (torch.{name})."
    public("Tensor input, int? dim=None, bool keepdim=False, *, Tensor? out=None", name=name)(call)


def check_place(name: str, input: Tensor, dim: Any) -> None:
    if input._data.dtype == BOOL8:
        raise RuntimeError(f"{name}(): does not support bool input")
    if input._data.dtype.kind == "c":
        raise RuntimeError(f"{name}(): does not support complex input")
    if dim is None and not input._data.size:
        raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
    if dim is not None:
        check_not_empty(name, input, dim_of(dim, input.ndim))


expose_place("argmax", np.argmax)
expose_place("argmin", np.argmin)
