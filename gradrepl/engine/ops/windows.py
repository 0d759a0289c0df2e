"""Windows sliding over the last dimensions of an array: their geometry, cut out and put back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradrepl.engine.dtype import Array

Ints = tuple[int, ...]


def spread(value: Any, count: int) -> Ints:
    """Return a setting for every dimension: one number, or as many as there are dimensions."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return tuple(int(item) for item in (values * count if len(values) == 1 else values))


def padded(a: Array, padding: Ints, value: Any = 0) -> Any:
    """Return a with a border in its last dimensions; a itself where there is none."""
    if not any(padding):
        return a
    rest = a.ndim - len(padding)
    out = np.full((*a.shape[:rest], *(s + 2 * p for s, p in zip(a.shape[rest:], padding, strict=True))), value, a.dtype)
    out[inside(rest, padding, a.shape[rest:])] = a
    return out


def inside(rest: int, padding: Ints, size: Ints) -> tuple[slice, ...]:
    """Return the index of what was there before a border was put around it."""
    return (*(slice(None),) * rest, *(slice(p, p + s) for p, s in zip(padding, size, strict=True)))


def patches(a: Array, kernel: Ints, stride: Ints, dilation: Ints) -> Any:
    """Return a view (..., *kernel, *windows) of the windows over the last dimensions."""
    count = len(kernel)
    steps, size = a.strides[-count:], a.shape[-count:]
    windows = tuple((s - d * (k - 1) - 1) // t + 1 for s, k, t, d in zip(size, kernel, stride, dilation, strict=True))
    inner = tuple(step * d for step, d in zip(steps, dilation, strict=True))
    outer = tuple(step * t for step, t in zip(steps, stride, strict=True))
    return np.lib.stride_tricks.as_strided(
        a, (*a.shape[:-count], *kernel, *windows), (*a.strides[:-count], *inner, *outer), writeable=False
    )


def places(kernel: Ints, stride: Ints, dilation: Ints, windows: Ints) -> Iterator[tuple[Ints, tuple[Any, ...]]]:
    """Go through the elements of a kernel, each with the index of what it meets in all windows."""
    for element in itertools.product(*map(range, kernel)):
        index = tuple(
            slice(e * d, e * d + t * (w - 1) + 1, t)
            for e, d, t, w in zip(element, dilation, stride, windows, strict=True)
        )
        yield element, (..., *index)


def put_back(columns: Array, size: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Any:
    """Add windows (..., *kernel, *windows) up where they were cut out of an array of a size; undoes `patches`."""
    count = len(size)
    kernel, windows = columns.shape[-2 * count : -count], columns.shape[-count:]
    rest = columns.shape[: -2 * count]
    out = np.zeros((*rest, *(s + 2 * p for s, p in zip(size, padding, strict=True))), columns.dtype)
    for element, index in places(kernel, stride, dilation, windows):
        out[index] += columns[(*(slice(None),) * len(rest), *element)]
    return out[inside(len(rest), padding, size)] if any(padding) else out
