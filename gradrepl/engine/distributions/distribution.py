"""What all distributions share: shapes, checks of parameters and values, printing (Distribution)."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any, Self

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import Constraint
from gradrepl.engine.grad_mode import enable_grad, no_grad
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Size, Tensor

NO_CONSTRAINTS = (
    "{} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize the distribution with "
    "`validate_args=False` to turn off validation."
)


class LazyProperty:
    """A parameter that is computed from another one when somebody asks for it, and then kept."""

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = instance.__dict__[self.name] = self.compute(instance)
        return value


def broadcast_all(*values: Any) -> tuple[Any, ...]:
    """Return numbers and tensors as tensors of one shape; raises ValueError for anything else."""
    if not all(isinstance(value, (int, float, Tensor)) for value in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    torch = SPACES["torch"]
    kinds = [value.dtype for value in values if isinstance(value, Tensor)]
    kind = kinds[0] if kinds else dtypes.get_default_dtype()
    tensors = (value if isinstance(value, Tensor) else torch["tensor"](value, dtype=kind) for value in values)
    return tuple(torch["broadcast_tensors"](*tensors))


class Distribution:
    """A probability distribution, or several of one kind (torch.distributions.Distribution).

    batch_shape: how many there are; event_shape: the shape of what one of them draws.
    """

    has_rsample = False
    has_enumerate_support = False

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        self._validate_args = validate_args is not False
        if self._validate_args:
            self.check_parameters()

    def check_parameters(self) -> None:
        """Raise ValueError for a parameter that lies outside of its constraint."""
        try:
            wanted = self.arg_constraints
        except NotImplementedError:
            warnings.warn(NO_CONSTRAINTS.format(type(self)), UserWarning, stacklevel=4)
            return
        for name, constraint in wanted.items():
            if name not in self.__dict__ and isinstance(getattr(type(self), name, None), LazyProperty):
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    @property
    def arg_constraints(self) -> dict[str, Constraint]:
        """What each parameter has to satisfy."""
        raise NotImplementedError

    @property
    def support(self) -> Constraint:
        """What the values satisfy."""
        raise NotImplementedError

    @property
    def batch_shape(self) -> Any:
        """The shape over which the parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self) -> Any:
        """The shape of a single value."""
        return self._event_shape

    @property
    def mean(self) -> Any:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Any:
        """The most probable value."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self) -> Any:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return self.variance.sqrt()

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        """Return the same distribution with a larger batch_shape (torch.distributions.Distribution.expand)."""
        other = copy.copy(self)
        for name in self.arg_constraints:
            if name in self.__dict__:
                rest = self.__dict__[name].shape[len(self._batch_shape) :]
                other.__dict__[name] = self.__dict__[name].expand(Size((*batch_shape, *rest)))
        other._batch_shape = Size(batch_shape)
        return other

    def sample(self, sample_shape: Any = ()) -> Any:
        """Draw values, sample_shape + batch_shape + event_shape, without gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Draw values so that gradients flow to the parameters."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Any:
        """Draw n values."""
        warnings.warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning, stacklevel=2)
        return self.sample(Size((n,)))

    def log_prob(self, value: Any) -> Any:
        """Return the logarithm of the density or probability of a value."""
        raise NotImplementedError

    def cdf(self, value: Any) -> Any:
        """Return the probability of at most a value."""
        raise NotImplementedError

    def icdf(self, value: Any) -> Any:
        """Return the value that a probability leads up to."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Any:
        """Return all values there are, along a new first dimension."""
        raise NotImplementedError

    def entropy(self) -> Any:
        """Return the entropy in nats."""
        raise NotImplementedError

    def perplexity(self) -> Any:
        """Return e to the power of the entropy."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = ()) -> Any:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        """Raise ValueError for a value that no such distribution draws."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        found, wanted = value.shape, self._batch_shape + self._event_shape
        if not all(1 in pair or pair[0] == pair[1] for pair in zip(found[::-1], wanted[::-1], strict=False)):
            raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {found} vs {Size(wanted)}.")
        if not self.support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(found)}) to be within the support "
                f"({self.support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def checked(self, value: Any) -> None:
        """Check a value unless the distribution was made with validate_args=False."""
        if self._validate_args:
            self._validate_sample(value)

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            value = self.__dict__.get(name)
            if value is not None:
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{self.__class__.__name__}({', '.join(shown)})"


class ExponentialFamily(Distribution):
    """Distributions of one mathematical form (torch.distributions.ExponentialFamily)."""


def of_numbers(*values: Any) -> bool:
    """Whether parameters are plain numbers, so that the batch has no shape."""
    return all(isinstance(value, (int, float)) for value in values)


def sum_of_last(value: Any, count: int) -> Any:
    """Return the sums over the last `count` dimensions."""
    return value if count == 0 else value.reshape((*value.shape[: value.dim() - count], -1)).sum(-1)


def all_values(values: Any, batch_shape: Any, expand: bool) -> Any:
    """Return the values of a distribution along a new first dimension before its batch; expand: for each of that."""
    column = values.view((-1, *(1,) * len(batch_shape)))
    return column.expand((-1, *batch_shape)) if expand else column


ROOT_OF_TWO_PI = math.sqrt(2 * math.pi)

export("torch.distributions.distribution", Distribution, also=("torch.distributions",))
export("torch.distributions.exp_family", ExponentialFamily, also=("torch.distributions",))
