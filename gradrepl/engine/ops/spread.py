"""Variance, standard deviation and the logarithm of a sum of exponentials."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import CATEGORY, FLOAT, FLOAT64, Array
from gradrepl.engine.op import Op, analytic, op
from gradrepl.engine.ops.arithmetic import exp
from gradrepl.engine.ops.number import over_number, times_number
from gradrepl.engine.ops.reduction import Dims, count_of, dims_of, mean_all, mean_dims, restored, unreduced
from gradrepl.engine.ops.shape import without
from gradrepl.engine.precision.bfloat16 import rounded, stripped
from gradrepl.engine.precision.steps import put_down
from gradrepl.engine.precision.summing import add_up
from gradrepl.engine.tensor import Tensor, make

SAMPLES = (((2, 3), (1,), 1, False), ((2, 3), (0, 1), 0, True), ((2, 3), (0,), 1, True))


def deviation(a: Array, dim: Dims, correction: float, keepdim: bool) -> Array:
    """Return the square root of the variance, rounded once."""
    dim = every(a, dim)
    return np.sqrt(variance(a, dim, correction, keepdim, FLOAT64)).astype(a.real.dtype)


def in_full(function: Any, a: Array, *args: Any) -> Any:
    """Compute on numbers of full precision what would be rounded at every step in bfloat16."""
    plain = stripped(a)
    found = function(plain, *args)
    return found if plain is a else rounded(found)


def variance(a: Array, dim: Dims, correction: float, keepdim: bool, kind: Any = None) -> Array:
    """Return the variance, computed in float64 and rounded to `kind`, which is a's dtype unless given."""
    dim = every(a, dim)
    wide = a.astype(FLOAT64) if a.dtype.kind == "f" else a
    mean = add_up(wide, axis=dim, keepdims=True) / np.float64(count_of(a.shape, dim))
    apart = np.abs(wide - mean) ** 2
    total = add_up(apart, axis=dim, keepdims=keepdim)
    return (total / np.float64(max(0, count_of(a.shape, dim) - correction))).astype(kind or a.real.dtype)


def mean_of(a: Array, dim: Dims, keepdim: bool) -> Array:
    dim = every(a, dim)
    return (add_up(a, axis=dim, keepdims=keepdim) / count_of(a.shape, dim)).astype(a.dtype)


@op("VarBackward0", samples=SAMPLES)
def var_dims(a: Array, dim: Dims, correction: float, keepdim: bool) -> Any:
    """The sum of squared distances from the mean, divided by (count - correction)"""
    return in_full(variance, a, dim, correction, keepdim)


@op("StdBackward0", samples=SAMPLES)
def std_dims(a: Array, dim: Dims, correction: float, keepdim: bool) -> Any:
    """The square root of the variance"""
    return in_full(deviation, a, dim, correction, keepdim)


@op("VarMeanBackward0", several=True, samples=SAMPLES)
def var_mean_dims(a: Array, dim: Dims, correction: float, keepdim: bool) -> Any:
    """Variance and mean"""
    return var_dims.forward(a, dim, correction, keepdim), mean_of(a, dim, keepdim)


@op("StdMeanBackward0", several=True, samples=SAMPLES)
def std_mean_dims(a: Array, dim: Dims, correction: float, keepdim: bool) -> Any:
    """Standard deviation and mean"""
    return std_dims.forward(a, dim, correction, keepdim), mean_of(a, dim, keepdim)


def centered(a: Any, dim: Dims) -> Any:
    """Return the distance of each element from its mean."""
    dim = every(a, dim)
    if not isinstance(a, Tensor):
        return a - add_up(a, axis=dim, keepdims=True) / a.real.dtype.type(count_of(a.shape, dim))
    return a - (mean_all(a) if len(dim) == a.ndim else mean_dims(a, dim, True))


def every(a: Any, dim: Dims) -> Dims:
    """Return the dimensions of a reduction; none stand for all."""
    return dim or tuple(range(a.ndim))


def no_slope(a: Any) -> Any:
    """Return what the gradient is multiplied with where no degrees of freedom are left."""
    data = a._data if isinstance(a, Tensor) else a
    found = np.where(data == data.sum() / max(data.size, 1), math.nan, math.inf).astype(data.dtype)
    return make(found) if isinstance(a, Tensor) else found


def var_gradient(g: Any, a: Any, dim: Dims, correction: float, keepdim: bool) -> Any:
    freedom = count_of(a.shape, every(a, dim)) - correction
    if freedom <= 0 and (not dim or not a.shape):
        return g * no_slope(a)
    return times_number(restored(g, dim, keepdim), 2.0 / freedom if freedom else math.inf) * centered(a, dim)


def std_gradient(g: Any, a: Any, out: Any, dim: Dims, correction: float, keepdim: bool) -> Any:
    return var_gradient(without(out == 0, g / times_number(out, 2)), a, dim, correction, keepdim)


def with_mean(spread: Any, g_mean: Any, a: Any, dim: Dims, keepdim: bool) -> Any:
    """Add the gradient that came through the mean."""
    if g_mean is None:
        return spread
    dim = every(a, dim)
    through = over_number(unreduced(g_mean, tuple(a.shape), dim, keepdim), count_of(a.shape, dim))
    return through if spread is None else spread + through


var_dims.grad(a=lambda g, a, dim, correction, keepdim: var_gradient(g, a, dim, correction, keepdim))
std_dims.grad(a=lambda g, a, out, dim, correction, keepdim: std_gradient(g, a, out, dim, correction, keepdim))
var_mean_dims.grad(
    a=lambda g, a, dim, correction, keepdim: with_mean(
        None if g[0] is None else var_gradient(g[0], a, dim, correction, keepdim), g[1], a, dim, keepdim
    )
)
std_mean_dims.grad(
    a=lambda g, a, out0, dim, correction, keepdim: with_mean(
        None if g[0] is None else std_gradient(g[0], a, out0, dim, correction, keepdim), g[1], a, dim, keepdim
    )
)


FREEDOM = (
    "{}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel "
    "divided by output numel)."
)
ONLY_FLOATS = "{} only support floating point and complex dtypes"


def expose(entry: Op, method: bool) -> None:
    """Expose one of var, std, var_mean and std_mean with their overloads."""
    name = entry.name.removesuffix("_dims")
    out = ", Tensor? out=None" if method else ""

    def call(
        input: Tensor, dim: Any = None, unbiased: Any = None, correction: Any = None, keepdim: bool = False
    ) -> Any:
        if CATEGORY[input._data.dtype] < FLOAT:
            raise RuntimeError(ONLY_FLOATS.format("std and var" if method else name))
        dims = () if dim is None else dims_of(dim, input.ndim)
        if correction is None:
            correction = 1 if unbiased is None else int(unbiased)
        count = math.prod(input.shape) if dim is None else count_of(input.shape, dims)
        if count - correction <= 0 or not input._data.size:
            warnings.warn(FREEDOM.format(name), UserWarning, stacklevel=3)
        return entry(input, dims, correction, keepdim)

    public(
        "Tensor input, int_or_ints? dim, bool unbiased=True, bool keepdim=False" + (", *" + out if out else ""),
        f"Tensor input, int_or_ints? dim=None, *, Number? correction=None, bool keepdim=False{out}",
        "Tensor input, bool unbiased=True",
        name=name,
        method=method,
    )(call)


for entry, method in ((var_dims, True), (std_dims, True), (var_mean_dims, False), (std_mean_dims, False)):
    expose(entry, method)


@op("LogsumexpBackward0", broadcasts=True, promotes="float", samples=(((2, 3), (1,), False), ((2, 3), (0, 1), True)))
def logsumexp_dims(a: Array, dim: Dims, keepdim: bool) -> Any:
    """log(sum(e ** a)) over some dimensions"""
    if a.size == 0:
        return np.log(add_up(np.exp(a), axis=dim, keepdims=keepdim))
    top = np.max(a.real, axis=dim, keepdims=True)
    top = np.where(np.isinf(top), top.dtype.type(0), top)
    powers = put_down(np.exp(put_down(a - top)))
    found = put_down(np.log(put_down(add_up(powers, axis=dim, keepdims=True)))) + top
    return found if keepdim else found.reshape(add_up(a, axis=dim).shape)


analytic(logsumexp_dims)
logsumexp_dims.grad(a=lambda g, a, out, dim, keepdim: restored(g, dim, keepdim) * exp(a - restored(out, dim, keepdim)))


@public("Tensor input, int_or_ints dim, bool keepdim=False, *, Tensor? out=None")
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Any:
    """Return log(sum(exp(input))) over `dim`, without overflow (torch.logsumexp)."""
    return logsumexp_dims(input, dims_of(dim, input.ndim), keepdim)
