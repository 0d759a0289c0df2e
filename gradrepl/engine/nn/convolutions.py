"""Convolutions and pooling as modules."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn import init
from gradrepl.engine.nn.linear import new_parameter
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.ops.windows import spread
from gradrepl.engine.tensor import Tensor

functional = SPACES["torch.nn.functional"]
MODES = ("zeros", "reflect", "replicate", "circular")


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
        self.kernel_size = spread(kernel_size, self.dims)
        self.stride = spread(stride, self.dims)
        self.padding = padding if isinstance(padding, str) else spread(padding, self.dims)
        self.dilation = spread(dilation, self.dims)
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
        border = tuple(amount for amount in reversed(self.padding) for _ in range(2))
        bordered = functional["pad"](input, border, mode=self.padding_mode)
        return convolve(bordered, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

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
        if padding == "same" and any(step != 1 for step in spread(stride, 1)):
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
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )
        self.output_padding = spread(output_padding, self.dims)

    def forward(self, input: Tensor) -> Any:
        return functional[f"conv_transpose{self.dims}d"](
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )


class ConvTranspose1d(_ConvTransposeNd):
    """A transposed convolution over sequences (torch.nn.ConvTranspose1d)."""

    dims = 1


class ConvTranspose2d(_ConvTransposeNd):
    """A transposed convolution over images (torch.nn.ConvTranspose2d)."""

    dims = 2


class _MaxPoolNd(Module):
    """What all max pools share."""

    function: ClassVar[str]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        settings = (self.kernel_size, self.stride, self.padding, self.dilation)
        return functional[self.function](input, *settings, ceil_mode=self.ceil_mode, return_indices=self.return_indices)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The greatest of every window of a sequence (torch.nn.MaxPool1d)."""

    function = "max_pool1d"


class MaxPool2d(_MaxPoolNd):
    """The greatest of every window of an image (torch.nn.MaxPool2d)."""

    function = "max_pool2d"


class _AvgPoolNd(Module):
    """What all average pools share."""

    kernel_size: Any
    stride: Any
    padding: Any

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The mean of every window of a sequence (torch.nn.AvgPool1d)."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = spread(kernel_size, 1)
        self.stride = spread(stride if stride is not None else kernel_size, 1)
        self.padding = spread(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Any:
        settings = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return functional["avg_pool1d"](input, *settings)


class AvgPool2d(_AvgPoolNd):
    """The mean of every window of an image (torch.nn.AvgPool2d)."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Any:
        settings = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return functional["avg_pool2d"](input, *settings, self.divisor_override)


class _AdaptivePool(Module):
    """What all adaptive pools share."""

    function: ClassVar[str]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Any:
        return functional[self.function](input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means so that the output sequence has a given length (torch.nn.AdaptiveAvgPool1d)."""

    function = "adaptive_avg_pool1d"


class AdaptiveAvgPool2d(_AdaptivePool):
    """Means so that the output image has a given size (torch.nn.AdaptiveAvgPool2d)."""

    function = "adaptive_avg_pool2d"


class ZeroPad2d(Module):
    """A border of zeros around images (torch.nn.ZeroPad2d)."""

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = spread(padding, 4)
        self.value = 0.0

    def forward(self, input: Tensor) -> Any:
        return functional["pad"](input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}"


export("torch.nn.modules.conv", *(Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d))
export(
    "torch.nn.modules.pooling",
    *(MaxPool1d, MaxPool2d, AvgPool1d, AvgPool2d, AdaptiveAvgPool1d, AdaptiveAvgPool2d),
)
export("torch.nn.modules.padding", ZeroPad2d)
