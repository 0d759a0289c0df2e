"""Pooling over volumes: three dimensions at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, public
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.pooling import (
    AVERAGE_WITH_DIVISOR,
    bins,
    greatest,
    max_windows_gradient,
    mean_windows,
    mean_windows_gradient,
    place_array,
    stride_of,
)
from gradrepl.engine.ops.resampling import along_sides
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.ops.view import view_as
from gradrepl.engine.ops.window_settings import checked_sizes, greatest_counts, mean_counts, window_setting
from gradrepl.engine.ops.windows import Ints, spread
from gradrepl.engine.wanted import wants

ONES = (1, 1, 1)
VOLUME = ((1, 2, 2, 4, 4), (2, 2, 2), (2, 2, 2), (0, 0, 0))


@op("MaxPool3DWithIndicesBackward0", several=True, samples=((*VOLUME, ONES, (1, 2, 2)),))
def max_volumes(a: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Any:
    """The greatest element of every window of a volume, and its place in the volume"""
    best, which = greatest(a, kernel, stride, padding, dilation, out)
    flat: Any = 0
    settings = zip(np.unravel_index(which, kernel), a.shape[-3:], stride, padding, dilation, out, strict=True)
    for dim, (element, side, step, border, gap, count) in enumerate(settings):
        start = (np.arange(count) * step - border).reshape(-1, *(1,) * (2 - dim))
        flat = flat * side + start + element * gap
    return best, flat


def volumes_gradient(g: Any, a: Any, places_: Any) -> Any:
    """Zeros of a's shape, with g added at its places in every volume: its layers are the rows of a plane."""
    flat = view_as(a, (*a.shape[:-2], a.shape[-2] * a.shape[-1]))
    rows = view_as(g, (*g.shape[:-2], g.shape[-2] * g.shape[-1]))
    return view_as(max_windows_gradient(rows, flat, places_.reshape(rows.shape)), a.shape)


max_volumes.grad(a=lambda g, a, out1: volumes_gradient(g[0], a, place_array(out1)))


@op("AvgPool3DBackward0", samples=((*VOLUME, (1, 2, 2), True, None),))
def mean_volumes(
    a: Array, kernel: Ints, stride: Ints, padding: Ints, out: Ints, border: bool, divisor: int | None
) -> Any:
    """The mean of every window of a volume"""
    return mean_windows.forward(a, kernel, stride, padding, out, border, divisor)


mean_volumes.grad(
    a=lambda g, a, kernel, stride, padding, border, divisor: mean_windows_gradient(
        g, a, kernel, stride, padding, border, divisor
    )
)


@op("AdaptiveAvgPool3DBackward0", samples=(((1, 2, 3, 2, 4), (2, 1, 3)),))
def mean_volume_bins(a: Array, out: Ints) -> Any:
    """The means over a given number of bins in three dimensions"""
    return along_sides(a, [bins(side, count, a.dtype) for side, count in zip(a.shape[-3:], out, strict=True)])


@op("AdaptiveAvgPool3DBackwardBackward0", samples=(((1, 2, 2, 1, 3), (1, 2, 3, 2, 4)),))
def mean_volume_bins_gradient(g: Array, a: Array) -> Any:
    """What a gets from the means over its bins"""
    sides = zip(a.shape[-3:], g.shape[-3:], strict=True)
    return along_sides(g, [bins(side, count, g.dtype).T for side, count in sides])


mean_volume_bins.grad(a=lambda g, a: mean_volume_bins_gradient(g, a))
mean_volume_bins_gradient.grad(g=lambda gg, g_shape: mean_volume_bins(gg, g_shape[-3:]), a=lambda gg: zeros_of(gg))


@wants("max_pool3d", "input")
def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the greatest of every window of a volume (torch.nn.functional.max_pool3d)."""
    kernel = window_setting("max_pool3d", "kernel_size", kernel_size, 3)
    steps, border, gaps = stride_of("max_pool3d", stride, kernel), spread(padding, 3), spread(dilation, 3)
    name = "max_pool3d_with_indices_out_cpu_template"
    out = checked_sizes(input._data, kernel, steps, border, gaps, ceil_mode, name)
    values, indices = max_volumes(input, kernel, steps, border, gaps, out)
    return (values, indices) if return_indices else values


@public(AVERAGE_WITH_DIVISOR, space="torch.nn.functional", method=False)
def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Take the mean of every window of a volume (torch.nn.functional.avg_pool3d)."""
    kernel = window_setting("avg_pool3d", "kernel_size", kernel_size, 3)
    steps, border = stride_of("avg_pool3d", stride, kernel), spread(padding, 3)
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    out = checked_sizes(input._data, kernel, steps, border, ONES, ceil_mode, "avg_pool3d")
    return mean_volumes(input, kernel, steps, border, out, count_include_pad, divisor_override)


@wants("adaptive_avg_pool3d", "input.size")
def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """Take means so that the output has a given size (torch.nn.functional.adaptive_avg_pool3d)."""
    out = mean_counts("adaptive_avg_pool3d", input._data.shape, output_size, 3)
    return input.mean((-1, -2, -3), True) if out == ONES else mean_volume_bins(input, out)


@op("AdaptiveMaxPool3DBackward0", several=True, samples=(((1, 2, 3, 2, 4), (2, 1, 3)),))
def max_volume_bins(a: Array, out: Ints) -> Any:
    """The greatest elements of a given number of bins in three dimensions, and their places in the volume"""
    size = a.shape[-3:]
    best, places_ = np.empty((*a.shape[:-3], *out), a.dtype), np.empty((*a.shape[:-3], *out), np.int64)
    for each in np.ndindex(*out):
        cut = [slice(i * s // o, -(-(i + 1) * s // o)) for i, s, o in zip(each, size, out, strict=True)]
        part = a[(..., *cut)]
        flat = part.reshape(*part.shape[:-3], math.prod(part.shape[-3:])).argmax(-1)
        where = [w + c.start for w, c in zip(np.unravel_index(flat, part.shape[-3:]), cut, strict=True)]
        places_[(..., *each)] = np.ravel_multi_index(where, size)
        best[(..., *each)] = part.max((-1, -2, -3))
    return best, places_


max_volume_bins.grad(a=lambda g, a, out1: volumes_gradient(g[0], a, place_array(out1)))


@wants("adaptive_max_pool3d", "input.size")
def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Take the greatest elements so that the output has a given size (torch.nn.functional.adaptive_max_pool3d)."""
    out = greatest_counts("adaptive_max_pool3d", input._data.shape, output_size, 3)
    values, indices = max_volume_bins(input, out)
    return (values, indices) if return_indices else values


functions(
    "torch.nn.functional",
    max_pool3d=max_pool3d,
    adaptive_avg_pool3d=adaptive_avg_pool3d,
    adaptive_max_pool3d=adaptive_max_pool3d,
)
functions(max_pool3d=max_pool3d)
