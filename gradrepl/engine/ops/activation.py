"""Activations: the kinks and curves between layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import unary
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op

PLAIN = ((2.0,), ((2, 3),))


@op("SigmoidBackward0", broadcasts=True, promotes="float", samples=PLAIN)
def sigmoid(a: Array) -> Any:
    """1 / (1 + e ** -a)"""
    return 1 / (1 + np.exp(-a))


sigmoid.grad(a=lambda g, out: g * ((1 - out) * out))


@op("TanhBackward0", broadcasts=True, promotes="float", samples=PLAIN)
def tanh(a: Array) -> Any:
    """The hyperbolic tangent of a"""
    return np.tanh(a)


tanh.grad(a=lambda g, out: g * (1 - out * out))


@op("ReluBackward0", samples=PLAIN)
def relu(a: Array) -> Any:
    """max(a, 0)"""
    return np.maximum(a, 0)


relu.grad(a=lambda g, out: g * (out > 0))

unary(sigmoid, tanh, relu)
