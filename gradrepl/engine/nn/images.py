"""Modules that take images apart and put them together: Unfold, Fold, PixelShuffle, Upsample, LocalResponseNorm."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.activations import Activation
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor

functional = SPACES["torch.nn.functional"]


class Unfold(Activation):
    """Every window of an image as a column (torch.nn.Unfold)."""

    function = "unfold"
    settings = ("kernel_size", "dilation", "padding", "stride")

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride


class Fold(Activation):
    """Columns added up where the windows of an image lie (torch.nn.Fold)."""

    function = "fold"
    settings = ("output_size", "kernel_size", "dilation", "padding", "stride")

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride


class PixelShuffle(Activation):
    """Channels made pixels (torch.nn.PixelShuffle)."""

    function = "pixel_shuffle"
    settings = ("upscale_factor",)

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor


class PixelUnshuffle(Activation):
    """Pixels made channels (torch.nn.PixelUnshuffle)."""

    function = "pixel_unshuffle"
    settings = ("downscale_factor",)

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor


class ChannelShuffle(Activation):
    """The channels of groups in turn (torch.nn.ChannelShuffle)."""

    function = "channel_shuffle"
    settings = ("groups",)

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups


def as_floats(scale: Any) -> Any:
    """Return a scale, or one for each dimension, as floats."""
    if isinstance(scale, tuple):
        return tuple(map(float, scale))
    return float(scale) if scale else None


class Upsample(Module):
    """Images or sequences made larger (torch.nn.Upsample)."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor = as_floats(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Any:
        settings = (self.mode, self.align_corners, self.recompute_scale_factor)
        return functional["interpolate"](input, self.size, self.scale_factor, *settings)

    def extra_repr(self) -> str:
        name = "size" if self.scale_factor is None else "scale_factor"
        return f"{name}={getattr(self, name)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images made larger by repeating pixels (torch.nn.UpsamplingNearest2d)."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Images made larger by mixing pixels (torch.nn.UpsamplingBilinear2d)."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class LocalResponseNorm(Module):
    """Elements divided by the squares of neighbouring channels (torch.nn.LocalResponseNorm)."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Any:
        return functional["local_response_norm"](input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


export("torch.nn.modules.fold", Unfold, Fold)
export("torch.nn.modules.pixelshuffle", PixelShuffle, PixelUnshuffle)
export("torch.nn.modules.channelshuffle", ChannelShuffle)
export("torch.nn.modules.upsampling", Upsample, UpsamplingNearest2d, UpsamplingBilinear2d)
export("torch.nn.modules.normalization", LocalResponseNorm)
