"""Convolutions as modules."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn import init
from gradrepl.engine.nn.linear import new_parameter
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor

functional = SPACES["torch.nn.functional"]
MODES = ("zeros", "reflect", "replicate", "circular")


def each_side(value: Any, count: int) -> tuple[Any, ...]:
    """Return one value for every dimension; several are taken as they are."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * count


class _ConvNd(Module):
    """What all convolutions share; dims: the number of dimensions that the kernel has."""

    dims: ClassVar[int]
    transposed: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_settings(in_channels, out_channels, groups, stride, padding, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = each_side(kernel_size, self.dims)
        self.stride = each_side(stride, self.dims)
        self.padding = padding if isinstance(padding, str) else each_side(padding, self.dims)
        self.dilation = each_side(dilation, self.dims)
        self.output_padding = (0,) * self.dims
        self.groups = groups
        self.padding_mode = padding_mode
        ends = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = new_parameter(*ends, *self.kernel_size, device=device, dtype=dtype)
        if bias:
            self.bias = new_parameter(out_channels, device=device, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init.fans(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Any:
        convolve = functional[f"conv{self.dims}d"]
        settings = (self.stride, self.padding, self.dilation, self.groups)
        if self.padding_mode == "zeros":
            return convolve(input, self.weight, self.bias, *settings)
        border = self.border()
        bordered = functional["pad"](input, border, mode=self.padding_mode)
        return convolve(bordered, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

    def border(self) -> tuple[int, ...]:
        """Return how much to add on each side for a mode of padding, the last dimension first."""
        sides = zip(self.kernel_size, self.dilation, strict=True)
        if isinstance(self.padding, str):
            totals = [d * (k - 1) if self.padding == "same" else 0 for k, d in sides]
            each = [(total // 2, total - total // 2) for total in totals]
        else:
            each = [(amount, amount) for amount in self.padding]
        return tuple(amount for pair in reversed(each) for amount in pair)

    def extra_repr(self) -> str:
        none = (0,) * self.dims
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        text += f", padding={self.padding}" if self.padding != none else ""
        text += f", dilation={self.dilation}" if self.dilation != (1,) * self.dims else ""
        text += f", output_padding={self.output_padding}" if self.output_padding != none else ""
        text += f", groups={self.groups}" if self.groups != 1 else ""
        text += ", bias=False" if self.bias is None else ""
        return text + (f", padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else "")


def check_settings(ins: int, outs: int, groups: int, stride: Any, padding: Any, mode: str) -> None:
    """Raise what PyTorch raises for settings that do not go together."""
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if ins % groups:
        raise ValueError("in_channels must be divisible by groups")
    if outs % groups:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}")
        if padding == "same" and any(step != 1 for step in each_side(stride, 1)):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if mode not in MODES:
        raise ValueError(f"padding_mode must be one of {set(MODES)}, but got padding_mode='{mode}'")


class Conv1d(_ConvNd):
    """A convolution over sequences (torch.nn.Conv1d)."""

    dims = 1


class Conv2d(_ConvNd):
    """A convolution over images (torch.nn.Conv2d)."""

    dims = 2


class Conv3d(_ConvNd):
    """A convolution over volumes (torch.nn.Conv3d)."""

    dims = 3


class _ConvTransposeNd(_ConvNd):
    """What all transposed convolutions share."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {self.__class__.__name__}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )
        self.output_padding = each_side(output_padding, self.dims)

    def forward(self, input: Tensor, output_size: Any = None) -> Any:
        extra = self.output_padding if output_size is None else self.padding_for(input, tuple(output_size))
        return functional[f"conv_transpose{self.dims}d"](
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def padding_for(self, input: Tensor, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return the output padding that gives an output of a size; raises ValueError where none does."""
        known = input.dim() - self.dims
        if len(size) == known + self.dims:
            size = size[known:]
        if len(size) != self.dims:
            raise ValueError(
                f"ConvTranspose{self.dims}D: for {input.dim()}D input, output_size must have {self.dims} or "
                f"{known + self.dims} elements (got {len(size)})"
            )
        sides = zip(input.shape[known:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(s - 1) * t - 2 * p + d * (k - 1) + 1 for s, t, p, d, k in sides]
        most = [low + step - 1 for low, step in zip(least, self.stride, strict=True)]
        if not all(low <= side <= high for low, side, high in zip(least, size, most, strict=True)):
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from {least} to {most} (for an input of "
                f"{input.shape[2:]})"
            )
        return tuple(side - low for side, low in zip(size, least, strict=True))


class ConvTranspose1d(_ConvTransposeNd):
    """A transposed convolution over sequences (torch.nn.ConvTranspose1d)."""

    dims = 1


class ConvTranspose2d(_ConvTransposeNd):
    """A transposed convolution over images (torch.nn.ConvTranspose2d)."""

    dims = 2


class ConvTranspose3d(_ConvTransposeNd):
    """A transposed convolution over volumes (torch.nn.ConvTranspose3d)."""

    dims = 3


export("torch.nn.modules.conv", *(Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d))
