"""float16 as PyTorch computes it: an operation works in float32 and rounds once, its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32
from gradrepl.engine.precision.steps import run_with

HALF = np.dtype(np.float16)
STEPWISE_IN_BOTH = frozenset(("logit_of", "entr", "rsqrt"))
"""Entries that PyTorch computes in several steps, each of which is rounded: those where it does so in bfloat16 too."""
STEPWISE = STEPWISE_IN_BOTH | {"xlogy_by_number", "sigmoid_gradient"}
STEPWISE |= {"normal_both", "normal_std", "normal_mean", "dropped"}
ndarray = np.ndarray


def widened(value: Any) -> Any:
    """Return an array of float16, or those in a sequence, as float32."""
    if isinstance(value, (ndarray, np.generic)):
        return value.astype(FLOAT32) if value.dtype is HALF else value
    return type(value)(map(widened, value)) if type(value) in (list, tuple) else value


def as_half(values: Any) -> Any:
    """Round float32 values to float16."""
    return values.astype(HALF).astype(FLOAT32)


def narrowed(result: Any) -> Any:
    """Return results of float32 as float16."""
    if isinstance(result, tuple):
        return tuple(map(narrowed, result))
    if isinstance(result, (ndarray, np.generic)) and result.dtype is FLOAT32:
        return result.astype(HALF)
    return result


def computed(forward: Callable[..., Any], values: Sequence[Any]) -> Any:
    """Return what a forward gives for operands of float16: computed in float32, rounded once.

    Beside float32 they stay as they are: the operation decides.
    """
    if any(isinstance(value, ndarray) and value.dtype is FLOAT32 for value in values):
        return forward(*values)
    return narrowed(run_with(as_half, forward, list(map(widened, values))))
