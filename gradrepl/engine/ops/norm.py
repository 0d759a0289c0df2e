"""Norms of vectors and matrices, and the distance that is a norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES, checked, functions, methods, public, result_or_out
from gradrepl.engine.dtype import BOOL, CATEGORY, FLOAT, Array, of
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import abs, conj_of, sgn
from gradrepl.engine.ops.extremum import amax, amin, greatest, smallest
from gradrepl.engine.ops.power import pow
from gradrepl.engine.ops.reduction import Dims, dims_of, in_dtype, restored, sum_dims_as
from gradrepl.engine.ops.shape import real_parts, summed_to, where, without
from gradrepl.engine.ops.view import dim_of
from gradrepl.engine.precision.summing import add_up, squares_up
from gradrepl.engine.tensor import Tensor


def norm_of(a: Array, ord: float, dim: Dims, keepdim: bool) -> Any:
    """Return a norm over some dimensions; none stand for all."""
    size, dim = np.abs(a), dim or every(a)
    if ord == 0:
        return add_up(a != 0, axis=dim, dtype=size.dtype, keepdims=keepdim)
    if ord == math.inf:
        return greatest(size, axis=dim, keepdims=keepdim)
    if ord == -math.inf:
        return smallest(size, axis=dim, keepdims=keepdim)
    if ord == 1:
        return add_up(size, axis=dim, keepdims=keepdim)
    if ord == 2:
        return np.sqrt(squares_up(size, dim, keepdim))
    return add_up(size**ord, axis=dim, keepdims=keepdim) ** (1 / ord)


@op(
    "LinalgVectorNormBackward0",
    samples=(((2, 3), 2, (0, 1), True), *(((2, 3), ord, (1,), False) for ord in (2, 1, 3, 0.5, 1.5, math.inf))),
)
def vector_norm_dims(a: Array, ord: float, dim: Dims, keepdim: bool) -> Any:
    """sum(|a| ** ord) ** (1 / ord) over some dimensions"""
    return norm_of(a, ord, dim, keepdim)


@op("DistBackward0", broadcasts=True, samples=(((2, 3), (2, 3), 2.0), ((2, 3), (3,), 1.0)))
def dist_of(a: Array, b: Array, p: float) -> Any:
    """The norm of a - b"""
    difference = a - b
    return norm_of(difference, p, (), False)


def norm_gradient(g: Any, a: Any, ord: float, out: Any, dim: Dims, keepdim: bool) -> Any:
    """Return the gradient of a norm; 0 where the norm is not smooth."""
    if ord == 0:
        return None
    g, out = restored(g, dim, keepdim), restored(out, dim, keepdim)
    if ord == 1:
        return sgn(a) * g
    if ord == 2:
        return g * without(out == 0, a / out)
    if math.isinf(ord):
        top = abs(a) == out
        count = sum_dims_as(top, dim or every(a), bool(dim), out._data.dtype if isinstance(out, Tensor) else out.dtype)
        return sgn(a) * (g / count * top)
    if ord < 1:
        return sgn(a) * without(a == 0, pow(abs(a), ord - 1)) * g * pow(out, 1 - ord)
    if ord < 2:
        return sgn(a) * pow(abs(a), ord - 1) * without(out == 0, g / pow(out, ord - 1))
    return a * pow(abs(a), ord - 2) * without(out == 0, g / pow(out, ord - 1))


def every(a: Any) -> Dims:
    return tuple(range(a.ndim))


def distance_gradient(g: Any, difference: Any, p: float, out: Any, shape: tuple[int, ...]) -> Any:
    return summed_to(norm_gradient(g, difference, p, out, (), False), shape)


vector_norm_dims.grad(a=lambda g, a, ord, out, dim, keepdim: norm_gradient(g, a, ord, out, dim, keepdim))
dist_of.grad(
    a=lambda g, a, b, out, p, a_shape: distance_gradient(g, a - b, p, out, a_shape),
    b=lambda g, a, b, out, p, b_shape: -distance_gradient(g, a - b, p, out, b_shape),
)


def vector_norm(input: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Return the norm of the elements, or of the vectors along `dim` (torch.linalg.vector_norm)."""
    if CATEGORY[input._data.dtype] < FLOAT:
        kind = dtypes.of(input._data).tensor_type
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {kind}")
    return vector_norm_dims.call(in_dtype(input, dtype), ord, () if dim is None else dims_of(dim, input.ndim), keepdim)


def shown(ord: Any) -> str:
    return f"{ord:g}" if isinstance(ord, (int, float)) else str(ord)


def check_matrix(input: Tensor, dims: tuple[int, ...]) -> None:
    if input.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    if len(dims) != 2:
        listed = " ".join(map(str, dims))
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {listed}")


def matrix_norm(input: Tensor, ord: Any, dim: Any, keepdim: bool, dtype: Any) -> Any:
    """Return a norm of the matrices that two dimensions hold; raises RuntimeError for an order that it hasn't."""
    dims = tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    check_matrix(input, dims)
    rows, columns = dims_of(dims, input.ndim)
    if ord == "fro":
        return vector_norm(input, 2, (rows, columns), keepdim, dtype)
    if ord in ("nuc", 2, -2):
        return from_singular_values(in_dtype(input, dtype), ord, rows, columns, keepdim)
    if not isinstance(ord, (int, float)) or math.fabs(ord) not in (1, math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {shown(ord)} not supported.")
    inner, outer = (rows, columns) if math.fabs(ord) == 1 else (columns, rows)
    sums = vector_norm(input, 1, inner, keepdim, dtype)
    place = outer - 1 if inner < outer and not keepdim else outer
    return (amax if ord > 0 else amin)(sums, (place,), keepdim)


def from_singular_values(input: Tensor, ord: Any, rows: int, columns: int, keepdim: bool) -> Any:
    order = [*(d for d in range(input.ndim) if d not in (rows, columns)), rows, columns]
    values = SPACES["torch.linalg"]["svdvals"](input.permute(order))  # type: ignore[attr-defined]
    last = (values.ndim - 1,)
    found = values.sum(last, keepdim) if ord == "nuc" else (amin if ord == -2 else amax)(values, last, keepdim)
    return found.unsqueeze(-1).permute([order.index(d) for d in range(input.ndim)]) if keepdim else found


def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None, dtype: Any = None
) -> Any:
    """Return a norm of all elements, or of vectors or matrices along `dim` (torch.norm)."""
    if not isinstance(input, Tensor):
        raise AttributeError(f"'{type(input).__name__}' object has no attribute 'layout'")
    if out is not None:
        return result_or_out("linalg_vector_norm", norm(input, p, dim, keepdim, dtype=dtype), out, input)
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if p == "nuc" or (isinstance(p, str) and p != "fro"):
        return matrix_norm(input, p, (0, 1) if dims is None else dims, keepdim, dtype)
    order = 2 if p is None or p == "fro" else p
    if p == "fro" and dims is not None and len(dims) > 2:
        check_matrix(input, dims)
    return vector_norm(input, order, dims, keepdim, dtype)


def method_norm(self: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Return a norm of all elements, or along `dim` (torch.Tensor.norm)."""
    return norm(self, p, dim, keepdim, dtype=dtype)


@public("Tensor input, Tensor other, Number p=2")
def dist(input: Tensor, other: Tensor, p: Any = 2) -> Any:
    """Return the norm of the difference (torch.dist)."""
    if BOOL < CATEGORY[input._data.dtype] < FLOAT and BOOL < CATEGORY[other._data.dtype] < FLOAT:
        kind = of(input._data).tensor_type
        raise RuntimeError(f"norm(): input dtype should be either floating point or complex. Got {kind} instead.")
    return dist_of(input, other, p)


@op("RenormBackward0", samples=(((2, 3), 2.0, 0, 1.5), ((2, 3), 1.0, 1, 1.0)))
def renorm_of(a: Array, p: float, dim: int, maxnorm: float) -> Any:
    """a, its slices along a dimension made smaller where their norm is above a number"""
    norm = norm_of(a, p, other_dims(a, dim), True)
    return a * np.where(norm > maxnorm, a.dtype.type(maxnorm) / (norm + a.dtype.type(TINY)), a.dtype.type(1))


TINY = 1e-7
"""What PyTorch adds to a norm before it divides by it."""


def other_dims(a: Any, dim: int) -> Dims:
    return tuple(d for d in range(len(a.shape)) if d != dim)


def renorm_gradient(g: Any, a: Any, p: float, dim: int, maxnorm: float) -> Any:
    """Return the gradient; the norm of what was made smaller depends on its elements."""
    dims = other_dims(a, dim)
    norm = vector_norm_dims(a, p, dims, True)
    product = conj_of(a) * g
    product = real_parts[0](product) if (a._data if isinstance(a, Tensor) else a).dtype.kind == "c" else product
    along = sum_dims_as(product, dims, True, (product._data if isinstance(product, Tensor) else product).dtype)
    inverted = 1 / (norm + TINY)
    slope = norm_gradient(along, a, p, norm, dims, True)
    return where(norm > maxnorm, inverted * maxnorm * (g - inverted * slope), g)


renorm_of.grad(a=lambda g, a, p, dim, maxnorm: renorm_gradient(g, a, p, dim, maxnorm))


def check_renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> tuple[float, int, float]:
    """Return the arguments of renorm; raises RuntimeError in PyTorch's words for what it can't be."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    return float(p), dim_of(dim, input.ndim), float(maxnorm)


@public("Tensor input, Number p, int dim, Number maxnorm, *, Tensor? out=None")
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Any:
    """Make slices along a dimension smaller where their norm is above a number (torch.renorm)."""
    return renorm_of.call(input, *check_renorm(input, p, dim, maxnorm))


@public("Tensor input, Number p, int dim, Number maxnorm", function=False)
def renorm_(input: Tensor, p: float, dim: int, maxnorm: float) -> Any:
    """Make slices smaller in place (torch.Tensor.renorm_)."""
    return in_place(renorm_of)(input, *check_renorm(input, p, dim, maxnorm))


def linalg_norm(input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Return a vector's or a matrix's norm (torch.linalg.norm)."""
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype)
    if dim is None and input.ndim not in (1, 2) and not isinstance(ord, str):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {input.ndim}D."
        )
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) == 2 or isinstance(ord, str):
        return matrix_norm(input, ord, dims, keepdim, dtype)
    return vector_norm(input, ord, dims, keepdim, dtype)


def linalg_matrix_norm(
    input: Tensor, ord: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    """Return a norm of the matrices in two dimensions (torch.linalg.matrix_norm)."""
    return matrix_norm(input, ord, (-2, -1) if dim is None else dim, keepdim, dtype)


REST = "bool keepdim=False, *, dtype? dtype=None"
VECTOR = f"Tensor input, Number ord=2, int_or_ints? dim=None, {REST}, Tensor? out=None"
NORM = tuple(
    f"Tensor input, {order}, int_or_ints? dim=None, {REST}, Tensor? out=None"
    for order in ("Number? ord=None", "str ord")
)
MATRIX = (f"Tensor input, Number ord, ints dim=None, {REST}", f"Tensor input, str ord=fro, ints dim=None, {REST}")
method_norm.__qualname__ = "Tensor.norm"
functions(norm=norm)
methods(norm=method_norm)
functions(
    "torch.linalg",
    vector_norm=checked(vector_norm, "linalg_vector_norm", (VECTOR,)),
    norm=checked(linalg_norm, "linalg_norm", NORM),
    matrix_norm=checked(linalg_matrix_norm, "linalg_matrix_norm", MATRIX),
)
