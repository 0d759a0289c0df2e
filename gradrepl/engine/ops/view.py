"""Views: other shapes and parts of the same storage."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.operands import FromEnd
from gradrepl.engine.ops.shape import clone
from gradrepl.engine.tensor import Tensor

Shape = tuple[int, ...]


def np_strided(a: Array, shape: Shape, strides: Shape) -> Array:
    """Return a view of an array's memory, of any shape and strides in bytes."""
    view: Array = np.lib.stride_tricks.as_strided(a, shape, strides)
    return view if type(a) is np.ndarray else view.view(a.dtype).view(type(a))


class Geometry(NamedTuple):
    """A part of a storage: its shape, its strides and the offset of its first element, in elements."""

    size: Shape
    stride: Shape
    offset: int


def geometry_of(part: Array, base: Array) -> Geometry:
    """Return where a part lies within its base, in elements of the part."""
    unit = part.itemsize
    distance = part.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return Geometry(part.shape, tuple(side // unit for side in part.strides), distance // unit)


def owner(array: Array) -> Array:
    """Return the array whose memory another looks into, be it through numpy's stand-ins for strided views."""
    found, base = array, array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            found = base
        base = getattr(base, "base", None)
    return found


@op("AsStridedBackward0", view=True, samples=(((2, 3), (2, 2), (1, 2), 1),))
def as_strided(a: Array, size: Shape, stride: Shape, offset: int) -> Any:
    """A view of a's storage, of any shape, strides and offset"""
    unit, whole = a.itemsize, a
    if offset < 0:
        whole = owner(a)
        offset += geometry_of(a, whole).offset
    shifted = np_strided(whole, (offset + 1,), (unit,))[offset:]
    return np_strided(shifted, size, tuple(side * unit for side in stride))


def places_of(size: Shape, stride: Shape, offset: int) -> Array:
    """Return for each element of a part where it lies in the storage, in elements from the base's first."""
    steps = [np.arange(side) * step for side, step in zip(size, stride, strict=True)]
    return offset + functools.reduce(np.add.outer, steps, np.zeros((), np.int64))


def carried(a: Array, source: Array, target: Array, counted: Array) -> Array:
    """Add the elements of a up in a storage, each at its place in source, and read it at those of target.

    What several of the `counted` places share is divided among them.
    """
    if not source.size or not target.size:
        return np.zeros(target.shape, a.dtype)
    low = min(source.min(), target.min())
    storage = np.zeros(max(source.max(), target.max()) - low + 1, a.dtype)
    np.add.at(storage, source - low, a)
    shares = np.bincount((counted - low).reshape(-1), minlength=storage.size)
    if shares.max() > 1:
        storage /= np.maximum(shares, 1)
    return storage[target - low]


@op("AsStridedBackwardBackward0")
def strided_embed(a: Array, shape: Shape, strides: Shape, size: Shape, stride: Shape, offset: int) -> Any:
    """The gradient of a part of a storage (size, stride, offset), as one of the base that looks into it"""
    base = places_of(shape, strides, 0)
    return carried(a, places_of(size, stride, offset), base, base)


@op("AsStridedBackward0")
def strided_part(a: Array, shape: Shape, strides: Shape, size: Shape, stride: Shape, offset: int) -> Any:
    """The part of a storage (size, stride, offset) that a base (shape, strides) looks into"""
    base = places_of(shape, strides, 0)
    return carried(a, base, places_of(size, stride, offset), base)


as_strided.grad(
    a=lambda g, a_shape, a_strides, size, stride, offset: strided_embed(g, a_shape, a_strides, size, stride, offset),
)
strided_embed.grad(
    a=lambda g, shape, strides, size, stride, offset: strided_part(g, shape, strides, size, stride, offset)
)
strided_part.grad(
    a=lambda g, shape, strides, size, stride, offset: strided_embed(g, shape, strides, size, stride, offset)
)


def at(dim: int, item: Any) -> tuple[Any, ...]:
    """Return the numpy index that takes `item` in one dimension; it gives a view also of single elements."""
    return (*(slice(None),) * dim, item, ...)


@op("SelectBackwardBackward0")
def embed(a: Array, shape: Shape, index: Any) -> Any:
    """Zeros of a shape, with a at a (basic) index"""
    whole = np.zeros(shape, a.dtype)
    whole[index] = a
    return whole


@op("SelectBackward0", view=True)
def look_at(a: Array, index: Any) -> Any:
    """The part of a at a (basic) index"""
    return a[index]


@op("SliceBackwardBackward0")
def embed_range(a: Array, shape: Shape, index: Any) -> Any:
    """Zeros of a shape, with a at a range of a dimension"""
    return embed.forward(a, shape, index)


embed_range.grad(a=lambda g, index: look_at(g, index))
embed.grad(a=lambda g, index: look_at(g, index))
look_at.grad(a=lambda g, a_shape, index: embed(g, a_shape, index))


@op("SelectBackward0", view=True, samples=(((2, 3), 0, 1), ((3, 2), 1, 0)))
def select_at(a: Array, dim: int, index: int) -> Any:
    """One slice of a along a dimension, without that dimension"""
    return a[at(dim, index)]


select_at.grad(a=lambda g, a_shape, dim, index: embed(g, a_shape, at(dim, index)))


@op("SliceBackward0", view=True, samples=(((5, 2), 0, 1, 5, 2),))
def slice_at(a: Array, dim: int, start: int, stop: int, step: int) -> Any:
    """A range of a along a dimension"""
    return a[at(dim, slice(start, stop, step))]


slice_at.grad(a=lambda g, a_shape, dim, start, stop, step: embed_range(g, a_shape, at(dim, slice(start, stop, step))))


@op("AliasBackward0", view=True, samples=(((2, 3),),))
def alias(a: Array) -> Any:
    """All of a"""
    return a[...]


alias.grad(a=lambda g: g)


@op("UnsqueezeBackward0", view=True, samples=(((2, 3), 1),))
def unsqueeze_at(a: Array, dim: int) -> Any:
    """a, with a dimension of 1 put in"""
    return np.expand_dims(a, dim)


@op("SqueezeBackward1", view=True, samples=(((2, 1, 3), 1),))
def squeeze_at(a: Array, dim: int) -> Any:
    """a, without a dimension if that is of size 1"""
    return a.squeeze(dim) if a.ndim and a.shape[dim] == 1 else a[...]


unsqueeze_at.grad(a=lambda g, dim: squeeze_at(g, dim))
squeeze_at.grad(a=lambda g, a_shape, dim: unsqueezed(g, a_shape, (dim,)))


def unsqueezed(g: Any, shape: Shape, dims: Sequence[int]) -> Any:
    """Put in again those of some dimensions that are of size 1."""
    for dim in sorted(dims) if shape else ():
        if shape[dim] == 1:
            g = unsqueeze_at(g, dim)
    return g


@op("SqueezeBackward0", view=True, samples=(((2, 1, 3, 1),),))
def squeeze_all(a: Array) -> Any:
    """a, without its dimensions of size 1"""
    return a.squeeze()


squeeze_all.grad(a=lambda g, a_shape: unsqueezed(g, a_shape, range(len(a_shape))))


@op("SqueezeBackward2", view=True, samples=(((2, 1, 3, 1), (1, 3)),))
def squeeze_dims(a: Array, dims: Shape) -> Any:
    """a, without those of some dimensions that are of size 1"""
    return a.squeeze(tuple(dim for dim in dims if a.shape[dim] == 1)) if a.ndim else a[...]


squeeze_dims.grad(a=lambda g, a_shape, dims: unsqueezed(g, a_shape, dims))


@op("TransposeBackward0", view=True, samples=(((2, 3, 4), 0, 2),))
def transpose_dims(a: Array, dim0: int, dim1: int) -> Any:
    """a, with two dimensions swapped"""
    return a.swapaxes(dim0, dim1) if a.ndim else a[...]


transpose_dims.grad(a=lambda g, dim0, dim1: transpose_dims(g, dim0, dim1))


@op("TBackward0", view=True, samples=(((2, 3),),))
def t(a: Array) -> Any:
    """a transposed, for at most two dimensions"""
    return a.T


t.grad(a=lambda g: t(g))


@op("PermuteBackward0", view=True, samples=(((2, 3, 4), (2, 0, 1)),))
def permute_dims(a: Array, dims: Shape) -> Any:
    """a, with its dimensions in another order"""
    return np.transpose(a, dims)


permute_dims.grad(a=lambda g, dims: permute_dims(g, tuple(dims.index(i) for i in range(len(dims)))))


@op("ViewBackward0", view=True, samples=(((2, 3), (3, 2)), ((2, 3), (6,))))
def view_at(a: Array, shape: Shape) -> Any:
    """a's elements in another shape, without copying"""
    view = a.view()
    view.shape = shape
    return view


view_at.grad(a=lambda g, a_shape: view_as(g, a_shape))


@op("ReshapeAliasBackward0", view=True)
def reshape_alias(a: Array, shape: Shape) -> Any:
    """a's elements in another shape, without copying, though they do not lie one after the other"""
    return view_at.forward(a, shape)


reshape_alias.grad(a=lambda g, a_shape: view_as(g, a_shape))


@op("UnsafeViewBackward0", samples=(((2, 3), (3, 2)),))
def unsafe_view(a: Array, shape: Shape) -> Any:
    """A fresh copy in another shape"""
    return a.reshape(shape)


unsafe_view.grad(a=lambda g, a_shape: view_as(g, a_shape))


def view_as(a: Any, shape: Shape) -> Any:
    """Return an array or tensor in another shape, copied where it must be."""
    if not isinstance(a, Tensor):
        return np.reshape(a, shape)
    if not can_view(a._data, shape):
        return unsafe_view(clone(a, "C"), shape)
    return view_at(a, shape) if a._data.flags.c_contiguous else reshape_alias(a, shape)


def can_view(array: Array, shape: Shape) -> bool:
    """Whether a shape fits the memory layout of an array without copying."""
    try:
        array.view().shape = shape
    except AttributeError:
        return False
    return True


def whole_shape(shape: Shape, count: int) -> Shape:
    """Return a shape with its -1 replaced; raises RuntimeError in PyTorch's words where it can't hold `count`."""
    known = math.prod(side for side in shape if side != -1)
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    for side in shape:
        if side < -1:
            raise RuntimeError(f"invalid shape dimension {side} at index {shape.index(side)} of shape {list(shape)}")
    if -1 in shape:
        if known == 0 and count == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size "
                "-1 can be any value and is ambiguous"
            )
        if known and count % known == 0:
            return tuple(count // known if side == -1 else side for side in shape)
    elif known == count:
        return shape
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")


@op("UnfoldBackward0", view=True, samples=(((2, 5), 1, 3, 2),))
def unfold_dim(a: Array, dim: int, size: int, step: int) -> Any:
    """Windows of a along a dimension, in a new last dimension"""
    if not a.ndim:
        return np_strided(a, (size,), (a.itemsize,))
    count = (a.shape[dim] - size) // step + 1
    shape = (*a.shape[:dim], count, *a.shape[dim + 1 :], size)
    width = a.strides[dim]
    return np_strided(a, shape, (*a.strides[:dim], width * step, *a.strides[dim + 1 :], width))


@op("UnfoldBackwardBackward0")
def fold_dim(a: Array, shape: Shape, dim: int, size: int, step: int) -> Any:
    """Zeros of a shape, with each window of a added where unfold looked"""
    whole = np.zeros(shape, a.dtype)
    if not shape:
        return whole + a[0]
    for offset in range(size):
        stop = offset + (a.shape[dim] - 1) * step + 1
        whole[at(dim, slice(offset, stop, step))] += a[..., offset]
    return whole


unfold_dim.grad(a=lambda g, a_shape, dim, size, step: fold_dim(g, a_shape, dim, size, step))
fold_dim.grad(a=lambda g, dim, size, step: unfold_dim(g, dim, size, step))


@op("UnbindBackward0", view=True, several=True, samples=(((2, 3), 0), ((2, 3), 1)))
def unbind_at(a: Array, dim: int) -> Any:
    """All slices of a along a dimension"""
    return tuple(a[at(dim, i)] for i in range(a.shape[dim]))


def unbound(g: Any, shape: Shape, dim: int) -> Any:
    """Put the gradients of slices together."""
    from gradrepl.engine.ops.joining import side_by_side  # here, because few programs need it

    return side_by_side(g, shape, dim)


unbind_at.grad(a=lambda g, a_shape, dim: unbound(g, a_shape, dim))


def type_name(kind: str) -> str:
    """Return what PyTorch calls a type of tensors in an error: the newer dtypes differently."""
    return f"CPU{kind}Type" if kind in ("Bool", "BFloat16", "ComplexFloat", "ComplexDouble") else f"torch.{kind}Tensor"


def check_expands(own: Shape, wanted: Shape, kind: str = "Float", given: Shape | None = None) -> None:
    """Raise what PyTorch raises where a shape can't be broadcast to another; given: as it was asked for."""
    shown = list(wanted if given is None else given)
    if len(own) > len(wanted):
        raise RuntimeError(
            f"expand({type_name(kind)}{{{list(own)}}}, size={shown}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor ({len(own)})"
        )
    for i in range(1, len(own) + 1):
        if own[-i] not in (1, wanted[-i]) or wanted[-i] < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted[-i]}) must match the existing size ({own[-i]}) at "
                f"non-singleton dimension {len(wanted) - i}.  Target sizes: {shown}.  Tensor sizes: {list(own)}"
            )


@functools.lru_cache(maxsize=1024)
def from_end(place: int, given: int) -> FromEnd:
    """Return a dimension that was given as counted from the end."""
    found = FromEnd(place)
    found.given = int(given)
    return found


def dim_of(dim: int, ndim: int) -> int:
    """Return a dimension counted from the front; raises IndexError in PyTorch's words."""
    span = max(ndim, 1)
    if not -span <= dim < span:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {dim})")
    return dim if dim >= 0 else from_end(dim % span, dim)
