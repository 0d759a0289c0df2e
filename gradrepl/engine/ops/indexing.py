"""Indexing: x[...] and x[...] = y, of every kind, as the chain of views that PyTorch makes of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradrepl.engine import in_place
from gradrepl.engine.api import methods, public
from gradrepl.engine.dtype import BOOL8, CATEGORY, FLOAT, INEXACT, INT64, Array, Fixed, c_name, fitting_number, of
from gradrepl.engine.op import op
from gradrepl.engine.operands import check_broadcast, in_one_piece
from gradrepl.engine.ops.refusing import check_not_mapped, here
from gradrepl.engine.ops.shape import sum_to_fit, zeros_of
from gradrepl.engine.ops.view import alias, check_expands, select_at, slice_at, unsqueeze_at
from gradrepl.engine.tensor import Tensor, make

Indices = tuple[Any, ...]
BYTES = "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead."
NON_TUPLE = (
    "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use "
    "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], "
    "which will result either in an error or a different result"
)


@op("IndexBackward0")
def index_with(a: Array, indices: Indices, given: Fixed) -> Any:
    """The elements of a at arrays of positions; given: the tensors that they came from"""
    return in_one_piece(a[indices])


@op("IndexPutImplBackward0", zeros=1)
def index_add_zeros(a: Array, shape: tuple[int, ...], indices: Indices) -> Any:
    """Zeros of a shape, with a added at arrays of positions"""
    whole = np.zeros(shape, a.dtype)
    np.add.at(whole, indices, a)
    return whole


index_with.grad(a=lambda g, a_shape, indices, given: index_add_zeros(g, a_shape, indices))
index_add_zeros.grad(a=lambda g, indices: index_with(g, indices, ()))


@op("IndexPutBackward0")
def index_put(a: Array, indices: Indices, values: Array, accumulate: bool, given: Fixed) -> Any:
    """a, with values put (or added) at arrays of positions; given: the tensors that they came from"""
    out = a.copy()
    if accumulate:
        np.add.at(out, indices, values)
    else:
        try:
            out[indices] = values
        except ValueError:
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
                f"shape {list(out[indices].shape)}"
            ) from None
    return out


index_put.grad(
    a=lambda g, indices, accumulate, given: g if accumulate else index_put(g, indices, zero_like(g), False, ()),
    values=lambda g, indices, values_shape, values_dtype, given: sum_to_fit(
        index_with(g, indices, ()), values_shape, values_dtype
    ),
)


def zero_like(gradient: Any) -> Any:
    zero = np.zeros((), gradient._data.dtype if isinstance(gradient, Tensor) else gradient.dtype)
    return make(zero) if isinstance(gradient, Tensor) else zero


@op("CopyBackwards")
def copy(a: Array, b: Array) -> Any:
    """b, in the shape and dtype of a"""
    if a.shape != b.shape:
        check_broadcast((a, b))
        in_place.check_holds(a.shape, np.broadcast_shapes(a.shape, b.shape))
    return np.broadcast_to(b, a.shape).astype(a.dtype)


copy.grad(a=lambda g: zeros_of(g), b=lambda g, b_shape, b_dtype: sum_to_fit(g, b_shape, b_dtype))


@op("FillBackward0", samples=(((2, 3), 1.5),))
def fill(a: Array, value: Any) -> Any:
    """One number in the shape and dtype of a"""
    return np.full(a.shape, value, a.dtype)


fill.grad(a=lambda g: zeros_of(g))


@op("FillBackward1", samples=(((2, 3), ()),))
def fill_tensor(a: Array, value: Array) -> Any:
    """One number, from a tensor, in the shape and dtype of a"""
    return np.full(a.shape, value, a.dtype)


fill_tensor.grad(
    a=lambda g: zeros_of(g),
    value=lambda g, value_shape, value_dtype: sum_to_fit(g.sum(), value_shape, value_dtype),
)


@op("ZeroBackward0")
def zero(a: Array) -> Any:
    """Zeros in the shape and dtype of a"""
    return np.zeros_like(a)


zero.grad(a=lambda g: zeros_of(g))

write_copy = in_place.in_place(copy)
fill_number_ = in_place.in_place(here(fill, "FillBackward2", fill.rules))
fill_tensor_ = in_place.in_place(here(fill_tensor, "FillBackward3", fill_tensor.rules))
zero_ = in_place.in_place(zero)
index_put_at_ = in_place.in_place(index_put)


def copy_(input: Tensor, other: Tensor) -> Tensor:
    """Overwrite with the elements of another tensor; integers leave the graph alone."""
    recorded = input._data.dtype in INEXACT or not other.requires_grad
    return write_copy(input, other if recorded else make(other._data))


MASK_MAPPED = (
    "vmap: We do not support batching operators that can support dynamic shape. Attempting to batch over indexing with "
    "a boolean mask."
)
SEQUENCES = (list, tuple, range, np.ndarray)
INDEX_KINDS = (INT64, np.dtype(np.int32), BOOL8)


def as_index_array(value: Any) -> Array:
    """Return an index given as a sequence, array or tensor as an array of positions or of bools."""
    array = value._data if isinstance(value, Tensor) else np.asarray(plain(value))
    if isinstance(value, Tensor) and array.dtype == BOOL8:
        check_not_mapped(value, MASK_MAPPED)
    if array.dtype == np.uint8:
        warnings.warn(BYTES, UserWarning, stacklevel=5)
        return array.astype(BOOL8)
    if array.size == 0 and not isinstance(value, Tensor):
        return array.astype(INT64)
    if array.dtype.kind == "U":
        raise TypeError("new(): invalid data type 'str'")
    if array.dtype.kind == "f" and not isinstance(value, Tensor):
        return array.astype(INT64)
    if CATEGORY.get(array.dtype, FLOAT) >= FLOAT or (isinstance(value, Tensor) and array.dtype not in INDEX_KINDS):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return array


def plain(value: Any) -> Any:
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else getattr(value, "_data", value)


def is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value._data.ndim == 0 and CATEGORY[value._data.dtype] < FLOAT and value._data.dtype != BOOL8
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))


def as_int(value: Any) -> int:
    return int(value._data if isinstance(value, Tensor) else value)


def is_truth(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value._data.ndim == 0 and value._data.dtype == BOOL8
    return isinstance(value, (bool, np.bool_))


def as_items(index: Any) -> tuple[Any, ...]:
    """Return an index as the tuple of its parts; a list of numbers is one part."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and any(
        item is None or item is ... or isinstance(item, (slice, list, tuple, Tensor)) for item in index
    ):
        warnings.warn(NON_TUPLE, UserWarning, stacklevel=4)
        return tuple(index)
    if isinstance(index, str):
        warnings.warn(NON_TUPLE, UserWarning, stacklevel=4)
    return (index,)


def dims_taken(item: Any) -> int:
    """Return how many dimensions a part of an index uses up."""
    if item is None or item is ... or is_truth(item):
        return 0
    if isinstance(item, Tensor) and item._data.dtype in (BOOL8, np.uint8):
        return item._data.ndim
    if isinstance(item, SEQUENCES):
        array = np.asarray(plain(item))
        return array.ndim if array.dtype == BOOL8 else 1
    return 1


def select_number(tensor: Tensor, dim: int, index: int, position: int = 0) -> Tensor:
    """Take one slice; raises IndexError in PyTorch's words, which name the position of the number in the index."""
    if tensor._data.ndim == 0:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    size = tensor._data.shape[dim]
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for dimension {position} with size {size}")
    return select_at(tensor, dim, index)


def take_slice(tensor: Tensor, dim: int, item: slice, skip_whole: bool) -> Tensor:
    """Take a range; a slice of everything is no operation where PyTorch skips it."""
    if tensor._data.ndim == 0:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    step = 1 if item.step is None else int(item.step)
    if step <= 0:
        raise ValueError("step must be greater than zero" if step else "slice step cannot be zero")
    size = tensor._data.shape[dim]
    start, stop, _ = slice(item.start, item.stop, step).indices(size)
    if skip_whole and (start, stop, step) == (0, size, 1):
        return tensor
    return slice_at(tensor, dim, start, max(start, stop), step)


def place(arrays: list[Any], dim: int, array: Any, width: int, given: Any) -> None:
    """Add an array of positions to those of the dimensions before `dim`, with the tensor that it came from."""
    arrays.extend([None] * (dim - len(arrays)))
    same = isinstance(given, Tensor) and given._data is array
    arrays.append((array, width, given if same else make(array)))
    arrays.extend(["covered"] * (width - 1))


def walk(tensor: Tensor, items: Sequence[Any]) -> tuple[Tensor, list[Any]]:
    """Apply the views of an index; return what is left with its arrays of positions, by dimension."""
    taken = sum(map(dims_taken, items))
    ndim = tensor._data.ndim
    if taken > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    arrays: list[Any] = []
    dim = 0
    result = tensor

    for position, item in enumerate(items):
        if is_number(item):
            result = select_number(result, dim, as_int(item), position)
        elif isinstance(item, slice):
            result = take_slice(result, dim, item, True)
            dim += 1
        elif item is None:
            result = unsqueeze_at(result, dim)
            dim += 1
        elif item is ...:
            dim += ndim - taken
        elif is_truth(item):
            result = unsqueeze_at(result, dim)
            truth = bool(item._data if isinstance(item, Tensor) else item)
            place(arrays, dim, np.zeros(1 if truth else 0, INT64), 1, item)
            dim += 1
        elif isinstance(item, (Tensor, *SEQUENCES)):
            array = as_index_array(item)
            width = array.ndim if array.dtype == BOOL8 else 1
            place(arrays, dim, array, width, item)
            dim += width
        else:
            raise unusable(item)
    return result, arrays


def check_mask(array: Array, tensor: Tensor, dim: int) -> None:
    if array.dtype != BOOL8:
        return
    for i, side in enumerate(array.shape):
        if dim + i >= tensor._data.ndim or side != tensor._data.shape[dim + i]:
            raise IndexError(
                f"The shape of the mask {list(array.shape)} at index {i} does not match the shape of the indexed "
                f"tensor {list(tensor._data.shape)} at index {dim + i}"
            )


def unusable(item: Any) -> Exception:
    if isinstance(item, str):
        return TypeError("new(): invalid data type 'str'")
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
        f"{c_name(item)})"
    )


def numpy_indices(tensor: Tensor, arrays: Sequence[Any]) -> Indices:
    """Return the arrays of positions as one numpy index; raises IndexError for a position out of range."""
    out: list[Any] = []
    for dim, entry in enumerate(arrays):
        if entry is None:
            out.append(slice(None))
        elif entry != "covered":
            array, *_ = entry
            check_mask(array, tensor, dim)
            out.append(array)
    check_together(out)
    check_ranges(tensor._data.shape, arrays)
    return tuple(out) if tensor._data.size else tuple(map(harmless, out))


def harmless(positions: Any) -> Any:
    """Return positions that no tensor without elements lacks: PyTorch looks at none there."""
    return positions * 0 if isinstance(positions, np.ndarray) and positions.dtype != BOOL8 else positions


def check_ranges(shape: tuple[int, ...], arrays: Sequence[Any]) -> None:
    """Raise what PyTorch raises for positions out of range; it counts only the dimensions that have positions."""
    number = 0
    for dim, entry in enumerate(arrays):
        if entry is None:
            continue
        if entry != "covered" and entry[0].dtype != BOOL8 and entry[0].size:
            if not shape[dim]:
                raise IndexError("index is out of bounds for dimension with size 0")
            if 0 not in shape:
                check_range(entry[0], number, shape[dim])
        number += 1


def as_given(arrays: Sequence[Any]) -> tuple[Any, ...]:
    """Return the positions as the tensors that they came from, None where a dimension is taken whole."""
    return tuple(entry and entry[2] for entry in arrays if entry != "covered")


def check_together(arrays: Sequence[Any]) -> None:
    """Raise what PyTorch raises for arrays of positions that can't be broadcast together."""
    shapes = []
    for array in arrays:
        if not isinstance(array, slice):
            shapes.append((int(array.sum()),) if array.dtype == BOOL8 else array.shape)
    if len(set(shapes)) > 1:
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            listed = ", ".join(str(list(shape)) for shape in shapes)
            raise IndexError(
                f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}"
            ) from None


def check_range(array: Array, dim: int, size: int) -> None:
    bad = array[(array < -size) | (array >= size)] if array.ndim else array
    if array.ndim and bad.size:
        raise IndexError(f"index {bad.reshape(-1)[0]} is out of bounds for dimension {dim} with size {size}")


def getitem(self: Tensor, index: Any) -> Tensor:
    """Return the part of a tensor at an index (torch.Tensor.__getitem__)."""
    if is_number(index):
        return select_number(self, 0, as_int(index))
    if isinstance(index, slice):
        return take_slice(self, 0, index, False)
    result, arrays = walk(self, as_items(index))
    if arrays:
        return index_with(result, numpy_indices(result, arrays), as_given(arrays))
    return alias(result) if result is self else result


def as_value(value: Any, like: Tensor) -> Tensor:
    """Return what is assigned as a tensor; a number takes the dtype of the target."""
    if isinstance(value, Tensor):
        return value
    kind = type(value)
    if isinstance(value, (bool, int, float, complex)):
        return make(np.array(fitting_number(value, like._data.dtype), dtype=like._data.dtype))
    name = f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__
    raise TypeError(f"can't assign a {name} to a torch.{of(like._data).tensor_type}Tensor")


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """Write into the part of a tensor at an index (torch.Tensor.__setitem__)."""
    if index is False:
        return
    given = as_value(value, self)
    if index is True:
        write_part(unsqueeze_at(self, 0), given)
        return
    if is_number(index):
        write_part(select_number(self, 0, as_int(index)), given)
        return
    if isinstance(index, slice):
        write_part(take_slice(self, 0, index, True), given)
        return
    part, arrays = walk(self, as_items(index))
    if not arrays:
        write_part(part, given)
        return
    index_put_at_(part, numpy_indices(part, arrays), fitting(given, part), False, as_given(arrays))


def fitting(value: Tensor, part: Tensor) -> Tensor:
    if value._data.dtype == part._data.dtype:
        return value
    raise RuntimeError(
        f"Index put requires the source and destination dtypes match, got {of(part._data).tensor_type} for the "
        f"destination and {of(value._data).tensor_type} for the source."
    )


def write_part(part: Tensor, value: Tensor) -> None:
    """Copy a value into a view, or fill it where the value is a single number."""
    if value._data.ndim == 0 < part._data.ndim:
        fill_tensor_(part, value)
        return
    trimmed = value
    while trimmed._data.ndim > part._data.ndim and trimmed._data.shape[0] == 1:
        trimmed = select_at(trimmed, 0, 0)
    check_expands(trimmed._data.shape, part._data.shape, of(trimmed._data).tensor_type)
    copy_(part, trimmed)


@public("Tensor input, Tensor value", "Tensor input, Number value")
def fill_(input: Tensor, value: Any) -> Tensor:
    """Overwrite every element with one number (torch.Tensor.fill_)."""
    if not isinstance(value, Tensor):
        return fill_number_(input, fitting_number(value, input._data.dtype))
    if value._data.ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._data.ndim} dimensions."
        )
    return fill_tensor_(input, value)


@public("Tensor input, Operand other, bool non_blocking=False", function=False, name="copy_")
def copy_checked(input: Tensor, other: Any, non_blocking: bool = False) -> Tensor:
    """Overwrite with the elements of another tensor, or with a number (torch.Tensor.copy_)."""
    return copy_(input, other if isinstance(other, Tensor) else make(np.asarray(other)))


def refuse_deletion(self: Tensor, index: Any) -> None:
    """Raise for `del x[0]`."""
    raise TypeError("Tensor does not support deleting items")


public("Tensor input")(zero_)
methods(__getitem__=getitem, __setitem__=setitem, __delitem__=refuse_deletion)
