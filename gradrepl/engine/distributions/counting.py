"""Distributions of whole numbers: Poisson, Geometric, Binomial."""

from __future__ import annotations

from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import AtLeast, Constraint, IntegerGreaterThan, IntegerInterval
from gradrepl.engine.distributions.discrete import OfShares, the_given
from gradrepl.engine.distributions.distribution import ExponentialFamily, all_values, broadcast_all, of_numbers
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn.parameter import export

torch = SPACES["torch"]
functional = SPACES["torch.nn.functional"]
WHOLE = IntegerGreaterThan(0)


class Poisson(ExponentialFamily):
    """How often something happens that happens at a rate (torch.distributions.Poisson)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"rate": AtLeast(0.0)}
    support = WHOLE

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(() if of_numbers(rate) else self.rate.size(), validate_args=validate_args)

    mean = property(lambda self: self.rate)
    mode = property(lambda self: self.rate.floor())
    variance = property(lambda self: self.rate)

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return torch["poisson"](self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        rate, value = broadcast_all(self.rate, value)
        return value.xlogy(rate) - rate - (value + 1).lgamma()


class Geometric(OfShares):
    """How many tries fail before one succeeds (torch.distributions.Geometric)."""

    support = WHOLE

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name, given = the_given(probs, logits)
        (self.__dict__[name],) = broadcast_all(given)
        super().__init__(() if of_numbers(given) else self._param.size(), validate_args=validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            value = self.probs
            raise ValueError(
                f"Expected parameter probs ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                f"{self!r} to be positive but found invalid values:\n{value.data[~(value > 0)]}"
            )

    mean = property(lambda self: 1.0 / self.probs - 1.0)
    mode = property(lambda self: torch["zeros_like"](self.probs))
    variance = property(lambda self: (1.0 / self.probs - 1.0) / self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            empty = torch["empty"](self._extended_shape(sample_shape), dtype=self.probs.dtype)
            u = empty.uniform_(torch["finfo"](self.probs.dtype).tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        value, probs = broadcast_all(value, self.probs)
        probs = probs.clone()
        probs[(probs == 1) & (value == 0)] = 0
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self) -> Any:
        loss = functional["binary_cross_entropy_with_logits"]
        return loss(self.logits, self.probs, reduction="none") / self.probs


class Binomial(OfShares):
    """How many of several tries succeed (torch.distributions.Binomial)."""

    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        name, given = the_given(probs, logits)
        count, self.__dict__[name] = broadcast_all(total_count, given)
        self.total_count = count.type_as(self._param)
        super().__init__(self._param.size(), validate_args=validate_args)

    @property
    def arg_constraints(self) -> Any:  # type: ignore[override]
        """What each parameter has to satisfy."""
        return {"total_count": WHOLE, **OfShares.arg_constraints}

    @property
    def support(self) -> IntegerInterval:
        """What the values satisfy."""
        return IntegerInterval(0, self.total_count)

    mean = property(lambda self: self.total_count * self.probs)
    mode = property(lambda self: ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count))
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return torch["binomial"](self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Any) -> Any:
        self.checked(value)
        count, logits = self.total_count, self.logits
        positive = (logits.clamp(min=0) + logits - logits.clamp(max=0)) / 2
        normal = count * positive + count * torch["log1p"](torch["exp"](-logits.abs())) - (count + 1).lgamma()
        return value * logits - (value + 1).lgamma() - (count - value + 1).lgamma() - normal

    def only_count(self, name: str) -> int:
        """Return the number of tries; raises NotImplementedError where there are several."""
        most = int(self.total_count.max())
        if self.total_count.min() != most:
            raise NotImplementedError(f"Inhomogeneous total count not supported by `{name}`.")
        return most

    def entropy(self) -> Any:
        self.only_count("entropy")
        logs = self.log_prob(self.enumerate_support(False))
        return -(logs.exp() * logs).sum(0)

    def enumerate_support(self, expand: bool = True) -> Any:
        most = self.only_count("enumerate_support")
        return all_values(torch["arange"](1 + most, dtype=self._param.dtype), self._batch_shape, expand)


for _kind in (Poisson, Geometric, Binomial):
    export(f"torch.distributions.{_kind.__name__.lower()}", _kind, also=("torch.distributions",))
