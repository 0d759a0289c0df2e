"""Comparisons and logic: results are bool and never recorded."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import binary, methods, public, unary
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op

BOTH = (((2, 3), (2, 3)),)


@op(broadcasts=True, samples=BOTH)
def eq(a: Array, b: Array) -> Any:
    """a == b"""
    return np.equal(a, b)


@op(broadcasts=True, samples=BOTH)
def ne(a: Array, b: Array) -> Any:
    """a != b"""
    return np.not_equal(a, b)


@op(broadcasts=True, samples=BOTH)
def lt(a: Array, b: Array) -> Any:
    """a < b"""
    return np.less(a, b)


@op(broadcasts=True, samples=BOTH)
def le(a: Array, b: Array) -> Any:
    """a <= b"""
    return np.less_equal(a, b)


@op(broadcasts=True, samples=BOTH)
def gt(a: Array, b: Array) -> Any:
    """a > b"""
    return np.greater(a, b)


@op(broadcasts=True, samples=BOTH)
def ge(a: Array, b: Array) -> Any:
    """a >= b"""
    return np.greater_equal(a, b)


@op(broadcasts=True)
def bitwise_and(a: Array, b: Array) -> Any:
    """a & b, bit by bit; for bools the logical and"""
    return np.bitwise_and(a, b)


@op(broadcasts=True)
def bitwise_or(a: Array, b: Array) -> Any:
    """a | b, bit by bit; for bools the logical or"""
    return np.bitwise_or(a, b)


@op()
def bitwise_not(a: Array) -> Any:
    """~a, bit by bit; for bools the logical not"""
    return np.invert(a)


@op()
def all_true(a: Array) -> Any:
    """Whether every element is true"""
    return np.all(a)


@op()
def any_true(a: Array) -> Any:
    """Whether some element is true"""
    return np.any(a)


methods(
    __eq__=eq,
    __ne__=ne,
    __lt__=lt,
    __le__=le,
    __gt__=gt,
    __ge__=ge,
    __and__=bitwise_and,
    __or__=bitwise_or,
    __invert__=bitwise_not,
)
binary(eq, ne, lt, le, gt, ge, bitwise_and, bitwise_or)
unary(bitwise_not)
public("Tensor input, *, Tensor? out=None", name="all")(all_true.call)
public("Tensor input, *, Tensor? out=None", name="any")(any_true.call)
