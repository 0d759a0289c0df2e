"""Elements in other places: repeat, roll, flip, grids and combinations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions, public
from gradrepl.engine.dtype import CATEGORY, FLOAT, INT64, Array
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.once import warn_once
from gradrepl.engine.op import op
from gradrepl.engine.ops.broadcasting import expand, tensors_of
from gradrepl.engine.ops.joining import stack
from gradrepl.engine.ops.masking import masked_select
from gradrepl.engine.ops.reshaping import flatten, reshape, shortcut, view
from gradrepl.engine.ops.selecting import index_select_at
from gradrepl.engine.ops.shape import clone
from gradrepl.engine.ops.view import dim_of, unsqueeze_at
from gradrepl.engine.tensor import Tensor, make

Shape = tuple[int, ...]


@op("RepeatBackward0", samples=(((2, 3), (2, 1)), ((3,), (2, 2))))
def repeat_all(a: Array, repeats: Shape) -> Any:
    """a several times along each dimension"""
    return np.tile(a, repeats)


def summed_repeats(gradient: Any, shape: Shape, repeats: Shape) -> Any:
    """Add up the gradients of all copies."""
    own = (1,) * (len(repeats) - len(shape)) + shape
    parts = tuple(itertools.chain.from_iterable(zip(repeats, own, strict=True)))
    if not parts:
        return gradient
    total = gradient.reshape(parts).sum(tuple(range(0, len(parts), 2)))
    return total if total.shape == shape else total.reshape(shape)


repeat_all.grad(a=lambda g, a_shape, repeats: summed_repeats(g, a_shape, repeats))


@public("Tensor self, ints repeats", function=False)
def repeat(self: Tensor, repeats: Shape) -> Tensor:
    """Return copies of the tensor side by side (torch.Tensor.repeat)."""
    own = self._data.shape
    if len(repeats) < len(own):
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    sizes = [n * side for n, side in zip(repeats, (1,) * (len(repeats) - len(own)) + own, strict=True)]
    negative = next((side for side in sizes if side < 0), None)
    if negative is not None:
        raise RuntimeError(f"Trying to create tensor with negative dimension {negative}: {sizes}")
    return repeat_all.call(self, repeats)


shortcut("repeat", lambda self, repeats: repeat(self, repeats), None)


@public("Tensor input, ints dims")
def tile(input: Tensor, dims: Shape) -> Tensor:
    """Return copies of the tensor side by side; missing dims count as 1 (torch.tile)."""
    return repeat(input, (1,) * (input._data.ndim - len(dims)) + tuple(dims))


def repeated_by_number(input: Tensor, repeats: int, dim: int | None) -> Tensor:
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    flat = view(flat_of(input), (input._data.size,)) if dim is None else input
    place = 0 if dim is None else dim_of(dim, input._data.ndim)
    shape = flat._data.shape
    wide = expand(unsqueeze_at(flat, place + 1), (*shape[: place + 1], repeats, *shape[place + 1 :]))
    return flatten_pair(clone.call(wide, "C"), place)


def flat_of(input: Tensor) -> Tensor:
    return input if input._data.flags.c_contiguous else clone.call(input, "C")


def flatten_pair(input: Tensor, dim: int) -> Tensor:
    shape = input._data.shape
    return view(input, (*shape[:dim], shape[dim] * shape[dim + 1], *shape[dim + 2 :]))


def positions_repeated(repeats: Array, side: int | None) -> Array:
    """Return each position as many times as `repeats` says."""
    if CATEGORY[repeats.dtype] >= FLOAT:
        raise no_kernel("repeat_interleave_cpu", dtypes.OF_NUMPY[repeats.dtype])
    if side is not None and repeats.size == 1:
        repeats = np.broadcast_to(repeats.reshape(-1), (side,))
    if (repeats < 0).any():
        raise RuntimeError("repeats can not be negative")
    if side is not None and repeats.size != side:
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {repeats.size} and "
            f"input.size(0) = {side}"
        )
    return np.repeat(np.arange(repeats.size, dtype=INT64), repeats)


@public(
    "Tensor input, Tensor repeats, int? dim=None, *, int? output_size=None",
    "Tensor repeats, *, int? output_size=None",
    "Tensor input, int repeats, int? dim=None, *, int? output_size=None",
    method=False,
)
def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, output_size: Any = None) -> Tensor:
    """Repeat each element a number of times (torch.repeat_interleave)."""
    if repeats is None:
        return make(positions_repeated(input._data, None))
    if not isinstance(repeats, Tensor):
        return repeated_by_number(input, repeats, dim)
    flat = flatten(input) if dim is None else input
    place = 0 if dim is None else dim_of(dim, input._data.ndim)
    return index_select_at(flat, place, positions_repeated(repeats._data, flat._data.shape[place]))


public(
    "Tensor input, Tensor repeats, int? dim=None, *, int? output_size=None",
    "Tensor input, int repeats, int? dim=None, *, int? output_size=None",
    name="repeat_interleave",
    function=False,
)(repeat_interleave)


@op("RollBackward0", samples=(((2, 3), (1,), ()), ((2, 3), (1, -1), (0, 1))))
def roll_by(a: Array, shifts: Shape, dims: Shape) -> Any:
    """a, its elements moved on along some dimensions, those at the end to the front"""
    return np.roll(a, shifts, dims) if dims else np.roll(a, shifts[0])


roll_by.grad(a=lambda g, shifts, dims: roll_by(g, tuple(-shift for shift in shifts), dims))


@public("Tensor input, int_or_ints shifts, int_or_ints dims=()")
def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """Move elements on along dimensions, those at the end to the front (torch.roll)."""
    if shifts == ():
        raise RuntimeError("`shifts` required")
    moves, places = (value if isinstance(value, tuple) else (value,) for value in (shifts, dims))
    if len(moves) != len(places) and not (len(moves) == 1 and not places):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:{len(places)}")
    if places and not input._data.ndim:
        raise IndexError(f"Dimension specified as {places[0]} but tensor has no dimensions")
    return roll_by.call(input, moves, tuple(dim_of(dim, input._data.ndim) for dim in places))


@op("FlipBackward0", samples=(((2, 3), (0,)), ((2, 3), (0, 1))))
def flip_dims(a: Array, dims: Shape) -> Any:
    """a, its elements in reverse order along some dimensions"""
    return np.flip(a, dims).copy()


flip_dims.grad(a=lambda g, dims: flip_dims(g, dims))


@public("Tensor input, ints dims")
def flip(input: Tensor, dims: Shape) -> Tensor:
    """Reverse the order along dimensions (torch.flip)."""
    places: list[int] = []
    for dim in dims:
        place = dim_of(dim, input._data.ndim)
        if place in places:
            raise RuntimeError(f"dim {place} appears multiple times in the list of dims")
        places.append(place)
    return flip_dims.call(input, tuple(places) if input._data.ndim else ())


@public("Tensor input")
def fliplr(input: Tensor) -> Tensor:
    """Reverse the order of columns (torch.fliplr)."""
    if input._data.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip_dims.call(input, (1,))


@public("Tensor input")
def flipud(input: Tensor) -> Tensor:
    """Reverse the order of rows (torch.flipud)."""
    if not input._data.ndim:
        raise RuntimeError("Input must be >= 1-d.")
    return flip_dims.call(input, (0,))


@op("Rot90Backward0", samples=(((2, 3), 1, (0, 1)),))
def rotate(a: Array, k: int, dims: tuple[int, int]) -> Any:
    """a, turned by quarters of a circle in the plane of two dimensions"""
    if k % 2:
        return np.flip(a, dims[k % 4 == 1]).copy().swapaxes(*dims)
    return np.rot90(a, k, dims).copy()


rotate.grad(a=lambda g, k, dims: rotate(g, -k, dims))


@public("Tensor input, int k=1, ints? dims=None", name="rot90")
def rot90(input: Tensor, k: int = 1, dims: Shape | None = None) -> Tensor:
    """Turn by quarters of a circle in the plane of two dimensions (torch.rot90)."""
    dims = (0, 1) if dims is None else dims
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input._data.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input._data.ndim}")
    first, second = (dim_of(dim, input._data.ndim) for dim in dims)
    if first == second:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    return rotate.call(input, k, (first, second))


UNSAID_INDEXING = "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument."


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Return grids of coordinates (torch.meshgrid)."""
    given = tensors_of(tensors)
    if not given:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing is None:
        warn_once(UNSAID_INDEXING)
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if any(tensor._data.dtype != given[0]._data.dtype for tensor in given):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    swapped = indexing == "xy" and len(given) > 1
    ordered = [given[1], given[0], *given[2:]] if swapped else list(given)
    for tensor in ordered:
        if tensor._data.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {tensor}")
    shape = tuple(tensor._data.size for tensor in ordered)
    grids = [
        expand(view(tensor, tuple(shape[i] if i == j else 1 for j in range(len(shape)))), shape)
        for i, tensor in enumerate(ordered)
    ]
    if swapped:
        grids = [grids[1], grids[0], *grids[2:]]
    return tuple(grids)


def cartesian_prod(*tensors: Any) -> Tensor:
    """Return all combinations of the elements of several tensors (torch.cartesian_prod)."""
    given = tensors_of(tensors)
    for one in given:
        if one._data.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(one._data.shape)}")
    if len(given) == 1:
        return given[0]
    return stack([reshape(grid, -1) for grid in meshgrid(*given, indexing="ij")], 1)


@public("Tensor input, int r=2, bool with_replacement=False", method=False)
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return all combinations of a number of elements (torch.combinations)."""
    if input._data.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input._data.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return make(np.empty(0, input._data.dtype))
    order = np.arange(input._data.size)
    places = np.meshgrid(*[order] * r, indexing="ij")
    mask = np.ones((order.size,) * r, bool)
    for before, after in itertools.pairwise(places):
        mask &= before <= after if with_replacement else before < after
    grids = meshgrid(*[input] * r, indexing="ij")
    return stack([masked_select(grid, make(mask)) for grid in grids], 1)


functions(meshgrid=meshgrid, cartesian_prod=cartesian_prod)
