"""Numbers of gamma, Poisson, binomial and Dirichlet distributions with given parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array, of
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import op
from gradrepl.engine.ops.shape import zeros_of
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
    need_float("binomial_cpu", a)
    return variates.each_drawn(variates.binomial_number, generator, a, b).astype(a.dtype)


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


@public("Tensor count, Tensor prob, Generator? generator=None", method=False)
def binomial(count: Any, prob: Any, generator: Any = None) -> Any:
    """Draw numbers of successes; count and prob are of one shape (torch.binomial)."""
    return binomial_each.call(count, prob, generator)
