"""Slopes of sampled functions by differences of neighbours: torch.gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradrepl.engine.api import SPACES, public
from gradrepl.engine.ops.cumulative import diff
from gradrepl.engine.ops.number import over_number, times_number
from gradrepl.engine.ops.view import dim_of, slice_at
from gradrepl.engine.tensor import Tensor

Part = Callable[[int, int], Any]
"""Gives the elements from one place to another along a dimension, counted from its end where negative."""

SAME_LENGTH = (
    "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same "
    "length, but got a spacing argument of length {} and a dim argument of length {}."
)
ONE_EACH = (
    "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = {}', "
    "since dim argument was not given, but got a list of length {}"
)


def even_slopes(part: Part, count: int, step: Any, edge_order: int) -> list[Any]:
    """Return the slopes at the start, within and at the end of elements that lie `step` apart."""
    within = over_number(part(2, count) - part(0, count - 2), step)
    if edge_order == 1:
        start, end = part(1, 2) - part(0, 1), part(-1, count) - part(-2, -1)
    else:
        start = times_number(part(0, 1), -1.5) + times_number(part(1, 2), 2) - times_number(part(2, 3), 0.5)
        last = times_number(part(-1, count), 1.5)
        end = times_number(part(-3, -2), 0.5) - times_number(part(-2, -1), 2) + last
    return [over_number(start, step), over_number(within, 2), over_number(end, step)]


def uneven_slopes(part: Part, count: int, places: Any, shape: Sequence[int], edge_order: int) -> list[Any]:
    """Return the slopes at the start, within and at the end of elements that lie at places."""
    steps: Any = diff(places, 1, 0)
    one, two = steps[:-1], steps[1:]
    a = (-two / (one * (one + two))).reshape(shape)
    b = ((two - one) / (one * two)).reshape(shape)
    c = (one / (two * (one + two))).reshape(shape)
    within = a * part(0, count - 2) + b * part(1, count - 1) + c * part(2, count)
    if edge_order == 1:
        return [(part(1, 2) - part(0, 1)) / steps[0], within, (part(-1, count) - part(-2, -1)) / steps[-1]]
    return [first_slope(part, steps[0], steps[1]), within, last_slope(part, count, steps[-2], steps[-1])]


def first_slope(part: Part, one: Any, two: Any) -> Any:
    """Return the slope at the first of three elements."""
    a, b, c = -(2.0 * one + two) / (one * (one + two)), (one + two) / (one * two), -one / (two * (one + two))
    return a * part(0, 1) + b * part(1, 2) + c * part(2, 3)


def last_slope(part: Part, count: int, one: Any, two: Any) -> Any:
    """Return the slope at the last of three elements."""
    a, b, c = two / (one * (one + two)), -(one + two) / (one * two), (2 * two + one) / (two * (one + two))
    return a * part(-3, -2) + b * part(-2, -1) + c * part(-1, count)


def check(input: Tensor, spacing: Any, dim: Any, edge_order: int) -> None:
    """Raise what PyTorch raises for arguments that do not go together."""
    if input.dtype.tensor_type == "Byte":
        raise RuntimeError("torch.gradient does not support uint8 input.")
    several = isinstance(spacing, (tuple, list))
    if several and dim is None and len(spacing) != input.ndim:
        raise RuntimeError(ONE_EACH.format(input.ndim, len(spacing)))
    if several and dim is not None and len(spacing) != len(dim):
        raise RuntimeError(SAME_LENGTH.format(len(spacing), len(dim)))
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    places = [dim_of(one, input.ndim) for one in (range(input.ndim) if dim is None else dim)]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise RuntimeError(f"dim {place} appears multiple times in the list of dims")
    if any(input._data.shape[place] < edge_order + 1 for place in places):
        raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")


def slopes(input: Tensor, dim: int, spacing: Any, edge_order: int) -> Any:
    """Return the slopes along a dimension."""
    count = input._data.shape[dim]

    def part(start: int, stop: int) -> Any:
        return slice_at(input, dim, start + count * (start < 0), stop + count * (stop < 0), 1)

    if not isinstance(spacing, Tensor):
        pieces = even_slopes(part, count, spacing, edge_order)
    elif spacing.ndim != 1:
        raise RuntimeError(
            "torch.gradient expected each element of spacing to have one dimension, but got an element with "
            f"{spacing.ndim} dimensions!"
        )
    else:
        shape = [-1 if other == dim else 1 for other in range(input.ndim)]
        pieces = uneven_slopes(part, count, spacing, shape, edge_order)
    return SPACES["torch"]["cat"](pieces, dim)


@public(
    "Tensor input, *, ints dim, int edge_order=1",
    "Tensor input, *, Number spacing, ints dim, int edge_order=1",
    "Tensor input, *, Number? spacing=None, int? dim=None, int edge_order=1",
    "Tensor input, *, Numbers spacing, int? dim=None, int edge_order=1",
    "Tensor input, *, Numbers spacing, ints dim, int edge_order=1",
    "Tensor input, *, Tensors spacing, int? dim=None, int edge_order=1",
    "Tensor input, *, Tensors spacing, ints dim, int edge_order=1",
    method=False,
)
def gradient(input: Tensor, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Any, ...]:
    """Return the slopes of a sampled function along each dimension (torch.gradient)."""
    dims = (dim,) if isinstance(dim, int) else dim
    check(input, spacing, dims, edge_order)
    places = [dim_of(one, input.ndim) for one in (range(input.ndim) if dims is None else dims)]
    steps = spacing if isinstance(spacing, (tuple, list)) else [1 if spacing is None else spacing] * len(places)
    return tuple(slopes(input, place, step, edge_order) for place, step in zip(places, steps, strict=True))
