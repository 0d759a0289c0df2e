"""Pooling undone: the greatest elements of windows put back to their places."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.dtype import Array, Fixed
from gradrepl.engine.op import Op, op
from gradrepl.engine.ops.pooling import at_places, place_array, stride_of
from gradrepl.engine.ops.view import squeeze_at, unsqueeze_at
from gradrepl.engine.ops.windows import Ints, spread
from gradrepl.engine.wanted import wants


def put_at(a: Array, places_: Any, out: Ints) -> Any:
    """Return zeros, the last dimensions of a size, with a at its places in them."""
    dims = len(out)
    whole = np.zeros((*a.shape[:-dims], math.prod(out)), a.dtype)
    flat = place_array(places_).reshape(*a.shape[:-dims], math.prod(a.shape[-dims:]))
    wrong = flat[(flat < 0) | (flat >= whole.shape[-1])]
    if wrong.size:
        sides = "x".join(map(str, out))
        raise RuntimeError(f"Found an invalid max index: {wrong[0]} (output volumes are of size {sides})")
    np.put_along_axis(whole, flat, a.reshape(flat.shape), -1)
    return whole.reshape(*a.shape[:-dims], *out)


def unpooling(dims: int) -> Op:
    """Make the entry for so many dimensions."""

    def unpooled(a: Array, places_: Fixed, out: Ints) -> Any:
        return put_at(a, places_, out)

    unpooled.__name__ = f"unpooled_{dims}d"
    unpooled.__doc__ = "Zeros, with a at its places"
    places = np.array([[[[0, 3], [8, 10]]] * 2]) if dims == 2 else np.array([[[[[0, 3], [8, 10]]]]])
    entry: Op = op(f"MaxUnpool{dims}DBackward0", samples=((places.shape, places, (4, 4) if dims == 2 else (2, 4, 4)),))(
        unpooled
    )
    entry.grad(
        a=lambda g, a_shape, places_: at_places(flat_sides(g, dims), flat_places(places_, dims)).reshape(a_shape)
    )
    return entry


def flat_sides(g: Any, dims: int) -> Any:
    """Return an array or tensor with its last dimensions as the one row of a plane."""
    return g.reshape((*g.shape[:-dims], 1, math.prod(g.shape[-dims:])))


def flat_places(places_: Any, dims: int) -> Any:
    return flat_sides(place_array(places_), dims)


ENTRIES = {dims: unpooling(dims) for dims in (2, 3)}


def output_sides(wanted: Any, least: Ints, steps: Ints) -> Ints:
    """Return the sides of the output; raises ValueError in PyTorch's words for sides that no pooling had."""
    dims, given = len(least), tuple(wanted)
    if len(given) == dims + 2:
        given = given[2:]
    if len(given) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
            f"'{len(given)}'"
        )
    for place, (side, usual, step) in enumerate(zip(given, least, steps, strict=True)):
        if not usual - step < side < usual + step:
            raise ValueError(
                f'invalid output_size "{given}" (dim {place} must be between {usual - step} and {usual + step})'
            )
    return given


def check_places(input: Any, indices: Any) -> None:
    """Raise what PyTorch raises for places that are not one for each element."""
    if indices._data.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices.dtype.tensor_type}")
    if input._data.shape != indices._data.shape:
        raise RuntimeError(
            "Expected shape of indices to be same as that of the input tensor "
            f"({list(input._data.shape)}) but got indices tensor with shape: {list(indices._data.shape)}"
        )


def exposed(dims: int) -> Callable[..., Any]:
    """Return max_unpool1d, max_unpool2d or max_unpool3d."""
    name = f"max_unpool{dims}d"

    def unpool(
        input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Any:
        kernel, border = spread(kernel_size, dims), spread(padding, dims)
        steps = stride_of(name, stride, kernel)
        settings = zip(input.shape[-dims:], kernel, steps, border, strict=True)
        usual = tuple((side - 1) * t + k - 2 * p for side, k, t, p in settings)
        out = usual if output_size is None else output_sides(output_size, usual, steps)
        if dims > 1:
            check_places(input, indices)
            return ENTRIES[dims](input, indices, out)
        last = input.dim()
        planes, places = unsqueeze_at(input, last), unsqueeze_at(indices, last)
        check_places(planes, places)
        return squeeze_at(ENTRIES[2](planes, places, (*out, 1)), last)

    unpool.__name__ = unpool.__qualname__ = name
    unpool.__doc__ = f"Put the greatest elements back to their places (torch.nn.functional.{name})."
    return wants(name, "input.size", "indices")(unpool)


functions("torch.nn.functional", **{f"max_unpool{dims}d": exposed(dims) for dims in (1, 2, 3)})
