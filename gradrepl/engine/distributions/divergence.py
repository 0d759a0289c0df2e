"""How far one distribution is from another: torch.distributions.kl_divergence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gradrepl.engine.absent import LACKING
from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.continuous import Normal, Uniform
from gradrepl.engine.distributions.counting import Binomial, Geometric, Poisson
from gradrepl.engine.distributions.discrete import Bernoulli, Categorical
from gradrepl.engine.distributions.distribution import ROOT_OF_TWO_PI, Distribution, ExponentialFamily, sum_of_last
from gradrepl.engine.distributions.joined import Independent
from gradrepl.engine.distributions.positive import Cauchy, Exponential, Gamma, Laplace
from gradrepl.engine.distributions.transformed import EULER, Gumbel, HalfNormal, TransformedDistribution
from gradrepl.engine.distributions.vectors import Beta, Dirichlet, MultivariateNormal, OneHotCategorical
from gradrepl.engine.nn.parameter import export

DIFFERENT_FAMILIES = (
    "The cross KL-divergence between different exponential families cannot                             "
    "be computed using Bregman divergences"
)

DIFFERENT_EVENTS = (
    "KL-divergence between two Multivariate Normals with                          different event shapes cannot be "
    "computed"
)


def normals(p: Normal, q: Normal) -> Any:
    """KL(p ‖ q) of two normal distributions."""
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


def bernoullis(p: Bernoulli, q: Bernoulli) -> Any:
    """KL(p ‖ q) of two Bernoulli distributions."""
    softplus = SPACES["torch.nn.functional"]["softplus"]
    ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    ones[q.probs == 0] = math.inf
    ones[p.probs == 0] = 0
    zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zeros[q.probs == 1] = math.inf
    zeros[p.probs == 1] = 0
    return ones + zeros


def categoricals(p: Categorical, q: Categorical) -> Any:
    """KL(p ‖ q) of two categorical distributions."""
    terms = p.probs * (p.logits - q.logits)
    terms[(q.probs == 0).expand_as(terms)] = math.inf
    terms[(p.probs == 0).expand_as(terms)] = 0
    return terms.sum(-1)


def uniforms(p: Uniform, q: Uniform) -> Any:
    """KL(p ‖ q) of two uniform distributions."""
    result = ((q.high - q.low) / (p.high - p.low)).log()
    result[(q.low > p.low) | (q.high < p.high)] = math.inf
    return result


def uniform_and_normal(p: Uniform, q: Normal) -> Any:
    """KL(p ‖ q) of a uniform and a normal distribution."""
    width = p.high - p.low
    spread = width.pow(2) / 12 + ((p.high + p.low - 2 * q.loc) / 2).pow(2)
    return (ROOT_OF_TWO_PI * q.scale / width).log() + 0.5 * spread / q.scale.pow(2)


def infinite(p: Normal, q: Uniform) -> Any:
    """KL(p ‖ q) of a normal and a uniform distribution, which leaves out some of the former."""
    return SPACES["torch"]["full_like"](p.loc, math.inf)


def exponentials(p: Exponential, q: Exponential) -> Any:
    """KL(p ‖ q) of two exponential distributions."""
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


def gammas(p: Gamma, q: Gamma) -> Any:
    """KL(p ‖ q) of two gamma distributions."""
    first = q.concentration * (p.rate / q.rate).log()
    second = q.concentration.lgamma() - p.concentration.lgamma()
    third = (p.concentration - q.concentration) * p.concentration.digamma()
    return first + second + third + (q.rate - p.rate) * (p.concentration / p.rate)


def laplaces(p: Laplace, q: Laplace) -> Any:
    """KL(p ‖ q) of two Laplace distributions."""
    ratio, away = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * (-away / p.scale).exp() - 1


def cauchys(p: Cauchy, q: Cauchy) -> Any:
    """KL(p ‖ q) of two Cauchy distributions."""
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


def gumbels(p: Gumbel, q: Gumbel) -> Any:
    """KL(p ‖ q) of two Gumbel distributions."""
    ratio, ours, theirs = p.scale / q.scale, p.loc / q.scale, q.loc / q.scale
    last = (theirs + (1 + ratio).lgamma() - ours).exp()
    return -ratio.log() - theirs + ours + ratio * EULER + last - (1 + EULER)


def poissons(p: Poisson, q: Poisson) -> Any:
    """KL(p ‖ q) of two Poisson distributions."""
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


def geometrics(p: Geometric, q: Geometric) -> Any:
    """KL(p ‖ q) of two geometric distributions."""
    return -p.entropy() - SPACES["torch"]["log1p"](-q.probs) / p.probs - q.logits


def binomials(p: Binomial, q: Binomial) -> Any:
    """KL(p ‖ q) of two binomial distributions."""
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    result = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    result[p.total_count > q.total_count] = math.inf
    return result


def betas(p: Beta, q: Beta) -> Any:
    """KL(p ‖ q) of two beta distributions."""
    p1, p0, q1, q0 = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    ours, theirs = p1 + p0, q1 + q0
    part = (q1.lgamma() + q0.lgamma() + ours.lgamma()) - (p1.lgamma() + p0.lgamma() + theirs.lgamma())
    return part + (p1 - q1) * p1.digamma() + (p0 - q0) * p0.digamma() + (theirs - ours) * ours.digamma()


def dirichlets(p: Dirichlet, q: Dirichlet) -> Any:
    """KL(p ‖ q) of two Dirichlet distributions."""
    ours, theirs = p.concentration.sum(-1), q.concentration.sum(-1)
    part = ours.lgamma() - theirs.lgamma() - (p.concentration.lgamma() - q.concentration.lgamma()).sum(-1)
    change = p.concentration.digamma() - ours.digamma().unsqueeze(-1)
    return part + ((p.concentration - q.concentration) * change).sum(-1)


def multivariate_normals(p: MultivariateNormal, q: MultivariateNormal) -> Any:
    """KL(p ‖ q) of two multivariate normal distributions."""
    if p.event_shape != q.event_shape:
        raise ValueError(DIFFERENT_EVENTS)
    solve, factor = SPACES["torch.linalg"]["solve_triangular"], q._unbroadcasted_scale_tril
    ratio = solve(factor, p._unbroadcasted_scale_tril, upper=False).pow(2).sum((-1, -2))
    distance = solve(factor, (q.loc - p.loc).unsqueeze(-1), upper=False).squeeze(-1).pow(2).sum(-1)
    return q.half_log_det() - p.half_log_det() + 0.5 * (ratio + distance - p.event_shape[0])


def independents(p: Independent, q: Independent) -> Any:
    """KL(p ‖ q) of two whose dimensions belong together."""
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_of_last(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


def transformed(p: TransformedDistribution, q: TransformedDistribution) -> Any:
    """KL(p ‖ q) of two distributions under the same maps."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


FORMULAS: dict[tuple[type[Distribution], type[Distribution]], Callable[[Any, Any], Any]] = {
    (Normal, Normal): normals,
    (Bernoulli, Bernoulli): bernoullis,
    (Categorical, Categorical): categoricals,
    (Uniform, Uniform): uniforms,
    (Uniform, Normal): uniform_and_normal,
    (Normal, Uniform): infinite,
    (Exponential, Exponential): exponentials,
    (Gamma, Gamma): gammas,
    (Laplace, Laplace): laplaces,
    (Cauchy, Cauchy): cauchys,
    (Poisson, Poisson): poissons,
    (Geometric, Geometric): geometrics,
    (Binomial, Binomial): binomials,
    (Beta, Beta): betas,
    (Dirichlet, Dirichlet): dirichlets,
    (OneHotCategorical, OneHotCategorical): lambda p, q: categoricals(p._categorical, q._categorical),
    (MultivariateNormal, MultivariateNormal): multivariate_normals,
    (Independent, Independent): independents,
    (HalfNormal, HalfNormal): lambda p, q: normals(p.base_dist, q.base_dist),
    (Gumbel, Gumbel): gumbels,
    (TransformedDistribution, TransformedDistribution): transformed,
}


NOT_BUILT = {
    Bernoulli: (Poisson,),
    Beta: (Exponential, Gamma, Normal, Uniform),
    Exponential: (Uniform, Beta, Gamma, Gumbel, Normal),
    Gamma: (Uniform, Beta, Exponential, Gumbel, Normal),
    Gumbel: (Uniform, Gamma, Exponential, Beta, Normal),
    Laplace: (Uniform, Gamma, Exponential, Beta, Normal),
    Normal: (Gamma, Exponential, Beta, Gumbel, Laplace),
    Poisson: (Binomial, Bernoulli),
    Uniform: (Beta, Exponential, Gamma, Gumbel),
}
"""Pairs of different kinds that PyTorch has a formula for."""


def kl_divergence(p: Distribution, q: Distribution) -> Any:
    """Return KL(p ‖ q); raises NotImplementedError where there is no formula (torch.distributions.kl_divergence)."""
    for kinds, formula in FORMULAS.items():
        if isinstance(p, kinds[0]) and isinstance(q, kinds[1]):
            return formula(p, q)
    for kind, others in NOT_BUILT.items():
        if isinstance(p, kind) and isinstance(q, others):
            names = f"{type(p).__name__} and {type(q).__name__}"
            raise NotImplementedError(LACKING.format(f"kl_divergence of {names}"))
    if isinstance(p, ExponentialFamily) and isinstance(q, ExponentialFamily):
        raise NotImplementedError(DIFFERENT_FAMILIES)
    raise NotImplementedError(
        f"No KL(p || q) is implemented for p type {p.__class__.__name__} and q type {q.__class__.__name__}"
    )


export("torch.distributions.kl", kl_divergence, also=("torch.distributions",))
