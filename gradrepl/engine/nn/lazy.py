"""Modules that learn the size of their input from the first one: LazyLinear, LazyConv2d and their kin."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn import convolutions, linear, normalization
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import Parameter, export
from gradrepl.engine.ops.windows import spread
from gradrepl.engine.tensor import Size, Tensor, make

NO_NUMBERS = (
    "Attempted to use an uninitialized parameter in <method 'numel' of 'torch._C.TensorBase' objects>. This error "
    "happens when you are using a `LazyModule` or explicitly manipulating `torch.nn.parameter.UninitializedParameter` "
    "objects. When using LazyModules Call `forward` with a dummy batch to initialize the parameters before calling "
    "torch functions"
)
NO_SHAPE = (
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` "
    "when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the "
    "parameters before accessing their attributes."
)


class UninitializedParameter(Parameter):
    """A parameter whose shape is not known yet (torch.nn.parameter.UninitializedParameter)."""

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        kind = (dtype or dtypes.default.float).numpy
        return super().__new__(cls, make(np.zeros(0, kind)), requires_grad)

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        pass

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Take on a shape and become an ordinary parameter, its numbers not set yet."""
        self._data = np.empty(tuple(shape), (dtype.numpy if dtype else self._data.dtype))
        self.__class__ = Parameter  # type: ignore[assignment]

    @property
    def shape(self) -> Size:
        """Not known yet: raises RuntimeError."""
        raise RuntimeError(NO_SHAPE)

    def numel(self) -> int:
        """Not known yet: raises ValueError."""
        raise ValueError(NO_NUMBERS)

    def __repr__(self, *, tensor_contents: str | None = None) -> str:  # type: ignore[override]
        return "<UninitializedParameter>"


class Lazy(Module):
    """What all lazy modules share: before the first call they take on sizes and become their ordinary kind.

    A subclass gives `becomes`, and `sizes(input)`: the attribute that is 0 until then, its value, and the shape of
    every parameter that has none yet.
    """

    becomes: ClassVar[type[Module]]
    weight: Any
    bias: Any

    def start(self, bias: bool, device: Any, dtype: Any) -> None:
        """Put parameters without a shape in place, and wait for the first call."""
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)
        self._watch = self.register_forward_pre_hook(lambda module, args: self.take_sizes(args[0]))

    def reset_parameters(self) -> None:
        """Nothing yet: there are no numbers to draw."""

    def has_uninitialized_params(self) -> bool:
        """Whether the shape of a parameter is still unknown (LazyModuleMixin.has_uninitialized_params)."""
        return any(isinstance(parameter, UninitializedParameter) for parameter in self.parameters())

    def sizes(self, input: Any) -> tuple[str, int, dict[str, tuple[int, ...]]]:
        raise NotImplementedError

    def take_sizes(self, input: Tensor) -> None:
        """Give the parameters their shapes and first numbers, and become the ordinary kind of module."""
        name, count, shapes = self.sizes(input)
        if self.has_uninitialized_params():
            setattr(self, name, count)
            with no_grad():
                for own, shape in shapes.items():
                    if getattr(self, own) is not None:
                        getattr(self, own).materialize(shape)
        self._watch.remove()
        del self._watch
        self.__class__ = self.becomes  # type: ignore[assignment]
        self.reset_parameters()


class LazyLinear(Lazy, linear.Linear):
    """Linear that learns in_features from its first input (torch.nn.LazyLinear)."""

    becomes = linear.Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        linear.Linear.__init__(self, 0, 0, False)
        self.out_features = out_features
        self.start(bias, device, dtype)

    def sizes(self, input: Any) -> tuple[str, int, dict[str, tuple[int, ...]]]:
        count = input.shape[-1]
        return "in_features", count, {"weight": (self.out_features, count), "bias": (self.out_features,)}


class _LazyConvNd(Lazy, convolutions._ConvNd):
    """What all lazy convolutions share."""

    def __init__(
        self,
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
        sizes = (kernel_size, stride, padding, dilation)
        convolutions._ConvNd.__init__(self, 0, 0, *sizes, groups, False, padding_mode)
        self.out_channels = out_channels
        self.start(bias, device, dtype)

    def sizes(self, input: Any) -> tuple[str, int, dict[str, tuple[int, ...]]]:
        batched = self.dims + 2
        if input.dim() not in (self.dims + 1, batched):
            raise RuntimeError(
                f"Expected {self.dims + 1}D (unbatched) or {batched}D (batched) input to {type(self).__name__}, but "
                f"got input of size: {input.shape}"
            )
        count = input.shape[1 if input.dim() == batched else 0]
        shape = (self.out_channels, count // self.groups, *spread(self.kernel_size, self.dims))
        return "in_channels", count, {"weight": shape, "bias": (self.out_channels,)}


class _LazyBatchNorm(Lazy, normalization._BatchNorm):
    """What all lazy batch norms share."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        normalization._BatchNorm.__init__(self, 0, eps, momentum, False, track_running_stats)
        self.affine = affine
        self.start(affine and bias, device, dtype)
        if not affine:
            self.weight = None

    def sizes(self, input: Any) -> tuple[str, int, dict[str, tuple[int, ...]]]:
        self.check_rank(input)
        count = input.shape[1]
        for name in ("running_mean", "running_var") if self.track_running_stats else ():
            self._buffers[name] = make(np.zeros(count, dtypes.default.float.numpy))
        return "num_features", count, {"weight": (count,), "bias": (count,)}


for _dims in (1, 2, 3):
    _names: dict[str, Any] = {"becomes": getattr(convolutions, f"Conv{_dims}d"), "dims": _dims}
    _doc = f"Conv{_dims}d that learns in_channels from its first input (torch.nn.LazyConv{_dims}d)."
    export("torch.nn.modules.conv", type(f"LazyConv{_dims}d", (_LazyConvNd,), {**_names, "__doc__": _doc}))
    _norm = getattr(normalization, f"BatchNorm{_dims}d")
    _doc = f"BatchNorm{_dims}d that learns num_features from its first input (torch.nn.LazyBatchNorm{_dims}d)."
    _names = {"becomes": _norm, "ranks": _norm.ranks, "__doc__": _doc}
    export("torch.nn.modules.batchnorm", type(f"LazyBatchNorm{_dims}d", (_LazyBatchNorm,), _names))
export("torch.nn.modules.linear", LazyLinear)
export("torch.nn.parameter", UninitializedParameter)
