"""Arithmetic with a plain number as PyTorch's C++ code calls it: the same results, other names in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.dtype import Array, beside_scalar
from gradrepl.engine.op import analytic, op
from gradrepl.engine.tensor import Tensor, make

SAMPLES = (((2, 3), 3.0),)


def beside(a: Array, number: Any) -> Array:
    """Return integers in the dtype that a number beside them calls for; all else as it is."""
    return a if a.dtype.kind in "fc" else a.astype(beside_scalar(a.dtype, number))


@op("AddBackward1", broadcasts=True, samples=SAMPLES)
def plus_number(a: Array, number: Any) -> Any:
    """a + number"""
    return beside(a, number) + number


plus_number.grad(a=lambda g: g)


@op("SubBackward1", broadcasts=True, samples=SAMPLES)
def minus_number(a: Array, number: Any) -> Any:
    """a - number"""
    return beside(a, number) - number


minus_number.grad(a=lambda g: g)


@op("MulBackward1", broadcasts=True, samples=SAMPLES)
def times_number(a: Array, number: Any) -> Any:
    """a · number"""
    return beside(a, number) * number


times_number.grad(a=lambda g, number: times_number(g, number))


@op("DivBackward1", broadcasts=True, promotes="float", samples=SAMPLES)
def over_number(a: Array, number: Any) -> Any:
    """a / number"""
    return a / number


over_number.grad(a=lambda g, number: over_number(g, number))
analytic(times_number, over_number)


def number_minus(number: Any, x: Any) -> Any:
    """Return number - x as PyTorch's C++ code subtracts: from a tensor of one number."""
    return as_tensor(number, x) - x


def number_over(number: Any, x: Any) -> Any:
    """Return number / x as PyTorch's C++ code divides: a tensor of one number."""
    return as_tensor(number, x) / x


def as_tensor(number: Any, like: Any) -> Any:
    """Return a number beside a tensor as one of no dimensions, beside an array as it is."""
    return make(np.array(number, like._data.dtype)) if isinstance(like, Tensor) else number


def as_number(condition: Any, like: Any) -> Any:
    """Return 1 where a condition holds and 0 elsewhere, in the dtype of `like`."""
    data = condition._data if isinstance(condition, Tensor) else condition
    numbers = data.astype(like._data.dtype if isinstance(like, Tensor) else like.dtype)
    return make(numbers) if isinstance(condition, Tensor) else numbers
