"""What parameters and values of a distribution have to satisfy (torch.distributions.constraints)."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.parameter import export


class Constraint:
    """A region of tensors: `check` says of each element whether it lies within; event_dim: how many belong together."""

    event_dim = 0
    is_discrete = False
    bounds: tuple[str, ...] = ()

    def __init__(self, *values: Any) -> None:
        for name, value in zip(self.bounds, values, strict=True):
            setattr(self, name, value)

    def check(self, value: Any) -> Any:
        """Return a tensor of bools."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__ + "(" + ", ".join(f"{name}={getattr(self, name)}" for name in self.bounds) + ")"


class Real(Constraint):
    """All numbers but nan."""

    def check(self, value: Any) -> Any:
        return value == value


class RealVector(Constraint):
    """Vectors of numbers but nan."""

    event_dim = 1

    def check(self, value: Any) -> Any:
        return (value == value).all(-1)

    def __repr__(self) -> str:
        return "IndependentConstraint(Real(), 1)"


class Boolean(Constraint):
    """0 and 1."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value == 0) | (value == 1)


class GreaterThan(Constraint):
    """Numbers above a bound."""

    bounds = ("lower_bound",)
    lower_bound: Any

    def check(self, value: Any) -> Any:
        return self.lower_bound < value


class LessThan(Constraint):
    """Numbers below a bound."""

    bounds = ("upper_bound",)
    upper_bound: Any

    def check(self, value: Any) -> Any:
        return value < self.upper_bound


class Interval(Constraint):
    """Numbers between two bounds."""

    bounds = ("lower_bound", "upper_bound")
    lower_bound: Any
    upper_bound: Any

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class IntegerInterval(Interval):
    """Whole numbers between two bounds."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & super().check(value)


class Simplex(Constraint):
    """Vectors of shares that add up to 1."""

    event_dim = 1

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class AtLeast(Constraint):
    """Numbers from a bound on."""

    bounds = ("lower_bound",)
    lower_bound: Any

    def check(self, value: Any) -> Any:
        return self.lower_bound <= value

    def __repr__(self) -> str:
        return f"GreaterThanEq(lower_bound={self.lower_bound})"


class IntegerGreaterThan(AtLeast):
    """Whole numbers from a bound on."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (value >= self.lower_bound)

    def __repr__(self) -> str:
        return f"IntegerGreaterThan(lower_bound={self.lower_bound})"


class OneHot(Constraint):
    """Vectors of zeros with one 1."""

    event_dim = 1
    is_discrete = True

    def check(self, value: Any) -> Any:
        return ((value == 0) | (value == 1)).all(-1) & value.sum(-1).eq(1)


class Multinomial(Constraint):
    """Vectors of counts that add up to at most `upper_bound`."""

    event_dim = 1
    is_discrete = True

    def __init__(self, upper_bound: int) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


class LowerCholesky(Constraint):
    """Lower triangles with a positive diagonal."""

    event_dim = 2

    def check(self, value: Any) -> Any:
        lower = (value.tril() == value).view((*value.shape[:-2], -1)).min(-1)[0]
        return lower & (value.diagonal(dim1=-2, dim2=-1) > 0).min(-1)[0]


class PositiveDefinite(Constraint):
    """Symmetric matrices with positive eigenvalues."""

    event_dim = 2

    def check(self, value: Any) -> Any:
        symmetric = SPACES["torch"]["isclose"](value, value.mT, atol=1e-6).all(-2).all(-1)
        return SPACES["torch.linalg"]["cholesky_ex"](value).info.eq(0) if symmetric.all() else symmetric


class Several(Constraint):
    """Several values of one constraint that belong together."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete

    def check(self, value: Any) -> Any:
        result = self.base_constraint.check(value)
        if result.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(
                f"Expected value.dim() >= {self.event_dim} but got {value.dim()}",
            )
        shape = result.shape[: result.dim() - self.reinterpreted_batch_ndims]
        return result.reshape((*shape, -1)).all(-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


for _kind in (
    *(Constraint, Real, RealVector, Boolean, GreaterThan, LessThan, Interval, IntegerInterval, Simplex),
    *(AtLeast, IntegerGreaterThan, OneHot, Multinomial, LowerCholesky, PositiveDefinite, Several),
):
    _kind.__module__ = "torch.distributions.constraints"
export("torch.distributions.constraints", Constraint, also=())
