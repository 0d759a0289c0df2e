"""Help with parameters and gradients: torch.nn.utils."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.nn.init import old_name
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.nn.registration import type_name
from gradrepl.engine.tensor import Tensor, make


def listed(parameters: Any) -> list[Any]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def norm_of(gradients: list[Any], norm_type: float) -> Any:
    """Return the norm of the norms of gradients, in the dtype of the first."""
    if not gradients:
        return np.float32(0.0)
    order = math.inf if math.isinf(norm_type) else norm_type
    norms = [np.linalg.norm(gradient._data.reshape(-1), order) for gradient in gradients]
    return np.asarray(np.linalg.norm(np.asarray(norms, gradients[0]._data.dtype), order), gradients[0]._data.dtype)


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """Return the norm of all tensors taken as one vector (torch.nn.utils.get_total_norm)."""
    total = norm_of(listed(tensors), float(norm_type))
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is non-finite, so it cannot "
            "be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return make(total)


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale gradients down to a common norm; return the norm that they had (torch.nn.utils.clip_grad_norm_)."""
    gradients = [parameter._grad for parameter in listed(parameters) if parameter._grad is not None]
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    scale = np.minimum(float(max_norm) / (total._data + total._data.dtype.type(1e-6)), 1.0)
    for gradient in gradients:
        gradient._data *= gradient._data.dtype.type(scale)
        gradient._counter[0] += 1
    return total


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Cut every element of the gradients off at +-clip_value (torch.nn.utils.clip_grad_value_)."""
    limit = float(clip_value)
    for parameter in listed(parameters):
        if parameter._grad is not None:
            np.clip(parameter._grad._data, -limit, limit, out=parameter._grad._data)
            parameter._grad._counter[0] += 1


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """Put parameters into one vector (torch.nn.utils.parameters_to_vector)."""
    return SPACES["torch"]["cat"]([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Give parameters their parts of a vector as storage (torch.nn.utils.vector_to_parameters)."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type_name(vec)}")
    start = 0
    for parameter in parameters:
        count = parameter.numel()
        parameter.data = vec[start : start + count].view_as(parameter).data  # type: ignore[index]
        start += count


export("torch.nn.utils.clip_grad", clip_grad_norm_, clip_grad_value_, get_total_norm, also=("torch.nn.utils",))
export("torch.nn.utils.convert_parameters", parameters_to_vector, vector_to_parameters, also=("torch.nn.utils",))
functions("torch.nn.utils", clip_grad_norm=old_name("clip_grad_norm", "torch.nn.utils"))
