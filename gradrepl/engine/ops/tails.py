"""Tails of the normal distribution and the gamma function of several dimensions (torch.special)."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from gradrepl.engine.api import checked, functions, public
from gradrepl.engine.dtype import BOOL8, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import exp
from gradrepl.engine.ops.number import plus_number, times_number
from gradrepl.engine.ops.power import pow
from gradrepl.engine.ops.special import ONE, digamma, each, lgamma
from gradrepl.engine.tensor import Tensor

ANY = ((0.4,), ((2, 3),))
FAR = 25.0
"""From here on a few terms of the series in 1 / x are exact."""


def scaled_erfc(value: float) -> float:
    """Return exp(value ** 2) * erfc(value)."""
    if value < -26.7:
        return math.inf
    if value < FAR or math.isnan(value):
        return math.exp(value * value) * math.erfc(value)
    square = 1 / (2 * value * value)
    return (1 - square * (1 - 3 * square * (1 - 5 * square))) / (value * math.sqrt(math.pi))


def log_share(value: float) -> float:
    """Return the logarithm of the share of a standard normal distribution below a number."""
    root = value * math.sqrt(0.5)
    if value < -1:
        return math.log(scaled_erfc(-root) / 2) - root * root if value > -math.inf else value
    return math.log1p(-math.erfc(root) / 2)


def below_share(value: float) -> float:
    """Return the number below which a share of a standard normal distribution lies."""
    if 0 < value < 1:
        return NormalDist().inv_cdf(value)
    return {0.0: -math.inf, 1.0: math.inf}.get(value, math.nan)


@op("SpecialErfcxBackward0", broadcasts=True, promotes="float", samples=ANY)
def erfcx(a: Array) -> Any:
    """exp(a ** 2) · erfc(a)"""
    return each(scaled_erfc, a)


@op("SpecialLogNdtrBackward0", broadcasts=True, promotes="float", samples=ANY)
def log_ndtr(a: Array) -> Any:
    """The logarithm of the share of a standard normal distribution below a"""
    return each(log_share, a)


@op("SpecialNdtriBackward0", broadcasts=True, promotes="float", samples=((0.4,), (0.7,)))
def ndtri(a: Array) -> Any:
    """The number below which the share a of a standard normal distribution lies"""
    return each(below_share, a)


@op("MvlgammaBackward0", broadcasts=True, promotes="float", samples=((2.4, 2), (3.4, 3)))
def mvlgamma_of(a: Array, p: int) -> Any:
    """The logarithm of the gamma function of p dimensions at a"""
    total = sum(lgamma.forward(a - a.dtype.type(j / 2)) for j in range(p))
    return np.asarray(total + a.dtype.type(p * (p - 1) * math.log(math.pi) / 4), a.dtype)


erfcx.grad(a=lambda g, a, out: g * plus_number(times_number(a * out, 2), -2 / math.sqrt(math.pi)))
log_ndtr.grad(a=lambda g, a: g / erfcx(times_number(a, -math.sqrt(0.5))) * math.sqrt(2 / math.pi))
ndtri.grad(a=lambda g, out: g * times_number(exp(times_number(pow(out, 2), 0.5)), math.sqrt(2 * math.pi)))
mvlgamma_of.grad(a=lambda g, a, p: g * sum((digamma(plus_number(a, -j / 2)) for j in range(1, p)), digamma(a)))


def check_order(input: Tensor, p: int) -> None:
    """Raise what PyTorch raises for a number of dimensions that is none."""
    if input._data.dtype == BOOL8:
        raise RuntimeError("The input tensor may not be a boolean tensor.")
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")


def multigammaln(input: Tensor, p: int) -> Any:
    """Return the logarithm of the gamma function of p dimensions (torch.special.multigammaln, torch.mvlgamma)."""
    check_order(input, p)
    return mvlgamma_of.call(input, p)


@public("Tensor input, int p", function=False)
def mvlgamma_(input: Tensor, p: int) -> Any:
    """Put the logarithm of the gamma function of p dimensions in place (torch.Tensor.mvlgamma_)."""
    check_order(input, p)
    return in_place(mvlgamma_of)(input, p)


SEVERAL = "Tensor input, int p, *, Tensor? out=None"
public(SEVERAL, name="mvlgamma")(multigammaln)
functions(
    "torch.special",
    multigammaln=checked(multigammaln, "special_multigammaln", (SEVERAL,)),
    **{entry.name: checked(entry.call, f"special_{entry.name}", (ONE,)) for entry in (erfcx, log_ndtr, ndtri)},
)
