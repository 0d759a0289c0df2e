"""Tensors put together and taken apart: cat, stack, split and their kin."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES, functions, methods, public
from gradrepl.engine.dtype import Array, c_name
from gradrepl.engine.op import op
from gradrepl.engine.operands import in_one_piece
from gradrepl.engine.ops.broadcasting import tensors_of
from gradrepl.engine.ops.reshaping import reshape, unsqueeze
from gradrepl.engine.ops.shape import cast
from gradrepl.engine.ops.view import at, dim_of, look_at, slice_at
from gradrepl.engine.tensor import Tensor, make

Shape = tuple[int, ...]
Arrays = Sequence[Array]


def common_kind(arrays: Arrays) -> np.dtype[Any]:
    """Return the dtype that arrays have when they are put together."""
    kind = arrays[0].dtype
    for array in arrays[1:]:
        kind = dtypes.promote_types(kind, array.dtype)
    return kind


def is_nothing(shape: Shape) -> bool:
    """Whether a shape is that of torch.tensor([]), which cat passes over."""
    return shape == (0,)


@op("CatBackward0")
def cat_all(tensors: Arrays, dim: int) -> Any:
    """The tensors one behind the other along a dimension"""
    present = [array for array in tensors if not is_nothing(array.shape)]
    if not present:
        return np.empty(0, common_kind(tensors))
    return in_one_piece(np.concatenate(present, axis=dim, dtype=common_kind(tensors)))


def cut(gradient: Any, shapes: Sequence[Shape], kinds: Sequence[Any], dim: int) -> list[Any]:
    """Return the part of the gradient that belongs to each tensor of a cat."""
    parts, start = [], 0
    for shape, kind in zip(shapes, kinds, strict=True):
        if is_nothing(shape):
            part = look_at(gradient, at(0, slice(0, 0))).reshape(-1) if gradient.ndim == 1 else nothing(gradient)
        else:
            part = slice_at(gradient, dim, start, start + shape[dim], 1)
            start += shape[dim]
        parts.append(fitted(part, kind))
    return parts


def nothing(gradient: Any) -> Any:
    return slice_at(gradient.reshape(-1), 0, 0, 0, 1)


def fitted(gradient: Any, kind: Any) -> Any:
    """Return a gradient in the dtype of what it belongs to."""
    own = gradient._data.dtype if isinstance(gradient, Tensor) else gradient.dtype
    return gradient if kind is None or own == kind else cast(gradient, kind)


cat_all.grad(
    tensors=lambda g, tensors_shape, tensors_dtype, dim: cut(g, tensors_shape, tensors_dtype, dim),
)


@op("StackBackward0")
def stack_all(tensors: Arrays, dim: int) -> Any:
    """The tensors side by side along a new dimension"""
    return in_one_piece(np.stack(tensors, axis=dim, dtype=common_kind(tensors)))


stack_all.grad(
    tensors=lambda g, tensors_dtype, dim: [
        fitted(look_at(g, at(dim, i)), kind) for i, kind in enumerate(tensors_dtype)
    ],
)


def check_cat(shapes: Sequence[Shape], dim: int) -> None:
    """Raise what PyTorch raises for shapes that can't be put one behind the other."""
    for position, shape in enumerate(shapes):
        if not shape:
            raise RuntimeError(f"zero-dimensional tensor (at position {position}) cannot be concatenated")
    first = next((shape for shape in shapes if not is_nothing(shape)), None)
    for position, shape in enumerate(shapes):
        if first is None or is_nothing(shape):
            continue
        if len(shape) != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
        for i, (side, wanted) in enumerate(zip(shape, first, strict=True)):
            if i != dim and side != wanted:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {wanted} but got size "
                    f"{side} for tensor number {position} in the list."
                )


@public("Tensors tensors, int dim=0, *, Tensor? out=None", method=False)
def cat(tensors: Any, dim: int = 0) -> Tensor:
    """Put tensors one behind the other along a dimension (torch.cat)."""
    given = tensors_of((tensors,))
    if not given:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    shapes = [tensor._data.shape for tensor in given]
    ndim = max((len(shape) for shape in shapes if not is_nothing(shape)), default=1)
    place = dim_of(dim, ndim)
    check_cat(shapes, place)
    return cat_all(given, place)


for _name in ("concat", "concatenate"):
    public("Tensors tensors, int dim=0, *, Tensor? out=None", name=_name, method=False)(cat)


@public("Tensors tensors, int dim=0, *, Tensor? out=None", method=False)
def stack(tensors: Any, dim: int = 0) -> Tensor:
    """Put tensors of one shape side by side along a new dimension (torch.stack)."""
    given = tensors_of((tensors,))
    if not given:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = given[0]._data.shape
    place = dim_of(dim, len(first) + 1)
    for position, tensor in enumerate(given):
        if tensor._data.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(tensor._data.shape)} at entry {position}"
            )
    return stack_all(given, place)


def at_least_1(input: Tensor) -> Tensor:
    return input if input._data.ndim else reshape(input, 1)


def at_least_2(input: Tensor) -> Tensor:
    if not input._data.ndim:
        return reshape(input, 1, 1)
    return input if input._data.ndim > 1 else unsqueeze(input, 0)


def at_least_3(input: Tensor) -> Tensor:
    ndim = input._data.ndim
    if not ndim:
        return reshape(input, 1, 1, 1)
    if ndim == 1:
        return unsqueeze(unsqueeze(input, 0), 2)
    return input if ndim > 2 else unsqueeze(input, 2)


def at_least(name: str, body: Callable[[Tensor], Tensor]) -> None:
    def call(input: Any = None, tensors: Any = None) -> Any:
        if isinstance(input, Tensor):
            return body(input)
        return tuple(body(tensor) for tensor in tensors_of((tensors if input is None else input,)))

    call.__doc__ = f"Return tensors with at least {name[8]} dimensions (torch.{name})."
    public("Tensor input", "Tensors tensors", name=name, method=False)(call)
    single = SPACES["torch"][name]

    def several(*tensors: Any) -> Any:
        return single(tensors[0] if len(tensors) == 1 else tensors)

    functions(**{name: several})


at_least("atleast_1d", at_least_1)
at_least("atleast_2d", at_least_2)
at_least("atleast_3d", at_least_3)


def as_column(tensor: Tensor) -> Tensor:
    return reshape(tensor, tensor._data.size, 1) if tensor._data.ndim <= 1 else tensor


def stacker(name: str, prepare: Callable[[Tensor], Tensor], dim: Callable[[Tensor], int]) -> None:
    """Expose hstack and its kin: each tensor made ready, then cat."""

    def call(tensors: Any) -> Tensor:
        given = tensors_of((tensors,))
        if not given:
            raise RuntimeError(f"{name} expects a non-empty TensorList")
        ready = [prepare(tensor) for tensor in given]
        return cat(ready, dim(ready[0]))

    call.__doc__ = f"Put tensors together (torch.{name})."
    public("Tensors tensors, *, Tensor? out=None", name=name, method=False)(call)


stacker("hstack", at_least_1, lambda first: 0 if first._data.ndim == 1 else 1)
stacker("vstack", at_least_2, lambda first: 0)
stacker("row_stack", at_least_2, lambda first: 0)
stacker("dstack", at_least_3, lambda first: 2)
stacker("column_stack", as_column, lambda first: 1)


@op("BlockDiagBackward0")
def blocks(tensors: Arrays) -> Any:
    """The tensors as blocks on a diagonal, zeros elsewhere"""
    squares = [array.reshape(1, -1) if array.ndim < 2 else array for array in tensors]
    kind = functools.reduce(lambda so_far, a: dtypes.promote(np.empty(1, so_far), a), tensors[1:], tensors[0].dtype)
    whole = np.zeros((sum(a.shape[0] for a in squares), sum(a.shape[1] for a in squares)), kind)
    for array, (row, column) in zip(squares, corners([a.shape for a in squares]), strict=True):
        whole[row : row + array.shape[0], column : column + array.shape[1]] = array
    return whole


def corners(shapes: Sequence[Shape]) -> list[tuple[int, int]]:
    found, row, column = [], 0, 0
    for height, width in shapes:
        found.append((row, column))
        row, column = row + height, column + width
    return found


def unblocked(gradient: Any, shapes: Sequence[Shape], kinds: Sequence[Any]) -> list[Any]:
    square = [(1, shape[0] if shape else 1) if len(shape) < 2 else shape for shape in shapes]
    places = corners(square)
    return [
        fitted(block_at(gradient, (r, c), (h, w), shape), kind)
        for (r, c), (h, w), shape, kind in zip(places, square, shapes, kinds, strict=True)
    ]


def block_at(gradient: Any, corner: tuple[int, int], size: tuple[int, int], shape: Shape) -> Any:
    for dim, (start, count) in enumerate(zip(corner, size, strict=True)):
        gradient = slice_at(gradient, dim, start, start + count, 1)
    return gradient if len(shape) == 2 else gradient.reshape(shape)


blocks.grad(tensors=lambda g, tensors_shape, tensors_dtype: unblocked(g, tensors_shape, tensors_dtype))


def block_diag(*tensors: Any) -> Tensor:
    """Put matrices on the diagonal of a larger one (torch.block_diag)."""
    given = tensors_of(tensors)
    for place, one in enumerate(given):
        if one._data.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {place} has {one._data.ndim} "
                "dimensions"
            )
    return blocks(given) if given else make(np.zeros((1, 0), np.float32))


@op("SplitBackward0", view=True, several=True, samples=(((5, 2), 2, 0),))
def split_evenly(a: Array, size: int, dim: int) -> Any:
    """Pieces of a along a dimension, each of one size but the last"""
    side = a.shape[dim]
    starts = range(0, max(side, 1), max(size, 1))
    return tuple(a[at(dim, slice(start, min(start + size, side)))] for start in starts)


@op("SplitWithSizesBackward0", view=True, several=True, samples=(((5, 2), (2, 3), 0),))
def split_sizes(a: Array, sizes: Shape, dim: int) -> Any:
    """Pieces of a along a dimension, of given sizes"""
    stops = np.cumsum(sizes).tolist()
    return tuple(a[at(dim, slice(stop - size, stop))] for size, stop in zip(sizes, stops, strict=True))


def side_by_side(parts: Sequence[Any], shape: Shape, dim: int) -> Any:
    """Put the gradients of slices together; None stands for zeros."""
    first = next(part for part in parts if part is not None)
    nothing = np.zeros(shape[:dim] + shape[dim + 1 :], (first._data if isinstance(first, Tensor) else first).dtype)
    if not isinstance(first, Tensor):
        return np.stack([nothing if part is None else part for part in parts], axis=dim)
    return stack_all([make(nothing) if part is None else part for part in parts], dim)


def rejoined(parts: Sequence[Any], shape: Shape, sizes: Sequence[int], dim: int) -> Any:
    """Put the gradients of pieces together; None stands for zeros."""
    kind = next(part for part in parts if part is not None)
    data = kind._data if isinstance(kind, Tensor) else kind
    full = [
        np.zeros((*shape[:dim], size, *shape[dim + 1 :]), data.dtype) if part is None else part
        for part, size in zip(parts, sizes, strict=True)
    ]
    if isinstance(kind, Tensor):
        return cat_all([part if isinstance(part, Tensor) else make(part) for part in full], dim)
    return np.concatenate(full, axis=dim)


split_evenly.grad(
    a=lambda g, a_shape, size, dim: rejoined(g, a_shape, even_sizes(a_shape[dim], size), dim),
)
split_sizes.grad(a=lambda g, a_shape, sizes, dim: rejoined(g, a_shape, sizes, dim))


def even_sizes(side: int, size: int) -> list[int]:
    return [min(size, side - start) for start in range(0, max(side, 1), max(size, 1))]


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Take pieces along a dimension, by one size or by sizes (torch.split)."""
    size = split_size_or_sections
    if isinstance(size, Tensor) and not size._data.ndim:
        size = int(size._data)
    if isinstance(size, int) and not isinstance(size, bool):
        return split_by(tensor, size, dim)
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"split_with_sizes(): argument 'split_sizes' (position 2) must be tuple of ints, not {c_name(size)}"
        )
    return split_with_sizes(tensor, tuple(int(side) for side in size), dim)


def split_by(tensor: Tensor, size: int, dim: int) -> tuple[Tensor, ...]:
    if not tensor._data.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    place = dim_of(dim, tensor._data.ndim)
    side = tensor._data.shape[place]
    if not size and side:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {side}")
    return split_evenly(tensor, size, place)


@public("Tensor input, ints split_sizes, int dim=0")
def split_with_sizes(input: Tensor, split_sizes: Shape, dim: int = 0) -> tuple[Tensor, ...]:
    """Take pieces of given sizes along a dimension (torch.split_with_sizes)."""
    if not input._data.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    place = dim_of(dim, input._data.ndim)
    if any(size < 0 for size in split_sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(split_sizes)}"
        )
    side = input._data.shape[place]
    if sum(split_sizes) != side:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {side} (input tensor's size at dimension {place}"
            f"), but got split_sizes={list(split_sizes)}"
        )
    return split_of_sizes(input, split_sizes, place)


def split_of_sizes(input: Tensor, sizes: Shape, dim: int) -> tuple[Tensor, ...]:
    return split_sizes(input, sizes, dim)


def split_method(self: Tensor, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Take pieces along a dimension, by one size or by sizes (torch.Tensor.split)."""
    return split(self, split_size, dim)


split_method.__name__, split_method.__qualname__ = "split", "Tensor.split"


@public("Tensor input, int chunks, int dim=0")
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Take a number of pieces along a dimension, each as large but the last (torch.chunk)."""
    if not input._data.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    place = dim_of(dim, input._data.ndim)
    side = input._data.shape[place]
    size = -(-side // chunks)
    return split_of_sizes(input, (0,) * chunks, place) if not size else split_evenly(input, size, place)


PARTS = (
    "Tensor input, ints indices, int dim=0",
    "Tensor input, Tensor tensor_indices_or_sections, int dim=0",
    "Tensor input, int sections, int dim=0",
)


@public(*PARTS)
def tensor_split(
    input: Tensor, indices: Any = None, tensor_indices_or_sections: Any = None, sections: Any = None, dim: int = 0
) -> tuple[Tensor, ...]:
    """Take a number of pieces that differ by at most one, or cut at indices (torch.tensor_split)."""
    if not input._data.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    if tensor_indices_or_sections is not None:
        found = tensor_indices_or_sections._data.tolist()
        indices, sections = (tuple(found), None) if isinstance(found, list) else (None, found)
    place = dim_of(dim, input._data.ndim)
    side = input._data.shape[place]
    if indices is None:
        if sections <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
        small, larger = divmod(side, int(sections))
        sizes = [small + (i < larger) for i in range(int(sections))]
        indices = np.cumsum(sizes).tolist()[:-1]
    edges = [slice(i, None).indices(side)[0] for i in (0, *indices)]
    stops = [*edges[1:], side]
    return tuple(slice_at(input, place, start, max(start, stop), 1) for start, stop in zip(edges, stops, strict=True))


def splitter(name: str, least: int, dim: Callable[[int], int]) -> None:
    """Expose hsplit and its kin: tensor_split along a fixed dimension."""

    def call(input: Tensor, sections: Any = None, indices: Any = None) -> tuple[Tensor, ...]:
        ndim = input._data.ndim
        if ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {ndim} "
                "dimensions!"
            )
        place = dim(ndim)
        if indices is not None:
            return tensor_split(input, indices=indices, dim=place)
        side = input._data.shape[place]
        if not sections or side % sections:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {place}, but the size of the dimension {side} is "
                f"not divisible by the split_size {sections}!"
            )
        return tensor_split(input, sections=sections, dim=place)

    call.__doc__ = f"Take pieces along a dimension (torch.{name})."
    public("Tensor input, int sections", "Tensor input, ints indices", name=name)(call)


splitter("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1)
splitter("vsplit", 2, lambda ndim: 0)
splitter("dsplit", 3, lambda ndim: 2)
methods(split=split_method)
functions(split=split, block_diag=block_diag)
