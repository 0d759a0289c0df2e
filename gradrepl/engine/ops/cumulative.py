"""Running sums, products and extremes, differences of neighbours, and integrals made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import SPACES, public
from gradrepl.engine.dtype import BOOL8, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import Op, analytic, op
from gradrepl.engine.ops.along import add_along, plain
from gradrepl.engine.ops.arithmetic import exp, log, sub
from gradrepl.engine.ops.logic import logical_xor
from gradrepl.engine.ops.number import over_number, times_number
from gradrepl.engine.ops.reduction import in_dtype, put_together, sum_dims, widened
from gradrepl.engine.ops.shape import where
from gradrepl.engine.ops.view import dim_of, select_at, slice_at
from gradrepl.engine.precision.precise import accumulated
from gradrepl.engine.results import named
from gradrepl.engine.tensor import Tensor

ALONG = (((2, 3), 0), ((2, 3), 1))


@op("FlipBackward0", samples=ALONG)
def turned(a: Array, dim: int) -> Any:
    """a, from back to front along a dimension"""
    return np.flip(a, dim) if a.ndim else a


turned.grad(a=lambda g, dim: turned(g, dim))


@op("CumsumBackward0", samples=ALONG)
def cumsum_dim(a: Array, dim: int) -> Any:
    """The sums of all elements so far along a dimension"""
    return accumulated(np.add, a, dim, widened(a)) if a.ndim else a.astype(widened(a))


def is_lone(x: Any) -> bool:
    """Whether there is one number without dimensions, or none: nothing runs up there, a gradient passes as it is."""
    return not x.shape or 0 in x.shape


def summed_from(g: Any, dim: int) -> Any:
    """Return for each place the sum from there to the end."""
    if is_lone(g):
        return g
    return turned(cumsum_dim(turned(g, dim), dim), dim)


cumsum_dim.grad(a=lambda g, dim: summed_from(g, dim))


@op("CumprodBackward0", samples=ALONG)
def cumprod_dim(a: Array, dim: int) -> Any:
    """The products of all elements so far along a dimension"""
    return accumulated(np.multiply, a, dim, widened(a)) if a.ndim else a.astype(widened(a))


def cumprod_gradient(g: Any, a: Any, out: Any, dim: int) -> Any:
    if is_lone(a) or a.shape[dim] == 1:
        return g
    if np.all(a._data if isinstance(a, Tensor) else a):
        return summed_from(g * out, dim) / a
    positions = np.arange(a.shape[dim]).reshape([-1 if d == dim else 1 for d in range(a.ndim)])
    parts = []
    for i in range(a.shape[dim]):
        without = cumprod_dim(where(positions == i, 1.0, a), dim)
        used = positions >= i
        if not isinstance(a, Tensor):  # behind another zero there is nothing, not even nan
            used = used & (np.cumsum((a == 0) & (positions != i), axis=dim) == 0)
        parts.append(sum_dims(g * where(used, without, 0.0), (dim,), False))
    found = put_together(parts, a.shape, dim)
    if isinstance(a, Tensor):
        return found
    clear = np.cumsum(a == 0, axis=dim) == 0
    return np.where(clear, summed_from(np.where(clear, g * out, 0), dim) / a, found)


analytic(cumprod_dim)
cumprod_dim.grad(a=lambda g, a, out, dim: cumprod_gradient(g, a, out, dim))


def running(a: Array, dim: int, accumulate: Any) -> tuple[Array, Array]:
    """Return running extremes and where each was met last."""
    if not a.ndim:
        return a.copy(), np.zeros((), np.int64)
    values = accumulate(a, axis=dim)
    positions = np.arange(a.shape[dim]).reshape([-1 if d == dim else 1 for d in range(a.ndim)])
    met = np.where((a == values) | (a != a), positions, 0)
    return values, np.maximum.accumulate(met, axis=dim)


@op("CummaxBackward0", several=True, samples=ALONG)
def cummax_dim(a: Array, dim: int) -> Any:
    """The greatest elements so far along a dimension, and where each is"""
    return running(a, dim, np.maximum.accumulate)


@op("CumminBackward0", several=True, samples=ALONG)
def cummin_dim(a: Array, dim: int) -> Any:
    """The smallest elements so far along a dimension, and where each is"""
    return running(a, dim, np.minimum.accumulate)


for entry in (cummax_dim, cummin_dim):
    entry.grad(
        a=lambda g, a, out1, dim: (
            add_along(g[0], a.shape, plain(out1), dim) if 0 not in a.shape and g[0] is not None else g[0]
        )
    )


@op("LogcumsumexpBackward0", samples=ALONG)
def logcumsumexp_dim(a: Array, dim: int) -> Any:
    """The logarithms of the running sums of e ** a along a dimension"""
    if a.dtype.kind == "c":
        raise NotImplementedError(
            "gradrepl's builtin engine has logcumsumexp of real numbers only. Start gradrepl with --engine torch for "
            "others."
        )
    return accumulated(np.logaddexp, a, dim, a.dtype) + 0 if a.ndim else a.copy()


def logcumsumexp_gradient(g: Any, a: Any, out: Any, dim: int) -> Any:
    """Return the gradient, the positive and the negative part each computed by logarithms."""
    if is_lone(g):
        return g
    lowest = float(np.finfo(a._data.dtype if isinstance(a, Tensor) else a.dtype).min)

    def part(positive: Any) -> Any:
        logarithm = where(positive > 0, log(positive), lowest)
        return exp(turned(logcumsumexp_dim(turned(logarithm - out, dim), dim), dim) + a)

    return part(g) - part(-g)


logcumsumexp_dim.grad(a=lambda g, a, out, dim: logcumsumexp_gradient(g, a, out, dim))

MAXIMA, MINIMA = named("cummax", "values", "indices"), named("cummin", "values", "indices")


def expose_running(name: str, entry: Op) -> None:
    """Expose cumsum or cumprod, as a function, a method and in place."""

    def call(input: Tensor, dim: int, dtype: Any = None) -> Any:
        return in_dtype(entry(in_dtype(input, dtype), dim_of(dim, input.ndim)), dtype)

    def write(input: Tensor, dim: int, dtype: Any = None) -> Any:
        return in_place(entry)(input, dim_of(dim, input.ndim))

    call.__doc__ = f"Return {entry.doc[0].lower()}{entry.doc[1:]} (torch.{name})."
    public("Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None", name=name)(call)
    public("Tensor input, int dim, *, dtype? dtype=None", name=f"{name}_", function=False)(write)


expose_running("cumsum", cumsum_dim)
expose_running("cumprod", cumprod_dim)


@public("Tensor input, int dim, *, Tensors? out=None")
def cummax(input: Tensor, dim: int) -> Any:
    """Return the greatest elements so far (torch.cummax)."""
    return MAXIMA(cummax_dim(input, dim_of(dim, input.ndim)))


@public("Tensor input, int dim, *, Tensors? out=None")
def cummin(input: Tensor, dim: int) -> Any:
    """Return the smallest elements so far (torch.cummin)."""
    return MINIMA(cummin_dim(input, dim_of(dim, input.ndim)))


@public("Tensor input, int dim, *, Tensor? out=None")
def logcumsumexp(input: Tensor, dim: int) -> Any:
    """Return the logarithms of running sums of exponentials (torch.logcumsumexp)."""
    return logcumsumexp_dim(input, dim_of(dim, input.ndim))


def pieces(input: Tensor, dim: int) -> tuple[Any, Any]:
    """Return all slices but the first, and all but the last."""
    count = input._data.shape[dim]
    return slice_at(input, dim, 1, count, 1), slice_at(input, dim, 0, max(count - 1, 0), 1)


def check_beside(input: Tensor, part: Tensor | None, dim: int) -> None:
    """Raise what diff raises for a tensor that can't be put before or behind its input."""
    if part is None:
        return
    if part.ndim != input.ndim:
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    for number, (own, found) in enumerate(zip(input._data.shape, part._data.shape, strict=True)):
        if number != dim and own != found:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input except along the "
                f"differencing dimension; input.size({number}) = {own}, but got tensor.size({number}) = {found}"
            )


@public("Tensor input, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None, *, Tensor? out=None")
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Return the differences of neighbours along a dimension, n times (torch.diff)."""
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = dim_of(dim, input.ndim)
    for part in (prepend, append):
        check_beside(input, part, dim)
    if not n:
        return SPACES["torch"]["zeros_like"](input).copy_(input)
    if prepend is not None or append is not None:
        input = SPACES["torch"]["cat"]([part for part in (prepend, input, append) if part is not None], dim)
    minus = logical_xor if input._data.dtype == BOOL8 else sub
    for _ in range(min(n, input._data.shape[dim])):
        input = minus(*pieces(input, dim))
    return input


def check_no_bools(name: str, y: Tensor, x: Tensor | None) -> None:
    """Raise what PyTorch raises for bools, which it can't integrate."""
    if any(tensor is not None and tensor._data.dtype == BOOL8 for tensor in (y, x)):
        which = "`y`" if x is None else "`x` or `y`"
        raise RuntimeError(f"{name}: received a bool input for {which}, but bool is not supported")


def trapezoid(y: Tensor, x: Any = None, dx: Any = 1, dim: int = -1) -> Any:
    """Return the integral by the trapezoidal rule (torch.trapezoid)."""
    check_no_bools("trapezoid", y, x)
    dim = dim_of(dim, y.ndim)
    count = y._data.shape[dim]
    if x is not None:
        later, earlier = pieces(y, dim)
        return over_number(sum_dims((earlier + later) * spacing(x, y, dim), (dim,), False), 2.0)
    if not count:
        return sum_dims(y, (dim,), False)
    ends = select_at(y, dim, 0) + select_at(y, dim, count - 1)
    return times_number(sum_dims(y, (dim,), False) - times_number(ends, 0.5), dx)


def spacing(x: Any, y: Tensor, dim: int) -> Any:
    """Return the distances between places, shaped to go with y along `dim`."""
    if x.ndim == 1:
        x = x.reshape([-1 if d == dim else 1 for d in range(y.ndim)])
    return diff(x, 1, dim)


def cumulative_trapezoid(y: Tensor, x: Any = None, dx: Any = 1, dim: int = -1) -> Any:
    """Return the running integral by the trapezoidal rule (torch.cumulative_trapezoid)."""
    check_no_bools("cumulative_trapezoid", y, x)
    dim = dim_of(dim, y.ndim)
    later, earlier = pieces(y, dim)
    if x is not None:
        return over_number(cumsum_dim((earlier + later) * spacing(x, y, dim), dim), 2.0)
    return cumsum_dim(times_number(earlier + later, dx / 2.0), dim)


BY_PLACES = "Tensor y, Tensor x, *, int dim=-1"
public("Tensor y, *, float dx=1, int dim=-1", BY_PLACES, name="trapz", method=False)(trapezoid)
for name, body in (("trapezoid", trapezoid), ("cumulative_trapezoid", cumulative_trapezoid)):
    public(BY_PLACES, "Tensor y, *, Number dx=1, int dim=-1", name=name, method=False)(body)
