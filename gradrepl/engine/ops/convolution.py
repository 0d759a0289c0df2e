"""Convolutions, plain and transposed, in any number of dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import public
from gradrepl.engine.dtype import BOOL, Array
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.once import warn_once
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import conj_of
from gradrepl.engine.ops.linear import C_NAMES
from gradrepl.engine.ops.padding import pad_constant
from gradrepl.engine.ops.reduction import sum_dims
from gradrepl.engine.ops.view import squeeze_at, unsqueeze_at
from gradrepl.engine.ops.windows import Ints, padded, patches, put_back, spread

SETTINGS = ((1, 1), (0, 0), (1, 1), 1)
WIDE = ((2, 1), (1, 0), (1, 2), 1)
SAMPLES = (
    ((2, 3, 5, 5), (4, 3, 3, 3), (4,), *SETTINGS),
    ((2, 2, 6, 5), (2, 2, 3, 2), (2,), *WIDE),
    ((1, 4, 5), (2, 2, 3), (2,), (1,), (1,), (1,), 2),
)


def columns_of(input: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Any:
    """Return the windows of an input as columns, (batch, groups, channels · kernel, windows)."""
    cut = patches(padded(input, padding), kernel, stride, dilation)
    rows = input.shape[1] // groups * math.prod(kernel)
    return cut.reshape(len(input), groups, rows, math.prod(cut.shape[2 + len(kernel) :]))


def flat_windows(g: Array, groups: int) -> Any:
    """Return what belongs to the windows of an input in rows, (batch, groups, outputs, windows)."""
    return g.reshape(len(g), groups, g.shape[1] // groups, math.prod(g.shape[2:]))


def windows_of(size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Ints:
    """Return how many windows there are in every dimension."""
    settings = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple((s + 2 * p - d * (k - 1) - 1) // t + 1 for s, k, t, p, d in settings)


@op("ConvolutionBackward0", samples=SAMPLES)
def convolve(input: Array, weight: Array, bias: Array, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Any:
    """The sums of products of a kernel with all windows of the input, plus a bias"""
    outs, kernel = len(weight), weight.shape[2:]
    columns = columns_of(input, kernel, stride, padding, dilation, groups)
    out = np.matmul(weight.reshape(groups, outs // groups, -1), columns)
    out = out.reshape(len(input), outs, *windows_of(input.shape[2:], kernel, stride, padding, dilation))
    if bias is not None:
        out += bias.reshape(-1, *(1,) * len(kernel))
    return out


@op("ConvolutionBackwardBackward0", samples=(((2, 4, 3, 3), (4, 3, 3, 3), (2, 3, 5, 5), *SETTINGS),))
def convolve_back(
    g: Array, weight: Array, shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """What the input of a convolution, of a shape, gets from its output: every window's part added up"""
    kernel = weight.shape[2:]
    turned = weight.reshape(groups, len(weight) // groups, math.prod(weight.shape[1:])).swapaxes(1, 2)
    columns = np.matmul(turned, flat_windows(g, groups))
    columns = columns.reshape(len(g), groups * weight.shape[1], *kernel, *g.shape[2:])
    return put_back(columns, shape[2:], stride, padding, dilation)


@op("ConvolutionBackwardBackward0", samples=(((2, 4, 3, 3), (2, 3, 5, 5), (4, 3, 3, 3), *SETTINGS),))
def convolve_weight(
    g: Array, input: Array, shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """What the kernel of a convolution, of a shape, gets from its output"""
    columns = columns_of(input, shape[2:], stride, padding, dilation, groups)
    each = np.matmul(flat_windows(g, groups), columns.swapaxes(2, 3))
    return np.add.reduce(each, axis=0).reshape(shape)


def channel_sum(g: Any) -> Any:
    return sum_dims(g, tuple(dim for dim in range(g.ndim) if dim != 1), False)


convolve.grad(
    input=lambda g, input_shape, weight, stride, padding, dilation, groups: convolve_back(
        g, conj_of(weight), input_shape, stride, padding, dilation, groups
    ),
    weight=lambda g, input, weight_shape, stride, padding, dilation, groups: convolve_weight(
        g, conj_of(input), weight_shape, stride, padding, dilation, groups
    ),
    bias=lambda g: channel_sum(g),
)
convolve_back.grad(
    g=lambda gg, weight, stride, padding, dilation, groups: convolve(
        gg, conj_of(weight), None, stride, padding, dilation, groups
    ),
    weight=lambda gg, g, weight_shape, stride, padding, dilation, groups: convolve_weight(
        conj_of(g), gg, weight_shape, stride, padding, dilation, groups
    ),
)
convolve_weight.grad(
    g=lambda gg, input, stride, padding, dilation, groups: convolve(
        conj_of(input), gg, None, stride, padding, dilation, groups
    ),
    input=lambda gg, g, input_shape, stride, padding, dilation, groups: convolve_back(
        conj_of(g), gg, input_shape, stride, padding, dilation, groups
    ),
)


@op("ConvolutionBackward0", samples=(((2, 3, 3, 3), (3, 2, 3, 3), (2,), (2, 2, 5, 5), *SETTINGS),))
def convolve_transposed(
    input: Array, weight: Array, bias: Array, shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """The input spread out by a kernel into an output of a shape, plus a bias"""
    out = convolve_back.forward(input, weight, shape, stride, padding, dilation, groups)
    return out if bias is None else out + bias.reshape(-1, *(1,) * (input.ndim - 2))


def further_windows(g: Any, input: Ints, weight: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Ints:
    """Return how many windows too many an output has, from the last dimension on: its padding is wider than a step."""
    windows = windows_of(g.shape[2:], weight[2:], stride, padding, dilation)
    return tuple(
        amount for count, side in zip(windows[::-1], input[:1:-1], strict=True) for amount in (0, count - side)
    )


def transposed_back(g: Any, input: Ints, weight: Any, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Any:
    found = convolve(g, conj_of(weight), None, stride, padding, dilation, groups)
    further = further_windows(g, input, weight.shape, stride, padding, dilation)
    return pad_constant(found, tuple(-amount for amount in further), 0) if any(further) else found


def transposed_weight(
    g: Any, input: Any, weight: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    further = further_windows(g, input.shape, weight, stride, padding, dilation)
    input = pad_constant(input, further, 0) if any(further) else input
    return convolve_weight(conj_of(input), g, weight, stride, padding, dilation, groups)


convolve_transposed.grad(
    input=lambda g, input_shape, weight, stride, padding, dilation, groups: transposed_back(
        g, input_shape, weight, stride, padding, dilation, groups
    ),
    weight=lambda g, input, weight_shape, stride, padding, dilation, groups: transposed_weight(
        g, input, weight_shape, stride, padding, dilation, groups
    ),
    bias=lambda g: channel_sum(g),
)


def check_bias(input: Array, bias: Any) -> None:
    if bias is not None and bias.dtype != input.dtype:
        found, other = (C_NAMES[dtypes.of(array).name] for array in (input, bias))
        raise RuntimeError(f"Input type ({found}) and bias type ({other}) {SAME_TYPE}")


def check_types(input: Array, weight: Array, dilated: bool, transposed: bool) -> None:
    """Raise what PyTorch raises for operands of several dtypes, and for those that it has no code for."""
    own, other = dtypes.of(input), dtypes.of(weight)
    if own.is_complex and other is not own:
        raise RuntimeError(f"Input type ({tensor_type(own)}) and weight type ({tensor_type(other)}) {SAME_TYPE}")
    if own.category == BOOL or (own.tensor_type in SHORT and (dilated or transposed)):
        kernel = kernel_of(weight.ndim - 2, dilated, transposed)
        raise no_kernel(kernel, own)
    if other is not own:
        raise RuntimeError(f"expected scalar type {own.tensor_type} but found {other.tensor_type}")


SAME_TYPE = "should be the same"
SHORT = ("Byte", "Char", "Short", "Int")


def tensor_type(kind: dtypes.dtype) -> str:
    """Return the name of the type of tensors of a dtype: torch.FloatTensor."""
    return (
        f"CPU{kind.tensor_type}Type" if kind.is_complex or kind.category == BOOL else f"torch.{kind.tensor_type}Tensor"
    )


def kernel_of(count: int, dilated: bool, transposed: bool) -> str:
    """Return what PyTorch calls its code for a convolution in so many dimensions."""
    if transposed:
        return f"slow_conv_transpose{max(count, 2)}d_out_cpu"
    if dilated:
        return "slow_conv_dilated<>"
    return "compute_columns3d" if count == 3 else "slow_conv2d_cpu"


def setting(name: str, value: Any, count: int, shown: int) -> Ints:
    """Return a setting for each of so many dimensions; shown: for how many a function takes a number to stand."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * shown
    if len(given) not in (1, count):
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {count} values to match the convolution "
            f"dimensions, but got {name}={list(given)}"
        )
    return spread(given, count)


def check_rank(function: str, input: Array, count: int) -> None:
    if input.ndim not in (count + 1, count + 2):
        raise RuntimeError(
            f"Expected {count + 1}D (unbatched) or {count + 2}D (batched) input to {function}, but got input of size: "
            f"{list(input.shape)}"
        )


def check_weight(weight: Array, groups: int) -> None:
    if weight.ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    if len(weight) < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(weight.shape)} instead"
        )


def check_sizes(input: Array, weight: Array, bias: Any, padding: Ints, dilation: Ints, groups: int) -> None:
    """Raise what PyTorch raises for an input and a kernel that do not go together."""
    shape = list(weight.shape)
    if input.ndim != weight.ndim:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight {shape}, but got "
            f"{input.ndim}-dimensional input of size {list(input.shape)} instead"
        )
    if input.shape[1] != weight.shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {shape}, expected input{list(input.shape)} to have "
            f"{weight.shape[1] * groups} channels, but got {input.shape[1]} channels instead"
        )
    if len(weight) % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{shape}] instead"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise RuntimeError(
            f"Given weight of size {shape}, expected bias to be 1-dimensional with {len(weight)} elements, but got "
            f"bias of size {list(bias.shape)} instead"
        )
    sides = [side + 2 * p for side, p in zip(input.shape[2:], padding, strict=True)]
    kernel = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], dilation, strict=True)]
    if any(side < width for side, width in zip(sides, kernel, strict=True)):
        found, wanted = " x ".join(map(str, sides)), " x ".join(map(str, kernel))
        raise RuntimeError(
            f"Calculated padded input size per channel: ({found}). Kernel size: ({wanted}). Kernel size can't be "
            "greater than actual input size"
        )


SAME = (
    "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the input be "
    "created"
)


def check_same_rank(input: Ints, weight: Ints) -> None:
    """Raise what PyTorch raises for padding="same" and a kernel of other dimensions."""
    if len(input) != len(weight):
        raise RuntimeError(
            f"Expected {len(weight)}-dimensional input for {len(weight)}-dimensional weight{list(weight)}, but got "
            f"{len(input)}-dimensional input of size {list(input)} instead"
        )


def named_padding(input: Any, name: str, kernel: Ints, stride: Ints, dilation: Ints) -> tuple[Any, Ints]:
    """Return input and padding for padding="same" or "valid"; the input gets a border where sides are uneven."""
    if name == "valid":
        return input, (0,) * len(kernel)
    if name != "same":
        raise RuntimeError(f"Invalid padding string: '{name}'")
    if any(step != 1 for step in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(total % 2 for total in totals):
        warn_once(SAME, stacklevel=4)
        uneven = tuple(amount for total in reversed(totals) for amount in (0, total % 2))
        input = pad_constant(input, uneven, 0)
    return input, tuple(total // 2 for total in totals)


def check_settings(stride: Ints, padding: Ints, dilation: Ints, groups: int, transposed: bool) -> None:
    """Raise what PyTorch raises for steps and borders that can't be; it shows 1 dimension as 2."""
    if min(dilation) < 0:
        raise RuntimeError("dilation should be greater than zero")
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(stride) < 1:
        raise RuntimeError("non-positive stride is not supported")
    if groups < 1:
        raise RuntimeError("non-positive groups is not supported")
    if min(dilation) < 1:
        shown = (1, *dilation)[-max(len(dilation), 2) :]
        sides = zip(("dilation_depth", "dilation_height", "dilation_width")[-len(shown) :], shown, strict=True)
        found = ", ".join(f"{name}: {gap}" for name, gap in sides) if transposed else list(shown)
        raise RuntimeError(f"dilation should be greater than zero, but got {found}")


def check_output_padding(extra: Ints, stride: Ints, dilation: Ints) -> None:
    """Raise what PyTorch raises for an output padding that would only add a border; it shows 1 dimension as 2."""
    if min(extra) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if all(e < max(t, d) for e, t, d in zip(extra, stride, dilation, strict=True)):
        return
    sides = ("depth", "height", "width")[-max(len(extra), 2) :]
    settings = (("output_padding", (0, *extra)), ("stride", (1, *stride)), ("dilation", (1, *dilation)))
    shown = " ".join(
        f"{name}_{side}: {value}"
        for name, values in settings
        for side, value in zip(sides, values[-len(sides) :], strict=True)
    )
    raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got {shown}")


def convolution(
    function: str, count: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """Check the arguments of a convolution in PyTorch's words and run it."""
    check_rank(function, input._data, count)
    single = input._data.ndim == count + 1
    if single:
        input = unsqueeze_at(input, 0)
    bias_data = None if bias is None else bias._data
    check_bias(input._data, bias_data)
    check_weight(weight._data, groups)
    if padding == "same":
        check_same_rank(input._data.shape, weight._data.shape)
    dims = weight._data.ndim - 2
    steps, gaps = setting("stride", stride, dims, count), setting("dilation", dilation, dims, count)
    if isinstance(padding, str):
        input, border = named_padding(input, padding, weight._data.shape[2:], steps, gaps)
    else:
        border = setting("padding", padding, dims, count)
    check_settings(steps, border, gaps, groups, False)
    check_sizes(input._data, weight._data, bias_data, border, gaps, groups)
    check_types(input._data, weight._data, max(gaps) > 1, False)
    out = convolve(input, weight, bias, steps, border, gaps, groups)
    return squeeze_at(out, 0) if single else out


PLAIN = (
    "Tensor input, Tensor weight, Tensor? bias=None, int_or_ints stride=1, int_or_ints padding=0, "
    "int_or_ints dilation=1, side groups=1"
)
NAMED = PLAIN.replace("int_or_ints padding=0", 'str padding="valid"')
TRANSPOSED = (
    "Tensor input, Tensor weight, Tensor? bias=None, int_or_ints stride=1, int_or_ints padding=0, "
    "int_or_ints output_padding=0, side groups=1, int_or_ints dilation=1"
)


def expose(count: int) -> None:
    """Put conv1d, conv_transpose1d and their kin into torch and torch.nn.functional."""

    def plain(input: Any, weight: Any, bias: Any = None, stride: Any = 1, *rest: Any, **named: Any) -> Any:
        settings = dict(zip(("padding", "dilation", "groups"), rest, strict=False)) | named
        chosen = [settings.get(name, default) for name, default in (("padding", 0), ("dilation", 1), ("groups", 1))]
        return convolution(f"conv{count}d", count, input, weight, bias, stride, *chosen)

    def transposed(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Any:
        check_rank(f"conv_transpose{count}d", input._data, count)
        check_weight(weight._data, groups)
        single = input._data.ndim == count + 1
        batch = unsqueeze_at(input, 0) if single else input
        steps, border, gaps = (setting("", value, count, count) for value in (stride, padding, dilation))
        extra = spread(output_padding, count)
        check_output_padding(extra, steps, gaps)
        check_settings(steps, border, gaps, groups, True)
        shape = transposed_shape(batch._data.shape, weight._data.shape, steps, border, gaps, extra, groups)
        check_types(batch._data, weight._data, False, True)
        out = convolve_transposed(batch, weight, bias, shape, steps, border, gaps, groups)
        return squeeze_at(out, 0) if single else out

    plain.__doc__ = f"Convolve in {count} dimension(s) (torch.nn.functional.conv{count}d)."
    transposed.__doc__ = f"Convolve backwards (torch.nn.functional.conv_transpose{count}d)."
    for name, body, texts in (
        (f"conv{count}d", plain, (PLAIN, NAMED)),
        (f"conv_transpose{count}d", transposed, (TRANSPOSED,)),
    ):
        public(*texts, name=name, method=False)(body)
        public(*texts, name=name, method=False, space="torch.nn.functional")(body)


def transposed_shape(
    input: Ints, weight: Ints, stride: Ints, padding: Ints, dilation: Ints, extra: Ints, groups: int
) -> Ints:
    """Return the shape of the output of a transposed convolution."""
    if input[1] != weight[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight)}, expected input{list(input)} to have {weight[0]} "
            f"channels, but got {input[1]} channels instead"
        )
    settings = zip(input[2:], weight[2:], stride, padding, dilation, extra, strict=True)
    sides = ((s - 1) * t - 2 * p + d * (k - 1) + e + 1 for s, k, t, p, d, e in settings)
    return (input[0], weight[1] * groups, *sides)


for _count in (1, 2, 3):
    expose(_count)
