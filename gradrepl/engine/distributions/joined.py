"""Distributions made of others: Independent and MixtureSameFamily."""

from __future__ import annotations

from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import Constraint, Several
from gradrepl.engine.distributions.discrete import Categorical
from gradrepl.engine.distributions.distribution import Distribution, sum_of_last
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn.parameter import export

torch = SPACES["torch"]


class Independent(Distribution):
    """A distribution some of whose batch dimensions belong to a value (torch.distributions.Independent)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(
        self, base_distribution: Any, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ) -> None:
        batch = base_distribution.batch_shape
        if reinterpreted_batch_ndims > len(batch):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                f"actual {reinterpreted_batch_ndims} vs {len(batch)}"
            )
        shape, cut = batch + base_distribution.event_shape, len(batch) - reinterpreted_batch_ndims
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, reinterpreted_batch_ndims
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    mean = property(lambda self: self.base_dist.mean)
    mode = property(lambda self: self.base_dist.mode)
    variance = property(lambda self: self.base_dist.variance)
    has_rsample = property(lambda self: self.base_dist.has_rsample)

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        """Whether all values can be listed."""
        return self.reinterpreted_batch_ndims == 0 and bool(self.base_dist.has_enumerate_support)

    @property
    def support(self) -> Constraint:
        """What the values satisfy."""
        count, base = self.reinterpreted_batch_ndims, self.base_dist.support
        return Several(base, count) if count else base

    def expand(self, batch_shape: Any, _instance: Any = None) -> Independent:
        inner = (*batch_shape, *self.event_shape[: self.reinterpreted_batch_ndims])
        return Independent(self.base_dist.expand(inner), self.reinterpreted_batch_ndims, self._validate_args)

    def sample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Any) -> Any:
        return sum_of_last(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Any:
        return sum_of_last(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Any:
        if self.reinterpreted_batch_ndims > 0:
            raise NotImplementedError("Enumeration over cartesian product is not implemented")
        return self.base_dist.enumerate_support(expand=expand)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"


class MixtureConstraint(Constraint):
    """What a component of a mixture allows."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint
        self.is_discrete, self.event_dim = base_constraint.is_discrete, base_constraint.event_dim

    def check(self, value: Any) -> Any:
        result = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return result.reshape((*result.shape[: value.dim() - self.event_dim], -1)).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


class MixtureSameFamily(Distribution):
    """One of several distributions of a kind, chosen by chance (torch.distributions.MixtureSameFamily)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(
        self, mixture_distribution: Any, component_distribution: Any, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution needs to be an instance of torch.distributions.Distribution")
        check_fit(mixture_distribution, component_distribution.batch_shape)
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._event_ndims = len(component_distribution.event_shape)
        batch, event = component_distribution.batch_shape[:-1], component_distribution.event_shape
        super().__init__(batch, event, validate_args=validate_args)

    mixture_distribution = property(lambda self: self._mixture_distribution)
    component_distribution = property(lambda self: self._component_distribution)
    has_rsample = False

    @property
    def support(self) -> Constraint:
        """What the values satisfy."""
        return MixtureConstraint(self._component_distribution.support)

    def shares(self) -> Any:
        """Return the probabilities of the components, beside their values."""
        probs, batch = self.mixture_distribution.probs, len(self.mixture_distribution.batch_shape)
        more = 0 if batch == 1 else len(self.batch_shape) - batch
        return probs.reshape((*probs.shape[:-1], *(1,) * more, probs.shape[-1], *(1,) * self._event_ndims))

    @property
    def mean(self) -> Any:
        """The mean."""
        return (self.shares() * self.component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Any:
        """The variance: within the components, and between their means."""
        shares, parts, dim = self.shares(), self.component_distribution, -1 - self._event_ndims
        between = (shares * (parts.mean - self.padded(self.mean)).pow(2.0)).sum(dim)
        return (shares * parts.variance).sum(dim) + between

    def padded(self, value: Any) -> Any:
        """Return values with a dimension for the components."""
        return value.unsqueeze(-1 - self._event_ndims)

    def cdf(self, x: Any) -> Any:
        return (self.component_distribution.cdf(self.padded(x)) * self.mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Any) -> Any:
        self.checked(x)
        logs = self.component_distribution.log_prob(self.padded(x))
        return torch["logsumexp"](logs + torch["log_softmax"](self.mixture_distribution.logits, dim=-1), dim=-1)

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            dim = len(sample_shape) + len(self.batch_shape)
            chosen = self.mixture_distribution.sample(sample_shape)
            values = self.component_distribution.sample(sample_shape)
            index = chosen.reshape((*chosen.shape, *(1,) * (self._event_ndims + 1)))
            index = index.repeat((*(1,) * (len(chosen.shape) + 1), *self.event_shape))
            return torch["gather"](values, dim, index).squeeze(dim)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"


def check_fit(mixture: Any, components: Any) -> None:
    """Raise ValueError where the shapes of a mixture and of its components don't go together."""
    for one, other in zip(mixture.batch_shape[::-1], components[:-1][::-1], strict=False):
        if one != 1 and other != 1 and one != other:
            raise ValueError(
                f"`mixture_distribution.batch_shape` ({mixture.batch_shape}) is not compatible with "
                f"`component_distribution.batch_shape`({components[:-1]})"
            )
    count = mixture.logits.shape[-1]
    if count != components[-1]:
        raise ValueError(
            f"`mixture_distribution component` ({count}) does not equal `component_distribution.batch_shape[-1]` "
            f"({components[-1]})"
        )


export("torch.distributions.independent", Independent, also=("torch.distributions",))
export("torch.distributions.mixture_same_family", MixtureSameFamily, also=("torch.distributions",))
