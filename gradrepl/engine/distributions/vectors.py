"""Distributions of vectors: Dirichlet and Beta, OneHotCategorical, Multinomial, MultivariateNormal."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import (
    Constraint,
    GreaterThan,
    Interval,
    LowerCholesky,
    OneHot,
    PositiveDefinite,
    RealVector,
    Several,
    Simplex,
)
from gradrepl.engine.distributions.constraint import Multinomial as Counts
from gradrepl.engine.distributions.counting import Binomial
from gradrepl.engine.distributions.discrete import Categorical
from gradrepl.engine.distributions.distribution import (
    Distribution,
    ExponentialFamily,
    LazyProperty,
    broadcast_all,
    of_numbers,
)
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.ops.variates import dirichlet_each

torch = SPACES["torch"]
linalg = SPACES.setdefault("torch.linalg", {})
functional = SPACES["torch.nn.functional"]
POSITIVE = GreaterThan(0.0)
ONE_OF_THREE = "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."


class Dirichlet(ExponentialFamily):
    """Shares that add up to 1 (torch.distributions.Dirichlet)."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": Several(POSITIVE, 1)}
    support = Simplex()

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    mean = property(lambda self: self.concentration / self.concentration.sum(-1, True))

    @property
    def mode(self) -> Any:
        """The most probable shares."""
        above = (self.concentration - 1).clamp(min=0.0)
        mode, mask = above / above.sum(-1, True), (self.concentration < 1).all(dim=-1)
        mode[mask] = functional["one_hot"](mode[mask].argmax(dim=-1), above.shape[-1]).to(mode)
        return mode

    @property
    def variance(self) -> Any:
        """The variance."""
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return dirichlet_each.call(self.concentration.expand(self._extended_shape(sample_shape)), None)

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        part = torch["xlogy"](self.concentration - 1.0, value).sum(-1)
        return part + self.concentration.sum(-1).lgamma() - self.concentration.lgamma().sum(-1)

    def entropy(self) -> Any:
        concentration = self.concentration
        count, total = concentration.size(-1), concentration.sum(-1)
        part = concentration.lgamma().sum(-1) - total.lgamma() - (count - total) * total.digamma()
        return part - ((concentration - 1.0) * concentration.digamma()).sum(-1)


class Beta(ExponentialFamily):
    """Shares of two, of which one is shown (torch.distributions.Beta)."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration1": POSITIVE, "concentration0": POSITIVE}
    support = Interval(0.0, 1.0)

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        if of_numbers(concentration1, concentration0):
            both = torch["tensor"]([float(concentration1), float(concentration0)])
        else:
            both = torch["stack"](broadcast_all(concentration1, concentration0), -1)
        self._dirichlet = Dirichlet(both, validate_args=validate_args)
        super().__init__(self._dirichlet._batch_shape, validate_args=validate_args)

    concentration1 = property(lambda self: self._dirichlet.concentration[..., 0])
    concentration0 = property(lambda self: self._dirichlet.concentration[..., 1])
    mean = property(lambda self: self.concentration1 / (self.concentration1 + self.concentration0))
    mode = property(lambda self: self._dirichlet.mode[..., 0])

    @property
    def variance(self) -> Any:
        """The variance."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        other = super().expand(batch_shape)
        other._dirichlet = self._dirichlet.expand(batch_shape)
        return other

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        return self._dirichlet.log_prob(torch["stack"]([value, 1.0 - value], -1))

    def entropy(self) -> Any:
        return self._dirichlet.entropy()


class OneHotCategorical(Distribution):
    """One of several classes, as a vector with a 1 (torch.distributions.OneHotCategorical)."""

    has_enumerate_support = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": Simplex(), "logits": RealVector()}
    support = OneHot()

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits)
        events = self._categorical.param_shape[-1:]
        super().__init__(self._categorical.batch_shape, events, validate_args=validate_args)

    probs = property(lambda self: self._categorical.probs)
    logits = property(lambda self: self._categorical.logits)
    mean = property(lambda self: self._categorical.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))
    param_shape = property(lambda self: self._categorical.param_shape)

    @property
    def mode(self) -> Any:
        """The most probable class."""
        return functional["one_hot"](self.probs.argmax(dim=-1), num_classes=self.probs.shape[-1]).to(self.probs)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        other = super().expand(batch_shape)
        other._categorical = self._categorical.expand(batch_shape)
        return other

    def sample(self, sample_shape: Any = ()) -> Any:
        drawn = self._categorical.sample(sample_shape)
        return functional["one_hot"](drawn, self._categorical._num_events).to(self.probs)

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Any:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Any:
        count = self.event_shape[0]
        values = torch["eye"](count, dtype=self.probs.dtype).view((count, *(1,) * len(self.batch_shape), count))
        return values.expand((count, *self.batch_shape, count)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """A OneHotCategorical whose samples have the gradient of the probabilities."""

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class Multinomial(Distribution):
    """How often each class comes in several tries (torch.distributions.Multinomial)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": Simplex(), "logits": RealVector()}

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        events = self._categorical.param_shape[-1:]
        super().__init__(self._categorical.batch_shape, events, validate_args=validate_args)

    probs = property(lambda self: self._categorical.probs)
    logits = property(lambda self: self._categorical.logits)
    mean = property(lambda self: self.probs * self.total_count)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))
    param_shape = property(lambda self: self._categorical.param_shape)

    @property
    def support(self) -> Constraint:
        """What the values satisfy."""
        return Counts(self.total_count)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        other = super().expand(batch_shape)
        other._categorical = self._categorical.expand(batch_shape)
        return other

    def sample(self, sample_shape: Any = ()) -> Any:
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = torch["zeros"](self._extended_shape(sample_shape), dtype=drawn.dtype)
        return counts.scatter_add(-1, drawn, torch["ones_like"](drawn)).type_as(self.probs)

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -math.inf), 0.0)
        return (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1) + (logits * value).sum(-1)

    def entropy(self) -> Any:
        count = torch["tensor"](self.total_count)
        single = Binomial(self.total_count, probs=self.probs)
        numbers = single.enumerate_support(expand=False)[1:]
        repeated = (single.log_prob(numbers).exp() * (numbers + 1).lgamma()).sum([0, -1])
        return count * self._categorical.entropy() - (count + 1).lgamma() + repeated


def of_covariance(matrix: Any) -> Any:
    """Return the lower triangle whose product with its transpose is a matrix."""
    return linalg["cholesky"](matrix)


def of_precision(matrix: Any) -> Any:
    """Return the lower triangle whose product with its transpose is the inverse of a matrix."""
    flipped = linalg["cholesky"](torch["flip"](matrix, (-2, -1)))
    inverse = torch["flip"](flipped, (-2, -1)).transpose(-2, -1)
    return linalg["solve_triangular"](inverse, torch["eye"](matrix.shape[-1], dtype=matrix.dtype), upper=False)


class MultivariateNormal(Distribution):
    """Normals that depend on each other (torch.distributions.MultivariateNormal)."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": RealVector(),
        "covariance_matrix": PositiveDefinite(),
        "precision_matrix": PositiveDefinite(),
        "scale_tril": LowerCholesky(),
    }
    support = RealVector()

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        matrices = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix}
        given = {name: m for name, m in {**matrices, "scale_tril": scale_tril}.items() if m is not None}
        if len(given) != 1:
            raise ValueError(ONE_OF_THREE)
        [(name, matrix)] = given.items()
        if matrix.dim() < 2:
            shown = f"{name} matrix" if name == "scale_tril" else name
            raise ValueError(f"{shown} must be at least two-dimensional, with optional leading batch dimensions")
        batch = torch["broadcast_shapes"](matrix.shape[:-2], loc.shape[:-1])
        self.__dict__[name] = matrix.expand((*batch, -1, -1))
        self.loc = loc.expand((*batch, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = FACTORS[name](matrix)

    mean = property(lambda self: self.loc)
    mode = property(lambda self: self.loc)

    def whole(self, matrix: Any) -> Any:
        """Return a matrix for each of the batch."""
        return matrix.expand((*self._batch_shape, *self._event_shape, *self._event_shape))

    @LazyProperty
    def scale_tril(self) -> Any:
        """The Cholesky factor of the covariances."""
        return self.whole(self._unbroadcasted_scale_tril)

    @LazyProperty
    def covariance_matrix(self) -> Any:
        """The covariances."""
        return self.whole(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @LazyProperty
    def precision_matrix(self) -> Any:
        """The inverse of the covariances."""
        return self.whole(torch["cholesky_inverse"](self._unbroadcasted_scale_tril))

    @property
    def variance(self) -> Any:
        """The variance."""
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        noise = torch["empty"](self._extended_shape(sample_shape), dtype=self.loc.dtype).normal_()
        return self.loc + torch["matmul"](self._unbroadcasted_scale_tril, noise.unsqueeze(-1)).squeeze(-1)

    def half_log_det(self) -> Any:
        """Return the logarithm of the factor's determinant."""
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        away = (value - self.loc).unsqueeze(-1)
        solved = linalg["solve_triangular"](self._unbroadcasted_scale_tril, away, upper=False)
        distance = solved.squeeze(-1).pow(2).sum(-1)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self.half_log_det()

    def entropy(self) -> Any:
        found = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self.half_log_det()
        return found.expand(self._batch_shape) if self._batch_shape else found


FACTORS: dict[str, Any] = {
    "scale_tril": lambda matrix: matrix,
    "covariance_matrix": of_covariance,
    "precision_matrix": of_precision,
}

for _file, *_kinds in (
    ("dirichlet", Dirichlet),
    ("beta", Beta),
    ("one_hot_categorical", OneHotCategorical, OneHotCategoricalStraightThrough),
    ("multinomial", Multinomial),
    ("multivariate_normal", MultivariateNormal),
):
    export(f"torch.distributions.{_file}", *_kinds, also=("torch.distributions",))
