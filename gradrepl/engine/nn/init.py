"""How parameters start: torch.nn.init, with PyTorch's own numbers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.in_place import fill_with
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values import random

GAINS = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the recommended gain of a nonlinearity (torch.nn.init.calculate_gain)."""
    if nonlinearity in LINEAR:
        return 1
    if nonlinearity in GAINS:
        return GAINS[nonlinearity]
    if nonlinearity != "leaky_relu":
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    if param is None:
        return math.sqrt(2.0 / (1 + 0.01**2))
    if isinstance(param, bool) or not isinstance(param, (int, float)):
        raise ValueError(f"negative_slope {param} not a valid number")
    return math.sqrt(2.0 / (1 + param**2))


def write(tensor: Tensor, values: Any) -> Tensor:
    with no_grad():
        fill_with(tensor, values)
    return tensor


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
    """Fill from the uniform distribution over [a, b) (torch.nn.init.uniform_)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Any:
    """Fill from a normal distribution (torch.nn.init.normal_)."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number (torch.nn.init.constant_)."""
    return write(tensor, np.full(tensor._data.shape, val))


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones (torch.nn.init.ones_)."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros (torch.nn.init.zeros_)."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity (torch.nn.init.eye_)."""
    if tensor._data.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return write(tensor, np.eye(*tensor._data.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a convolution hand its channels through unchanged (torch.nn.init.dirac_)."""
    shape = tensor._data.shape
    if len(shape) not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if shape[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    values, channels = np.zeros(shape), shape[0] // groups
    middle = tuple(side // 2 for side in shape[2:])
    for group in range(groups):
        for channel in range(min(channels, shape[1])):
            values[(group * channels + channel, channel, *middle)] = 1
    return write(tensor, values)


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs and outputs a weight joins; raises ValueError for a vector."""
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    shape = tensor._data.shape
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill uniformly so that variances stay in both directions (torch.nn.init.xavier_uniform_)."""
    fan_in, fan_out = fans(tensor)
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(fan_in + fan_out)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill normally so that variances stay in both directions (torch.nn.init.xavier_normal_)."""
    fan_in, fan_out = fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan_in, fan_out = fans(tensor)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


def is_empty(tensor: Tensor) -> bool:
    if tensor._data.size:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", UserWarning, stacklevel=3)
    return True


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill uniformly so that variances survive rectifiers (torch.nn.init.kaiming_uniform_)."""
    if is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill normally so that variances survive rectifiers (torch.nn.init.kaiming_normal_)."""
    if is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, kaiming_std(tensor, a, mode, nonlinearity), generator)


TRIES = 10_000
"""How often numbers outside the limits are drawn again before they are cut off."""

LEAST_SHARE = 0.3
"""The share of normals inside the limits from which on it is normals that are proposed."""


def trunc_normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Any:
    """Fill from a normal distribution cut off at a and b (torch.nn.init.trunc_normal_)."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            UserWarning,
            stacklevel=2,
        )
    inside = probability((b - mean) / std) - probability((a - mean) / std)
    propose = propose_normal if inside >= LEAST_SHARE else propose_uniform
    values, accepted = propose(tensor, mean, std, a, b, generator)
    for _ in range(TRIES):
        if accepted.all():
            break
        again, fits = propose(tensor, mean, std, a, b, generator)
        values, accepted = np.where(accepted, values, again), accepted | fits
    return write(tensor, np.clip(values, a, b))


def probability(x: float) -> float:
    """Return the share of a normal distribution below x."""
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def propose_normal(like: Any, mean: float, std: float, a: float, b: float, generator: Any) -> tuple[Any, Any]:
    """Draw normals; those inside the limits are accepted."""
    values = normal_(make(np.empty_like(like._data)), mean, std, generator)._data
    return values, (values >= a) & (values <= b)


def propose_uniform(like: Any, mean: float, std: float, a: float, b: float, generator: Any) -> tuple[Any, Any]:
    """Draw uniforms between the limits; each is accepted with the height of the normal curve there."""
    values = uniform_(make(np.empty_like(like._data)), a, b, generator)._data
    chance = uniform_(make(np.empty_like(like._data)), 0.0, 1.0, generator)._data
    highest = min(max(mean, a), b)
    return values, chance <= np.exp(((highest - mean) ** 2 - (values - mean) ** 2) / (2 * std**2))


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with an orthogonal matrix (torch.nn.init.orthogonal_)."""
    shape = tensor._data.shape
    if len(shape) < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor._data.size:
        return tensor
    rows, columns = shape[0], tensor._data.size // shape[0]
    flat = random.normal_array((rows, columns), tensor._data.dtype, generator)
    q, r = np.linalg.qr(flat.T if rows < columns else flat)
    q = q * np.sign(np.diag(r))
    return write(tensor, (q.T if rows < columns else q).reshape(shape) * tensor._data.dtype.type(gain))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill normally and make a share of each column zero (torch.nn.init.sparse_)."""
    if tensor._data.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor._data.shape
    normal_(tensor, 0, std, generator)
    for column in range(columns):
        zeroed = random.permutation(rows)[: math.ceil(sparsity * rows)]
        tensor._data[zeroed, column] = 0
    return tensor


export(
    "torch.nn.init",
    calculate_gain,
    uniform_,
    normal_,
    constant_,
    ones_,
    zeros_,
    eye_,
    dirac_,
    xavier_uniform_,
    xavier_normal_,
    kaiming_uniform_,
    kaiming_normal_,
    trunc_normal_,
    orthogonal_,
    sparse_,
    also=(),
)


def old_name(name: str, module: str) -> Callable[..., Any]:
    """Return a function under the name that it had before names of writing functions ended in `_`."""
    function = SPACES[module][f"{name}_"]
    shown = f"{module.removeprefix('torch.') if module.endswith('init') else module}.{name}"

    def call(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(f"`{shown}` is now deprecated in favor of `{shown}_`.", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    call.__name__ = name
    call.__doc__ = f"The old name of {name}_ ({module}.{name})."
    return call


OLD_NAMES = (
    *("uniform", "normal", "constant", "eye", "dirac", "xavier_uniform", "xavier_normal", "kaiming_uniform"),
    *("kaiming_normal", "orthogonal", "sparse"),
)
functions("torch.nn.init", **{name: old_name(name, "torch.nn.init") for name in OLD_NAMES})
functions("torch.nn.init", _calculate_fan_in_and_fan_out=fans)
