"""Whole slices and single elements picked and placed: index_select, masked_fill, take and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import public
from gradrepl.engine.dtype import BOOL8, INT64, Array, Fixed, fitting_number
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.operands import in_one_piece
from gradrepl.engine.ops.gathering import INDEX_KINDS, lined, name_of, plain
from gradrepl.engine.ops.indexing import as_index_array, check_range, fitting, index_put
from gradrepl.engine.ops.number import times_number
from gradrepl.engine.ops.refusing import DYNAMIC, check_not_mapped
from gradrepl.engine.ops.shape import expand_to, zeros_of
from gradrepl.engine.ops.view import at, dim_of, look_at, select_at
from gradrepl.engine.tensor import Tensor, make

Shape = tuple[int, ...]
SOME = np.array([1, 0])


@op("IndexSelectBackward0", samples=(((2, 3), 1, SOME),))
def index_select_at(a: Array, dim: int, index: Fixed) -> Any:
    """The slices of a at positions along a dimension"""
    return in_one_piece(a[at(dim, index)]) if a.ndim else a.copy()


@op("IndexAddBackward0", zeros=1)
def index_into_zeros(a: Array, shape: Shape, dim: int, index: Any) -> Any:
    """Zeros of a shape, with a added at positions along a dimension"""
    whole = np.zeros(shape, a.dtype)
    np.add.at(lined(whole), at(dim, index), lined(a))
    return whole


@op("IndexAddBackward0", samples=(((2, 3), 1, SOME, (2, 2), 2.0),))
def index_add_at(a: Array, dim: int, index: Fixed, source: Array, alpha: Any) -> Any:
    """a, with alpha times source added to slices"""
    out = np.array(a)
    np.add.at(lined(out), at(dim, index), source if alpha == 1 else source * fitting_number(alpha, a.dtype))
    return out


@op("IndexCopyBackward0", samples=(((2, 3), 1, SOME, (2, 2)),))
def index_copy_at(a: Array, dim: int, index: Fixed, source: Array) -> Any:
    """a, with source put in the place of slices"""
    out = np.array(a)
    lined(out)[at(dim, index)] = source
    return out


@op("IndexFillBackward0", samples=(((2, 3), 1, SOME, 2.0),))
def index_fill_number(a: Array, dim: int, index: Fixed, value: Any) -> Any:
    """a, with one number in slices"""
    out = np.array(a)
    lined(out)[at(dim, index)] = value
    return out


@op("IndexFillBackward1", samples=(((2, 3), 1, SOME, ()),))
def index_fill_tensor(a: Array, dim: int, index: Fixed, value: Array) -> Any:
    """a, with one number, from a tensor, in slices"""
    out = np.array(a)
    lined(out)[at(dim, index)] = value
    return out


index_select_at.grad(a=lambda g, a_shape, dim, index: index_into_zeros(g, a_shape, dim, index))
index_into_zeros.grad(a=lambda g, dim, index: index_select_at(g, dim, index))


def added_source(g: Any, dim: int, index: Any, shape: Shape, alpha: Any) -> Any:
    """Return the gradient of what was added to slices."""
    found = index_select_at(g, dim, index)
    found = expand_to(found, shape) if shape else found.reshape(shape)
    return found if alpha == 1 else times_number(found, alpha)


index_add_at.grad(
    a=lambda g: g,
    source=lambda g, dim, index, source_shape, alpha: added_source(g, dim, index, source_shape, alpha),
)
index_copy_at.grad(
    a=lambda g, dim, index: index_fill_number(g, dim, index, 0),
    source=lambda g, dim, index, source_shape: added_source(g, dim, index, source_shape, 1),
)
index_fill_number.grad(a=lambda g, dim, index: index_fill_number(g, dim, index, 0))
index_fill_tensor.grad(
    a=lambda g, dim, index: index_fill_number(g, dim, index, 0),
    value=lambda g, dim, index: index_select_at(g, dim, np.unique(plain(index))).sum(),
)


@public("Tensor input, int dim, Tensor index, *, Tensor? out=None")
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Take slices at positions along a dimension (torch.index_select)."""
    array, place = index._data, dim_of(dim, input._data.ndim)
    if array.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if array.dtype not in INDEX_KINDS:
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not input._data.ndim and array.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {array.size} value(s)")
    side = side_of(input._data.shape, place)
    bad = array.reshape(-1)[(array.reshape(-1) < 0) | (array.reshape(-1) >= side)]
    if bad.size and place == 1:
        raise RuntimeError(f"INDICES element is out of DATA bounds, id={bad[0]} axis_dim={side}")
    if bad.size:
        raise IndexError("index out of range in self")
    return index_select_at.call(input, place, as_vector(index))


def as_vector(index: Tensor) -> Any:
    """Return an index as it is where it is a vector, so that a node sees it written to; else as an array."""
    return index if index._data.ndim == 1 else index._data.reshape(-1)


def positions(name: str, index: Tensor, dim: int, side: int, error: type[Exception]) -> Any:
    """Return an index of whole slices as a vector; raises in PyTorch's words where it does not fit."""
    array = index._data.reshape(-1)
    bad = array[(array < -side) | (array >= side)] if name == "index_fill" else array[(array < 0) | (array >= side)]
    if bad.size:
        start = "index_copy_(): " if name == "index_copy" else ""
        raise error(f"{start}index {bad[0]} is out of bounds for dimension {dim} with size {side}")
    return as_vector(index)


def side_of(shape: Shape, dim: int) -> int:
    """Return how long a dimension is; one number is a line of one."""
    return shape[dim] if shape else 1


def adding(input: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Any, write: bool) -> Tensor:
    place, own, given = dim_of(dim, input._data.ndim), input._data.shape, source._data.shape
    if index._data.ndim > 1:
        raise IndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {index._data.ndim} with type: "
            f"{name_of(index)} and size: {list(index._data.shape)}"
        )
    if index._data.dtype not in INDEX_KINDS:
        raise RuntimeError(f"index_add_(): Expected dtype int32/int64 for index but got: {name_of(index)}")
    if source._data.dtype != input._data.dtype:
        raise RuntimeError(
            f"index_add_(): self ({name_of(input)}) and source ({name_of(source)}) must have the same scalar type"
        )
    if place and place >= len(given):
        raise RuntimeError(
            f"index_add_(): Indexing dim {place} is out of bounds of the source tensor with dim {len(given)}"
        )
    if index._data.size != side_of(given, place):
        raise RuntimeError(
            f"index_add_(): Number of indices ({index._data.size}) should be equal to source.size(dim): "
            f"({side_of(given, place)}), for dim: {place}"
        )
    if len(own) != len(given) or own[:place] + own[place + 1 :] != given[:place] + given[place + 1 :]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(own)} source.shape = {list(given)}"
        )
    found = positions("index_add", index, place, side_of(own, place), RuntimeError)
    call = in_place(index_add_at) if write else index_add_at
    return call(input, place, found, source, alpha)


ADD = "Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1"


@public(f"{ADD}, Tensor? out=None")
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Any = 1) -> Tensor:
    """Add slices at positions along a dimension (torch.index_add)."""
    return adding(input, dim, index, source, alpha, False)


@public(ADD, function=False)
def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Any = 1) -> Tensor:
    """Add slices at positions along a dimension, in place (torch.Tensor.index_add_)."""
    return adding(input, dim, index, source, alpha, True)


def check_copied(index: Tensor, own: Shape, given: Shape) -> None:
    """Raise what index_copy raises for an index and a source that have not the dimensions for it."""
    if index._data.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index._data.ndim})")
    if not given and index._data.size != 1:
        raise IndexError(
            f"index_copy_(): When source is scalar, index should have one element (got {index._data.size})"
        )
    if own and given and len(own) != len(given):
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({len(given)}), destination dimensionality ({len(own)})"
        )
    if index._data.dtype != INT64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {name_of(index)}")


def copying(input: Tensor, dim: int, index: Tensor, source: Tensor, write: bool) -> Tensor:
    place, own, given = dim_of(dim, input._data.ndim), input._data.shape, source._data.shape
    check_copied(index, own, given)
    if input._data.dtype != source._data.dtype:
        kind, other = (dtypes.of(tensor._data).tensor_type for tensor in (input, source))
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got "
            f"(self) {kind} and (source) {other}"
        )
    rest = [shape[:place] + shape[place + 1 :] for shape in (own, given)]
    if rest[0] != rest[1]:
        left, right = (" ".join(map(str, shape)) for shape in rest)
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{left} at dimension {place} and source slice shape: {right} at dimension 0."
        )
    if index._data.size != side_of(given, place):
        raise IndexError(
            f"index_copy_(): Number of indices ({index._data.size}) should be equal to source.size(dim) "
            f"({side_of(given, place)})"
        )
    found = positions("index_copy", index, place, side_of(input._data.shape, place), IndexError)
    call = in_place(index_copy_at) if write else index_copy_at
    return call(input, place, found, source)


@public("Tensor input, int dim, Tensor index, Tensor source, *, Tensor? out=None")
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Put slices at positions along a dimension (torch.index_copy)."""
    return copying(input, dim, index, source, False)


@public("Tensor input, int dim, Tensor index, Tensor source", function=False)
def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Put slices at positions along a dimension, in place (torch.Tensor.index_copy_)."""
    return copying(input, dim, index, source, True)


def check_single(name: str, value: Tensor) -> None:
    if value._data.ndim:
        raise RuntimeError(
            f"{name} only supports a 0-dimensional value tensor, but got tensor with {value._data.ndim} dimension(s)."
        )


def filling(input: Tensor, dim: int, index: Tensor, value: Any, write: bool) -> Tensor:
    place = dim_of(dim, input._data.ndim)
    entry = index_fill_tensor if isinstance(value, Tensor) else index_fill_number
    if isinstance(value, Tensor):
        check_single("index_fill_", value)
    if index._data.dtype != INT64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index._data.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    complicated = value._data.dtype.kind == "c" if isinstance(value, Tensor) else isinstance(value, complex)
    if complicated and input._data.dtype.kind != "c":
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    found = positions("index_fill", index, place, side_of(input._data.shape, place), IndexError)
    call = in_place(entry) if write else entry
    return call(input, place, found, value)


FILLS = ("Tensor input, int dim, Tensor index, Tensor value", "Tensor input, int dim, Tensor index, Number value")


@public(*FILLS)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Put one number into slices along a dimension (torch.index_fill)."""
    return filling(input, dim, index, value, False)


@public(*FILLS, function=False)
def index_fill_(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Put one number into slices along a dimension, in place (torch.Tensor.index_fill_)."""
    return filling(input, dim, index, value, True)


PUT = "Tensor input, Tensors indices, Tensor values, bool accumulate=False"


def putting(input: Tensor, indices: Any, values: Tensor, accumulate: bool, write: bool) -> Tensor:
    found = tuple(slice(None) if index is None else as_index_array(index) for index in indices)
    shape = input._data.shape
    if len(found) > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)} (got {len(found)})")
    if not any(isinstance(index, np.ndarray) and index.dtype == BOOL8 for index in found):
        for dim, (index, side) in enumerate(zip(found, shape, strict=False)):
            if isinstance(index, np.ndarray):
                check_range(index.reshape(-1), dim, side)
    call = in_place(index_put) if write else index_put
    return call(input, found, fitting(values, input), accumulate, tuple(indices))


@public(PUT, name="index_put")
def index_put_out(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Put values at positions given for each dimension (torch.index_put)."""
    return putting(input, indices, values, accumulate, False)


@public(PUT)
def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Put values at positions given for each dimension, in place (torch.Tensor.index_put_)."""
    return putting(input, indices, values, accumulate, True)


@op("TakeBackward0", samples=(((2, 3), np.array([0, 5])),))
def take_elements(a: Array, index: Any) -> Any:
    """The elements of a, counted as in one dimension, at positions"""
    return a.reshape(-1)[index]


@op("PutBackward0", zeros=1)
def put_into_zeros(a: Array, shape: Shape, index: Any) -> Any:
    """Zeros of a shape, with a added at positions counted as in one dimension"""
    whole = np.zeros(shape, a.dtype)
    np.add.at(whole.reshape(-1), index, a)
    return whole


@op("PutBackward0", samples=(((2, 3), np.array([0, 5]), (2,), False),))
def put_elements(a: Array, index: Fixed, source: Array, accumulate: bool) -> Any:
    """a, with source put (or added) at positions counted as in one dimension"""
    out = np.array(a, order="C")
    if accumulate:
        np.add.at(out.reshape(-1), index.reshape(-1), source.reshape(-1))
    else:
        out.reshape(-1)[index.reshape(-1)] = source.reshape(-1)
    return out


take_elements.grad(a=lambda g, a, index: put_into_zeros(g, a.shape, index))
put_into_zeros.grad(a=lambda g, index: take_elements(g, index))
put_elements.grad(
    a=lambda g, index, source_shape, accumulate: (
        g if accumulate else put_elements(g, index, zeros_of(g, source_shape), False)
    ),
    source=lambda g, index, source, accumulate: take_elements(g, index).reshape(source.shape),
)


def element_positions(name: str, index: Array, count: int) -> Array:
    if index.dtype != INT64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {name_of(make(index))}")
    if index.size and not count and name == "take":
        raise IndexError("take(): tried to take from an empty tensor")
    bad = index.reshape(-1)[(index.reshape(-1) < -count) | (index.reshape(-1) >= count)]
    if bad.size:
        raise IndexError(f"out of range: tried to access index {bad[0]} on a tensor of {count} elements.")
    return index


@public("Tensor input, Tensor index, *, Tensor? out=None")
def take(input: Tensor, index: Tensor) -> Tensor:
    """Take elements, counted as in one dimension (torch.take)."""
    return take_elements.call(input, element_positions("take", index._data, input._data.size))


def check_put(input: Tensor, index: Tensor, source: Tensor) -> None:
    """Raise what PyTorch raises where elements of another dtype, or too many or few of them, are to be put."""
    if input.dtype is not source.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{input.dtype.tensor_type} and source.dtype = {source.dtype.tensor_type}"
        )
    if source._data.size != index._data.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._data.size}, index.numel() = {index._data.size}"
        )


@public("Tensor input, Tensor index, Tensor source, bool accumulate=False")
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Put elements, counted as in one dimension (torch.put)."""
    check_put(input, index, source)
    element_positions("put_", index._data, input._data.size)
    return put_elements(input, index, source, accumulate)


@public("Tensor input, Tensor index, Tensor source, bool accumulate=False", function=False)
def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Put elements, counted as in one dimension, in place (torch.Tensor.put_)."""
    check_put(input, index, source)
    element_positions("put_", index._data, input._data.size)
    return in_place(put_elements)(input, index, source, accumulate)


@public("Tensor input, *, Tensor? out=None", "Tensor input, *, bool as_tuple", name="nonzero")
def nonzero(input: Tensor, as_tuple: bool = False) -> Any:
    """Return the positions of what is not zero (torch.nonzero)."""
    check_not_mapped(input, DYNAMIC.format("nonzero"))
    if not input._data.ndim:
        found = np.nonzero(input._data.reshape(1))
        return (make(found[0]),) if as_tuple else make(np.zeros((len(found[0]), 0), INT64))
    columns = np.nonzero(input._data)
    return tuple(make(column) for column in columns) if as_tuple else make(np.stack(columns).T)


@public("Tensor input")
def argwhere(input: Tensor) -> Tensor:
    """Return the positions of what is not zero, one a row (torch.argwhere)."""
    return nonzero(input)


def scattered(node: str, name: str) -> Any:
    """Return an operation that gives a tensor with a part (a basic index) replaced."""

    def replaced(a: Array, src: Array, index: Any) -> Any:
        out = a.copy()
        out[index] = src
        return out

    replaced.__name__ = name
    replaced.__doc__ = "a, with src in the place of a part"
    entry = op(node)(replaced)
    entry.grad(
        a=lambda g, index: entry(g, zero_part(g, index), index),
        src=lambda g, index: look_at(g, index),
    )
    return entry


def zero_part(gradient: Any, index: Any) -> Any:
    data = gradient._data if isinstance(gradient, Tensor) else gradient
    return zeros_of(gradient, data[index].shape)


select_part = scattered("SelectScatterBackward0", "select_part")
slice_part = scattered("SliceScatterBackward0", "slice_part")


@public("Tensor input, Tensor src, int dim, int index")
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Return the tensor with one slice replaced (torch.select_scatter)."""
    place = dim_of(dim, input._data.ndim)
    where = at(place, int(index))
    check_part(input._data[where].shape, src)
    return select_part(input, src, where)


@public("Tensor input, Tensor src, int dim=0, int? start=None, int? end=None, int step=1")
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """Return the tensor with a range replaced (torch.slice_scatter)."""
    where = at(dim_of(dim, input._data.ndim), slice(start, end, step))
    check_part(input._data[where].shape, src)
    return slice_part(input, src, where)


def check_part(shape: Shape, src: Tensor) -> None:
    if src._data.shape != shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src._data.shape)}, slice size = "
            f"{list(shape)}"
        )


@public("Tensor input, int dim, int index")
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Take one slice along a dimension as a view (torch.select)."""
    if not input._data.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    place = dim_of(dim, input._data.ndim)
    side = input._data.shape[place]
    if not -side <= index < side:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._data.shape)} at dimension {dim}"
        )
    return select_at(input, place, int(index))
