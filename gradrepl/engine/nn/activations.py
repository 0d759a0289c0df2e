"""Nonlinearities as modules: ReLU, GELU, Softmax and their kin."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn import init
from gradrepl.engine.nn.linear import new_parameter
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor

functional = SPACES["torch.nn.functional"]


class Activation(Module):
    """A function of torch.nn.functional as a module.

    function: its name; settings: attributes handed to it by keyword, in the order in which repr() shows them.
    """

    function = ""
    settings: tuple[str, ...] = ()

    def forward(self, input: Tensor) -> Any:
        return functional[self.function](input, **{name: getattr(self, name) for name in self.settings})

    def extra_repr(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.settings if name != "inplace"]
        return ", ".join([*shown, "inplace=True"] if getattr(self, "inplace", False) else shown)


class Inplace(Activation):
    """An activation without settings that may overwrite its input."""

    settings = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(Inplace):
    """max(input, 0) (torch.nn.ReLU)."""

    function = "relu"


class ReLU6(Activation):
    """min(max(input, 0), 6) (torch.nn.ReLU6)."""

    function = "relu6"
    settings = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace, self.min_val, self.max_val = inplace, 0.0, 6.0


class SELU(Inplace):
    """elu with the constants that keep mean and variance (torch.nn.SELU)."""

    function = "selu"


class SiLU(Inplace):
    """input * sigmoid(input) (torch.nn.SiLU)."""

    function = "silu"


class Mish(Inplace):
    """input * tanh(softplus(input)) (torch.nn.Mish)."""

    function = "mish"


class Hardsigmoid(Inplace):
    """A sigmoid of three straight pieces (torch.nn.Hardsigmoid)."""

    function = "hardsigmoid"

    def extra_repr(self) -> str:
        return ""


class Hardswish(Hardsigmoid):
    """input * hardsigmoid(input) (torch.nn.Hardswish)."""

    function = "hardswish"


class Sigmoid(Activation):
    """1 / (1 + e ** -input) (torch.nn.Sigmoid)."""

    function = "sigmoid"


class Tanh(Activation):
    """The hyperbolic tangent (torch.nn.Tanh)."""

    function = "tanh"


class Softsign(Activation):
    """input / (1 + |input|) (torch.nn.Softsign)."""

    function = "softsign"


class Tanhshrink(Activation):
    """input - tanh(input) (torch.nn.Tanhshrink)."""

    function = "tanhshrink"


class LogSigmoid(Activation):
    """log(sigmoid(input)) (torch.nn.LogSigmoid)."""

    function = "logsigmoid"


class LeakyReLU(Activation):
    """A little of the input let through below 0 (torch.nn.LeakyReLU)."""

    function = "leaky_relu"
    settings = ("negative_slope", "inplace")

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace


class RReLU(Module):
    """A little of the input let through below 0, as much as drawn while training (torch.nn.RReLU)."""

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return functional["rrelu"](input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}{', inplace=True' if self.inplace else ''}"


class ELU(Activation):
    """Exponential below 0 (torch.nn.ELU)."""

    function = "elu"
    settings = ("alpha", "inplace")

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class CELU(ELU):
    """Exponential below 0, smooth for every alpha (torch.nn.CELU)."""

    function = "celu"


class GELU(Activation):
    """input times the normal distribution function of it (torch.nn.GELU)."""

    function = "gelu"
    settings = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate


class Softplus(Activation):
    """A smooth ReLU (torch.nn.Softplus)."""

    function = "softplus"
    settings = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class Hardtanh(Activation):
    """The input cut off on both sides (torch.nn.Hardtanh)."""

    function = "hardtanh"
    settings = ("min_val", "max_val", "inplace")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if min_val >= max_val:
            raise AssertionError("max_val must be larger than min_val")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace


class Shrink(Activation):
    """An activation with one limit, shown without its name."""

    settings = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Shrink):
    """Small numbers made 0 (torch.nn.Hardshrink)."""

    function = "hardshrink"


class Softshrink(Shrink):
    """Every number moved towards 0 (torch.nn.Softshrink)."""

    function = "softshrink"


class Threshold(Activation):
    """What is not above the threshold replaced by a value (torch.nn.Threshold)."""

    function = "threshold"
    settings = ("threshold", "value", "inplace")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace


class GLU(Activation):
    """One half of the input times the sigmoid of the other (torch.nn.GLU)."""

    function = "glu"
    settings = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


class AlongDim(Activation):
    """A softmax: along a dimension, or along the one that PyTorch guesses."""

    settings = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Any:
        return functional[self.function](input, self.dim, _stacklevel=5)


class Softmax(AlongDim):
    """Numbers made probabilities (torch.nn.Softmax)."""

    function = "softmax"


class LogSoftmax(AlongDim):
    """Numbers made logarithms of probabilities (torch.nn.LogSoftmax)."""

    function = "log_softmax"


class Softmin(AlongDim):
    """Softmax of the negated input (torch.nn.Softmin)."""

    function = "softmin"


class Softmax2d(Module):
    """Softmax over the channels of images (torch.nn.Softmax2d)."""

    def forward(self, input: Tensor) -> Any:
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return functional["softmax"](input, -3, _stacklevel=5)


class PReLU(Module):
    """A learned part of the input let through below 0 (torch.nn.PReLU)."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = new_parameter(num_parameters, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start with the number that was given."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Any:
        return functional["prelu"](input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


export(
    "torch.nn.modules.activation",
    *(ReLU, ReLU6, LeakyReLU, RReLU, ELU, CELU, SELU, GELU, SiLU, Mish, Softplus, Softsign, Sigmoid, Tanh, Tanhshrink),
    *(LogSigmoid, Hardtanh, Hardsigmoid, Hardswish, Hardshrink, Softshrink, Threshold, GLU, PReLU),
    *(Softmax, LogSoftmax, Softmin, Softmax2d),
)
