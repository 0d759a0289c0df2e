"""Choosing between values: clamp, maximum and minimum, where, and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import public, two_operands
from gradrepl.engine.dtype import BOOL, BOOL8, CATEGORY, FLOAT, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.operands import check_broadcast, held
from gradrepl.engine.ops.number import over_number
from gradrepl.engine.ops.refusing import without_formula
from gradrepl.engine.ops.shape import cast, where, where_pointwise, without, zeros_of
from gradrepl.engine.tensor import Tensor, make

BOTH = ((2.0, 3.0), ((2, 3), (3,)), ((2, 1), (1, 3)))


@op("ClampBackward1", samples=(((2, 3), 0.2, 0.8), ((2, 3), None, 0.5)))
def clamp_numbers(a: Array, low: Any, high: Any) -> Any:
    """a, not below low nor above high (numbers or None)"""
    if low is not None:
        a = np.maximum(held(low, a.dtype), a)
    return a if high is None else np.minimum(held(high, a.dtype), a)


def inside(a: Any, low: Any, high: Any) -> Any:
    """Whether a lies within its bounds, each of which may be None."""
    if low is None or high is None:
        return a <= high if low is None else a >= low
    return (a >= low) & (a <= high)


clamp_numbers.grad(a=lambda g, a, low, high: where(inside(a, low, high), g, 0.0))


@op("ClampBackward0", broadcasts=True, samples=(((2, 3), (3,), (3,)),))
def clamp_tensors(a: Array, low: Array, high: Array) -> Any:
    """a, not below low nor above high, element by element"""
    return np.minimum(high, np.maximum(low, a))


clamp_tensors.grad(
    a=lambda g, a, low, high: where(inside(a, low, high), g, 0.0),
    low=lambda g, a, low, high: where((low < high) & (a < low), g, 0.0),
    high=lambda g, a, low, high: where((low > high) | (a > high), g, 0.0),
)


@op("ClampMinBackward0", samples=(((2, 3), 0.2),))
def clamp_min_number(a: Array, low: Any) -> Any:
    """a, not below a number"""
    return np.maximum(held(low, a.dtype), a)


@op("ClampMinBackward1", broadcasts=True, samples=BOTH)
def clamp_min_tensor(a: Array, low: Array) -> Any:
    """a, not below low"""
    return np.maximum(low, a)


@op("ClampMaxBackward0", samples=(((2, 3), 0.2),))
def clamp_max_number(a: Array, high: Any) -> Any:
    """a, not above a number"""
    return np.minimum(held(high, a.dtype), a)


@op("ClampMaxBackward1", broadcasts=True, samples=BOTH)
def clamp_max_tensor(a: Array, high: Array) -> Any:
    """a, not above high"""
    return np.minimum(high, a)


clamp_min_number.grad(a=lambda g, a, low: where(a >= low, g, 0.0))
clamp_max_number.grad(a=lambda g, a, high: where(a <= high, g, 0.0))
clamp_min_tensor.grad(a=lambda g, a, low: where(a >= low, g, 0.0), low=lambda g, a, low: where(a < low, g, 0.0))
clamp_max_tensor.grad(a=lambda g, a, high: where(a <= high, g, 0.0), high=lambda g, a, high: where(a > high, g, 0.0))


def shared(a: Any, b: Any, g: Any, loses: Any) -> Any:
    """Return the gradient of what won, half of it where both are equal."""
    return masked(where(a == b, over_number(g, 2), g), loses)


def masked(a: Any, mask: Any) -> Any:
    """Put 0 where a mask (array or tensor) holds."""
    return without(mask, a)


def fits_no_vector(a: Array, b: Array) -> bool:
    """Whether PyTorch compares number by number: of 0 and -0 the first counts then, as the second does in vectors."""
    return max(a.size, b.size) * a.itemsize < 64


@op("MaximumBackward0", broadcasts=True, samples=BOTH)
def maximum(a: Array, b: Array) -> Any:
    """The greater of a and b"""
    return np.maximum(b, a) if fits_no_vector(a, b) else np.maximum(a, b)


@op("MinimumBackward0", broadcasts=True, samples=BOTH)
def minimum(a: Array, b: Array) -> Any:
    """The smaller of a and b"""
    return np.minimum(b, a) if fits_no_vector(a, b) else np.minimum(a, b)


maximum.grad(a=lambda g, a, b: shared(a, b, g, a < b), b=lambda g, a, b: shared(a, b, g, a > b))
minimum.grad(a=lambda g, a, b: shared(a, b, g, a > b), b=lambda g, a, b: shared(a, b, g, a < b))


@op("FmaxBackward0", broadcasts=True, samples=BOTH)
def fmax(a: Array, b: Array) -> Any:
    """The greater of a and b; a number wins over nan"""
    return np.fmax(a, b)


@op("FminBackward0", broadcasts=True, samples=BOTH)
def fmin(a: Array, b: Array) -> Any:
    """The smaller of a and b; a number wins over nan"""
    return np.fmin(a, b)


fmax.grad(
    a=lambda g, a, b: masked(g, ~((a >= b) | (b != b))),
    b=lambda g, a, b: masked(g, (a >= b) | (b != b)),
)
fmin.grad(
    a=lambda g, a, b: masked(g, ~((a <= b) | (b != b))),
    b=lambda g, a, b: masked(g, (a <= b) | (b != b)),
)


@op("CopysignBackward0", broadcasts=True, promotes="float", samples=BOTH)
def copysign(a: Array, b: Array) -> Any:
    """|a| with the sign of b"""
    return np.copysign(a, b)


@op("CopysignBackward1", broadcasts=True, promotes="float", samples=(((2, 3), -1.0),))
def copysign_number(a: Array, b: Any) -> Any:
    """|a| with the sign of a number"""
    return np.copysign(a, a.dtype.type(b))


copysign.grad(a=lambda g, a, out: g * without(a == 0, out / a), b=lambda g: zeros_of(g))
copysign_number.grad(a=lambda g, a, out: g * without(a == 0, out / a))


@op("NotImplemented", broadcasts=True)
def heaviside_of(a: Array, b: Array) -> Any:
    """0 below zero, 1 above it, and b at zero"""
    return np.where(a == 0, b, a > 0).astype(a.dtype)


@op("NotImplemented", broadcasts=True)
def heaviside_here(a: Array, b: Array) -> Any:
    """0 below zero, 1 above it, and b at zero, as it is written in place"""
    return heaviside_of.forward(a, b)


without_formula(heaviside_of, "heaviside")
without_formula(heaviside_here, "heaviside_")


@op("NanToNumBackward0", samples=(((2, 3), 0.0, None, None),))
def replace_nan(a: Array, nan: Any, posinf: Any, neginf: Any) -> Any:
    """a, with numbers in the place of nan and the infinities"""
    if CATEGORY[a.dtype] < FLOAT:
        return a.copy()
    return np.nan_to_num(a, nan=nan or 0.0, posinf=posinf, neginf=neginf)


replace_nan.grad(a=lambda g, a: g * (a - a == 0))


def fitted(input: Tensor, *numbers: Any) -> Tensor:
    """Return a tensor in the dtype that it has together with Python numbers."""
    kind = input._data.dtype
    for number in numbers:
        if number is not None:
            kind = dtypes.beside_scalar(kind, number)
    return input if kind == input._data.dtype else cast(input, kind)


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Any:
    """Keep within bounds, numbers or tensors (torch.clamp)."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    entry, args = clamp_entry(input, min, max)
    return entry(*args)


def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Any:
    """Keep within bounds, in place (torch.clamp_)."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    entry, (fit, *bounds) = clamp_entry(input, min, max)
    check_clamped(input, fit)
    return in_place(entry)(input, *bounds)


def check_clamped(input: Tensor, fit: Tensor) -> None:
    """Raise what PyTorch raises where a bound would lift the dtype of what is clamped in place."""
    if CATEGORY[fit._data.dtype] > CATEGORY[input._data.dtype]:
        wanted = C_NAMES.get(input.dtype.name, input.dtype.tensor_type)
        raise RuntimeError(f"result type {fit.dtype.tensor_type} can't be cast to the desired output type {wanted}")


C_NAMES = {"uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long int"}
"""What C calls the integer types."""


def clamp_entry(input: Tensor, low: Any, high: Any) -> tuple[Any, tuple[Any, ...]]:
    if not isinstance(low, Tensor) and not isinstance(high, Tensor):
        return clamp_numbers, (fitted(input, low, high), low, high)
    given = high if low is None else low
    lowest, highest = limits(dtypes.promote(input._data, given._data))
    return clamp_tensors, (input, lowest if low is None else low, highest if high is None else high)


def limits(kind: np.dtype[Any]) -> tuple[Tensor, Tensor]:
    """Return 0-d tensors that bound nothing."""
    if CATEGORY[kind] == BOOL:
        return make(np.array(False)), make(np.array(True))
    if CATEGORY[kind] >= FLOAT:
        return make(np.array(-np.inf, kind)), make(np.array(np.inf, kind))
    span = np.iinfo(kind)
    return make(np.array(span.min, kind)), make(np.array(span.max, kind))


def bound(of_number: Any, of_tensor: Any, name: str) -> None:
    """Expose clamp_min or clamp_max, whose bound is a number or a tensor."""
    side = name[-3:]

    def call(input: Tensor, **limit: Any) -> Any:
        value = limit[side]
        return of_tensor(input, value) if isinstance(value, Tensor) else of_number(fitted(input, value), value)

    def write(input: Tensor, **limit: Any) -> Any:
        value = limit[side]
        if isinstance(value, Tensor):
            return in_place(of_tensor)(input, value)
        check_clamped(input, fitted(input, value))
        return in_place(of_number)(input, value)

    texts = (f"Tensor input, Tensor {side}", f"Tensor input, Number {side}")
    public(*(f"{text}, *, Tensor? out=None" for text in texts), name=name)(call)
    public(*texts, name=f"{name}_")(write)


CONDITION = "where expected condition to be a boolean tensor, but got a tensor with dtype {}"


def choose(condition: Tensor, input: Any = None, other: Any = None, **named: Any) -> Any:
    """Take input where the condition holds, else other; alone, return where it holds (torch.where)."""
    input = named.get("self", input)
    if input is None:
        return tuple(make(places) for places in np.nonzero(np.atleast_1d(condition._data)))
    if condition._data.dtype != BOOL8:
        raise RuntimeError(CONDITION.format(dtypes.of(condition._data).tensor_type))
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        both = (dtypes.of_scalar(input), dtypes.of_scalar(other))
        input = make(np.array(input, max(both, key=lambda kind: CATEGORY[kind])))
    arrays = (condition._data, *(x._data for x in (input, other) if isinstance(x, Tensor)))
    check_broadcast(arrays)
    return where_pointwise(condition, input, other)


def choose_from(input: Tensor, condition: Tensor, other: Any) -> Any:
    """Keep the elements where the condition holds, else take other (torch.Tensor.where)."""
    return choose(condition, input, other)


BOUNDS = (
    "Tensor input, Tensor? min=None, Tensor? max=None",
    "Tensor input, Number? min=None, Number? max=None",
)
for name in ("clamp", "clip"):
    public(*(f"{text}, *, Tensor? out=None" for text in BOUNDS), name=name)(clamp)
    public(*BOUNDS, name=f"{name}_")(clamp_)
bound(clamp_min_number, clamp_min_tensor, "clamp_min")
bound(clamp_max_number, clamp_max_tensor, "clamp_max")
for entry in (maximum, minimum, fmax, fmin):
    public("Tensor input, Tensor other, *, Tensor? out=None", name=entry.name)(two_operands(entry))


def with_sign(input: Tensor, other: Any) -> Any:
    """Take the absolute value with another sign (torch.copysign)."""
    return copysign(input, other) if isinstance(other, Tensor) else copysign_number(input, other)


@public("Tensor input, float? nan=None, float? posinf=None, float? neginf=None, *, Tensor? out=None")
def nan_to_num(input: Tensor, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Any:
    """Put numbers in the place of nan and infinities (torch.nan_to_num)."""
    return replace_nan(input, nan, posinf, neginf)


@public("Tensor input, float? nan=None, float? posinf=None, float? neginf=None")
def nan_to_num_(input: Tensor, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Any:
    """Put numbers in the place of nan and infinities, in place (torch.nan_to_num_)."""
    return in_place(replace_nan)(input, nan, posinf, neginf)


def check_heaviside(input: Tensor, values: Tensor) -> None:
    if input._data.dtype != values._data.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")


@public("Tensor input, Tensor values, *, Tensor? out=None")
def heaviside(input: Tensor, values: Tensor) -> Any:
    """0 below zero, 1 above it, and the given value at zero (torch.heaviside)."""
    check_heaviside(input, values)
    return heaviside_of(input, values)


@public("Tensor input, Tensor values", function=False)
def heaviside_(input: Tensor, values: Tensor) -> Any:
    """0 below zero, 1 above it, and the given value at zero, in place (torch.Tensor.heaviside_)."""
    check_heaviside(input, values)
    return in_place(heaviside_here)(input, values)


COPYSIGN = ("Tensor input, Tensor other", "Tensor input, Number other")
public(*(f"{text}, *, Tensor? out=None" for text in COPYSIGN), name="copysign")(with_sign)


def with_sign_(input: Tensor, other: Any) -> Any:
    """Take another sign, in place (torch.Tensor.copysign_)."""
    return in_place(copysign if isinstance(other, Tensor) else copysign_number)(input, other)


public(*COPYSIGN, name="copysign_", function=False)(with_sign_)
TAIL = ", *, Tensor? out=None"
public(
    "Tensor condition",
    f"Tensor condition, Tensor input, Tensor other{TAIL}",
    "Tensor condition, Number self, Tensor other",
    "Tensor condition, Tensor input, Number other",
    "Tensor condition, Number self, Number other",
    name="where",
    method=False,
)(choose)
public(
    "Tensor input, Tensor condition, Tensor other",
    "Tensor input, Tensor condition, Number other",
    name="where",
    function=False,
)(choose_from)
