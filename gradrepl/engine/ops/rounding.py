"""Rounding, and the divisions that round: floor, round, %, //, div(rounding_mode=...)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import also, expose_write, methods, overloaded, public, two_operands, unary
from gradrepl.engine.dtype import BOOL, BOOL8, CATEGORY, FLOAT, Array, of
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import Op, analytic, op
from gradrepl.engine.operands import held
from gradrepl.engine.ops.arithmetic import OPERANDS, as_first, beside, check_written, div
from gradrepl.engine.ops.refusing import here, without_formula
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.tensor import Tensor

ANY = ((2.6,), ((2, 3),))
BOTH = (((2, 3), (3,)),)


def not_implemented(name: str, a: Array) -> NotImplementedError:
    return NotImplementedError(f"\"{name}\" not implemented for '{of(a).tensor_type}'")


def rounded(function: Any, name: str, a: Array) -> Any:
    """Round floats; integers are whole already."""
    if CATEGORY[a.dtype] == BOOL:
        raise not_implemented(name, a)
    if a.dtype.kind == "c":
        raise NotImplementedError(f"{name.partition('_')[0]} is not supported for complex inputs")
    return function(a) if CATEGORY[a.dtype] >= FLOAT else a.copy()


@op("FloorBackward0", samples=ANY)
def floor(a: Array) -> Any:
    """The greatest whole number that is not above a"""
    return rounded(np.floor, "floor_vml_cpu", a)


@op("CeilBackward0", samples=ANY)
def ceil(a: Array) -> Any:
    """The smallest whole number that is not below a"""
    return rounded(np.ceil, "ceil_vml_cpu", a)


@op("TruncBackward0", samples=ANY)
def trunc(a: Array) -> Any:
    """a without its fraction"""
    return rounded(np.trunc, "trunc_vml_cpu", a)


@op("RoundBackward0", samples=ANY)
def round_whole(a: Array) -> Any:
    """The whole number nearest to a; halves go to the even one"""
    return rounded(np.rint, "round_vml_cpu", a)


@op("RoundBackward1", samples=(((2, 3), 2), ((2, 3), -1)))
def round_decimals(a: Array, decimals: int) -> Any:
    """The number of so many decimals nearest to a"""
    if CATEGORY[a.dtype] < FLOAT:
        raise not_implemented("round_cpu", a)
    scale = a.dtype.type(10.0 ** np.abs(decimals))
    return np.rint(a * scale) / scale if decimals >= 0 else np.rint(a / scale) * scale


for entry in (floor, ceil, trunc, round_whole, round_decimals):
    entry.grad(a=lambda g: zeros_of(g))


@op("FracBackward0", samples=ANY)
def frac(a: Array) -> Any:
    """The fraction of a, with a's sign"""
    if CATEGORY[a.dtype] < FLOAT:
        raise not_implemented("frac_cpu", a)
    return a - np.trunc(a)


frac.grad(a=lambda g: g)


def check_divisor(name: str, a: Array, b: Array) -> None:
    """Raise what PyTorch raises for bools, and for integers divided by zero."""
    if a.dtype == BOOL8:
        raise not_implemented(name, a)
    if CATEGORY[a.dtype] < FLOAT and not np.all(b):
        raise RuntimeError("ZeroDivisionError")


def fmod_of(a: Array, b: Array) -> Any:
    check_divisor("fmod_cpu", a, b)
    return np.fmod(a, b)


def remainder_of(a: Array, b: Array) -> Any:
    check_divisor("remainder_cpu", a, b)
    if a.dtype.kind != "f":
        return np.remainder(a, b)
    rest = np.fmod(a, b)  # np.remainder gives 0 for -2 % 2, PyTorch -0
    return np.where((rest != 0) & ((b < 0) != (rest < 0)), rest + b, rest)


@op("FmodBackward0", samples=(((2, 3), 2.0),))
def fmod_number(a: Array, b: Any) -> Any:
    """What is left of a / number, with the sign of a"""
    return fmod_of(a, held(b, a.dtype))


@op("FmodBackward1", broadcasts=True, samples=BOTH)
def fmod(a: Array, b: Array) -> Any:
    """What is left of a / b, with the sign of a"""
    return fmod_of(a, b)


@op("RemainderBackward0", samples=(((2, 3), 2.0),))
def remainder_number(a: Array, b: Any) -> Any:
    """What is left of a / number, with the sign of the number"""
    return remainder_of(a, held(b, a.dtype))


@op("RemainderBackward1", broadcasts=True, samples=BOTH)
def remainder(a: Array, b: Array) -> Any:
    """What is left of a / b, with the sign of b"""
    return remainder_of(a, b)


@op("NotImplemented", broadcasts=True)
def remainder_of_number(a: Any, b: Array) -> Any:
    """What is left of number / b, with the sign of b"""
    return remainder_of(np.asarray(a, b.dtype), b)


@op("NotImplemented")
def floor_divide_number(a: Array, b: Any) -> Any:
    """a / number, rounded down"""
    check_divisor("div_floor_cpu", a, b)
    return np.floor_divide(a, held(b, a.dtype))


@op("NotImplemented", broadcasts=True)
def floor_divide(a: Array, b: Array) -> Any:
    """a / b, rounded down"""
    check_divisor("div_floor_cpu", a, b)
    return np.floor_divide(a, b)


@op("DivBackward2", broadcasts=True, samples=(((2, 3), (3,), "floor"), ((2, 3), (3,), "trunc")))
def div_rounded(a: Array, b: Array, rounding_mode: str) -> Any:
    """a / b, rounded down or towards zero"""
    check_divisor(f"div_{rounding_mode}_cpu", a, b)
    if rounding_mode == "floor":
        return np.floor_divide(a, b)
    return np.trunc(a / b).astype(a.dtype, copy=False)


@op("DivBackward2", broadcasts=True, promotes="float", samples=(((2, 3), (3,)),))
def div_unrounded(a: Array, b: Array) -> Any:
    """a / b, as div(rounding_mode=None) names it"""
    return a / b


analytic(div_unrounded)
div_unrounded.grad(a=lambda g, b: g / b, b=lambda g, a, b: -g * ((a / b) / b))
fmod_number.grad(a=lambda g: g)
fmod.grad(a=lambda g: g, b=lambda g, a, b: -g * div_rounded(a, b, "trunc"))
remainder_number.grad(a=lambda g: g)
remainder.grad(a=lambda g: g, b=lambda g, a, b: -g * div_rounded(a, b, "floor"))
div_rounded.grad(a=lambda g, b, rounding_mode: zeros_of(g), b=lambda g, a, b, rounding_mode: zeros_of(g))


without_formula(floor_divide, "floor_divide")
without_formula(floor_divide_number, "floor_divide")
without_formula(remainder_of_number, "remainder")


def by_operand(of_tensor: Op, of_number: Op, tensor_here: Op | None = None, number_here: Op | None = None) -> Any:
    """Return a call that takes the entry for a tensor or for a number on the right, and one that writes."""
    write_tensor, write_number = in_place(tensor_here or of_tensor), in_place(number_here or of_number)

    def call(input: Any, other: Any) -> Any:
        if isinstance(other, Tensor):
            return of_tensor(input, other)
        return of_number(beside(input, other), other)

    def write(input: Any, other: Any) -> Any:
        if isinstance(other, Tensor):
            return write_tensor(input, other)
        check_written(input, other)
        return write_number(input, other)

    return call, write


@public("Tensor input, *, Tensor? out=None", "Tensor input, *, int decimals, Tensor? out=None")
def round(input: Tensor, decimals: Any = None) -> Any:
    """Round to whole numbers or to some decimals (torch.round)."""
    return round_whole(input) if decimals is None else round_decimals(input, decimals)


@public("Tensor input", "Tensor input, *, int decimals", name="round_", function=False)
def round_(input: Tensor, decimals: Any = None) -> Any:
    """Round in place (torch.Tensor.round_)."""
    return in_place(round_whole)(input) if decimals is None else in_place(round_decimals)(input, decimals)


def check_mode(mode: Any) -> None:
    if mode not in ("floor", "trunc"):
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '" + str(mode) + "'"
        )


def divide(input: Any, other: Any, rounding_mode: Any = "none given") -> Any:
    """input / other, rounded down or towards zero where asked (torch.div)."""
    first = as_first(input, other)
    if rounding_mode is None:
        return div_unrounded(first, other)
    if rounding_mode == "none given":
        return div.call(first, other)
    check_mode(rounding_mode)
    return div_rounded(first, other, rounding_mode)


def divide_(input: Tensor, other: Any, rounding_mode: Any = None) -> Any:
    """input /= other, rounded where asked (torch.Tensor.div_)."""
    if rounding_mode is None:
        return in_place(div)(input, other)
    check_mode(rounding_mode)
    return in_place(div_rounded)(input, other, rounding_mode)


def operator(call: Any, swap: bool = False) -> Any:
    """Return a function of two operands as Python wants an operator."""

    def operate(self: Tensor, other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return call(other, self) if swap else call(self, other)

    return operate


MODES = (
    "Tensor input, Operand other",
    "Tensor input, Tensor other, *, str? rounding_mode",
    "Tensor input, Number other, *, str? rounding_mode",
)
FOUR = ("Tensor input, Tensor other", MODES[1], "Tensor input, Number other", MODES[2])
OF_OPERANDS = (
    "Operand input, Operand other, *, Tensor? out=None",
    "Operand input, Operand other, *, str? rounding_mode, Tensor? out=None",
)
public(*OF_OPERANDS, MODES[2], name="div", method=False)(divide)
public(*MODES, name="div", function=False)(divide)
expose_write(div, MODES[0])
public(*MODES, name="div_", function=False)(divide_)
public(*OF_OPERANDS, *FOUR[2:], name="divide", method=False)(divide)
public(*FOUR, name="divide", function=False)(divide)
public(*FOUR, name="divide_", function=False)(divide_)
unary(floor, ceil, trunc, frac)
also(trunc, "fix")
overloaded(div, name="true_divide", numbers=True)
PLAIN = ("Tensor input, Tensor other", "Tensor input, Number other")
OUT = tuple(f"{text}, *, Tensor? out=None" for text in PLAIN)
left_over, left_over_ = by_operand(fmod, fmod_number)
public(*OUT, name="fmod", method=False)(left_over)
public(*PLAIN, name="fmod", function=False)(left_over)
public(*PLAIN, name="fmod_", function=False)(left_over_)
quotient, quotient_ = by_operand(
    floor_divide,
    floor_divide_number,
    without_formula(here(floor_divide, "NotImplemented"), "floor_divide_"),
    without_formula(here(floor_divide_number, "NotImplemented"), "floor_divide_"),
)


def any_quotient(input: Any, other: Any) -> Any:
    """input / other, rounded down (torch.floor_divide)."""
    return quotient(input, other) if isinstance(input, Tensor) else floor_divide(input, other)


public(f"Operand input, Operand other{OUT[0].removeprefix(PLAIN[0])}", PLAIN[1], name="floor_divide", method=False)(
    two_operands(any_quotient)
)
public(*PLAIN, name="floor_divide", function=False)(quotient)
public(*PLAIN, name="floor_divide_", function=False)(quotient_)
modulo, modulo_ = by_operand(remainder, remainder_number)


def any_modulo(input: Any, other: Any) -> Any:
    """What is left of input / other, with the sign of other (torch.remainder)."""
    return modulo(input, other) if isinstance(input, Tensor) else remainder_of_number(input, other)


public(OUT[0], "Number self, Tensor other", OUT[1], name="remainder", method=False)(any_modulo)
public(*PLAIN, name="remainder", function=False)(modulo)
public(*PLAIN, name="remainder_", function=False)(modulo_)
methods(
    __mod__=operator(modulo),
    __rmod__=operator(any_modulo, swap=True),
    __imod__=operator(modulo_),
    __floordiv__=operator(quotient),
    __rfloordiv__=operator(floor_divide, swap=True),
    __ifloordiv__=operator(quotient_),
)
