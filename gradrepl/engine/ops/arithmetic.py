"""Pointwise arithmetic: + - * / ** and what belongs to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import binary, methods, public, unary
from gradrepl.engine.dtype import Array
from gradrepl.engine.in_place import augmented, in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.shape import where
from gradrepl.engine.tensor import Tensor

BOTH = ((2.0, 3.0), ((2, 3), (3,)), ((2, 1), (1, 3)))
POSITIVE = ((2.0,), ((2, 3),))


@op("AddBackward0", broadcasts=True, samples=BOTH)
def add(a: Array, b: Array) -> Any:
    """a + b"""
    return a + b


add.grad(a=lambda g: g, b=lambda g: g)


@op("SubBackward0", broadcasts=True, samples=BOTH)
def sub(a: Array, b: Array) -> Any:
    """a - b"""
    return np.subtract(a, b)


sub.grad(a=lambda g: g, b=lambda g: -g)


@op("RsubBackward1", broadcasts=True, samples=(((2, 3), 1.0),))
def rsub(a: Array, b: Any) -> Any:
    """b - a, where b is a number"""
    return np.subtract(b, a)


rsub.grad(a=lambda g: -g)


@op("MulBackward0", broadcasts=True, samples=BOTH)
def mul(a: Array, b: Array) -> Any:
    """a · b"""
    return a * b


mul.grad(a=lambda g, b: g * b, b=lambda g, a: g * a)


@op("DivBackward0", broadcasts=True, promotes="float", samples=BOTH)
def div(a: Array, b: Array) -> Any:
    """a / b"""
    return a / b


div.grad(a=lambda g, b: g / b, b=lambda g, a, b: -g * ((a / b) / b))


@op("NegBackward0", samples=POSITIVE)
def neg(a: Array) -> Any:
    """-a"""
    return -a


neg.grad(a=lambda g: -g)


@op("ReciprocalBackward0", broadcasts=True, promotes="float", samples=POSITIVE)
def reciprocal(a: Array) -> Any:
    """1 / a"""
    return np.reciprocal(a)


reciprocal.grad(a=lambda g, out: -g * (out * out))


@op("ExpBackward0", broadcasts=True, promotes="float", samples=POSITIVE)
def exp(a: Array) -> Any:
    """e ** a"""
    return np.exp(a)


exp.grad(a=lambda g, out: g * out)


@op("LogBackward0", broadcasts=True, promotes="float", samples=POSITIVE)
def log(a: Array) -> Any:
    """The natural logarithm of a"""
    return np.log(a)


log.grad(a=lambda g, a: g / a)


@op("PowBackward0", broadcasts=True, samples=(((2, 3), 3), ((2, 3), 0), ((2, 3), -0.5)))
def pow_number(a: Array, exponent: Any) -> Any:
    """a ** exponent, where exponent is a number"""
    return np.power(a, exponent)


pow_number.grad(
    a=lambda g, a, exponent: g * 0 if exponent == 0 else g * (exponent * pow(a, exponent - 1)),
)


@op("PowBackward1", broadcasts=True, samples=(((2, 3), (2, 3)), ((2, 3), (3,))))
def pow_tensor(a: Array, b: Array) -> Any:
    """a ** b"""
    return np.power(a, b)


pow_tensor.grad(
    a=lambda g, a, b: where(b == 0, 0 * g, g * (b * pow(a, b - 1))),
    b=lambda g, a, b, out: where((a == 0) & (b >= 0), 0 * g, g * (out * log(a))),
)


@op("PowBackward2", broadcasts=True, samples=((2.0, (2, 3)),))
def pow_base(base: Any, b: Array) -> Any:
    """base ** b, where base is a number"""
    return np.power(base, b)


pow_base.grad(b=lambda g, base, out: g * (out * float(np.log(base))) if base else g * 0)


def pow(input: Any, exponent: Any) -> Any:
    """Raise to a power: a number or a tensor to a number or a tensor (torch.pow)."""
    if isinstance(exponent, Tensor):
        return pow_tensor(input, exponent) if isinstance(input, Tensor) else pow_base(input, exponent)
    return pow_number(input, exponent)


@op("SqrtBackward0", broadcasts=True, promotes="float", samples=POSITIVE)
def sqrt(a: Array) -> Any:
    """The square root of a"""
    return np.sqrt(a)


sqrt.grad(a=lambda g, out: g / (2 * out))


@op("AbsBackward0", samples=POSITIVE)
def abs(a: Array) -> Any:
    """|a|"""
    return np.abs(a)


@op(samples=POSITIVE)
def sign(a: Array) -> Any:
    """-1, 0 or 1 by the sign of a"""
    return np.sign(a)


abs.grad(a=lambda g, a: g * sign(a))


OPERANDS = (Tensor, int, float, complex, np.generic)


def power(self: Tensor, exponent: Any) -> Any:
    """self ** exponent, as Python asks for it."""
    return pow(self, exponent) if isinstance(exponent, OPERANDS) else NotImplemented


def swapped_power(self: Tensor, base: Any) -> Any:
    """base ** self, as Python asks for it."""
    return pow(base, self) if isinstance(base, OPERANDS) else NotImplemented


def pow_(input: Tensor, exponent: Any) -> Any:
    """Raise to a power in place (torch.Tensor.pow_)."""
    entry = pow_tensor if isinstance(exponent, Tensor) else pow_number
    return in_place(entry)(input, exponent)


def swapped_sub(self: Tensor, other: Any) -> Any:
    """other - self, as Python asks for it."""
    if not isinstance(other, OPERANDS):
        return NotImplemented
    return sub(other, self) if isinstance(other, Tensor) else rsub(self, other)


def swapped_div(self: Tensor, other: Any) -> Any:
    """other / self, as Python asks for it."""
    if not isinstance(other, OPERANDS):
        return NotImplemented
    return mul(reciprocal(self), other)


@public("Operand input, Operand other, *, Number alpha=1, Tensor? out=None", name="add")
def scaled_add(input: Any, other: Any, alpha: Any = 1) -> Any:
    """input + alpha * other (torch.add)."""
    return add.call(input, other if alpha == 1 else mul.call(other, alpha))


@public("Operand input, Operand other, *, Number alpha=1, Tensor? out=None", name="sub")
def scaled_sub(input: Any, other: Any, alpha: Any = 1) -> Any:
    """input - alpha * other (torch.sub)."""
    return sub.call(input, other if alpha == 1 else mul.call(other, alpha))


@public("Tensor input, Operand other, *, Number alpha=1", name="add_", function=False)
def scaled_add_(input: Tensor, other: Any, alpha: Any = 1) -> Any:
    """input += alpha * other (torch.Tensor.add_)."""
    return in_place(add)(input, other if alpha == 1 else mul.call(other, alpha))


@public("Tensor input, Operand other, *, Number alpha=1", name="sub_", function=False)
def scaled_sub_(input: Tensor, other: Any, alpha: Any = 1) -> Any:
    """input -= alpha * other (torch.Tensor.sub_)."""
    return in_place(sub)(input, other if alpha == 1 else mul.call(other, alpha))


methods(
    __add__=add,
    __radd__=add,
    __iadd__=augmented(in_place(add)),
    __sub__=sub,
    __rsub__=swapped_sub,
    __isub__=augmented(in_place(sub)),
    __mul__=mul,
    __rmul__=mul,
    __truediv__=div,
    __rtruediv__=swapped_div,
    __neg__=neg,
    __pow__=power,
    __rpow__=swapped_power,
    __abs__=abs,
)
unary(neg, reciprocal, exp, log, sqrt, abs, sign)
binary(mul, div)
public(
    "Tensor input, Tensor exponent, *, Tensor? out=None",
    "Number self, Tensor exponent, *, Tensor? out=None",
    "Tensor input, Number exponent, *, Tensor? out=None",
)(pow)
public("Tensor input, Number exponent", "Tensor input, Tensor exponent", function=False)(pow_)
