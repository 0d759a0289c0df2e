"""Distributions of classes: Bernoulli and Categorical, by probabilities or by their logarithms."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import (
    Boolean,
    Constraint,
    IntegerInterval,
    Interval,
    Real,
    RealVector,
    Simplex,
)
from gradrepl.engine.distributions.distribution import (
    Distribution,
    ExponentialFamily,
    LazyProperty,
    all_values,
    broadcast_all,
    of_numbers,
)
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn.parameter import export

torch = SPACES["torch"]
functional = SPACES["torch.nn.functional"]


def the_given(probs: Any, logits: Any) -> tuple[str, Any]:
    """Return the name and the value of what is given; raises ValueError unless it is one of the two."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return ("probs", probs) if logits is None else ("logits", logits)


def clamped(probs: Any) -> Any:
    """Return probabilities that have a finite logarithm, and whose rest has one."""
    eps = torch["finfo"](probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


class ByProbabilities(Distribution):
    """Distributions that are given by probabilities or by their logits."""

    @property
    def _param(self) -> Any:
        return self.__dict__["probs" if "probs" in self.__dict__ else "logits"]

    @property
    def param_shape(self) -> Any:
        """The shape of what is given."""
        return self._param.size()


class OfShares(ByProbabilities):
    """Distributions with one probability, given as such or by its logit."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": Interval(0.0, 1.0), "logits": Real()}

    @LazyProperty
    def logits(self) -> Any:
        """The logarithms of probability over rest."""
        probs = clamped(self.probs)
        return probs.log() - torch["log1p"](-probs)

    @LazyProperty
    def probs(self) -> Any:
        """The probability."""
        return self.logits.sigmoid()


class Bernoulli(OfShares, ExponentialFamily):
    """1 with a probability, else 0 (torch.distributions.Bernoulli)."""

    has_enumerate_support = True
    support = Boolean()

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name, given = the_given(probs, logits)
        (self.__dict__[name],) = broadcast_all(given)
        super().__init__(() if of_numbers(given) else self._param.size(), validate_args=validate_args)

    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))

    @property
    def mode(self) -> Any:
        """The more probable value; nan where both are as probable."""
        mode = (self.probs >= 0.5).to(self.probs)
        mode[self.probs == 0.5] = math.nan
        return mode

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return torch["bernoulli"](self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        logits, value = broadcast_all(self.logits, value)
        return -functional["binary_cross_entropy_with_logits"](logits, value, reduction="none")

    def entropy(self) -> Any:
        return functional["binary_cross_entropy_with_logits"](self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Any:
        return all_values(torch["arange"](2, dtype=self._param.dtype), self._batch_shape, expand)


class Categorical(ByProbabilities, ExponentialFamily):
    """One of several classes, by their probabilities along the last dimension (torch.distributions.Categorical)."""

    has_enumerate_support = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": Simplex(), "logits": RealVector()}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name, given = the_given(probs, logits)
        if given.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if logits is None:
            self.__dict__[name] = probs / probs.sum(-1, keepdim=True)
        else:
            self.__dict__[name] = logits - logits.logsumexp(dim=-1, keepdim=True)
        self._num_events = given.size()[-1]
        super().__init__(given.size()[:-1], validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        """What the values satisfy."""
        return IntegerInterval(0, self._num_events - 1)

    @LazyProperty
    def logits(self) -> Any:
        """The logarithms of the probabilities."""
        return clamped(self.probs).log()

    @LazyProperty
    def probs(self) -> Any:
        """The probabilities."""
        return functional["softmax"](self.logits, dim=-1)

    @property
    def mean(self) -> Any:
        """The mean: classes have none."""
        return torch["full"](self._batch_shape, math.nan, dtype=self.probs.dtype)

    @property
    def variance(self) -> Any:
        """The variance: classes have none."""
        return self.mean

    @property
    def mode(self) -> Any:
        """The most probable class."""
        return self.probs.argmax(dim=-1)

    def sample(self, sample_shape: Any = ()) -> Any:
        count = math.prod(sample_shape)
        drawn = torch["multinomial"](self.probs.reshape(-1, self._num_events), count, True).T
        return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        value, logs = torch["broadcast_tensors"](value.long().unsqueeze(-1), self.logits)
        return logs.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Any:
        logits = self.logits.clamp(min=torch["finfo"](self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Any:
        return all_values(torch["arange"](self._num_events), self._batch_shape, expand)


export("torch.distributions.bernoulli", Bernoulli, also=("torch.distributions",))
export("torch.distributions.categorical", Categorical, also=("torch.distributions",))
