"""Pooling: the greatest or the mean of every window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, public
from gradrepl.engine.dtype import CATEGORY, FLOAT, INT64, Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.nonlinearity import need_float
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.ops.view import squeeze_at, unsqueeze_at
from gradrepl.engine.ops.window_settings import (
    check_sequence,
    check_sequences,
    checked_sizes,
    greatest_counts,
    mean_counts,
    one_count,
    out_sizes,
    window_setting,
)
from gradrepl.engine.ops.windows import Ints, padded, places, put_back, spread
from gradrepl.engine.wanted import wants

MAX_SAMPLES = (((1, 2, 4, 4), (2, 2), (2, 2), (0, 0), (1, 1), (2, 2)),)


def lowest(kind: Any) -> Any:
    return -np.inf if CATEGORY[kind] == FLOAT else np.iinfo(kind).min


def with_room(a: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints, value: Any) -> Any:
    """Return a with a border, and with more behind it where the last windows reach over the edge."""
    bordered = padded(a, padding, value)
    settings = zip(bordered.shape[-len(out) :], kernel, stride, dilation, out, strict=True)
    missing = [max(0, (o - 1) * t + d * (k - 1) + 1 - s) for s, k, t, d, o in settings]
    if not any(missing):
        return bordered
    room = [(0, 0)] * (a.ndim - len(out)) + [(0, more) for more in missing]
    return np.pad(bordered, room, constant_values=value)


def greatest(a: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> tuple[Array, Array]:
    """Return the greatest element of every window, and its number in the window."""
    room = with_room(a, kernel, stride, padding, dilation, out, lowest(a.dtype))
    best: Any = None
    for number, (_, index) in enumerate(places(kernel, stride, dilation, out)):
        values = room[index]
        if best is None:
            best, which = values.copy(), np.zeros(values.shape, np.int32)
            continue
        better = (values > best) | (values != values)
        np.copyto(best, values, where=better)
        which[better] = number
    return best, which


@op("MaxPool2DWithIndicesBackward0", several=True, samples=MAX_SAMPLES)
def max_windows(a: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Any:
    """The greatest element of every window, and its place in the plane"""
    best, which = greatest(a, kernel, stride, padding, dilation, out)
    row, column = np.divmod(which, kernel[1])
    rows = np.arange(out[0])[:, None] * stride[0] - padding[0] + row * dilation[0]
    columns = np.arange(out[1]) * stride[1] - padding[1] + column * dilation[1]
    return best, rows * INT64.type(a.shape[-1]) + columns


@op("MaxPool2DWithIndicesBackwardBackward0")
def max_windows_gradient(g: Array, a: Array, places_: Any) -> Any:
    """Zeros of a's shape, with g added at its places in every plane"""
    shape = a.shape
    planes, size = math.prod(shape[:-2]), shape[-2] * shape[-1]
    flat = places_.reshape(planes, -1) + (np.arange(planes) * size)[:, None]
    return np.bincount(flat.reshape(-1), g.reshape(-1), planes * size).astype(g.dtype).reshape(shape)


@op("GatherBackward0")
def at_places(a: Array, places_: Any) -> Any:
    """The elements of every plane at places"""
    planes = a.reshape(*a.shape[:-2], -1)
    flat = places_.reshape(*places_.shape[:-2], -1)
    return np.take_along_axis(planes, flat, -1).reshape(places_.shape)


def place_array(places_: Any) -> Any:
    return getattr(places_, "_data", places_)


max_windows.grad(a=lambda g, a, out1: max_windows_gradient(g[0], a, place_array(out1)))
max_windows_gradient.grad(g=lambda gg, places_: at_places(gg, places_), a=lambda gg: zeros_of(gg))
at_places.grad(a=lambda g, a, places_: max_windows_gradient(g, a, places_))


@op("AvgPool2DBackward0", samples=(((1, 2, 4, 4), (2, 2), (2, 2), (0, 0), (2, 2), True, None),))
def mean_windows(
    a: Array, kernel: Ints, stride: Ints, padding: Ints, out: Ints, border: bool, divisor: int | None
) -> Any:
    """The mean of every window; `border`: whether the border counts; divisor: what the sum is divided by instead"""
    one = (1,) * len(kernel)
    room = with_room(a, kernel, stride, padding, one, out, 0)
    total: Any = 0
    for _, index in places(kernel, stride, one, out):
        total = total + room[index]
    counts = counts_of(a.shape[-len(kernel) :], kernel, stride, padding, out, border, divisor)
    if CATEGORY[a.dtype] < FLOAT:
        return np.sign(total) * (np.abs(total) // counts)
    return total / counts.astype(a.dtype)


def counts_of(
    size: Ints, kernel: Ints, stride: Ints, padding: Ints, out: Ints, border: bool, divisor: int | None
) -> Any:
    """Return for every window what its sum is divided by."""
    if divisor is not None:
        return np.asarray(divisor)
    total = np.ones((1,) * len(size), int)
    for dim, (s, k, t, p, o) in enumerate(zip(size, kernel, stride, padding, out, strict=True)):
        start = np.arange(o) * t - p
        end = np.minimum(start + k, s + p)
        count = end - start if border else np.minimum(end, s) - np.maximum(start, 0)
        total = total * count.reshape(*(1,) * dim, -1, *(1,) * (len(size) - dim - 1))
    return total


@op("AvgPool2DBackwardBackward0")
def mean_windows_gradient(
    g: Array, a: Array, kernel: Ints, stride: Ints, padding: Ints, border: bool, divisor: int | None
) -> Any:
    """What a gets from the means of its windows: a share of g for every element"""
    count = len(kernel)
    size, out = a.shape[-count:], g.shape[-count:]
    share = g / counts_of(size, kernel, stride, padding, out, border, divisor).astype(g.dtype)
    columns = np.broadcast_to(
        share[(..., *(None,) * count, *(slice(None),) * count)], (*g.shape[:-count], *kernel, *out)
    )
    reach = tuple((o - 1) * t + k - 2 * p for o, t, k, p in zip(out, stride, kernel, padding, strict=True))
    longest = tuple(max(side, far) for side, far in zip(size, reach, strict=True))
    whole = put_back(columns, longest, stride, padding, (1,) * count)
    return whole[(..., *(slice(0, side) for side in size))]


mean_windows.grad(
    a=lambda g, a, kernel, stride, padding, border, divisor: mean_windows_gradient(
        g, a, kernel, stride, padding, border, divisor
    )
)
mean_windows_gradient.grad(
    g=lambda gg, g_shape, kernel, stride, padding, border, divisor: mean_windows(
        gg, kernel, stride, padding, g_shape[-len(kernel) :], border, divisor
    ),
    a=lambda gg: zeros_of(gg),
)


def bins(size: int, out: int, kind: Any) -> Array:
    """Return the matrix that takes means over `out` bins of a side."""
    matrix = np.zeros((out, size), kind)
    for i in range(out):
        start, end = i * size // out, -(-(i + 1) * size // out)
        matrix[i, start:end] = 1 / (end - start)
    return matrix


@op("AdaptiveAvgPool2DBackward0", samples=(((1, 2, 5, 4), (2, 3)),))
def mean_bins(a: Array, out: Ints) -> Any:
    """The means over a given number of bins in both dimensions"""
    return bins(a.shape[-2], out[0], a.dtype) @ a @ bins(a.shape[-1], out[1], a.dtype).T


@op("AdaptiveAvgPool2DBackwardBackward0")
def mean_bins_gradient(g: Array, a: Array) -> Any:
    """What a gets from the means over its bins"""
    return bins(a.shape[-2], g.shape[-2], g.dtype).T @ g @ bins(a.shape[-1], g.shape[-1], g.dtype)


mean_bins.grad(a=lambda g, a: mean_bins_gradient(g, a))
mean_bins_gradient.grad(g=lambda gg, g_shape: mean_bins(gg, g_shape[-2:]), a=lambda gg: zeros_of(gg))


@op("AdaptiveMaxPool2DBackward0", several=True, samples=(((1, 2, 5, 4), (2, 3)),))
def max_bins(a: Array, out: Ints) -> Any:
    """The greatest elements of a given number of bins in both dimensions, and their places in the plane"""
    best = np.empty((*a.shape[:-2], *out), a.dtype)
    places_ = np.empty(best.shape, np.int64)
    height, width = a.shape[-2:]
    for i, j in np.ndindex(*out):
        top, left = i * height // out[0], j * width // out[1]
        part = a[..., top : -(-(i + 1) * height // out[0]), left : -(-(j + 1) * width // out[1])]
        which = part.reshape(*part.shape[:-2], -1).argmax(-1)
        row, column = np.divmod(which, part.shape[-1])
        places_[..., i, j] = (top + row) * width + left + column
        best[..., i, j] = part.max((-1, -2))
    return best, places_


max_bins.grad(a=lambda g, a, out1: max_windows_gradient(g[0], a, place_array(out1)))


def stride_of(function: str, stride: Any, kernel: Ints) -> Ints:
    return kernel if stride is None or stride in ((), []) else window_setting(function, "stride", stride, len(kernel))


@wants("max_pool2d", "input", "kernel_size=int_or_ints", "stride?=int_or_ints")
def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the greatest of every window (torch.nn.functional.max_pool2d)."""
    kernel = window_setting("max_pool2d", "kernel_size", kernel_size, 2)
    steps = stride_of("max_pool2d", stride, kernel)
    border = window_setting("max_pool2d", "padding", padding, 2)
    gaps = window_setting("max_pool2d", "dilation", dilation, 2)
    out = checked_sizes(input._data, kernel, steps, border, gaps, ceil_mode)
    values, indices = max_windows(input, kernel, steps, border, gaps, out)
    return (values, indices) if return_indices else values


@wants("max_pool1d", "input", "kernel_size=int_or_ints", "stride?=int_or_ints")
def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the greatest of every window of a sequence (torch.nn.functional.max_pool1d)."""
    if input.dim() not in (2, 3) or (0 in input._data.shape[-2:] and not return_indices):
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(input.shape)}"
        )
    name = "max_pool1d"
    kernel = window_setting(name, "kernel_size", kernel_size, 1)
    steps = stride_of(name, stride, kernel)
    border, gaps = window_setting(name, "padding", padding, 1), window_setting(name, "dilation", dilation, 1)
    planes = unsqueeze_at(input, input.dim() - 1)
    rows = (1, *kernel), (1, *steps), (0, *border), (1, *gaps)
    if return_indices:
        out = checked_sizes(planes._data, rows[0], rows[1], rows[2], rows[3], ceil_mode)
    else:
        count = out_sizes(input._data.shape[-1:], kernel, steps, border, gaps, ceil_mode) if steps[0] else (0,)
        check_sequence(kernel[0], steps[0], border[0], gaps[0], count[0])
        out = (1, *count)
    values, indices = (squeeze_at(x, input.dim() - 1) for x in max_windows(planes, *rows, out))
    return (values, indices) if return_indices else values


AVERAGE = (
    "Tensor input, int_or_ints kernel_size, int_or_ints? stride=None, int_or_ints padding=0, bool ceil_mode=False, "
    "bool count_include_pad=True"
)
AVERAGE_WITH_DIVISOR = f"{AVERAGE}, int? divisor_override=None"


@public(AVERAGE_WITH_DIVISOR, space="torch.nn.functional", method=False)
def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Take the mean of every window (torch.nn.functional.avg_pool2d)."""
    kernel = window_setting("avg_pool2d", "kernel_size", kernel_size, 2)
    steps = stride_of("avg_pool2d", stride, kernel)
    border = window_setting("avg_pool2d", "padding", padding, 2)
    if input.dim() < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-input.dim()}, {input.dim() - 1}], but got -3)"
        )
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    out = checked_sizes(input._data, kernel, steps, border, (1, 1), ceil_mode)
    return mean_windows(input, kernel, steps, border, out, count_include_pad, divisor_override)


@public(AVERAGE, space="torch.nn.functional", method=False)
def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Take the mean of every window of a sequence (torch.nn.functional.avg_pool1d)."""
    name = "avg_pool1d"
    check_sequences(name, input)
    width = window_setting(name, "kernel_size", kernel_size, 1)
    kernel, steps = (1, *width), (1, *stride_of(name, stride, width))
    border = (0, *window_setting(name, "padding", padding, 1))
    planes = unsqueeze_at(input, input.dim() - 1)
    out = checked_sizes(planes._data, kernel, steps, border, (1, 1), ceil_mode)
    means = mean_windows(planes, kernel, steps, border, out, count_include_pad, None)
    return squeeze_at(means, input.dim() - 1)


@wants("adaptive_avg_pool2d", "input.size")
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Take means so that the output has a given size (torch.nn.functional.adaptive_avg_pool2d)."""
    out = mean_counts("adaptive_avg_pool2d", input._data.shape, output_size, 2)
    need_float(input._data, "adaptive_avg_pool2d", with_complex=True)
    return input.mean((-1, -2), True) if out == (1, 1) else mean_bins(input, out)


@wants("adaptive_avg_pool1d", "input")
def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """Take means so that the output sequence has a given length (torch.nn.functional.adaptive_avg_pool1d)."""
    check_sequences("adaptive_avg_pool1d", input)
    planes = unsqueeze_at(input, input.dim() - 1)
    count = one_count("adaptive_avg_pool1d", output_size)
    return squeeze_at(adaptive_avg_pool2d(planes, (1, count)), input.dim() - 1)


@wants("adaptive_max_pool2d", "input.size")
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Take the greatest elements so that the output has a given size (torch.nn.functional.adaptive_max_pool2d)."""
    values, indices = max_bins(input, greatest_counts("adaptive_max_pool2d", input._data.shape, output_size, 2))
    return (values, indices) if return_indices else values


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Take the greatest elements so that the sequence has a given length (torch.nn.functional.adaptive_max_pool1d)."""
    check_sequences("adaptive_max_pool1d", input)
    place = input.dim() - 1
    count = one_count("adaptive_max_pool1d", output_size)
    found = adaptive_max_pool2d(unsqueeze_at(input, place), (1, count), True)
    values, indices = (squeeze_at(one, place) for one in found)
    return (values, indices) if return_indices else values


def lp_pool2d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """Take the p-norm of every window (torch.nn.functional.lp_pool2d)."""
    kernel = spread(kernel_size, 2)
    means = avg_pool2d(input.pow(norm_type), kernel, stride, 0, ceil_mode)
    return ((means.sign() * means.abs().relu()) * (kernel[0] * kernel[1])).pow(1.0 / norm_type)


def lp_pool1d(input: Any, norm_type: float, kernel_size: int, stride: Any = None, ceil_mode: bool = False) -> Any:
    """Take the p-norm of every window of a sequence (torch.nn.functional.lp_pool1d)."""
    means = avg_pool1d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return ((means.sign() * means.abs().relu()) * kernel_size).pow(1.0 / norm_type)


functions(
    "torch.nn.functional",
    adaptive_max_pool1d=adaptive_max_pool1d,
    adaptive_max_pool2d=adaptive_max_pool2d,
    lp_pool1d=lp_pool1d,
    lp_pool2d=lp_pool2d,
    max_pool1d=max_pool1d,
    max_pool2d=max_pool2d,
    adaptive_avg_pool1d=adaptive_avg_pool1d,
    adaptive_avg_pool2d=adaptive_avg_pool2d,
)
functions(max_pool1d=max_pool1d, max_pool2d=max_pool2d, adaptive_avg_pool1d=adaptive_avg_pool1d)
