"""Trigonometric and hyperbolic functions, and their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import also, public, two_operands, unary
from gradrepl.engine.dtype import Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import analytic, op
from gradrepl.engine.ops.arithmetic import reciprocal
from gradrepl.engine.ops.number import number_minus, plus_number, times_number
from gradrepl.engine.ops.power import pow, rsqrt
from gradrepl.engine.ops.refusing import here, underived
from gradrepl.engine.ops.shape import where, without
from gradrepl.engine.precision.precise import nearest
from gradrepl.engine.tensor import Tensor

ANY = ((0.4,), ((2, 3),))
WITHIN_ONE = ((0.4,), (-0.7,))
BOTH = ((2.0, 3.0), ((2, 3), (3,)))


@op("SinBackward0", broadcasts=True, promotes="float", samples=ANY)
def sin(a: Array) -> Any:
    """The sine of a"""
    return nearest(np.sin, a)


@op("CosBackward0", broadcasts=True, promotes="float", samples=ANY)
def cos(a: Array) -> Any:
    """The cosine of a"""
    return nearest(np.cos, a)


sin.grad(a=lambda g, a: g * cos(a))
cos.grad(a=lambda g, a: g * -sin(a))


@op("TanBackward0", broadcasts=True, promotes="float", samples=ANY)
def tan(a: Array) -> Any:
    """The tangent of a"""
    return nearest(np.tan, a)


tan.grad(a=lambda g, out: g * plus_number(pow(out, 2), 1))


@op("AsinBackward0", broadcasts=True, promotes="float", samples=WITHIN_ONE)
def asin(a: Array) -> Any:
    """The angle whose sine is a"""
    return nearest(np.arcsin, a)


asin.grad(a=lambda g, a: g * rsqrt(plus_number(-a * a, 1)))


@op("AcosBackward0", broadcasts=True, promotes="float", samples=WITHIN_ONE)
def acos(a: Array) -> Any:
    """The angle whose cosine is a"""
    return nearest(np.arccos, a)


acos.grad(a=lambda g, a: g * -rsqrt(plus_number(-a * a, 1)))


@op("AtanBackward0", broadcasts=True, promotes="float", samples=ANY)
def atan(a: Array) -> Any:
    """The angle whose tangent is a"""
    return nearest(np.arctan, a)


atan.grad(a=lambda g, a: g / plus_number(a * a, 1))


@op("Atan2Backward0", broadcasts=True, promotes="float", samples=BOTH)
def atan2(a: Array, b: Array) -> Any:
    """The angle of the point (b, a)"""
    return nearest(np.arctan2, a, b)


def over_square(a: Any, b: Any) -> Any:
    """Return 1 / (a² + b²), and 0 at the origin."""
    square = a * a + b * b
    return without(square == 0, reciprocal(square))


atan2.grad(
    a=lambda g, a, b: g * b * over_square(a, b),
    b=lambda g, a, b: g * -a * over_square(a, b),
)


@op("SinhBackward0", broadcasts=True, promotes="float", samples=ANY)
def sinh(a: Array) -> Any:
    """The hyperbolic sine of a"""
    return np.sinh(a)


@op("CoshBackward0", broadcasts=True, promotes="float", samples=ANY)
def cosh(a: Array) -> Any:
    """The hyperbolic cosine of a"""
    return nearest(np.cosh, a)


sinh.grad(a=lambda g, a: g * cosh(a))
cosh.grad(a=lambda g, a: g * sinh(a))


@op("AsinhBackward0", broadcasts=True, promotes="float", samples=ANY)
def asinh(a: Array) -> Any:
    """The number whose hyperbolic sine is a"""
    return np.arcsinh(a)


asinh.grad(a=lambda g, a: g * rsqrt(plus_number(pow(a, 2), 1)))


@op("AcoshBackward0", broadcasts=True, promotes="float", samples=((1.5,), (3.0,)))
def acosh(a: Array) -> Any:
    """The number whose hyperbolic cosine is a"""
    return np.arccosh(a)


def acosh_gradient(g: Any, a: Any) -> Any:
    kind = (a._data if isinstance(a, Tensor) else a).dtype.kind
    return g * (rsqrt(a + 1) * rsqrt(a - 1) if kind == "c" else rsqrt(a * a - 1))


acosh.grad(a=lambda g, a: acosh_gradient(g, a))


@op("AtanhBackward0", broadcasts=True, promotes="float", samples=WITHIN_ONE)
def atanh(a: Array) -> Any:
    """The number whose hyperbolic tangent is a"""
    return np.arctanh(a)


atanh.grad(a=lambda g, a: times_number(g, 1) / number_minus(1, pow(a, 2)))


@op("SincBackward0", broadcasts=True, promotes="float", samples=ANY)
def sinc(a: Array) -> Any:
    """sin(π·a) / (π·a), and 1 at 0"""
    wide = a.astype(np.float32) if a.dtype == np.float16 else a
    return np.sinc(wide).astype(a.dtype, copy=False)


def sinc_slope(g: Any, a: Any) -> Any:
    angle = a * math.pi
    slope = g * ((cos(angle) * angle - sin(angle)) / (angle * a))
    return where(a == 0, 0.0, slope)


sinc.grad(a=sinc_slope)


@op("HypotBackward0", broadcasts=True, samples=BOTH)
def hypot(a: Array, b: Array) -> Any:
    """√(a² + b²)"""
    return np.hypot(a, b)


hypot.grad(a=lambda g, a, out: g * a / out, b=lambda g, b, out: g * b / out)


@op("Deg2RadBackward0", broadcasts=True, promotes="float", samples=ANY)
def deg2rad(a: Array) -> Any:
    """a · π / 180"""
    return a * (math.pi / 180)


@op("Rad2DegBackward0", broadcasts=True, promotes="float", samples=ANY)
def rad2deg(a: Array) -> Any:
    """a · 180 / π"""
    return a * (180 / math.pi)


deg2rad.grad(a=lambda g: times_number(g, math.pi / 180))
rad2deg.grad(a=lambda g: times_number(g, 180 / math.pi))

analytic(sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, sinc)
unary(sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, sinc, deg2rad, rad2deg)
for entry in (asin, acos, atan, asinh, acosh, atanh):
    also(entry, "arc" + entry.name[1:])
for entry in (asinh, acosh, atanh):
    written = here(entry, f"{entry.name.capitalize()}Backward1")
    written.grad(a=underived(f"inplace version of {entry.name}"))
    for name in (entry.name, "arc" + entry.name[1:]):
        public("Tensor input", name=f"{name}_", function=False)(in_place(written))
for entry, names in ((atan2, ("atan2", "arctan2")), (hypot, ("hypot",))):
    for name in names:
        public("Tensor input, Tensor other, *, Tensor? out=None", name=name)(two_operands(entry))
        public("Tensor input, Tensor other", name=f"{name}_", function=False)(two_operands(in_place(entry)))
