"""Distributions of mapped numbers: TransformedDistribution, LogNormal, HalfNormal, Gumbel."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import AtLeast, Constraint, GreaterThan, Real, Several
from gradrepl.engine.distributions.continuous import Normal, Uniform
from gradrepl.engine.distributions.distribution import Distribution, of_numbers, sum_of_last
from gradrepl.engine.distributions.joined import Independent
from gradrepl.engine.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    Transform,
)
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn.parameter import export

torch = SPACES["torch"]
EULER = 0.57721566490153286060


def as_list(transforms: Any) -> list[Transform]:
    """Return one or several maps as a list; raises ValueError for anything else."""
    if isinstance(transforms, Transform):
        return [transforms]
    if not isinstance(transforms, list):
        raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
    if not all(isinstance(part, Transform) for part in transforms):
        raise ValueError("transforms must be a Transform or a list of Transforms")
    return transforms


class TransformedDistribution(Distribution):
    """What maps make of the values of a distribution (torch.distributions.TransformedDistribution)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(self, base_distribution: Any, transforms: Any, validate_args: bool | None = None) -> None:
        self.transforms = as_list(transforms)
        shape, whole = base_distribution.batch_shape + base_distribution.event_shape, ComposeTransform(self.transforms)
        depth, wanted = (
            len(base_distribution.event_shape),
            max((part.domain.event_dim for part in self.transforms), default=0),
        )
        if len(shape) < wanted:
            raise ValueError(f"base_distribution needs to have shape with size at least {wanted}, but got {shape}.")
        larger = whole.forward_shape(shape)
        if shape != larger:
            base_distribution = base_distribution.expand(larger[: len(larger) - depth])
        if wanted > depth:
            base_distribution = Independent(base_distribution, wanted - depth)
        self.base_dist = base_distribution
        cut = len(larger) - max(wanted, depth)
        super().__init__(larger[:cut], larger[cut:], validate_args=validate_args)

    has_rsample = property(lambda self: self.base_dist.has_rsample)

    @property
    def support(self) -> Constraint:
        """What the values satisfy."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        more = len(self.event_shape) - found.event_dim
        return Several(found, more) if more > 0 else found

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        other = super().expand(batch_shape)
        inner = len(self.base_dist.event_shape)
        shape = (*batch_shape, *self.event_shape)
        other.base_dist = self.base_dist.expand(shape[: len(shape) - inner])
        return other

    def mapped(self, value: Any) -> Any:
        """Return what the maps make of a value."""
        for part in self.transforms:
            value = part(value)
        return value

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return self.mapped(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.mapped(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        depth, logs = len(self.event_shape), 0.0
        for part in self.transforms[::-1]:
            before = part.inv(value)
            logs = logs - sum_of_last(part.log_abs_det_jacobian(before, value), depth - part.domain.event_dim)
            value = before
        return logs + sum_of_last(self.base_dist.log_prob(value), depth - len(self.base_dist.event_shape))

    def turned(self, value: Any) -> Any:
        """Return a probability, or its rest where the maps fall."""
        sign: Any = 1
        for part in self.transforms:
            sign = sign * part.sign
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

    def cdf(self, value: Any) -> Any:
        for part in self.transforms[::-1]:
            value = part.inv(value)
        self.base_dist.checked(value)
        return self.turned(self.base_dist.cdf(value))

    def icdf(self, value: Any) -> Any:
        return self.mapped(self.base_dist.icdf(self.turned(value)))


class LogNormal(TransformedDistribution):
    """Numbers whose logarithms are normal (torch.distributions.LogNormal)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": Real(), "scale": GreaterThan(0.0)}
    support = GreaterThan(0.0)

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args=validate_args)

    loc = property(lambda self: self.base_dist.loc)
    scale = property(lambda self: self.base_dist.scale)
    mean = property(lambda self: (self.loc + self.scale.pow(2) / 2).exp())
    mode = property(lambda self: (self.loc - self.scale.square()).exp())
    variance = property(lambda self: self.scale.pow(2).expm1() * (2 * self.loc + self.scale.pow(2)).exp())

    def entropy(self) -> Any:
        return self.base_dist.entropy() + self.loc


class HalfNormal(TransformedDistribution):
    """Absolute values of normals around 0 (torch.distributions.HalfNormal)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"scale": GreaterThan(0.0)}
    support = AtLeast(0.0)

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    scale = property(lambda self: self.base_dist.scale)
    mean = property(lambda self: self.scale * math.sqrt(2 / math.pi))
    mode = property(lambda self: torch["zeros_like"](self.scale))
    variance = property(lambda self: self.scale.pow(2) * (1 - 2 / math.pi))

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        return torch["where"](value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: Any) -> Any:
        self.checked(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Any) -> Any:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Any:
        return self.base_dist.entropy() - math.log(2)


class Gumbel(TransformedDistribution):
    """The largest of many numbers (torch.distributions.Gumbel)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": Real(), "scale": GreaterThan(0.0)}
    support = Real()

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = Normal(loc, scale, validate_args=False).loc, Normal(loc, scale, False).scale
        limits, like = torch["finfo"](self.loc.dtype), torch["full_like"]
        low, high = limits.tiny, 1 - limits.eps
        if not of_numbers(loc, scale):
            low, high = like(self.loc, low), like(self.loc, high)
        falling = AffineTransform(loc=0, scale=-torch["ones_like"](self.scale))
        last = AffineTransform(loc=loc, scale=-self.scale)
        maps = [ExpTransform().inv, falling, ExpTransform().inv, last]
        super().__init__(Uniform(low, high, validate_args=validate_args), maps, validate_args=validate_args)

    mean = property(lambda self: self.loc + self.scale * EULER)
    mode = property(lambda self: self.loc)
    stddev = property(lambda self: (math.pi / math.sqrt(6)) * self.scale)
    variance = property(lambda self: self.stddev.pow(2))

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    def entropy(self) -> Any:
        return self.scale.log() + (1 + EULER)


for _file, _kind in (
    ("transformed_distribution", TransformedDistribution),
    ("log_normal", LogNormal),
    ("half_normal", HalfNormal),
    ("gumbel", Gumbel),
):
    export(f"torch.distributions.{_file}", _kind, also=("torch.distributions",))
