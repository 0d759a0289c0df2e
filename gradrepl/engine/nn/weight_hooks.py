"""weight_norm and spectral_norm as hooks before forward: torch.nn.utils, from before there were parametrizations."""

from __future__ import annotations

import warnings
from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn.convolutions import _ConvTransposeNd
from gradrepl.engine.nn.parameter import Parameter
from gradrepl.engine.nn.parametrize import _WeightNorm, normalized
from gradrepl.engine.ops.normalization import weight_normed

OLD = "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`."


class WeightNorm:
    """Computes a weight from its lengths and directions before each forward."""

    kind = "weight_norm"

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Any:
        """Return the weight that a module's parameters make."""
        return weight_normed(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    def split(self, module: Any) -> None:
        """Put lengths and directions into a module in place of its weight."""
        weight = module._parameters.pop(self.name)
        lengths, _ = _WeightNorm(self.dim).right_inverse(weight)
        module.register_parameter(f"{self.name}_g", Parameter(lengths.data))
        module.register_parameter(f"{self.name}_v", Parameter(weight.data))
        setattr(module, self.name, self.compute_weight(module))

    def remove(self, module: Any) -> None:
        """Put the weight back into a module."""
        weight = self.compute_weight(module)
        for name in (self.name, f"{self.name}_g", f"{self.name}_v"):
            delattr(module, name)
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


class SpectralNorm:
    """Divides a weight by its largest singular value before each forward, which steps of the power method follow."""

    kind = "spectral_norm"

    def __init__(self, name: str, steps: int, dim: int, eps: float) -> None:
        if steps <= 0:
            raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={steps}")
        self.name, self.n_power_iterations, self.dim, self.eps = name, steps, dim, eps

    def as_matrix(self, weight: Any) -> Any:
        """Return a weight with one dimension in front and all others behind it."""
        if self.dim:
            weight = weight.permute(self.dim, *(place for place in range(weight.dim()) if place != self.dim))
        return weight.reshape(weight.size(0), -1)

    def split(self, module: Any) -> None:
        """Put the weight under another name into a module, with the vectors of the power method."""
        weight = module._parameters.pop(self.name)
        with no_grad():
            sides = self.as_matrix(weight).shape
            starts = [normalized(weight.new_empty(side).normal_(0, 1), self.eps) for side in sides]
        module.register_parameter(f"{self.name}_orig", weight)
        setattr(module, self.name, weight.data)
        for letter, start in zip("uv", starts, strict=True):
            module.register_buffer(f"{self.name}_{letter}", start)

    def compute_weight(self, module: Any, follow: bool) -> Any:
        """Return the weight divided by its largest singular value; follow: whether to take steps before."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = self.as_matrix(weight)
        if follow:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(normalized(matrix.t().mv(u), self.eps))
                    u.copy_(normalized(matrix.mv(v), self.eps))
            u, v = u.clone(), v.clone()
        return weight / u.dot(matrix.mv(v))

    def remove(self, module: Any) -> None:
        """Put the weight back into a module."""
        with no_grad():
            weight = self.compute_weight(module, False)
        for name in (self.name, f"{self.name}_u", f"{self.name}_v", f"{self.name}_orig"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def attach(module: Any, hook: Any) -> Any:
    """Register a hook that computes a weight; raises RuntimeError where there is one of its kind already."""
    for other in module._forward_pre_hooks.values():
        if getattr(other, "kind", None) == hook.kind and other.name == hook.name:
            raise RuntimeError(f"Cannot register two {hook.kind} hooks on the same parameter {hook.name}")
    hook.split(module)
    module.register_forward_pre_hook(hook)
    return module


def detach(module: Any, name: str, kind: str) -> Any:
    """Take a hook away again; raises ValueError where there is none."""
    for key, hook in module._forward_pre_hooks.items():
        if getattr(hook, "kind", None) == kind and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"{kind} of '{name}' not found in {module}")


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Split a weight into lengths and directions (torch.nn.utils.weight_norm)."""
    warnings.warn(OLD, FutureWarning, stacklevel=2)
    return attach(module, WeightNorm(name, dim))


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Keep a weight's largest singular value at 1 (torch.nn.utils.spectral_norm)."""
    if dim is None:
        dim = 1 if isinstance(module, _ConvTransposeNd) else 0
    return attach(module, SpectralNorm(name, n_power_iterations, dim, eps))


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight a parameter again (torch.nn.utils.remove_weight_norm)."""
    return detach(module, name, "weight_norm")


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight a parameter again (torch.nn.utils.remove_spectral_norm)."""
    return detach(module, name, "spectral_norm")


for _function in (weight_norm, spectral_norm, remove_weight_norm, remove_spectral_norm):
    SPACES["torch.nn.utils"][_function.__name__] = _function
