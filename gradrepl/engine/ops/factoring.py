"""Exponentials, triangular equations, LU and eigenvalues of any square matrix (torch.linalg)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES, functions, public
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import conj_of
from gradrepl.engine.ops.decomposition import (
    LinAlgError,
    beside,
    check_matrices,
    check_phases,
    diagonal_of,
    first_failure,
    lower,
    masked,
    on_diagonal,
    solve_matrix,
)
from gradrepl.engine.ops.elimination import by_column, eliminated, zero_pivots
from gradrepl.engine.ops.linalg import linalg, solve_of
from gradrepl.engine.ops.linear import adjoint
from gradrepl.engine.ops.shape import cast, summed_to
from gradrepl.engine.results import named
from gradrepl.engine.tensor import Tensor, make

TERMS = 18
"""So many terms of the series are exact to float64 for a matrix of norm 1/2."""


@op("LinalgMatrixExpBackward0", samples=(((2, 2),), ((2, 3, 3),)))
def matrix_exp(a: Array) -> Any:
    """The sum of a ** n / n! for matrices"""
    wide = a.astype(np.promote_types(a.dtype, np.float64))
    norm = float(np.abs(wide).sum(-1).max(initial=0))
    halvings = max(0, math.ceil(math.log2(norm)) + 1) if norm > 0.5 else 0
    scaled = wide / 2.0**halvings
    total = term = np.broadcast_to(np.eye(a.shape[-1]), a.shape).astype(wide.dtype)
    for n in range(1, TERMS + 1):
        term = term @ scaled / n
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total.astype(a.dtype)


def exp_gradient(g: Any, a: Any) -> Any:
    """Return the gradient: a corner of the exponential of a matrix of four blocks."""
    own, side = adjoint(a), a.shape[-1]
    if isinstance(own, Tensor):
        cat = SPACES["torch"]["cat"]
        blocks: Any = cat([cat([own, g], -1), cat([make(np.zeros_like(own._data)), own], -1)], -2)
    else:
        blocks = np.concatenate([np.concatenate([own, g], -1), np.concatenate([np.zeros_like(own), own], -1)], -2)
    return matrix_exp(blocks)[..., :side, side:]


matrix_exp.grad(a=lambda g, a: exp_gradient(g, a))


@linalg("Tensor A, *, Tensor? out=None", name="matrix_exp")
@public("Tensor input", name="matrix_exp")
def matrix_exp_of(input: Tensor) -> Any:
    """Return the exponential of a square matrix (torch.linalg.matrix_exp)."""
    check_matrices(input._data, "linalg.matrix_exp")
    return matrix_exp.call(input)


def triangle(a: Any, upper: bool, unit: bool) -> Any:
    """Keep the triangle of a matrix that an equation looks at; a diagonal of ones where it is taken for one."""
    side = a.shape[-1]
    kept = np.tri(side, k=-1 if unit else 0)
    whole = masked(a, kept.T if upper else kept)
    return whole + np.eye(side, dtype=a.dtype) if unit and not isinstance(a, Tensor) else whole


TRIANGLES = (
    ((2, 2), (2, 3), True, True, False),
    ((3, 3), (3, 1), False, True, True),
    ((2, 2), (1, 2), True, False, False),
)


@op("LinalgSolveTriangularBackward0", samples=TRIANGLES)
def solve_triangle(a: Array, b: Array, upper: bool, left: bool, unit: bool) -> Any:
    """The x with a @ x = b, or x @ a = b where not `left`, looking at one triangle of a only"""
    if left:
        return substituted(triangle(a, upper, unit), b, upper)
    turned, right = np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)
    return np.swapaxes(substituted(triangle(turned, not upper, unit), right, not upper), -1, -2)


def substituted(a: Array, b: Array, upper: bool) -> Array:
    """Return the solution row by row; rows that nothing determines give infinities and nan."""
    side = a.shape[-1]
    out = np.array(np.broadcast_to(b, (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])))
    for row in range(side - 1, -1, -1) if upper else range(side):
        known = slice(row + 1, side) if upper else slice(row)
        rest = out[..., row, :] - (a[..., row : row + 1, known] @ out[..., known, :])[..., 0, :]
        out[..., row, :] = rest / a[..., row, row, None]
    return out


def solved_back(g: Any, a: Any, upper: bool, left: bool, unit: bool) -> Any:
    return solve_triangle(adjoint(a), g, not upper, left, unit)


def triangle_gradient(g: Any, a: Any, out: Any, upper: bool, left: bool, unit: bool) -> Any:
    """Return the gradient by the matrix, zero where the equation did not look."""
    back = solved_back(g, a, upper, left, unit)
    whole = back @ adjoint(out) if left else adjoint(out) @ back
    kept = np.tri(a.shape[-1], k=-1 if unit else 0)
    return 0 - masked(whole, kept.T if upper else kept)


solve_triangle.grad(
    a=lambda g, a, a_shape, out, upper, left, unit: summed_to(triangle_gradient(g, a, out, upper, left, unit), a_shape),
    b=lambda g, a, b_shape, upper, left, unit: summed_to(solved_back(g, a, upper, left, unit), b_shape),
)


@linalg("Tensor A, Tensor B, *, bool upper, bool left=True, bool unitriangular=False, Tensor? out=None")
def solve_triangular_of(A: Any, B: Any, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:  # noqa: N803
    """Return the X with A @ X = B for a triangular A (torch.linalg.solve_triangular)."""
    if A.dtype is not B.dtype:
        found = f"A of type {dtypes.of(A._data).tensor_type} and B of type {dtypes.of(B._data).tensor_type}"
        raise RuntimeError(
            f"linalg.solve_triangular: Expected A and B to have the same dtype, but found {found} instead"
        )
    check_matrices(A._data, "linalg.solve_triangular")
    return solve_triangle(A, B, upper, left, unitriangular)


@op("LinalgLuBackward0", several=True, samples=(((2, 2),), ((2, 3, 3),), ((2, 3),), ((3, 2),)))
def lu(a: Array) -> Any:
    """A lower triangular L, an upper triangular U and an order of rows with L @ U = a[order]"""
    packed, rows = eliminated(a)
    count = min(a.shape[-2:])
    below = np.tril(packed[..., :count], -1) + np.eye(a.shape[-2], count, dtype=a.dtype)
    return below, np.triu(packed[..., :count, :]), rows


def exchange(order: Array, kind: Any) -> Array:
    """Return the matrix P with P @ (rows in order) = rows."""
    return np.ascontiguousarray(np.swapaxes(np.eye(order.shape[-1], dtype=kind)[order], -1, -2))


def lu_gradient(g: Any, below: Any, above: Any, order: Any) -> Any:
    """Return the gradient; what lies below or right of the square part follows from that part's factors."""
    count, (gl, gu) = below.shape[-1], g[:2]
    square, tall, wide = above[..., :, :count], below.shape[-2] > count, above.shape[-1] > count
    under = None if gl is None else adjoint(below[..., :count, :]) @ gl[..., :count, :]
    over = None if gu is None else gu[..., :, :count] @ adjoint(square)
    if gl is not None and tall:
        over = less(over, adjoint(below[..., count:, :]) @ gl[..., count:, :])
    if gu is not None and wide:
        under = less(under, gu[..., :, count:] @ adjoint(above[..., :, count:]))
    parts = [] if under is None else [lower(under, 0.0)]
    if over is not None:
        parts.append(adjoint(lower(adjoint(over), 1.0)))
    left = solve_matrix(adjoint(below[..., :count, :]), parts[0] + parts[1] if len(parts) > 1 else parts[0])
    whole = adjoint(solve_matrix(square, adjoint(left)))
    if tall:
        rest = below[..., count:, :] * 0 if gl is None else gl[..., count:, :]
        whole = adjoint(beside(adjoint(whole), solve_matrix(square, adjoint(rest))))
    if wide:
        rest = above[..., :, count:] * 0 if gu is None else gu[..., :, count:]
        whole = beside(whole, solve_matrix(adjoint(below), rest))
    rows = exchange(getattr(order, "_data", order), np.float64)
    return (make(rows.astype(whole._data.dtype)) if isinstance(whole, Tensor) else rows.astype(whole.dtype)) @ whole


def less(a: Any, b: Any) -> Any:
    return -b if a is None else a - b


lu.grad(a=lambda g, out0, out1, out2: lu_gradient(g, out0, out1, out2))


@linalg("Tensor A, *, bool pivot=True, Tensor? out=None", name="lu")
def lu_of(A: Any, pivot: bool = True) -> Any:  # noqa: N803
    """Return P, L and U with P @ L @ U = A (torch.linalg.lu)."""
    need_matrix(A, "linalg.lu_factor", pivot)
    below, above, order = lu(A)
    return named("linalg_lu", "P", "L", "U")((make(exchange(order._data, A._data.dtype)), below, above))


def need_matrix(A: Any, name: str, pivot: bool) -> None:  # noqa: N803
    check_matrices(A._data, name, square=False)
    if not pivot:
        raise RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU")


@linalg("Tensor A, *, bool pivot=True, Tensor? out=None", name="lu_factor")
def lu_factor_of(A: Any, pivot: bool = True) -> Any:  # noqa: N803
    """Return L and U in one matrix, and which rows were exchanged (torch.linalg.lu_factor)."""
    need_matrix(A, "torch.linalg.lu_factor", pivot)
    packed, order = lu_packed(A)
    info = zero_pivots(packed._data)
    if info.any():
        place, number = first_failure(info)
        raise RuntimeError(
            f"torch.linalg.lu_factor: {place}U[{number},{number}] is zero and using it on lu_solve would result in a "
            "division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
            "linalg.lu_factor_ex(A, pivot)"
        )
    count = min(A.shape[-2:])
    rows = np.array([exchanges(one, count) for one in order._data.reshape(-1, order.shape[-1])], np.int32)
    return named("linalg_lu_factor", "LU", "pivots")((packed, make(rows.reshape(*A.shape[:-2], count))))


@op("LinalgLuFactorExBackward0", several=True, samples=(((2, 2),), ((2, 3),), ((3, 2),)))
def lu_packed(a: Array) -> Any:
    """L and U of LU in one matrix, and the order of rows"""
    return eliminated(a)


def packed_gradient(g: Any, packed: Any, order: Any) -> Any:
    rows, columns = packed.shape[-2:]
    count = min(rows, columns)
    under, over = np.tri(rows, count, -1), 1 - np.tri(count, columns, -1)
    one = masked(packed[..., :, :count] * 0 + 1, np.eye(rows, count))
    factors = masked(packed[..., :, :count], under) + one, masked(packed[..., :count, :], over)
    parts = masked(g[..., :, :count], under), masked(g[..., :count, :], over)
    return lu_gradient(parts, *factors, order)


lu_packed.grad(a=lambda g, out0, out1: packed_gradient(g[0], out0, out1))


def exchanges(order: Array, count: int) -> list[int]:
    """Return with which row (from 1) each was exchanged, from the order that came of it."""
    rows, found = list(range(len(order))), []
    for place in range(count):
        other = rows.index(int(order[place]), place)
        rows[place], rows[other] = rows[other], rows[place]
        found.append(other + 1)
    return found


@op("LinalgEigBackward0", several=True)
def eig(a: Array) -> Any:
    """The eigenvalues and the eigenvectors of a square matrix, as complex numbers"""
    kind = np.promote_types(a.dtype, np.complex64)
    values, vectors = np.linalg.eig(a)
    return values.astype(kind), by_column(vectors.astype(kind))


def eig_gradient(g: Any, values: Any, vectors: Any, kind: Any) -> Any:
    side = values.shape[-1]
    eye = np.eye(side)
    inner = None
    if g[1] is not None:
        turned = adjoint(vectors) @ g[1]
        along = diagonal_of(turned)
        check_phases(along, "linalg_eig_backward")
        apart = values[..., None, :] - values[..., :, None]
        own = (along + conj_of(along)) * 0.5
        inner = turned - (adjoint(vectors) @ vectors) * own[..., None, :]
        inner = masked(inner, 1 - eye) / conj_of(apart + masked(apart * 0 + 1, eye))
    if g[0] is not None:
        diagonal = on_diagonal(g[0])
        inner = diagonal if inner is None else inner + diagonal
    return cast(solve_matrix(adjoint(vectors), inner @ adjoint(vectors)), kind)


eig.grad(a=lambda g, out0, out1, a_dtype: eig_gradient(g, out0, out1, a_dtype))


def eigen(A: Any, name: str) -> Any:  # noqa: N803
    """Return eigenvalues and eigenvectors; raises in PyTorch's words for what has none."""
    check_matrices(A._data, name)
    if not np.isfinite(A._data).all():
        raise LinAlgError(f"{name}: input tensor should not contain infs or NaNs.")
    return eig(A)


@linalg("Tensor input, *, Tensor? out=None", name="eig")
def eig_of(input: Any) -> Any:
    """Return eigenvalues and eigenvectors (torch.linalg.eig)."""
    return named("linalg_eig", "eigenvalues", "eigenvectors")(eigen(input, "linalg.eig"))


@linalg("Tensor input, *, Tensor? out=None", name="eigvals")
def eigvals_of(input: Any) -> Any:
    """Return the eigenvalues (torch.linalg.eigvals)."""
    return eigen(input, "linalg.eigvals")[0]


@linalg("Tensor A, Tensor B, *, bool left=True, bool check_errors=False, Tensor? out=None", name="solve_ex")
def solve_ex_of(A: Any, B: Any, left: bool = True, check_errors: bool = False) -> Any:  # noqa: N803
    """Return the X with A @ X = B and which pivot was zero (torch.linalg.solve_ex)."""
    info = zero_pivots(eliminated(A._data)[0])
    if info.any() and not check_errors:
        return named("linalg_solve_ex", "result", "info")((make(np.full_like(B._data, np.nan)), make(info)))
    return named("linalg_solve_ex", "result", "info")((solve_of(A, B, left), make(info)))


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:  # noqa: N803
    """Return the diagonals of matrices as a view (torch.linalg.diagonal)."""
    return A.diagonal(offset, dim1, dim2)


def powers(x: Any, count: int) -> Any:
    """Return the powers 0, 1, 2, ... of numbers, in a new last dimension."""
    torch = SPACES["torch"]
    columns = x.unsqueeze(-1).expand(*x.shape, max(count - 1, 0))
    return torch["cat"]([torch["ones_like"](x.unsqueeze(-1)), columns.cumprod(-1)], -1) if count else columns


def vander(x: Any, *, N: int | None = None) -> Any:  # noqa: N803
    """Return the matrix of powers of numbers (torch.linalg.vander)."""
    x = x.unsqueeze(-1) if x.dim() == 0 else x
    count = x.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    return powers(x, count)


@public("Tensor x, int? N=None, bool increasing=False", name="vander", method=False)
def vander_of(x: Any, N: int | None = None, increasing: bool = False) -> Any:  # noqa: N803
    """Return the matrix of powers of numbers, the highest first (torch.vander)."""
    if x.dim() != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    found = powers(x, x.shape[0] if N is None else N)
    return found if increasing else found.flip(1)


def tensorinv(A: Any, ind: int = 2) -> Any:  # noqa: N803
    """Return the inverse of a tensor taken as a matrix (torch.linalg.tensorinv)."""
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    front, back = A.shape[:ind], A.shape[ind:]
    rows, columns = math.prod(front), math.prod(back)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    return A.reshape(rows, columns).inverse().reshape(*back, *front)


def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:  # noqa: N803
    """Return the X with tensordot(A, X) = B (torch.linalg.tensorsolve)."""
    if dims is not None:
        A = SPACES["torch"]["movedim"](A, tuple(dims), tuple(range(A.dim() - len(dims), A.dim())))  # noqa: N806
    shape = A.shape[B.dim() :]
    flat = A.reshape(B.numel(), math.prod(shape))
    return solve_of(flat, B.flatten()).reshape(shape)


functions("torch.linalg", diagonal=diagonal, vander=vander, tensorinv=tensorinv, tensorsolve=tensorsolve)
