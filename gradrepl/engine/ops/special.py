"""Special functions: the error function and its kin, the gamma function's logarithm and derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

from gradrepl.engine.api import checked, functions, public, two_operands, unary
from gradrepl.engine.dtype import Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.activation import logit, sigmoid
from gradrepl.engine.ops.arithmetic import exp, log
from gradrepl.engine.ops.blending import OUT, PLAIN, xlogy
from gradrepl.engine.ops.number import plus_number, times_number
from gradrepl.engine.ops.power import exp2, expm1, log1p, pow
from gradrepl.engine.ops.rounding import round
from gradrepl.engine.ops.shape import without
from gradrepl.engine.ops.softmax import log_softmax, softmax
from gradrepl.engine.ops.spread import logsumexp
from gradrepl.engine.ops.trigonometry import sinc
from gradrepl.engine.precision.bfloat16 import rounded, stripped
from gradrepl.engine.tensor import Tensor

ANY = ((0.4,), ((2, 3),))
ROOT = 2 / math.sqrt(math.pi)


def each(function: Callable[[float], float], a: Array) -> Any:
    """Call a function of one number for every element."""
    plain = stripped(a)
    found = np.asarray(np.frompyfunc(function, 1, 1)(plain), plain.dtype)
    return found if plain is a else rounded(found)


@op("ErfBackward0", broadcasts=True, promotes="float", samples=ANY)
def erf(a: Array) -> Any:
    """The error function of a"""
    return each(math.erf, a)


@op("ErfcBackward0", broadcasts=True, promotes="float", samples=ANY)
def erfc(a: Array) -> Any:
    """1 - erf(a), exact also where that is tiny"""
    return each(math.erfc, a)


def inverse_erf(value: float) -> float:
    """Return the number whose error function is `value`; nan outside of [-1, 1]."""
    if not -1 < value < 1:
        return math.copysign(math.inf, value) if abs(value) == 1 else math.nan
    found = NormalDist().inv_cdf((value + 1) / 2) / math.sqrt(2)
    for _ in range(2):
        found -= (math.erf(found) - value) / (ROOT * math.exp(-found * found))
    return found


@op("ErfinvBackward0", broadcasts=True, promotes="float", samples=((0.4,), (-0.7,)))
def erfinv(a: Array) -> Any:
    """The number whose error function is a"""
    return each(inverse_erf, a)


erf.grad(a=lambda g, a: times_number(exp(-pow(a, 2)), ROOT) * g)
erfc.grad(a=lambda g, a: times_number(exp(-pow(a, 2)), -ROOT) * g)
erfinv.grad(a=lambda g, a: times_number(exp(pow(erfinv(a), 2)), 1 / ROOT) * g)


def log_gamma(value: float) -> float:
    """Return log(|Γ(value)|), infinite at the poles."""
    if not math.isfinite(value):
        return value * value
    if value <= 0 and value == math.floor(value):
        return math.inf
    return math.lgamma(value)


def psi(value: float) -> float:
    """Return the derivative of log(Γ)."""
    if value == 0:
        return math.copysign(math.inf, -value)
    if not math.isfinite(value):
        return value if value > 0 else math.nan
    if value < 0:
        if value == math.floor(value):
            return math.nan
        return psi(1 - value) - math.pi / math.tan(math.pi * math.fmod(value, 1.0))
    below = 0.0
    while value < 12:
        below += 1 / value
        value += 1
    square = 1 / (value * value)
    tail = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return math.log(value) - 0.5 / value - tail - below


BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def hurwitz_zeta(s: int, value: float) -> float:
    """Return the sum of (value + k) ** -s over k = 0, 1, 2, ..., by the Euler-Maclaurin formula."""
    if not math.isfinite(value):
        return 0.0 if value > 0 else math.nan
    if value <= 0 and value == math.floor(value):
        return math.inf
    total = 0.0
    while value < 12:
        total += value**-s
        value += 1
    total += value ** (1 - s) / (s - 1) + value**-s / 2
    factor = s * value ** (-s - 1)
    for k, number in enumerate(BERNOULLI, start=1):
        total += number / math.factorial(2 * k) * factor
        factor *= (s + 2 * k - 1) * (s + 2 * k) / (value * value)
    return total


def trigamma(a: Array) -> Array:
    """Return the derivative of digamma by PyTorch's series, which is less exact than the dtype."""
    plain = stripped(a)
    kind = np.promote_types(plain.dtype, np.float32).type
    values, pi = plain.astype(kind), kind(math.pi)
    low = values < 0.5
    x, total = np.where(low, 1 - values, values), np.where(low, -(pi * pi) / np.sin(pi * values) ** 2, kind(0))
    for _ in range(6):
        total = total + 1 / (x * x)
        x = x + 1
    square = 1 / (x * x)
    tail = kind(1 / 6) - square * (kind(1 / 30) - square * kind(1 / 42))
    total = total + (1 + 1 / (2 * x) + square * tail) / x
    found = np.where(low, -total, total).astype(plain.dtype)
    return found if plain is a else rounded(found)


@op("LgammaBackward0", broadcasts=True, promotes="float", samples=ANY)
def lgamma(a: Array) -> Any:
    """log(|Γ(a)|)"""
    return each(log_gamma, a)


@op("DigammaBackward0", broadcasts=True, promotes="float", samples=ANY)
def digamma(a: Array) -> Any:
    """The derivative of lgamma at a"""
    return each(psi, a)


@op("PolygammaBackward0", broadcasts=True, promotes="float", samples=((1, (2, 3)), (2, (2, 3))))
def polygamma_of(n: Any, a: Array) -> Any:
    """The n-th derivative of digamma at a"""
    if n == 0:
        return each(psi, a)
    if n == 1:
        return trigamma(a)
    sign = math.factorial(n) * (1 if n % 2 else -1)
    return each(lambda value: sign * hurwitz_zeta(n + 1, value), a)


lgamma.grad(a=lambda g, a: g * digamma(a))
digamma.grad(a=lambda g, a: g * polygamma_of(1, a))
polygamma_of.grad(a=lambda g, n, a: g * polygamma_of(n + 1, a))


@op("PolygammaBackward1", broadcasts=True, promotes="float")
def swapped_polygamma(a: Array, n: Any) -> Any:
    """The n-th derivative of digamma at a, as it is written in place"""
    check_order(n)
    return polygamma_of.forward(n, a)


swapped_polygamma.grad(a=lambda g, a, n: g * polygamma_of(n + 1, a))


def check_order(n: int) -> None:
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")


@public("int n, Tensor input, *, Tensor? out=None", method=False)
def polygamma(n: int, input: Tensor) -> Any:
    """Return the n-th derivative of digamma (torch.polygamma)."""
    check_order(n)
    return polygamma_of(int(n), input)


@public("Tensor input, int n", name="polygamma", function=False)
def polygamma_method(input: Tensor, n: int) -> Any:
    """Return the n-th derivative of digamma (torch.Tensor.polygamma)."""
    return polygamma(n, input)


@public("Tensor input, int n", function=False)
def polygamma_(input: Tensor, n: int) -> Any:
    """Take the n-th derivative of digamma in place (torch.Tensor.polygamma_)."""
    return in_place(swapped_polygamma)(input, int(n))


@op("SpecialXlog1PyBackward0", broadcasts=True, promotes="float", samples=(((2, 3), (2, 3)),))
def xlog1py(a: Array, b: Array) -> Any:
    """a · log(1 + b), and 0 where a is 0"""
    product = a * np.log1p(b)
    return np.where((a == 0) & (b == b), np.zeros_like(product), product)


xlog1py.grad(
    a=lambda g, a, b: without((a == 0) & (b <= -1), xlog1py(g, b)),
    b=lambda g, a, b: g * a / plus_number(b, 1),
)


@op("SpecialEntrBackward0", broadcasts=True, promotes="float", samples=ANY)
def entr(a: Array) -> Any:
    """-a · log(a), 0 at 0 and -inf below it"""
    return np.where(a > 0, -a * np.log(a), np.where(a == 0, a.dtype.type(0), np.where(a < 0, -np.inf, a)))


entr.grad(a=lambda g, a: g * -plus_number(log(a), 1))


def ndtr(input: Tensor) -> Any:
    """Return the share of a standard normal distribution below each number (torch.special.ndtr)."""
    return times_number(plus_number(erf(times_number(input, math.sqrt(0.5))), 1.0), 0.5)


unary(erf, erfc, erfinv, lgamma, digamma)
ALONG = "Tensor input, int dim, dtype? dtype=None"
ONE = "Tensor input, *, Tensor? out=None"
ALIASES: dict[str, tuple[Any, str]] = {
    "digamma": (digamma.call, ONE),
    "entr": (entr.call, ONE),
    "erf": (erf.call, ONE),
    "erfc": (erfc.call, ONE),
    "erfinv": (erfinv.call, ONE),
    "exp2": (exp2.call, ONE),
    "expit": (sigmoid.call, ONE),
    "expm1": (expm1.call, ONE),
    "gammaln": (lgamma.call, ONE),
    "log1p": (log1p.call, ONE),
    "logit": (logit, "Tensor input, float? eps=None, *, Tensor? out=None"),
    "logsumexp": (logsumexp, "Tensor input, int_or_ints dim, bool keepdim=False, *, Tensor? out=None"),
    "ndtr": (ndtr, ONE),
    "polygamma": (polygamma, "int n, Tensor input, *, Tensor? out=None"),
    "psi": (digamma.call, ONE),
    "sinc": (sinc.call, ONE),
}
"""The names in torch.special: what they call, and their signatures."""
functions(
    "torch.special", **{name: checked(call, f"special_{name}", (text,)) for name, (call, text) in ALIASES.items()}
)
for name, call in {"xlogy": xlogy, "xlog1py": two_operands(xlog1py)}.items():
    functions("torch.special", **{name: checked(call, f"special_{name}", tuple(text + OUT for text in PLAIN))})


def rounded_to(input: Tensor, decimals: int = 0) -> Any:
    """Round to some decimals (torch.special.round)."""
    return round(input, decimals)


PLACED = {"softmax": softmax, "log_softmax": log_softmax}
functions(
    "torch.special",
    **{name: checked(call, f"special_{name}", (ALONG,)) for name, call in PLACED.items()},
    round=checked(rounded_to, "special_round", ("Tensor input, *, int decimals=0, Tensor? out=None",)),
)
