"""Powers, roots, exponentials and logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import methods, public, two_operands, unary
from gradrepl.engine.dtype import BOOL8, CATEGORY, COMPLEX128, FLOAT, FLOAT64, INEXACT, INT, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import analytic, op
from gradrepl.engine.ops.arithmetic import OPERANDS, beside, check_written, conj_of, exp, log
from gradrepl.engine.ops.number import plus_number, times_number
from gradrepl.engine.ops.shape import cast, where, zeros_of
from gradrepl.engine.precision import roots
from gradrepl.engine.precision.precise import nearest
from gradrepl.engine.tensor import Tensor

BOTH = ((2.0, 3.0), ((2, 3), (3,)), ((2, 1), (1, 3)))
POSITIVE = ((2.0,), ((2, 3),))
LN2, LN10 = math.log(2), math.log(10)


@op("SqrtBackward0", broadcasts=True, promotes="float", samples=POSITIVE)
def sqrt(a: Array) -> Any:
    """The square root of a"""
    return roots.sqrt(a)


sqrt.grad(a=lambda g, out: g / times_number(out, 2))


@op("RsqrtBackward0", broadcasts=True, promotes="float", samples=POSITIVE)
def rsqrt(a: Array) -> Any:
    """1 / √a"""
    return np.reciprocal(np.sqrt(a))


rsqrt.grad(a=lambda g, out: times_number(g, -0.5) * pow(out, 3))


@op("PowBackward0", broadcasts=True, samples=(((2, 3), 3), ((2, 3), 0), ((2, 3), -0.5), ((2, 3), 1)))
def pow_number(a: Array, exponent: Any) -> Any:
    """a ** exponent, where exponent is a number"""
    if exponent == 2 and a.dtype is not BOOL8:
        return a * a
    if a.dtype == BOOL8:
        return np.logical_or(a, not exponent)
    if exponent == 3:
        return a * a * a
    if exponent == -0.5:
        return np.reciprocal(np.sqrt(a))
    if exponent == -2 and a.dtype in INEXACT:
        return 1 / (a * a)
    return nearest(np.power, a, exponent)


def power_slope(g: Any, a: Any, exponent: Any) -> Any:
    if exponent == 2 and not isinstance(g, Tensor) and a.dtype in INEXACT:
        return g * (a + a)
    if exponent == 0:
        return zeros_of(g)
    if isinstance(g, Tensor):
        return g * times_number(pow_number.call(a, exponent - 1), exponent)
    return g * (pow_number.forward(a, exponent - 1) * exponent)


pow_number.grad(a=power_slope)


@op("PowBackward1", broadcasts=True, samples=(((2, 3), (2, 3)), ((2, 3), (3,))))
def pow_tensor(a: Array, b: Array) -> Any:
    """a ** b"""
    return int_power(a, b) if CATEGORY[a.dtype] < FLOAT else nearest(np.power, a, b)


def zero_base(a: Any, b: Any) -> Array:
    """Where 0 is raised to something that is not negative: the exponent has no influence there."""
    x, y = (value._data if isinstance(value, Tensor) else value for value in (a, b))
    return (x == 0) & (y.real >= 0)


pow_tensor.grad(
    a=lambda g, a, b: where(b == 0, 0.0, g * (b * pow(a, b - 1))),
    b=lambda g, a, b, out: g * where(zero_base(a, b), 0.0, out * log(a)),
)


@op("PowBackward2", broadcasts=True, samples=((2.0, (2, 3)),))
def pow_base(base: Any, b: Array) -> Any:
    """base ** b, where base is a number"""
    if CATEGORY[b.dtype] < FLOAT:
        return int_power(np.asarray(base, b.dtype), b)
    return nearest(np.power, np.asarray(base, b.dtype), b)


pow_base.grad(
    b=lambda g, base, b, out: (
        g * (times_number(out, float(np.log(base))) if base else where(b >= 0, 0.0, times_number(out, -np.inf)))
    )
)


def int_power(a: Array, b: Array) -> Any:
    """Raise integers to integers; a negative exponent gives 0, but for 1 and -1 the exact result."""
    if a.dtype == BOOL8:
        raise NotImplementedError("\"pow\" not implemented for 'Bool'")
    positive = np.power(a, np.maximum(b, 0))
    if not (b < 0).any():
        return positive
    inverse = np.where(a == 1, 1, np.where(a == -1, np.where(b % 2 == 0, 1, -1), 0))
    return np.where(b < 0, inverse, positive).astype(positive.dtype)


def pow(input: Any, exponent: Any) -> Any:
    """Raise to a power: a number or a tensor to a number or a tensor (torch.pow)."""
    if isinstance(exponent, Tensor):
        if isinstance(input, Tensor):
            return pow_tensor.call(input, exponent)
        return pow_base(input, beside(exponent, input))
    if not isinstance(input, Tensor):
        entry = pow_number if isinstance(exponent, NUMBERS) else pow_base if isinstance(input, NUMBERS) else pow_tensor
        return entry(input, exponent)
    kind = input._data.dtype
    if CATEGORY[kind] < FLOAT:
        input = as_base(input, exponent)
    return pow_number.call(input, exponent)


NUMBERS = (int, float)


def as_base(input: Tensor, exponent: Any) -> Tensor:
    """Return an integer tensor in the dtype in which it is raised to a number."""
    base = beside(input, exponent)
    if CATEGORY[base._data.dtype] == INT and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return base


@public("Tensor input, *, Tensor? out=None")
def square(input: Tensor) -> Any:
    """Raise to the power of 2 (torch.square)."""
    return pow(input, 2)


@op("Exp2Backward0", broadcasts=True, promotes="float", samples=POSITIVE)
def exp2(a: Array) -> Any:
    """2 ** a"""
    return nearest(np.exp2, a)


exp2.grad(a=lambda g, out: times_number(g * out, LN2))


@op("Expm1Backward0", broadcasts=True, promotes="float", samples=POSITIVE)
def expm1(a: Array) -> Any:
    """e ** a - 1, exact also near 0"""
    return nearest(np.expm1, a)


expm1.grad(a=lambda g, out: g * plus_number(out, 1))


@op("Log2Backward0", broadcasts=True, promotes="float", samples=POSITIVE)
def log2(a: Array) -> Any:
    """The logarithm of a to the base 2"""
    return nearest(np.log2, a)


log2.grad(a=lambda g, a: g / times_number(a, LN2))


@op("Log10Backward0", broadcasts=True, promotes="float", samples=POSITIVE)
def log10(a: Array) -> Any:
    """The logarithm of a to the base 10"""
    return nearest(np.log10, a)


log10.grad(a=lambda g, a: g / times_number(a, LN10))


@op("Log1PBackward0", broadcasts=True, promotes="float", samples=POSITIVE)
def log1p(a: Array) -> Any:
    """log(1 + a), exact also near 0"""
    return nearest(np.log1p, a)


log1p.grad(a=lambda g, a: g / plus_number(a, 1))


def check_float(kernel: str, a: Array) -> None:
    """Raise what PyTorch raises for integers where it has code for floats only."""
    if CATEGORY[a.dtype] < FLOAT:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtypes.of(a).tensor_type}'")


@op("LogaddexpBackward0", broadcasts=True, samples=BOTH)
def logaddexp(a: Array, b: Array) -> Any:
    """log(e ** a + e ** b)"""
    if a.dtype.kind != "c":
        return np.logaddexp(a, b)
    least: Any = np.where(a.real < b.real, a, b)
    most: Any = np.where(a.real < b.real, b, a)
    return most + np.log1p(np.exp(least - most))


logaddexp.grad(
    a=lambda g, a, b: g / conj_of(plus_number(exp(b - a), 1)), b=lambda g, a, b: g / conj_of(plus_number(exp(a - b), 1))
)


@op("Logaddexp2Backward0", broadcasts=True, samples=BOTH)
def logaddexp2(a: Array, b: Array) -> Any:
    """log2(2 ** a + 2 ** b)"""
    return np.logaddexp2(a, b)


logaddexp2.grad(a=lambda g, a, b: g / plus_number(exp2(b - a), 1), b=lambda g, a, b: g / plus_number(exp2(a - b), 1))


def power(self: Tensor, exponent: Any, *modulus: Any) -> Any:
    """self ** exponent, as Python asks for it; there is no power with a modulus."""
    if modulus:
        return NotImplemented
    if exponent.__class__ in NUMBERS and self._data.dtype in INEXACT:
        return pow_number.call(self, exponent)
    return pow(self, exponent) if isinstance(exponent, OPERANDS) else NotImplemented


def swapped_power(self: Tensor, base: Any) -> Any:
    """base ** self, as Python asks for it."""
    return pow(base, self) if isinstance(base, OPERANDS) else NotImplemented


def power_here(self: Tensor, exponent: Any) -> Any:
    """self **= exponent, as Python asks for it."""
    return pow_(self, exponent) if isinstance(exponent, OPERANDS) else NotImplemented


def pow_(input: Tensor, exponent: Any) -> Any:
    """Raise to a power in place (torch.Tensor.pow_)."""
    if isinstance(exponent, Tensor):
        return in_place(pow_tensor)(input, exponent)
    if CATEGORY[input._data.dtype] < FLOAT:
        return write_power(input, exponent)
    return in_place(pow_number)(input, exponent)


def write_power(input: Tensor, exponent: Any) -> Tensor:
    as_base(input, exponent)
    check_written(input, exponent)
    return in_place(pow_number)(input, exponent)


@public("Tensor input", name="square_", function=False)
def square_(input: Tensor) -> Any:
    """Raise to the power of 2 in place (torch.square_)."""
    return pow_(input, 2)


def is_complex(value: Any) -> bool:
    return value._data.dtype.kind == "c" if isinstance(value, Tensor) else isinstance(value, complex)


def float_power(input: Any, exponent: Any) -> Any:
    """Raise to a power in float64, or complex128 where one of the two is complex (torch.float_power)."""
    twofold = any(is_complex(value) for value in (input, exponent))
    kind = COMPLEX128 if twofold else FLOAT64

    def widened(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return complex(value) if twofold else float(value)
        return cast(value, kind) if value._data.dtype != kind else value

    return pow(widened(input), widened(exponent))


def float_power_(input: Tensor, exponent: Any) -> Any:
    """Raise to a power in place, in what must be float64 or complex128 already (torch.Tensor.float_power_)."""
    kind = COMPLEX128 if is_complex(input) or is_complex(exponent) else FLOAT64
    if input._data.dtype != kind:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {dtypes.of(input._data).tensor_type} but the operation's result "
            f"requires dtype {dtypes.OF_NUMPY[kind].tensor_type}"
        )
    wide = cast(exponent, kind) if isinstance(exponent, Tensor) and exponent._data.dtype != kind else exponent
    return pow_(input, wide)


POWERS = ("Tensor input, Tensor exponent", "Number self, Tensor exponent", "Tensor input, Number exponent")
analytic(sqrt, rsqrt, pow_number, pow_tensor, pow_base, exp2, expm1, log2, log10, log1p)
methods(__pow__=power, __rpow__=swapped_power, __ipow__=power_here)
unary(sqrt, rsqrt, exp2, expm1, log2, log10, log1p)
for entry in (logaddexp, logaddexp2):
    public("Tensor input, Tensor other, *, Tensor? out=None", name=entry.name)(two_operands(entry))
TENSORS, BASE, NUMBER = (f"{text}, *, Tensor? out=None" for text in POWERS)
for name, body in (("pow", pow), ("float_power", float_power)):
    public(TENSORS, BASE, NUMBER, name=name, method=False)(body)
    public(POWERS[0], POWERS[2], name=name, function=False)(body)
public(POWERS[0], POWERS[2], function=False)(pow_)
public(POWERS[0], POWERS[2], function=False)(float_power_)
