"""Normalization as modules: LayerNorm, BatchNorm, GroupNorm, InstanceNorm, RMSNorm."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from gradrepl.engine.api import SPACES
from gradrepl.engine.dtype import INT64
from gradrepl.engine.nn import init
from gradrepl.engine.nn.linear import new_parameter
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor, make

functional = SPACES["torch.nn.functional"]


def add_affine(module: Module, size: tuple[int, ...], weight: bool, bias: bool, **factory: Any) -> None:
    """Give a module a weight of ones and a bias of zeros, or None in their place."""
    for name, wanted, start in (("weight", weight, 1.0), ("bias", bias, 0.0)):
        parameter = new_parameter(*size, **factory) if wanted else None
        module.register_parameter(name, parameter)
        if parameter is not None:
            init.constant_(parameter, start)


def restart(module: Any) -> None:
    for parameter, start in ((module.weight, 1.0), (module.bias, 0.0)):
        if parameter is not None:
            init.constant_(parameter, start)


class LayerNorm(Module):
    """The last dimensions standardized (torch.nn.LayerNorm)."""

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        single = isinstance(normalized_shape, int)
        self.normalized_shape = (normalized_shape,) if single else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        add_affine(
            self, self.normalized_shape, elementwise_affine, elementwise_affine and bias, device=device, dtype=dtype
        )

    def reset_parameters(self) -> None:
        """Start with ones and zeros again."""
        restart(self)

    def forward(self, input: Tensor) -> Any:
        return functional["layer_norm"](input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """The last dimensions over the root of their mean square (torch.nn.RMSNorm)."""

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        single = isinstance(normalized_shape, int)
        self.normalized_shape = (normalized_shape,) if single else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = new_parameter(*self.normalized_shape, device=device, dtype=dtype) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start with ones again."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Any:
        return functional["rms_norm"](input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Groups of channels standardized (torch.nn.GroupNorm)."""

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        add_affine(self, (num_channels,), affine, affine and bias, device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Start with ones and zeros again."""
        restart(self)

    def forward(self, input: Tensor) -> Any:
        return functional["group_norm"](input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class _BatchNorm(Module):
    """What batch and instance norms share; ranks: the numbers of dimensions that an input may have."""

    ranks: ClassVar[tuple[int, ...]]
    _version = 2
    _state_since_2 = ("num_batches_tracked",)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        add_affine(self, (num_features,), affine, affine and bias, device=device, dtype=dtype)
        tracked = track_running_stats
        kind = new_parameter(num_features, device=device, dtype=dtype)._data.dtype
        self.register_buffer("running_mean", make(np.zeros(num_features, kind)) if tracked else None)
        self.register_buffer("running_var", make(np.ones(num_features, kind)) if tracked else None)
        self.register_buffer("num_batches_tracked", make(np.zeros((), INT64)) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the running figures."""
        if self.track_running_stats:
            for buffer, start in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
                init.constant_(buffer, start)

    def reset_parameters(self) -> None:
        """Start with ones and zeros again, and forget the running figures."""
        self.reset_running_stats()
        restart(self)

    def check_rank(self, input: Any) -> None:
        if input.dim() not in self.ranks:
            wanted = " or ".join(f"{rank}D" for rank in self.ranks)
            raise ValueError(f"expected {wanted} input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Any:
        self.check_rank(input)
        share = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                share = 1.0 / float(self.num_batches_tracked._data)
        from_batch = self.training or (self.running_mean is None and self.running_var is None)
        tracked = not self.training or self.track_running_stats
        return functional["batch_norm"](
            input,
            self.running_mean if tracked else None,
            self.running_var if tracked else None,
            self.weight,
            self.bias,
            from_batch,
            share,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Features standardized over the batch (torch.nn.BatchNorm1d)."""

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Channels of images standardized over the batch (torch.nn.BatchNorm2d)."""

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Channels of volumes standardized over the batch (torch.nn.BatchNorm3d)."""

    ranks = (5,)


OTHER_FEATURES = (
    "input's size at dim={dim} does not match num_features. You can silence this warning by not passing in "
    "num_features, which is not used because affine=False"
)


class _InstanceNorm(_BatchNorm):
    """What instance norms share: figures of every example, running ones and a weight only where asked for."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Any:
        self.check_rank(input)
        single = input.dim() == min(self.ranks)
        self.check_features(input, 0 if single else 1)
        batch: Any = input.unsqueeze(0) if single else input  # type: ignore[attr-defined]
        from_input = self.training or not self.track_running_stats
        figures = (self.running_mean, self.running_var)
        share = 0.0 if self.momentum is None else self.momentum
        out = functional["instance_norm"](batch, *figures, self.weight, self.bias, from_input, share, self.eps)
        return out.squeeze(0) if single else out

    def check_features(self, input: Tensor, dim: int) -> None:
        """Raise what PyTorch raises, or warn where no weight makes it wrong, for another number of channels."""
        found = input.shape[dim]
        if found == self.num_features:
            return
        if self.affine:
            raise ValueError(
                f"expected input's size at dim={dim} to match num_features ({self.num_features}), but got: {found}."
            )
        warnings.warn(OTHER_FEATURES.format(dim=dim), UserWarning, stacklevel=4)


class InstanceNorm1d(_InstanceNorm):
    """Every channel of every sequence standardized (torch.nn.InstanceNorm1d)."""

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Every channel of every image standardized (torch.nn.InstanceNorm2d)."""

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Every channel of every volume standardized (torch.nn.InstanceNorm3d)."""

    ranks = (4, 5)


export("torch.nn.modules.normalization", LayerNorm, RMSNorm, GroupNorm)
export("torch.nn.modules.batchnorm", BatchNorm1d, BatchNorm2d, BatchNorm3d)
export("torch.nn.modules.instancenorm", InstanceNorm1d, InstanceNorm2d, InstanceNorm3d)
