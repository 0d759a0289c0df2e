"""Pointwise arithmetic: + - * / ** and what belongs to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import also, binary, expose_write, methods, overloaded, public, unary
from gradrepl.engine.dtype import BOOL, BOOL8, CATEGORY, FLOAT, FLOAT32, FLOAT64, Array
from gradrepl.engine.in_place import augmented, in_place
from gradrepl.engine.node import conjugate
from gradrepl.engine.op import analytic, op
from gradrepl.engine.ops.number import times_number
from gradrepl.engine.ops.shape import cast, where, zeros_of
from gradrepl.engine.precision.fused import fused
from gradrepl.engine.precision.precise import nearest
from gradrepl.engine.precision.steps import now, put_down
from gradrepl.engine.quick import short_way
from gradrepl.engine.tensor import Tensor, make

BOTH = ((2.0, 3.0), ((2, 3), (3,)), ((2, 1), (1, 3)))
POSITIVE = ((2.0,), ((2, 3),))

OUT = ", *, Tensor? out=None"
SCALED = "Operand input, Operand other, *, Number alpha=1, Tensor? out=None"
SCALED_HERE = "Tensor input, Operand other, *, Number alpha=1"
SCALED_TENSOR = "Tensor input, Tensor other, *, Number alpha=1"
SCALED_NUMBER = "Tensor input, Number other, Number alpha=1"
OLD = "Tensor input, Number alpha, Operand other"
MINUS_BOOLS = (
    "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator "
    "instead."
)
MINUS_BOOL = (
    "{}, the `-` operator, {} bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
    "`logical_not()` operator instead."
)


@op("AddBackward0", broadcasts=True, compute=np.add, samples=BOTH)
def add(a: Array, b: Array) -> Any:
    """a + b"""
    return a + b


add.grad(a=lambda g: g, b=lambda g: g)


SHORT_LANES = 32
"""How many numbers of 16 bits PyTorch's vector code takes at once."""


def added_in_short(a: Array, b: Array, alpha: Any) -> Any:
    """Return a + alpha · b for 16 bits: in whole vectors rounded once, behind them the product is rounded too."""
    factor = put_down(np.asarray(alpha, FLOAT32))
    once, in_steps = np.asarray(fused(factor, b, a)), np.asarray(a + put_down(factor * b))
    whole = once.size // SHORT_LANES * SHORT_LANES
    return np.concatenate((once.reshape(-1)[:whole], in_steps.reshape(-1)[whole:])).reshape(once.shape)


@op("AddBackward0", broadcasts=True, samples=(((2, 3), (3,), 2.0),))
def add_times(a: Array, b: Array, alpha: Any) -> Any:
    """a + alpha · b"""
    return fused(alpha, b, a) if now.rounding is None else added_in_short(a, b, alpha)


add_times.grad(a=lambda g: g, b=lambda g, alpha: times_number(g, alpha))


@op("SubBackward0", broadcasts=True, compute=np.subtract, samples=BOTH)
def sub(a: Array, b: Array) -> Any:
    """a - b"""
    return np.subtract(a, b)


sub.grad(a=lambda g: g, b=lambda g: -g)


def minus_times(a: Array, b: Array, alpha: Any) -> Any:
    """Return a - alpha · b; numpy has no negative numbers beside unsigned ones."""
    return np.subtract(a, b * b.dtype.type(alpha)) if b.dtype.kind == "u" else fused(-alpha, b, a)


@op("SubBackward0", broadcasts=True, samples=(((2, 3), (3,), 2.0),))
def sub_times(a: Array, b: Array, alpha: Any) -> Any:
    """a - alpha · b"""
    return minus_times(a, b, alpha) if now.rounding is None else added_in_short(a, b, -alpha)


sub_times.grad(a=lambda g: g, b=lambda g, alpha: times_number(-g, alpha))


@op("RsubBackward1", broadcasts=True, samples=(((2, 3), 1.0),))
def rsub(a: Array, b: Any) -> Any:
    """b - a, where b is a number"""
    return np.subtract(b, a)


rsub.grad(a=lambda g: -g)


@op("RsubBackward0", broadcasts=True, samples=(((2, 3), (3,)),))
def rsub_tensor(a: Array, b: Array) -> Any:
    """b - a"""
    return np.subtract(b, a)


rsub_tensor.grad(a=lambda g: -g, b=lambda g: g)


@op("RsubBackward0", broadcasts=True, samples=(((2, 3), (3,), 2.0),))
def rsub_times(a: Array, b: Array, alpha: Any) -> Any:
    """b - alpha · a"""
    return minus_times(b, a, alpha)


rsub_times.grad(a=lambda g, alpha: times_number(-g, alpha), b=lambda g: g)


@op("MulBackward0", broadcasts=True, compute=np.multiply, samples=BOTH)
def mul(a: Array, b: Array) -> Any:
    """a · b"""
    return a * b


mul.grad(a=lambda g, b: g * b, b=lambda g, a: g * a)


@op("DivBackward0", broadcasts=True, promotes="float", compute=np.divide, samples=BOTH)
def div(a: Array, b: Array) -> Any:
    """a / b"""
    return a / b


div.grad(a=lambda g, b: g / b, b=lambda g, a, b: -g * ((a / b) / b))


@op("NegBackward0", samples=POSITIVE)
def neg(a: Array) -> Any:
    """-a"""
    if a.dtype == BOOL8:
        raise RuntimeError(MINUS_BOOL.format("Negation", "on a"))
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
    return nearest(np.exp, a)


exp.grad(a=lambda g, out: g * out)


@op("LogBackward0", broadcasts=True, promotes="float", samples=POSITIVE)
def log(a: Array) -> Any:
    """The natural logarithm of a"""
    return nearest(np.log, a)


log.grad(a=lambda g, a: g / a)


@op("ConjBackward0", samples=POSITIVE)
def conj(a: Array) -> Any:
    """The complex conjugate of a"""
    return np.conjugate(a)


conj.grad(a=lambda g: conj(g))


def conj_of(value: Any) -> Any:
    """Conjugate an array, tensor or number of complex elements; anything else is left as it is."""
    if isinstance(value, complex):
        return value.conjugate()
    kind = getattr(value._data if isinstance(value, Tensor) else value, "dtype", None)
    return conj(value) if kind is not None and kind.kind == "c" else value


conjugate.append(conj_of)


@op("AbsBackward0", samples=POSITIVE)
def abs(a: Array) -> Any:
    """|a|"""
    if a.dtype == BOOL8:
        raise NotImplementedError("\"abs_cpu\" not implemented for 'Bool'")
    return np.abs(a)


def sign_of(a: Array) -> Any:
    if a.dtype == BOOL8:
        return a.copy()
    if a.dtype.kind == "c":
        size = np.abs(a)
        return np.where(size == 0, a, a / size)
    return np.subtract(a > 0, a < 0, dtype=a.dtype)


@op("SignBackward0", samples=POSITIVE)
def sign(a: Array) -> Any:
    """-1, 0 or 1 by the sign of a"""
    if a.dtype.kind == "c":
        raise NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
        )
    return sign_of(a)


@op("SgnBackward0", samples=POSITIVE)
def sgn(a: Array) -> Any:
    """-1, 0 or 1 by the sign of a; a / |a| where a is complex"""
    return sign_of(a)


sign.grad(a=lambda g: zeros_of(g))


def sgn_slope(g: Any, a: Any, out: Any) -> Any:
    if (out._data if isinstance(out, Tensor) else out).dtype.kind != "c":
        return zeros_of(g)
    scaled = where(abs(a) == 0, 0.0, g / abs(a))
    inward = scaled * conj(out)
    return scaled - (inward + conj(inward)) / 2 * out


sgn.grad(a=lambda g, a, out: sgn_slope(g, a, out))
abs.grad(a=lambda g, a: g * sgn(a))

OPERANDS = (Tensor, int, float, complex, np.generic)


def swapped_sub(self: Tensor, other: Any) -> Any:
    """other - self, as Python asks for it."""
    if not isinstance(other, OPERANDS):
        return NotImplemented
    return scaled_rsub(self, other)


def swapped_div(self: Tensor, other: Any) -> Any:
    """other / self, as Python asks for it."""
    if not isinstance(other, OPERANDS):
        return NotImplemented
    return mul(reciprocal(self), other)


def check_alpha(input: Any, other: Any, alpha: Any) -> None:
    """Raise what PyTorch raises for an alpha that the operands' dtype can't hold."""
    kinds = [value._data.dtype for value in (input, other) if isinstance(value, Tensor)]
    highest = max(CATEGORY[kind] for kind in kinds)
    if isinstance(alpha, float) and highest < FLOAT:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if isinstance(alpha, bool) and highest != BOOL:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")


@public(SCALED, f"deprecated {OLD}{OUT}", name="add")
def scaled_add(input: Any, other: Any, alpha: Any = 1) -> Any:
    """input + alpha * other (torch.add)."""
    if alpha == 1:
        return add.call(as_first(input, other), other)
    first = as_first(input, other)
    check_alpha(first, other, alpha)
    return add_times(first, other, alpha)


def beside(input: Tensor, number: Any) -> Tensor:
    """Return a tensor in the dtype that it has together with a Python number."""
    kind = dtypes.beside_scalar(input._data.dtype, number)
    return input if kind == input._data.dtype else cast(input, kind)


def check_written(input: Tensor, number: Any) -> None:
    """Raise what PyTorch raises where a number would lift the dtype of what is written in place."""
    kind = dtypes.OF_NUMPY[dtypes.beside_scalar(input._data.dtype, number)]
    if kind.category > input.dtype.category:
        wanted = input.dtype.tensor_type
        raise RuntimeError(f"result type {kind.tensor_type} can't be cast to the desired output type {wanted}")


def as_operand(value: Any) -> Any:
    """Return a number as the 0-d tensor that PyTorch makes of it."""
    return value if isinstance(value, Tensor) else make(np.array(value, dtypes.of_scalar(value)))


def as_first(input: Any, other: Any) -> Any:
    """Return the first operand as a tensor where neither is one."""
    return input if isinstance(other, Tensor) else as_operand(input)


def scaled_sub(input: Any, other: Any, alpha: Any = 1) -> Any:
    """input - alpha * other (torch.sub)."""
    check_bools(input, other)
    first = as_first(input, other)
    if alpha == 1:
        return sub.call(first, other)
    check_alpha(first, other, alpha)
    return sub_times(first, other, alpha)


def check_bools(a: Any, b: Any) -> None:
    """Raise what PyTorch raises where a bool tensor meets a minus."""
    first, second = is_bool(a), is_bool(b)
    if first and second:
        raise RuntimeError(MINUS_BOOLS)
    if first or second:
        raise RuntimeError(MINUS_BOOL.format("Subtraction", "with a"))


def is_float(kind: Any, other: Any) -> bool:
    """Whether two dtypes are the same and one of the two usual ones."""
    return kind is other and (kind is FLOAT32 or kind is FLOAT64)


def is_bool(operand: Any) -> bool:
    return operand._data.dtype is BOOL8 if isinstance(operand, Tensor) else isinstance(operand, bool)


@public(
    "Tensor input, Tensor other, *, Number alpha=1",
    "Tensor input, Number other, Number alpha=1",
    name="rsub",
    method=False,
)
def scaled_rsub(input: Any, other: Any, alpha: Any = 1) -> Any:
    """other - alpha * input (torch.rsub)."""
    check_bools(input, other)
    if isinstance(other, Tensor):
        return rsub_tensor(input, other) if alpha == 1 else rsub_times(input, other, alpha)
    scaled = input if alpha == 1 else mul(input, alpha)
    return rsub.call(beside(scaled, other), other)


@public(SCALED_HERE, f"deprecated {OLD}", name="add_", function=False)
def scaled_add_(input: Tensor, other: Any, alpha: Any = 1) -> Any:
    """input += alpha * other (torch.Tensor.add_)."""
    if alpha == 1:
        return in_place(add)(input, other)
    check_alpha(input, other, alpha)
    return in_place(add_times)(input, other, alpha)


def scaled_sub_(input: Tensor, other: Any, alpha: Any = 1) -> Any:
    """input -= alpha * other (torch.Tensor.sub_)."""
    check_bools(input, other)
    if alpha == 1:
        return sub_here(input, other)
    check_alpha(input, other, alpha)
    return in_place(sub_times)(input, other, alpha)


sub_here = in_place(sub)


def minus_here(self: Tensor, other: Any) -> Any:
    """self -= other, as Python asks for it."""
    if type(other) is Tensor and is_float(self._data.dtype, other._data.dtype):
        return sub_here(self, other)
    return scaled_sub_(self, other) if isinstance(other, OPERANDS) else NotImplemented


def minus(self: Tensor, other: Any) -> Any:
    """self - other, as Python asks for it."""
    if type(other) is Tensor and is_float(self._data.dtype, other._data.dtype):
        return sub.call(self, other)
    return scaled_sub(self, other) if isinstance(other, OPERANDS) else NotImplemented


@public("Tensor input")
def positive(input: Tensor) -> Tensor:
    """Return the tensor itself (torch.positive)."""
    if input._data.dtype == BOOL8:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


analytic(add_times, sub_times, mul, div, reciprocal, exp, log)
methods(
    __add__=add,
    __radd__=add,
    __sub__=short_way(sub, minus),
    __rsub__=swapped_sub,
    __isub__=augmented(sub, minus_here),
    __mul__=mul,
    __rmul__=mul,
    __truediv__=div,
    __rtruediv__=swapped_div,
    __neg__=neg,
    __pos__=positive,
    __abs__=abs,
)
public(SCALED, f"deprecated {OLD}{OUT}", name="sub")(scaled_sub)
public(SCALED_HERE, f"deprecated {OLD}", name="sub_", function=False)(scaled_sub_)
public(SCALED, SCALED_NUMBER, name="subtract", method=False)(scaled_sub)
public(SCALED_TENSOR, SCALED_NUMBER, name="subtract", function=False)(scaled_sub)
public(SCALED_TENSOR, SCALED_NUMBER, name="subtract_", function=False)(scaled_sub_)

unary(neg, reciprocal, exp, log, abs, sign, sgn)
also(neg, "negative")
also(abs, "absolute")
binary(mul)
overloaded(mul, name="multiply", numbers=True)
expose_write(add, "Tensor input, Operand other")
public(SCALED_HERE, f"deprecated {OLD}", name="add_", function=False)(scaled_add_)
