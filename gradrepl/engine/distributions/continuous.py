"""Distributions of numbers: Normal and Uniform."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import Constraint, GreaterThan, Interval, LessThan, Real
from gradrepl.engine.distributions.distribution import (
    ROOT_OF_TWO_PI,
    Distribution,
    ExponentialFamily,
    broadcast_all,
    of_numbers,
)
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn.parameter import export

torch = SPACES["torch"]


class Normal(ExponentialFamily):
    """The normal distribution with a mean `loc` and a standard deviation `scale` (torch.distributions.Normal)."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": Real(), "scale": GreaterThan(0.0)}
    support = Real()

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(() if of_numbers(loc, scale) else self.loc.size(), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.loc

    @property
    def mode(self) -> Any:
        """The most probable value."""
        return self.loc

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return self.scale

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.stddev.pow(2)

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return torch["normal"](self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        noise = torch["empty"](shape, dtype=self.loc.dtype).normal_()
        return self.loc + noise * self.scale

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - self.scale.log() - math.log(ROOT_OF_TWO_PI)

    def cdf(self, value: Any) -> Any:
        self.checked(value)
        return 0.5 * (1 + torch["erf"]((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Any) -> Any:
        return self.loc + self.scale * torch["erfinv"](2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Any:
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()


class Uniform(Distribution):
    """The uniform distribution from `low` to below `high` (torch.distributions.Uniform)."""

    has_rsample = True

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(() if of_numbers(low, high) else self.low.size(), validate_args=validate_args)

    @property
    def arg_constraints(self) -> dict[str, Constraint]:
        """What each parameter has to satisfy."""
        return {"low": LessThan(self.high), "high": GreaterThan(self.low)}

    @property
    def support(self) -> Constraint:
        """What the values satisfy."""
        return Interval(self.low, self.high)

    @property
    def mean(self) -> Any:
        """The mean."""
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Any:
        """The most probable value: there is none."""
        return math.nan * self.high

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return (self.high - self.low) / 12**0.5

    @property
    def variance(self) -> Any:
        """The variance."""
        return (self.high - self.low).pow(2) / 12

    def rsample(self, sample_shape: Any = ()) -> Any:
        rand = torch["rand"](self._extended_shape(sample_shape), dtype=self.low.dtype)
        return self.low + rand * (self.high - self.low)

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        within = self.low.le(value).type_as(self.low).mul(self.high.gt(value).type_as(self.low))
        return within.log() - (self.high - self.low).log()

    def cdf(self, value: Any) -> Any:
        self.checked(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Any) -> Any:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Any:
        return (self.high - self.low).log()


export("torch.distributions.normal", Normal, also=("torch.distributions",))
export("torch.distributions.uniform", Uniform, also=("torch.distributions",))
