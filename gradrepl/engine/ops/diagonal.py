"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.reshaping import reshape
from gradrepl.engine.ops.view import as_strided, dim_of, np_strided
from gradrepl.engine.tensor import Tensor

Shape = tuple[int, ...]


def along(a: Array, offset: int, dim1: int, dim2: int) -> Array:
    """Return the (writable) view of a diagonal, its dimension last."""
    rows, columns = a.shape[dim1], a.shape[dim2]
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    rest = [i for i in range(a.ndim) if i not in (dim1, dim2)]
    start = [slice(None)] * a.ndim
    if length:
        start[dim1 if offset < 0 else dim2] = slice(abs(offset), None)
    shape = (*(a.shape[i] for i in rest), length)
    steps = (*(a.strides[i] for i in rest), a.strides[dim1] + a.strides[dim2])
    return np_strided(a[tuple(start)], shape, steps)


@op("DiagonalBackward0", view=True, samples=(((2, 3), 0, 0, 1), ((3, 2, 2), -1, 0, 2)))
def diagonal_at(a: Array, offset: int, dim1: int, dim2: int) -> Any:
    """A diagonal of a, its dimension last"""
    return along(a, offset, dim1, dim2)


@op("DiagonalBackwardBackward0")
def diagonal_embed(a: Array, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    """Zeros of a shape, with a on a diagonal"""
    whole = np.zeros(shape, a.dtype)
    along(whole, offset, dim1, dim2)[...] = a
    return whole


@op("DiagonalBackward0_copy", samples=(((2, 3), 0), ((3, 3), 1)))
def diagonal_copy(a: Array, offset: int) -> Any:
    """A copy of a diagonal of a"""
    return along(a, offset, 0, 1).copy()


@op("DiagEmbedBackward0", samples=(((2,), 0, 0, 1), ((2, 3), 1, 0, 2)))
def diag_embed_at(a: Array, offset: int, dim1: int, dim2: int) -> Any:
    """Square matrices of zeros, with the last dimension of a on a diagonal"""
    side = a.shape[-1] + abs(offset)
    shape = list(a.shape[:-1])
    for dim in sorted((dim1, dim2)):
        shape.insert(dim, side)
    whole = np.zeros(shape, a.dtype)
    along(whole, offset, dim1, dim2)[...] = a
    return whole


diagonal_at.grad(
    a=lambda g, a_shape, offset, dim1, dim2: diagonal_embed(g, a_shape, offset, dim1, dim2),
)
diagonal_embed.grad(a=lambda g, offset, dim1, dim2: diagonal_at(g, offset, dim1, dim2))
diagonal_copy.grad(a=lambda g, a_shape, offset: diagonal_embed(g, a_shape, offset, 0, 1))
diag_embed_at.grad(a=lambda g, offset, dim1, dim2: diagonal_at(g, offset, dim1, dim2))


def check_different(first: int, second: int, dim1: int, dim2: int) -> None:
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")


@public("Tensor input, int offset=0, int dim1=0, int dim2=1")
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a diagonal as a view (torch.diagonal)."""
    first, second = (dim_of(dim, input._data.ndim) for dim in (dim1, dim2))
    check_different(first, second, dim1, dim2)
    return diagonal_at(input, offset, first, second)


@public("Tensor input, int offset=0, int dim1=-2, int dim2=-1")
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Put the last dimension on the diagonal of matrices (torch.diag_embed)."""
    first, second = (dim_of(dim, input._data.ndim + 1) for dim in (dim1, dim2))
    check_different(first, second, dim1, dim2)
    if first > second:
        first, second, offset = second, first, -offset
    return diag_embed_at(input, offset, first, second)


@public("Tensor input, int diagonal=0, *, Tensor? out=None")
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Make a matrix of a diagonal, or take the diagonal of a matrix (torch.diag)."""
    ndim = input._data.ndim
    if ndim == 1:
        return diag_embed_at(input, diagonal, 0, 1)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return diagonal_copy.call(input, diagonal)


@public("Tensor input, int offset=0")
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Make a matrix with all elements on its diagonal (torch.diagflat)."""
    return diag_embed_at(reshape(input, input._data.size), offset, 0, 1)


@op("TriuBackward0", samples=(((3, 3), 0), ((2, 3), 1)))
def upper(a: Array, diagonal: int) -> Any:
    """a, with zeros below a diagonal"""
    return np.triu(a, diagonal)


@op("TrilBackward0", samples=(((3, 3), 0), ((2, 3), -1)))
def lower(a: Array, diagonal: int) -> Any:
    """a, with zeros above a diagonal"""
    return np.tril(a, diagonal)


upper.grad(a=lambda g, diagonal: upper(g, diagonal))
lower.grad(a=lambda g, diagonal: lower(g, diagonal))


def triangle(name: str, entry: Any) -> None:
    def check(input: Tensor) -> None:
        if input._data.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")

    def call(input: Tensor, diagonal: int = 0) -> Tensor:
        check(input)
        return entry.call(input, diagonal)

    def write(input: Tensor, diagonal: int = 0) -> Tensor:
        check(input)
        return in_place(entry)(input, diagonal)

    call.__doc__ = f"{entry.doc} (torch.{name})."
    write.__doc__ = f"{entry.doc}; in place (torch.Tensor.{name}_)."
    public("Tensor input, int diagonal=0, *, Tensor? out=None", name=name)(call)
    public("Tensor input, int diagonal=0", name=f"{name}_", function=False)(write)


triangle("triu", upper)
triangle("tril", lower)


@public("Tensor input, Number fill_value, bool wrap=False", function=False)
def fill_diagonal_(input: Any, fill_value: Any, wrap: bool = False) -> Tensor:
    """Overwrite the main diagonal with a number (torch.Tensor.fill_diagonal_)."""
    shape = input._data.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    start, step = input.storage_offset(), sum(input.stride())
    size = min(shape)
    as_strided(input, (size,), (step,), start).fill_(fill_value)
    if wrap and len(shape) == 2 and shape[0] > shape[1] + 1:
        width = shape[1] + 1
        rest = -(-input.numel() // width) - size
        as_strided(input, (rest,), (step,), start + input.stride(0) * width).fill_(fill_value)
    return input


@op("DiagonalScatterBackward0", samples=(((3, 3), (3,), 0, 0, 1), ((2, 3), (2,), 1, 0, 1)))
def diagonal_put(a: Array, src: Array, offset: int, dim1: int, dim2: int) -> Any:
    """a, with a diagonal replaced"""
    out = a.copy()
    along(out, offset, dim1, dim2)[...] = src
    return out


diagonal_put.grad(
    a=lambda g, offset, dim1, dim2: diagonal_put(g, diagonal_at(g, offset, dim1, dim2) * 0, offset, dim1, dim2),
    src=lambda g, offset, dim1, dim2: diagonal_at(g, offset, dim1, dim2),
)


@public("Tensor input, Tensor src, int offset=0, int dim1=0, int dim2=1")
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Replace a diagonal (torch.diagonal_scatter)."""
    first, second = dim_of(dim1, input.ndim), dim_of(dim2, input.ndim)
    wanted = along(input._data, offset, first, second).shape
    if src._data.shape != wanted:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src._data.shape)}, slice size "
            f"= {list(wanted)}"
        )
    return diagonal_put(input, src, offset, first, second)
