"""How far one distribution is from another: torch.distributions.kl_divergence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.continuous import Normal, Uniform
from gradrepl.engine.distributions.discrete import Bernoulli, Categorical
from gradrepl.engine.distributions.distribution import ROOT_OF_TWO_PI, Distribution, ExponentialFamily
from gradrepl.engine.nn.parameter import export

DIFFERENT_FAMILIES = (
    "The cross KL-divergence between different exponential families cannot                             "
    "be computed using Bregman divergences"
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


FORMULAS: dict[tuple[type[Distribution], type[Distribution]], Callable[[Any, Any], Any]] = {
    (Normal, Normal): normals,
    (Bernoulli, Bernoulli): bernoullis,
    (Categorical, Categorical): categoricals,
    (Uniform, Uniform): uniforms,
    (Uniform, Normal): uniform_and_normal,
    (Normal, Uniform): infinite,
}


def kl_divergence(p: Distribution, q: Distribution) -> Any:
    """Return KL(p ‖ q); raises NotImplementedError where there is no formula (torch.distributions.kl_divergence)."""
    for kinds, formula in FORMULAS.items():
        if isinstance(p, kinds[0]) and isinstance(q, kinds[1]):
            return formula(p, q)
    if isinstance(p, ExponentialFamily) and isinstance(q, ExponentialFamily):
        raise NotImplementedError(DIFFERENT_FAMILIES)
    raise NotImplementedError(
        f"No KL(p || q) is implemented for p type {p.__class__.__name__} and q type {q.__class__.__name__}"
    )


export("torch.distributions.kl", kl_divergence, also=("torch.distributions",))
