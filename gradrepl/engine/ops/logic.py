"""Logic and bits: and, or, xor, not and shifts; nothing here is recorded."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import methods, overloaded, public, two_operands, unary
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array
from gradrepl.engine.in_place import augmented, in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import OPERANDS
from gradrepl.engine.tensor import Tensor


@op(broadcasts=True)
def bitwise_and(a: Array, b: Array) -> Any:
    """a & b, bit by bit; for bools the logical and"""
    return np.bitwise_and(a, b)


@op(broadcasts=True)
def bitwise_or(a: Array, b: Array) -> Any:
    """a | b, bit by bit; for bools the logical or"""
    return np.bitwise_or(a, b)


@op(broadcasts=True)
def bitwise_xor(a: Array, b: Array) -> Any:
    """a ^ b, bit by bit; for bools the logical exclusive or"""
    return np.bitwise_xor(a, b)


@op(broadcasts=True)
def gcd(a: Array, b: Array) -> Any:
    """The greatest common divisor of a and b"""
    return np.gcd(a, b)


@op(broadcasts=True)
def lcm(a: Array, b: Array) -> Any:
    """The least common multiple of a and b"""
    return np.lcm(a, b)


@op(broadcasts=True)
def bitwise_left_shift(a: Array, b: Array) -> Any:
    """a, its bits moved up by b places"""
    return np.left_shift(a, b)


@op(broadcasts=True)
def bitwise_right_shift(a: Array, b: Array) -> Any:
    """a, its bits moved down by b places"""
    return np.right_shift(a, b)


@op()
def bitwise_not(a: Array) -> Any:
    """~a, bit by bit; for bools the logical not"""
    return np.invert(a)


@op(broadcasts=True)
def logical_and(a: Array, b: Array) -> Any:
    """Whether both are not zero"""
    return np.logical_and(a, b)


@op(broadcasts=True)
def logical_or(a: Array, b: Array) -> Any:
    """Whether one of them is not zero"""
    return np.logical_or(a, b)


@op(broadcasts=True)
def logical_xor(a: Array, b: Array) -> Any:
    """Whether exactly one of them is not zero"""
    return np.logical_xor(a, b)


@op()
def logical_not(a: Array) -> Any:
    """Whether a is zero"""
    return np.logical_not(a)


def invert(self: Tensor) -> Any:
    """~self, as Python asks for it."""
    if CATEGORY[self._data.dtype] >= FLOAT:
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return bitwise_not(self)


for entry in (bitwise_and, bitwise_or, bitwise_xor, bitwise_left_shift, bitwise_right_shift):
    overloaded(entry, swapped=True)
for entry in (logical_and, logical_or, logical_xor, gcd, lcm):
    public("Tensor input, Tensor other, *, Tensor? out=None", name=entry.name)(two_operands(entry))
    public("Tensor input, Tensor other", name=f"{entry.name}_", function=False)(two_operands(in_place(entry)))
unary(bitwise_not, logical_not)


def swapped(entry: Any) -> Any:
    def operate(self: Tensor, other: Any) -> Any:
        return entry(other, self) if isinstance(other, OPERANDS) else NotImplemented

    return operate


SIGNS = {
    "and": bitwise_and,
    "or": bitwise_or,
    "xor": bitwise_xor,
    "lshift": bitwise_left_shift,
    "rshift": bitwise_right_shift,
}
for name, entry in SIGNS.items():
    methods(**{f"__{name}__": entry, f"__r{name}__": swapped(entry), f"__i{name}__": augmented(entry)})
methods(__invert__=invert)
