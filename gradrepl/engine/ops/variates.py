"""Numbers of gamma, Poisson, binomial and Dirichlet distributions with given parameters."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gradrepl.engine.api import RESIZED, public
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array, of
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import op
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.tensor import Tensor
from gradrepl.engine.values import variates

NO_GRADIENT = (
    "gradrepl's builtin engine has no gradient of {} numbers by their parameters. "
    + "Start gradrepl with --engine torch to use it."
)


def need_float(kernel: str, a: Array) -> None:
    if CATEGORY[a.dtype] < FLOAT:
        raise no_kernel(kernel, of(a))


def refused(name: str) -> Any:
    """Raise NotImplementedError for a gradient that is not built."""
    raise NotImplementedError(NO_GRADIENT.format(name))


@op("PoissonBackward0")
def poisson_each(a: Array, generator: Any) -> Any:
    """A number of the Poisson distribution for each rate"""
    need_float("poisson_cpu", a)
    if (a < 0).any():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return variates.each_drawn(variates.poisson_number, generator, a.astype(np.float64)).astype(a.dtype)


@op("BinomialBackward0")
def binomial_each(a: Array, b: Array, generator: Any) -> Any:
    """How many of a tries succeed, each with the probability b"""
    return variates.each_drawn(variates.binomial_number, generator, *np.broadcast_arrays(a, b)).astype(a.dtype)


@op("StandardGammaBackward0")
def gamma_each(a: Array, generator: Any) -> Any:
    """A number of the gamma distribution for each shape"""
    need_float("_standard_gamma_cpu", a)
    return variates.gammas(a, generator)


@op("_DirichletBackward")
def dirichlet_each(a: Array, generator: Any) -> Any:
    """Shares that add up to 1 along the last dimension, for each vector of concentrations"""
    return variates.shares(a, generator)


poisson_each.grad(a=lambda g: zeros_of(g))
binomial_each.grad(a=lambda g: zeros_of(g), b=lambda g: zeros_of(g))
gamma_each.grad(a=lambda g: refused("gamma"))
dirichlet_each.grad(a=lambda g: refused("Dirichlet"))


@public("Tensor input, Generator? generator=None", method=False)
def poisson(input: Any, generator: Any = None) -> Any:
    """Draw numbers of Poisson distributions with the rates of a tensor (torch.poisson)."""
    return poisson_each.call(input, generator)


def check_tries(count: Tensor, prob: Tensor) -> None:
    """Raise what PyTorch raises for dtypes that don't go together; warn where the result is not shaped as `count`."""
    for name, given in (("count", count), ("prob", prob)):
        if CATEGORY[given._data.dtype] != FLOAT:
            kind = of(given._data).tensor_type
            raise ValueError(f"binomial only supports floating-point dtypes for {name}, got: {kind}")
    own, other = of(count._data), of(prob._data)
    if own is not other:
        raise RuntimeError(f"Found dtype {other.tensor_type} but expected {own.tensor_type}")
    if own.itemsize == 2:
        raise no_kernel("binomial_cpu", own)
    check_broadcast((count._data, prob._data))
    before, after = count._data.shape, np.broadcast_shapes(count._data.shape, prob._data.shape)
    if count._data.size and before != after:
        warnings.warn(RESIZED.format(list(before), list(after)), UserWarning, stacklevel=3)


@public("Tensor count, Tensor prob, Generator? generator=None", method=False)
def binomial(count: Any, prob: Any, generator: Any = None) -> Any:
    """Draw numbers of successes (torch.binomial)."""
    check_tries(count, prob)
    return binomial_each.call(count, prob, generator)
