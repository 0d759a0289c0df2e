"""Pooling as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.ops.windows import spread
from gradrepl.engine.tensor import Tensor

functional = SPACES["torch.nn.functional"]


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


class MaxPool3d(_MaxPoolNd):
    """The greatest of every window of a volume (torch.nn.MaxPool3d)."""

    function = "max_pool3d"


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


class _AvgPoolWithDivisor(_AvgPoolNd):
    """What average pools of images and volumes share."""

    function: ClassVar[str]

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
        return functional[self.function](input, *settings, self.divisor_override)


class AvgPool2d(_AvgPoolWithDivisor):
    """The mean of every window of an image (torch.nn.AvgPool2d)."""

    function = "avg_pool2d"


class AvgPool3d(_AvgPoolWithDivisor):
    """The mean of every window of a volume (torch.nn.AvgPool3d)."""

    function = "avg_pool3d"


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


class AdaptiveAvgPool3d(_AdaptivePool):
    """Means so that the output volume has a given size (torch.nn.AdaptiveAvgPool3d)."""

    function = "adaptive_avg_pool3d"


class _AdaptiveMaxPool(_AdaptivePool):
    """What all adaptive max pools share."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return functional[self.function](input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The greatest elements so that the output sequence has a given length (torch.nn.AdaptiveMaxPool1d)."""

    function = "adaptive_max_pool1d"


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The greatest elements so that the output image has a given size (torch.nn.AdaptiveMaxPool2d)."""

    function = "adaptive_max_pool2d"


class _LPPoolNd(Module):
    """What pools by norms share."""

    function: ClassVar[str]

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        settings = (float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)
        return functional[self.function](input, *settings)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """The p-norm of every window of a sequence (torch.nn.LPPool1d)."""

    function = "lp_pool1d"


class LPPool2d(_LPPoolNd):
    """The p-norm of every window of an image (torch.nn.LPPool2d)."""

    function = "lp_pool2d"


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The greatest elements so that the output volume has a given size (torch.nn.AdaptiveMaxPool3d)."""

    function = "adaptive_max_pool3d"


class _MaxUnpoolNd(Module):
    """What the inverses of max pools share; dims: of how many dimensions."""

    dims: ClassVar[int]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = spread(kernel_size, self.dims)
        self.stride = spread(stride if stride is not None else kernel_size, self.dims)
        self.padding = spread(padding, self.dims)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Any:
        settings = (self.kernel_size, self.stride, self.padding, output_size)
        return functional[f"max_unpool{self.dims}d"](input, indices, *settings)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """The greatest elements of sequences put back to their places (torch.nn.MaxUnpool1d)."""

    dims = 1


class MaxUnpool2d(_MaxUnpoolNd):
    """The greatest elements of images put back to their places (torch.nn.MaxUnpool2d)."""

    dims = 2


class MaxUnpool3d(_MaxUnpoolNd):
    """The greatest elements of volumes put back to their places (torch.nn.MaxUnpool3d)."""

    dims = 3


export(
    "torch.nn.modules.pooling",
    *(AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d, LPPool1d, LPPool2d),
    *(MaxUnpool1d, MaxUnpool2d, MaxUnpool3d),
    *(MaxPool1d, MaxPool2d, MaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d),
    *(AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d),
)
