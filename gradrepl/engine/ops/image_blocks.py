"""Blocks of images as columns and back, and channels as pixels: unfold, fold, pixel_shuffle and their kin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, public
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.windows import Ints, padded, patches, put_back, spread
from gradrepl.engine.wanted import wants

BLOCKS = (((1, 2, 4, 4), (2, 2), (1, 1), (0, 0), (1, 1)), ((1, 2, 4, 3), (2, 2), (2, 1), (1, 0), (1, 2)))


@op("Im2ColBackward0", samples=BLOCKS)
def image_to_columns(a: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Any:
    """Every window of a as a column"""
    windows = patches(padded(a, padding), kernel, stride, dilation)
    return windows.reshape(*a.shape[:-3], a.shape[-3] * math.prod(kernel), math.prod(windows.shape[-2:]))


@op("Col2ImBackward0", samples=(((1, 8, 9), (4, 4), (2, 2), (1, 1), (0, 0), (1, 1)),))
def columns_to_image(a: Array, size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Any:
    """The columns of a added up where the windows of an image of a size lie"""
    counts = window_counts(size, kernel, stride, padding, dilation)
    columns = a.reshape(*a.shape[:-2], a.shape[-2] // math.prod(kernel), *kernel, *counts)
    return np.ascontiguousarray(put_back(columns, size, stride, padding, dilation))


image_to_columns.grad(
    a=lambda g, a_shape, kernel, stride, padding, dilation: columns_to_image(
        g, a_shape[-2:], kernel, stride, padding, dilation
    )
)
columns_to_image.grad(
    a=lambda g, kernel, stride, padding, dilation: image_to_columns(g, kernel, stride, padding, dilation)
)


def window_counts(size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Ints:
    """Return how many windows there are in each dimension."""
    settings = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple((s + 2 * p - d * (k - 1) - 1) // t + 1 for s, k, t, p, d in settings)


@wants("im2col", "input")
def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Write every window of an image as a column (torch.nn.functional.unfold)."""
    kernel, gaps, border, steps = (spread(value, 2) for value in (kernel_size, dilation, padding, stride))
    shape = tuple(input.shape)
    if len(shape) not in (3, 4):
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"
        )
    counts = window_counts(shape[-2:], kernel, steps, border, gaps)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {pair(shape[-2:])}, kernel_size={pair(kernel)}, dilation={pair(gaps)}, "
            f"padding={pair(border)}, calculated shape of the array of sliding blocks as "
            f"{pair(counts)}, but its components must be at least one."
        )
    return image_to_columns(input, kernel, steps, border, gaps)


def pair(values: Any) -> str:
    return f"({values[0]}, {values[1]})"


@wants("col2im", "input")
def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Add columns up where the windows of an image lie (torch.nn.functional.fold)."""
    values = (output_size, kernel_size, dilation, padding, stride)
    size, kernel, gaps, border, steps = (spread(value, 2) for value in values)
    shape = tuple(input.shape)
    if len(shape) not in (2, 3):
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(shape)}"
        )
    if shape[-2] % (kernel[0] * kernel[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={shape[-2]} and kernel_size={pair(kernel)}."
        )
    counts = window_counts(size, kernel, steps, border, gaps)
    if counts[0] * counts[1] != shape[-1]:
        raise RuntimeError(
            f"Given output_size={pair(size)}, kernel_size={pair(kernel)}, dilation={pair(gaps)}, padding={pair(border)}"
            f", stride={pair(steps)}, expected size of input's dimension 2 to match the calculated number of sliding "
            f"blocks {counts[0]} * {counts[1]} = {counts[0] * counts[1]}, but got input.size(2)={shape[-1]}."
        )
    return columns_to_image(input, size, kernel, steps, border, gaps)


@op("PixelShuffleBackward0", samples=(((1, 4, 2, 3), 2),))
def channels_to_pixels(a: Array, factor: int) -> Any:
    """Every factor² channels of a as one, factor times as high and wide"""
    *rest, channels, height, width = a.shape
    parts = a.reshape(*rest, channels // factor**2, factor, factor, height, width)
    count = len(rest)
    order = (*range(count + 1), *(count + i for i in (3, 1, 4, 2)))
    return parts.transpose(order).reshape(*rest, channels // factor**2, height * factor, width * factor)


@op("PixelUnshuffleBackward0", samples=(((1, 1, 4, 6), 2),))
def pixels_to_channels(a: Array, factor: int) -> Any:
    """Every channel of a as factor² of them, with a part of its pixels each"""
    *rest, channels, height, width = a.shape
    parts = a.reshape(*rest, channels, height // factor, factor, width // factor, factor)
    count = len(rest)
    order = (*range(count + 1), *(count + i for i in (2, 4, 1, 3)))
    return parts.transpose(order).reshape(*rest, channels * factor**2, height // factor, width // factor)


channels_to_pixels.grad(a=lambda g, factor: pixels_to_channels(g, factor))
pixels_to_channels.grad(a=lambda g, factor: channels_to_pixels(g, factor))


def check_image(name: str, shape: Ints) -> None:
    if len(shape) < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )


@public("Tensor input, int upscale_factor", method=False)
@wants("pixel_shuffle", "input", "upscale_factor=int")
def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Make channels pixels (torch.nn.functional.pixel_shuffle)."""
    shape = tuple(input.shape)
    check_image("pixel_shuffle", shape)
    if upscale_factor <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {upscale_factor}")
    if shape[-3] % upscale_factor**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={shape[-3]} is not divisible by {upscale_factor**2}"
        )
    return channels_to_pixels(input, upscale_factor)


@public("Tensor input, int downscale_factor", method=False)
@wants("pixel_unshuffle", "input", "downscale_factor=int")
def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Make pixels channels (torch.nn.functional.pixel_unshuffle)."""
    shape = tuple(input.shape)
    check_image("pixel_unshuffle", shape)
    if downscale_factor <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {downscale_factor}")
    for name, place in (("height", -2), ("width", -1)):
        if shape[place] % downscale_factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({place})="
                f"{shape[place]} is not divisible by {downscale_factor}"
            )
    return pixels_to_channels(input, downscale_factor)


@op("ChannelShuffleBackward0", samples=(((1, 4, 2), 2),))
def channels_mixed(a: Array, groups: int) -> Any:
    """a, with the channels of its groups in turn"""
    return a.reshape(len(a), groups, -1, *a.shape[2:]).swapaxes(1, 2).reshape(a.shape)


channels_mixed.grad(a=lambda g, a_shape, groups: channels_mixed(g, a_shape[1] // groups))


@public("Tensor input, int groups", method=False)
@wants("channel_shuffle", "input", "groups=int")
def channel_shuffle(input: Any, groups: int) -> Any:
    """Put the channels of groups in turn (torch.nn.functional.channel_shuffle)."""
    shape = tuple(input.shape)
    if len(shape) < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups."
        )
    return channels_mixed(input, groups)


functions(
    "torch.nn.functional",
    unfold=unfold,
    fold=fold,
    pixel_shuffle=pixel_shuffle,
    pixel_unshuffle=pixel_unshuffle,
    channel_shuffle=channel_shuffle,
)
