"""Distributions with a rate or with heavy tails: Exponential, Gamma, Chi2, Laplace, Cauchy, StudentT."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from gradrepl.engine.absent import LACKING
from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import AtLeast, Constraint, GreaterThan, Real
from gradrepl.engine.distributions.distribution import Distribution, ExponentialFamily, broadcast_all, of_numbers
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.ops.variates import gamma_each

torch = SPACES["torch"]
POSITIVE = GreaterThan(0.0)


class Exponential(ExponentialFamily):
    """Waiting times at a rate (torch.distributions.Exponential)."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"rate": POSITIVE}
    support = AtLeast(0.0)

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(() if of_numbers(rate) else self.rate.size(), validate_args=validate_args)

    mean = property(lambda self: self.rate.reciprocal())
    mode = property(lambda self: torch["zeros_like"](self.rate))
    stddev = property(lambda self: self.rate.reciprocal())
    variance = property(lambda self: self.rate.pow(-2))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return torch["empty"](self._extended_shape(sample_shape), dtype=self.rate.dtype).exponential_() / self.rate

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Any) -> Any:
        self.checked(value)
        return 1 - torch["exp"](-self.rate * value)

    def icdf(self, value: Any) -> Any:
        return -torch["log1p"](-value) / self.rate

    def entropy(self) -> Any:
        return 1.0 - self.rate.log()


class Gamma(ExponentialFamily):
    """The gamma distribution with a shape and a rate (torch.distributions.Gamma)."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": POSITIVE, "rate": POSITIVE}
    support = AtLeast(0.0)

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        shape = () if of_numbers(concentration, rate) else self.concentration.size()
        super().__init__(shape, validate_args=validate_args)

    mean = property(lambda self: self.concentration / self.rate)
    mode = property(lambda self: ((self.concentration - 1) / self.rate).clamp(min=0))
    variance = property(lambda self: self.concentration / self.rate.pow(2))

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        value = gamma_each.call(self.concentration.expand(shape), None) / self.rate.expand(shape)
        value.detach().clamp_(min=torch["finfo"](value.dtype).tiny)
        return value

    def log_prob(self, value: Any) -> Any:
        value = torch["as_tensor"](value, dtype=self.rate.dtype)
        self.checked(value)
        shape, xlogy = self.concentration, torch["xlogy"]
        return xlogy(shape, self.rate) + xlogy(shape - 1, value) - self.rate * value - shape.lgamma()

    def cdf(self, value: Any) -> Any:
        raise NotImplementedError(LACKING.format("Gamma.cdf"))

    def entropy(self) -> Any:
        shape = self.concentration
        return shape - self.rate.log() + shape.lgamma() + (1.0 - shape) * shape.digamma()


class Chi2(Gamma):
    """Sums of squares of normals (torch.distributions.Chi2)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"df": POSITIVE}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    df = property(lambda self: self.concentration * 2)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return Chi2(self.df.expand(batch_shape), validate_args=False)


class LocationScale(Distribution):
    """Distributions with a place and a width."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": Real(), "scale": POSITIVE}
    support = Real()

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(() if of_numbers(loc, scale) else self.loc.size(), validate_args=validate_args)

    mean = property(lambda self: self.loc)
    mode = property(lambda self: self.loc)

    def drawn(self, sample_shape: Any) -> Any:
        """Return an empty tensor for a sample."""
        return torch["empty"](self._extended_shape(sample_shape), dtype=self.loc.dtype)


class Laplace(LocationScale):
    """The double exponential distribution (torch.distributions.Laplace)."""

    stddev = property(lambda self: 2**0.5 * self.scale)
    variance = property(lambda self: 2 * self.scale.pow(2))

    def rsample(self, sample_shape: Any = ()) -> Any:
        u = self.drawn(sample_shape).uniform_(torch["finfo"](self.loc.dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * torch["log1p"](-u.abs())

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        return -torch["log"](2 * self.scale) - torch["abs"](value - self.loc) / self.scale

    def cdf(self, value: Any) -> Any:
        self.checked(value)
        away = value - self.loc
        return 0.5 - 0.5 * away.sign() * torch["expm1"](-away.abs() / self.scale)

    def icdf(self, value: Any) -> Any:
        term = value - 0.5
        return self.loc - self.scale * term.sign() * torch["log1p"](-2 * term.abs())

    def entropy(self) -> Any:
        return 1 + torch["log"](2 * self.scale)


class Cauchy(LocationScale):
    """Ratios of two normals (torch.distributions.Cauchy)."""

    mean = property(lambda self: torch["full"](self._extended_shape(), math.nan, dtype=self.loc.dtype))
    variance = property(lambda self: torch["full"](self._extended_shape(), math.inf, dtype=self.loc.dtype))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.loc + self.drawn(sample_shape).cauchy_() * self.scale

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Any) -> Any:
        self.checked(value)
        return torch["atan"]((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value: Any) -> Any:
        return torch["tan"](math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self) -> Any:
        return math.log(4 * math.pi) + self.scale.log()


class StudentT(Distribution):
    """Student's t-distribution (torch.distributions.StudentT)."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"df": POSITIVE, "loc": Real(), "scale": POSITIVE}
    support = Real()

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.size(), validate_args=validate_args)

    mode = property(lambda self: self.loc)

    @property
    def mean(self) -> Any:
        """The mean, where there is one."""
        known = self.loc.clone()
        known[self.df <= 1] = math.nan
        return known

    @property
    def variance(self) -> Any:
        """The variance, where there is one."""
        known, large = self.df.clone(), self.df > 2
        known[large] = self.scale[large].pow(2) * self.df[large] / (self.df[large] - 2)
        known[(self.df <= 2) & (self.df > 1)] = math.inf
        known[self.df <= 1] = math.nan
        return known

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        other = super().expand(batch_shape)
        other._chi2 = self._chi2.expand(batch_shape)
        return other

    def rsample(self, sample_shape: Any = ()) -> Any:
        noise = torch["empty"](self._extended_shape(sample_shape), dtype=self.df.dtype).normal_()
        return self.loc + self.scale * (noise * torch["rsqrt"](self._chi2.rsample(sample_shape) / self.df))

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        y = (value - self.loc) / self.scale
        known = self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi)
        known = known + (0.5 * self.df).lgamma() - (0.5 * (self.df + 1.0)).lgamma()
        return -0.5 * (self.df + 1.0) * torch["log1p"](y**2.0 / self.df) - known

    def entropy(self) -> Any:
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        beta = half.lgamma() + math.lgamma(0.5) - more.lgamma()
        return self.scale.log() + 0.5 * (self.df + 1) * (more.digamma() - half.digamma()) + 0.5 * self.df.log() + beta


for _kind, _file in (
    (Exponential, "exponential"),
    (Gamma, "gamma"),
    (Chi2, "chi2"),
    (Laplace, "laplace"),
    (Cauchy, "cauchy"),
    (StudentT, "studentT"),
):
    export(f"torch.distributions.{_file}", _kind, also=("torch.distributions",))
