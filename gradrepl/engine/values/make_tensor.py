"""Random tensors for tests: torch.testing.make_tensor."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.device import require_cpu
from gradrepl.engine.dtype import INEXACT
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.creation import numpy_kind
from gradrepl.engine.values.random import integer_array

EQUAL_BOUNDS = (
    "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is deprecated since 2.1 and will "
    "be removed in 2.3. Use `torch.full(...)` instead."
)
EXCLUSIVE = (
    "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got noncontiguous={!r} and "
    "memory_format={!r}"
)


def bounds(kind: Any) -> tuple[float, float, float, float]:
    """Return the lowest and the highest value of a dtype, and the default bounds."""
    if kind == np.bool_:
        return 0, 2, 0, 2
    if kind in INEXACT:
        limits = np.finfo(kind)
        return float(limits.min), float(limits.max), -9, 9
    whole = np.iinfo(kind)
    return int(whole.min), int(whole.max) + (kind != np.int64), -9, 10


def checked_bounds(low: float | None, high: float | None, dtype: Any) -> tuple[float, float]:
    """Return the bounds to draw between; raises ValueError for those that no number is between."""
    kind = numpy_kind(dtype)
    lowest, highest, default_low, default_high = bounds(kind)
    low, high = default_low if low is None else low, default_high if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and kind in INEXACT:
        warnings.warn(EQUAL_BOUNDS, FutureWarning, stacklevel=4)
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < lowest or low >= highest:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} only supports "
            f"[{lowest}, {highest})"
        )
    return min(max(low, lowest), highest), min(max(high, lowest), highest)


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return a tensor of numbers drawn evenly from [low, high) (torch.testing.make_tensor)."""
    kind = numpy_kind(dtype)
    require_cpu(device)
    if noncontiguous and memory_format is not None:
        raise ValueError(EXCLUSIVE.format(noncontiguous, memory_format))
    if requires_grad and kind not in INEXACT:
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got {dtype=}")
    sides = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    spaced = noncontiguous and math.prod(sides) > 1
    first, last = checked_bounds(low, high, dtype)
    result = drawn((*sides[:-1], 2 * sides[-1]) if spaced else sides, kind, first, last)
    result = result[..., 1::2] if spaced else result
    if exclude_zero:
        result._data[result._data == 0] = np.finfo(kind).tiny if kind in INEXACT else 1
    if kind in INEXACT:
        result.requires_grad_(requires_grad)
    return result


def drawn(shape: tuple[int, ...], kind: Any, low: float, high: float) -> Any:
    """Return random numbers of a shape and numpy dtype from [low, high)."""
    if kind not in INEXACT:
        return make(integer_array(shape, math.ceil(low), math.ceil(high)).astype(kind))
    result: Any = make(np.empty(shape, kind))
    real: Any = make(np.stack([result._data.real, result._data.imag], -1)) if kind.kind == "c" else result
    if high - low >= np.finfo(kind).max:
        real.uniform_(low / 2, high / 2).mul_(2)
    else:
        real.uniform_(low, high)
    return make(real._data.view(kind)[..., 0]) if kind.kind == "c" else result


functions("torch.testing", make_tensor=make_tensor)
