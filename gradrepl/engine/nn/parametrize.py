"""Parameters computed from others: torch.nn.utils.parametrize, with weight_norm and spectral_norm."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn.containers import ModuleDict, ModuleList
from gradrepl.engine.nn.convolutions import _ConvTransposeNd
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import Parameter, export
from gradrepl.engine.ops.normalization import weight_normed
from gradrepl.engine.tensor import Tensor


class _Cache:
    """What was computed inside a block of cached()."""

    depth = 0
    values: dict[tuple[int, str], Any]


cache = _Cache()
cache.values = {}


@contextmanager
def cached() -> Iterator[None]:
    """Compute every parametrized tensor once in a block (torch.nn.utils.parametrize.cached)."""
    cache.depth += 1
    try:
        yield
    finally:
        cache.depth -= 1
        if not cache.depth:
            cache.values = {}


class ParametrizationList(ModuleList):
    """The functions that a parameter is computed by, and what it is computed from."""

    original: Any

    def __init__(self, modules: Sequence[Any], original: Any, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        start: Any = original
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    start = module.right_inverse(start)
        self.is_tensor = isinstance(start, Tensor)
        self.ntensors = 1 if self.is_tensor else len(start)
        if self.is_tensor:
            original._data = start._data
            self.original = original
        else:
            for place, one in enumerate(start):
                setattr(self, f"original{place}", Parameter(one.detach(), original.requires_grad))
        if not unsafe:
            check_result(self(), original)

    def originals(self) -> list[Any]:
        """Return the tensors that the parameter is computed from."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{place}") for place in range(self.ntensors)]

    @no_grad()  # type: ignore[untyped-decorator]
    def right_inverse(self, value: Any) -> None:
        """Set what the parameter is computed from so that it becomes a value."""
        for module in reversed(list(self)):
            if not hasattr(module, "right_inverse"):
                name = type(module).__name__
                raise RuntimeError(f"parametrization {name} does not implement right_inverse.")
            value = module.right_inverse(value)
        for own, given in zip(self.originals(), [value] if self.is_tensor else value, strict=True):
            own._data = given._data.astype(own._data.dtype)

    def forward(self) -> Any:
        """Compute the parameter."""
        first, *others = list(self)
        found = first(*self.originals())
        for module in others:
            found = module(found)
        return found


ParametrizationList.__module__ = "torch.nn.utils.parametrize"


def check_result(found: Any, original: Tensor) -> None:
    """Raise ValueError where a parametrization gives something of another kind."""
    if not isinstance(found, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(found).__name__}.")
    for name, own, other in (("dtype", found.dtype, original.dtype), ("shape", found.shape, original.shape)):
        if own != other:
            raise ValueError(
                f"Registering a parametrization may not change the {name} of the tensor, unless `unsafe` flag is "
                f"enabled.\nunparametrized {name}: {other}\nparametrized {name}: {own}"
            )


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether a module has such parameters, or one of a name (torch.nn.utils.parametrize.is_parametrized)."""
    found = module._modules.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def computed(name: str, self: Any) -> Any:
    """Return the value of a parametrized tensor."""
    if not cache.depth:
        return self.parametrizations[name]()
    key = (id(self), name)
    if key not in cache.values:
        cache.values[key] = self.parametrizations[name]()
    return cache.values[key]


def become_parametrized(module: Any) -> None:
    """Give a module a class of its own, which the properties hang on."""
    kind = type(module)
    names = {"__module__": "torch.nn.utils.parametrize", "__doc__": kind.__doc__}
    module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), names)
    module.parametrizations = ModuleDict()


def register_parametrization(module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False) -> Any:
    """Compute a parameter or buffer from now on (torch.nn.utils.parametrize.register_parametrization)."""
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            before = getattr(module, tensor_name)
            check_result(parametrization(before), before)
        module.parametrizations[tensor_name].append(parametrization)
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    found = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        become_parametrized(module)
    prop = property(
        functools.partial(computed, tensor_name),
        lambda self, value: self.parametrizations[tensor_name].right_inverse(value),
    )
    setattr(type(module), tensor_name, prop)
    module.parametrizations[tensor_name] = found
    return module


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Make a parametrized tensor a plain one again (torch.nn.utils.parametrize.remove_parametrizations)."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    found = module.parametrizations[tensor_name]
    if not (found.is_tensor or leave_parametrized):
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    value = getattr(module, tensor_name)
    original = found.original if found.is_tensor else Parameter(value.detach(), value.requires_grad)
    if found.is_tensor and leave_parametrized:
        original._data = value._data
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if isinstance(original, Parameter):
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


class _WeightNorm(Module):
    """A weight as lengths times directions."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        return weight_normed(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        """Return the lengths and the weight itself."""
        others = tuple(place for place in range(weight.dim()) if place != self.dim)
        return weight.norm(2, others, keepdim=True) if self.dim >= 0 else weight.norm(2), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Split a weight into lengths and directions (torch.nn.utils.parametrizations.weight_norm)."""
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, which steps of the power method follow."""

    _u: Any
    _v: Any

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.dim()
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self.as_matrix(weight)
            for name, side in zip(("_u", "_v"), matrix.shape, strict=True):
                start = matrix.new_empty(side).normal_(0, 1)
                self.register_buffer(name, normalized(start, eps))
            self.follow(matrix, 15)

    def as_matrix(self, weight: Any) -> Any:
        """Return a weight with one dimension in front and all others behind it."""
        if self.dim:
            weight = weight.permute(self.dim, *(place for place in range(weight.dim()) if place != self.dim))
        return weight.flatten(1)

    @no_grad()  # type: ignore[untyped-decorator]
    def follow(self, matrix: Any, steps: int) -> None:
        """Take steps of the power method."""
        for _ in range(steps):
            self._u = normalized(matrix.mv(self._v), self.eps)
            self._v = normalized(matrix.mH.mv(self._u), self.eps)

    def forward(self, weight: Any) -> Any:
        if weight.dim() == 1:
            return normalized(weight, self.eps)
        matrix = self.as_matrix(weight)
        if self.training:
            self.follow(matrix, self.n_power_iterations)
        return weight / self._u.clone().vdot(matrix.mv(self._v.clone()))

    def right_inverse(self, value: Any) -> Any:
        """Return a value as it is."""
        return value


def normalized(vector: Any, eps: float) -> Any:
    return SPACES["torch.nn.functional"]["normalize"](vector, dim=0, eps=eps)


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Keep a weight's largest singular value at 1 (torch.nn.utils.parametrizations.spectral_norm)."""
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if dim is None:
        dim = 1 if isinstance(module, _ConvTransposeNd) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


export(
    "torch.nn.utils.parametrize",
    *(register_parametrization, remove_parametrizations, is_parametrized, cached),
    also=(),
)
export("torch.nn.utils.parametrizations", weight_norm, spectral_norm, also=())
