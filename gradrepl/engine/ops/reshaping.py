"""Views as torch shows them: reshape, transpose, squeeze and their kin."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.api import functions, methods
from gradrepl.engine.ops.shape import clone, expand_to, where
from gradrepl.engine.ops.view import (
    as_strided,
    can_view,
    dim_of,
    permute_dims,
    squeeze_all,
    squeeze_at,
    t,
    transpose_dims,
    unbind_at,
    unsqueeze_at,
    view_as,
    view_at,
    whole_shape,
)
from gradrepl.engine.tensor import Size, Tensor

Shape = tuple[int, ...]


def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Return a view of the shape of `other` (torch.Tensor.expand_as)."""
    return expand(self, other._data.shape)


def shape_from(size: tuple[Any, ...]) -> Shape:
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    return tuple(int(side) for side in size)


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """Return the elements in another shape: a view where that can be (torch.reshape)."""
    return view_as(input, whole_shape(shape_from(shape), input._data.size))


def view(self: Tensor, *size: Any) -> Tensor:
    """Return a view in another shape; raises RuntimeError where that needs a copy (torch.Tensor.view)."""
    wanted = whole_shape(shape_from(size), self._data.size)
    if not can_view(self._data, wanted):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
            "two contiguous subspaces). Use .reshape(...) instead."
        )
    return view_at(self, wanted)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return all slices along a dimension (torch.unbind)."""
    return unbind_at(input, dim_of(dim, input._data.ndim))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Swap two dimensions (torch.transpose)."""
    ndim = input._data.ndim
    return transpose_dims(input, dim_of(dim0, ndim), dim_of(dim1, ndim))


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Put the dimensions in another order (torch.permute)."""
    order = shape_from(dims)
    return permute_dims(input, tuple(dim_of(dim, input._data.ndim) for dim in order))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Put in a dimension of size 1 (torch.unsqueeze)."""
    return unsqueeze_at(input, dim_of(dim, input._data.ndim + 1))


def squeeze(input: Tensor, dim: int | None = None) -> Tensor:
    """Take out dimensions of size 1 (torch.squeeze)."""
    return squeeze_all(input) if dim is None else squeeze_at(input, dim_of(dim, input._data.ndim))


def expand(self: Tensor, *size: Any) -> Tensor:
    """Return a view that repeats dimensions of size 1 (torch.Tensor.expand)."""
    sides = shape_from(size)
    own = (1,) * (len(sides) - self._data.ndim) + self._data.shape
    return expand_to(self, tuple(mine if side == -1 else side for side, mine in zip(sides, own, strict=True)))


def size_of(self: Tensor, dim: int | None = None) -> Any:
    """Return the shape, or the size of one dimension (torch.Tensor.size)."""
    shape = self._data.shape
    return Size(shape) if dim is None else shape[dim_of(dim, len(shape))]


methods(
    as_strided=as_strided,
    clone=clone,
    expand_as=expand_as,
    reshape=reshape,
    view=view,
    unbind=unbind,
    transpose=transpose,
    permute=permute,
    unsqueeze=unsqueeze,
    squeeze=squeeze,
    expand=expand,
    t=t,
    size=size_of,
    T=property(lambda self: permute(self, *reversed(range(self._data.ndim)))),
)
functions(
    reshape=reshape,
    unbind=unbind,
    transpose=transpose,
    permute=permute,
    unsqueeze=unsqueeze,
    squeeze=squeeze,
    t=t,
    where=where,
    clone=clone,
)
