"""Functions of nn that are made of operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.ops.criterion import as_reduced
from gradrepl.engine.ops.neural import pairwise_distance
from gradrepl.engine.ops.padding import pad_constant
from gradrepl.engine.ops.pooling import avg_pool2d, mean_windows
from gradrepl.engine.ops.softmax import softmax_along
from gradrepl.engine.ops.view import dim_of, squeeze_at, unsqueeze_at
from gradrepl.engine.tensor import make


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """Draw from the categories of logits, differentiably (torch.nn.functional.gumbel_softmax)."""
    noise = -make(np.empty(logits._data.shape, logits._data.dtype)).exponential_().log()  # type: ignore[attr-defined]
    place = dim_of(dim, logits.dim())
    soft = softmax_along((logits + noise) / tau, place)
    if not hard:
        return soft
    greatest = np.expand_dims(soft._data.argmax(place), place)
    one_hot = np.zeros_like(soft._data)
    np.put_along_axis(one_hot, greatest, 1, place)
    return make(one_hot) - soft.detach() + soft


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Divide by the squares of neighbouring channels (torch.nn.functional.local_response_norm)."""
    if input.dim() < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {input.dim()} dimensions)"
        )
    before, after = size // 2, (size - 1) // 2
    squares = unsqueeze_at(input.mul(input), 1)
    if input.dim() == 3:
        means = avg_pool2d(pad_constant(squares, (0, 0, before, after), 0.0), (size, 1), 1)
    else:
        flat = squares.view(input.shape[0], 1, input.shape[1], -1)
        flat = pad_constant(flat, (0, 0, before, after), 0.0)
        out = (input.shape[1], flat.shape[-1])
        means = mean_windows(flat, (size, 1), (1, 1), (0, 0), out, True, None).view(squares.shape)
    return input / squeeze_at(means, 1).mul(alpha).add(k).pow(beta)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """Return triplet_margin_loss with any distance (torch.nn.functional.triplet_margin_with_distance_loss)."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    ranks = [tensor.ndim for tensor in (anchor, positive, negative)]
    if len(set(ranks)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {ranks[0]}D, positive {ranks[1]}D, and negative {ranks[2]}D inputs"
        )
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return as_reduced((margin + near - far).clamp_min(0), reduction)


def overwriting(name: str) -> Callable[..., Any]:
    """Return the form of an activation that overwrites its input."""
    function = SPACES["torch.nn.functional"][name]

    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, inplace=True, **kwargs)

    call.__name__ = f"{name}_"
    call.__doc__ = f"Overwrite with {name} (torch.nn.functional.{name}_)."
    return call


functions(
    "torch.nn.functional",
    gumbel_softmax=gumbel_softmax,
    local_response_norm=local_response_norm,
    triplet_margin_with_distance_loss=triplet_margin_with_distance_loss,
    **{
        f"{name}_": overwriting(name) for name in ("relu", "celu", "elu", "hardtanh", "leaky_relu", "selu", "threshold")
    },
)
