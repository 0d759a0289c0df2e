"""Maps of numbers with their inverses and slopes (torch.distributions.transforms)."""

from __future__ import annotations

import math
from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.distributions.constraint import Constraint, GreaterThan, Interval, Real, Several
from gradrepl.engine.nn.parameter import export

torch = SPACES["torch"]
functional = SPACES["torch.nn.functional"]


class Transform:
    """A map of tensors; cache_size: whether the last value is kept, so that its inverse is exact (0 or 1)."""

    bijective = False
    sign: Any
    domain: Constraint = Real()
    codomain: Constraint = Real()

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._kept: tuple[Any, Any] = (None, None)
        self._inv: Transform | None = None

    @property
    def inv(self) -> Transform:
        """The inverse."""
        if self._inv is None:
            self._inv = Inverse(self)
        return self._inv

    def __call__(self, x: Any) -> Any:
        if not self._cache_size:
            return self._call(x)
        if x is not self._kept[0]:
            self._kept = x, self._call(x)
        return self._kept[1]

    def _inv_call(self, y: Any) -> Any:
        if not self._cache_size:
            return self._inverse(y)
        if y is not self._kept[1]:
            self._kept = self._inverse(y), y
        return self._kept[0]

    def _call(self, x: Any) -> Any:
        raise NotImplementedError

    def _inverse(self, y: Any) -> Any:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return the logarithm of the slope's absolute value at x, which is mapped to y."""
        raise NotImplementedError

    def forward_shape(self, shape: Any) -> Any:
        """Return the shape of what a tensor of a shape is mapped to."""
        return shape

    inverse_shape = forward_shape

    def __repr__(self) -> str:
        return self.__class__.__name__ + "()"


class Inverse(Transform):
    """The inverse of another map."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(transform._cache_size)
        self._inv = transform

    inner = property(lambda self: self._inv)
    domain = property(lambda self: self.inner.codomain)
    codomain = property(lambda self: self.inner.domain)
    bijective = property(lambda self: self.inner.bijective)
    sign = property(lambda self: self.inner.sign)

    def __call__(self, x: Any) -> Any:
        return self.inner._inv_call(x)

    def _inv_call(self, y: Any) -> Any:
        return self.inner(y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return -self.inner.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Any:
        return self.inner.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self.inner.forward_shape(shape)

    def __repr__(self) -> str:
        return f"_InverseTransform({self.inner!r})"


class ComposeTransform(Transform):
    """Several maps, one after the other (torch.distributions.ComposeTransform)."""

    def __init__(self, parts: list[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts = parts

    domain = property(lambda self: self.parts[0].domain if self.parts else Real())
    codomain = property(lambda self: self.parts[-1].codomain if self.parts else Real())
    bijective = property(lambda self: all(part.bijective for part in self.parts))
    sign = property(lambda self: math.prod(part.sign for part in self.parts))

    def _call(self, x: Any) -> Any:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Any) -> Any:
        for part in self.parts[::-1]:
            y = part.inv(y)
        return y

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        if not self.parts:
            return torch["zeros_like"](x)
        total: Any = None
        for part in self.parts:
            after = part(x)
            slope = part.log_abs_det_jacobian(x, after)
            total, x = slope if total is None else total + slope, after
        return total

    def forward_shape(self, shape: Any) -> Any:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    inverse_shape = forward_shape

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(\n    " + ",\n    ".join(map(repr, self.parts)) + "\n)"


class Rising(Transform):
    """Maps that rise everywhere; two of a kind are equal."""

    bijective = True
    sign = 1

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = Transform.__hash__


class ExpTransform(Rising):
    """e to the power of x (torch.distributions.ExpTransform)."""

    codomain = GreaterThan(0.0)

    def _call(self, x: Any) -> Any:
        return x.exp()

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return x


class SigmoidTransform(Rising):
    """The logistic function (torch.distributions.SigmoidTransform)."""

    codomain = Interval(0.0, 1.0)

    def _call(self, x: Any) -> Any:
        limits = torch["finfo"](x.dtype)
        return x.sigmoid().clamp(min=limits.tiny, max=1.0 - limits.eps)

    def _inverse(self, y: Any) -> Any:
        limits = torch["finfo"](y.dtype)
        y = y.clamp(min=limits.tiny, max=1.0 - limits.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return -functional["softplus"](-x) - functional["softplus"](x)


class SoftplusTransform(Rising):
    """log(1 + e to the power of x) (torch.distributions.SoftplusTransform)."""

    codomain = GreaterThan(0.0)

    def _call(self, x: Any) -> Any:
        return functional["softplus"](x)

    def _inverse(self, y: Any) -> Any:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return -functional["softplus"](-x)


class TanhTransform(Rising):
    """The hyperbolic tangent (torch.distributions.TanhTransform)."""

    codomain = Interval(-1.0, 1.0)

    def _call(self, x: Any) -> Any:
        return x.tanh()

    def _inverse(self, y: Any) -> Any:
        return torch["atanh"](y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return 2.0 * (math.log(2.0) - x - functional["softplus"](-2.0 * x))


class AbsTransform(Transform):
    """The absolute value (torch.distributions.AbsTransform)."""

    codomain = GreaterThan(0.0)

    def _call(self, x: Any) -> Any:
        return x.abs()

    def _inverse(self, y: Any) -> Any:
        return y


class AffineTransform(Transform):
    """loc + scale · x (torch.distributions.AffineTransform)."""

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self.event_dim = loc, scale, event_dim
        self.domain = self.codomain = Several(Real(), event_dim) if event_dim else Real()

    @property
    def sign(self) -> Any:
        """1 where it rises, -1 where it falls."""
        if isinstance(self.scale, (int, float)):
            return 1 if self.scale > 0 else -1 if self.scale < 0 else 0
        return self.scale.sign()

    def _call(self, x: Any) -> Any:
        return self.loc + self.scale * x

    def _inverse(self, y: Any) -> Any:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        shape, scale = x.shape, self.scale
        fixed = isinstance(scale, (int, float))
        slope = torch["full_like"](x, math.log(abs(scale))) if fixed else torch["abs"](scale).log()
        if self.event_dim:
            slope = slope.view((*slope.size()[: -self.event_dim], -1)).sum(-1)
            shape = shape[: -self.event_dim]
        return slope.expand(shape)

    def forward_shape(self, shape: Any) -> Any:
        return torch["broadcast_shapes"](shape, *(getattr(part, "shape", ()) for part in (self.loc, self.scale)))

    inverse_shape = forward_shape


_kinds = (Transform, ComposeTransform, ExpTransform, SigmoidTransform, SoftplusTransform, TanhTransform)
export("torch.distributions.transforms", *_kinds, AbsTransform, AffineTransform, also=("torch.distributions",))
