"""Determinants, inverses, equations and decompositions of square and other matrices (torch.linalg)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import conj_of
from gradrepl.engine.ops.complexes import part
from gradrepl.engine.ops.elimination import ELIMINATED, by_column, eliminated, factors, solved, substituted
from gradrepl.engine.ops.linear import adjoint
from gradrepl.engine.ops.singular import decomposed
from gradrepl.engine.tensor import Tensor, make

SQUARE = ((2, 2), (3, 3), (2, 2, 2))


class LinAlgError(RuntimeError):
    """What linear algebra raises for a matrix that it can't work on (torch.linalg.LinAlgError)."""


LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"
LinAlgError.__module__ = "torch._C"


def check_matrices(a: Array, name: str, square: bool = True, floating: bool = True) -> None:
    """Raise RuntimeError in PyTorch's words for what is no batch of (square) matrices (of floats)."""
    if a.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if square and a.shape[-1] != a.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {a.shape[-2]} by {a.shape[-1]} matrices"
        )
    if floating and CATEGORY[a.dtype] < FLOAT:
        kind = dtypes.of(a).tensor_type
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {kind}")


def first_failure(info: Array) -> tuple[str, int]:
    """Return where a batch failed first, in PyTorch's words, and the number that tells why."""
    flat = info.reshape(-1)
    place = int(np.flatnonzero(flat)[0])
    return (f"(Batch element {place}): " if info.ndim else ""), int(flat[place])


def masked(x: Any, mask: Array) -> Any:
    """Multiply an array or tensor by a constant array."""
    return x * (make(mask.astype(x._data.dtype)) if isinstance(x, Tensor) else mask.astype(x.dtype))


def lower(x: Any, diagonal: float) -> Any:
    """Keep what is below the diagonal, and the diagonal times a factor."""
    side = x.shape[-1]
    return masked(x, np.tri(side, k=-1) + diagonal * np.eye(side))


def on_diagonal(values: Any) -> Any:
    """Return diagonal matrices."""
    return masked(values[..., None, :], np.eye(values.shape[-1]))


def last(x: Any) -> Any:
    """Give numbers two more dimensions, to multiply matrices with."""
    return x[..., None, None]


@op("LinalgDetBackward0", samples=tuple((shape,) for shape in SQUARE))
def linalg_det(a: Array) -> Any:
    """The determinant"""
    if a.shape[-1] > ELIMINATED:
        return np.linalg.det(a).astype(a.dtype)
    diagonal, sign = factors(a)
    return np.prod(diagonal, -1) * sign


def times_eye(x: Any, side: int) -> Any:
    """Return multiples of the unit matrix."""
    return masked(last(x), np.eye(side))


def det_gradient(g: Any, a: Any, out: Any) -> Any:
    """g times the determinant times the inverse; as in PyTorch a pivot that is zero counts as a tiny one."""
    if not a.shape[-1]:
        return a * 0
    if isinstance(a, Tensor) or np.all(out != 0):
        return solve_matrix(adjoint(a), times_eye(g * conj_of(out), a.shape[-1]))
    packed, rows = eliminated(adjoint(a))
    diagonal = np.einsum("...ii->...i", packed)
    diagonal[diagonal == 0] = np.finfo(a.dtype).eps
    return substituted(packed, rows, np.where(np.eye(a.shape[-1], dtype=bool), last(g * conj_of(out)), a.dtype.type(0)))


linalg_det.grad(a=lambda g, a, out: det_gradient(g, a, out))


@op("LinalgSlogdetBackward0", several=True, samples=tuple((shape,) for shape in SQUARE))
def linalg_slogdet(a: Array) -> Any:
    """The sign of the determinant and the logarithm of its absolute value"""
    if a.shape[-1] > ELIMINATED:
        sign, logarithm = np.linalg.slogdet(a)
        return sign.astype(a.dtype), logarithm.astype(a.real.dtype)
    diagonal, sign = factors(a)
    with np.errstate(divide="ignore"):
        return np.prod(np.sign(diagonal), -1) * sign, np.log(np.abs(diagonal)).sum(-1)


def slogdet_gradient(g: Any, a: Any, sign: Any) -> Any:
    """Return the gradient; a complex sign turns with the determinant, a real one stands still."""
    if not a.shape[-1]:
        return a * 0
    total = g[1]
    if g[0] is not None and (a._data if isinstance(a, Tensor) else a).dtype.kind == "c":
        turned = part(conj_of(sign) * g[0], 1) * 1j
        total = turned if total is None else total + turned
    return None if total is None else solve_matrix(adjoint(a), times_eye(total, a.shape[-1]))


linalg_slogdet.grad(a=lambda g, a, out0: slogdet_gradient(g, a, out0))


@op("LinalgInvExBackward0", samples=tuple((shape,) for shape in SQUARE))
def inverse(a: Array) -> Any:
    """The inverse matrix"""
    out, info = solved(a, np.eye(a.shape[-1], dtype=a.dtype))
    if info.any():
        place, number = first_failure(info)
        raise LinAlgError(
            f"linalg.inv: {place}The diagonal element {number} is zero, the inversion could not be completed because "
            "the input matrix is singular."
        )
    return out


inverse.grad(a=lambda g, out: -(adjoint(out) @ g @ adjoint(out)))


@op("LinalgSolveExBackward0", samples=(((2, 2), (2, 3)), ((2, 2, 2), (2, 2, 1))))
def solve_matrix(a: Array, b: Array) -> Any:
    """The x with a @ x = b"""
    out, info = solved(a, b)
    if info.any():
        place, _ = first_failure(info)
        raise LinAlgError(f"torch.linalg.solve: {place}The solver failed because the input matrix is singular.")
    return out


def back_solved(g: Any, a: Any) -> Any:
    return solve_matrix(adjoint(a), g)


solve_matrix.grad(
    a=lambda g, a, out: -(back_solved(g, a) @ adjoint(out)),
    b=lambda g, a: back_solved(g, a),
)


@op("LinalgSolveExBackward0", samples=(((2, 2), (2,)),))
def solve_vector(a: Array, b: Array) -> Any:
    """The x with a @ x = b, for a vector b"""
    return solve_matrix.forward(a, b[..., None])[..., 0]


def back_solved_vector(g: Any, a: Any) -> Any:
    return solve_vector(adjoint(a), g)


solve_vector.grad(
    a=lambda g, a, out: -(back_solved_vector(g, a)[..., :, None] * conj_of(out)[..., None, :]),
    b=lambda g, a: back_solved_vector(g, a),
)


@op("LinalgCholeskyExBackward0")
def triangular_root(a: Array, upper: bool) -> Any:
    """The lower triangular L with L @ L.T = a, or the upper U with U.T @ U = a; of a one triangle is looked at"""
    a = adjoint(a) if upper else a
    try:
        found = np.linalg.cholesky(a)
        return by_column(adjoint(found) if upper else found)
    except np.linalg.LinAlgError:
        order = np.array([minor_order(one) for one in matrices(a)]).reshape(a.shape[:-2])
        place, number = first_failure(order)
        raise LinAlgError(
            f"linalg.cholesky: {place}The factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {number} is not positive-definite)."
        ) from None


def matrices(a: Array) -> Array:
    """Return all matrices of an array in a row, (count, rows, columns)."""
    return a.reshape(math.prod(a.shape[:-2]), *a.shape[-2:])


def minor_order(a: Array) -> int:
    """Return the order of the first leading minor that is not positive, 0 for none."""
    return next((k for k in range(1, len(a) + 1) if not np.all(np.linalg.eigvalsh(a[:k, :k]) > 0)), 0)


def cholesky_gradient(g: Any, out: Any, upper: bool) -> Any:
    if upper:
        g, out = adjoint(g), adjoint(out)
    inner = adjoint(out) @ g
    half = solve_matrix(adjoint(out), (lower(inner, 1.0) + adjoint(lower(inner, 0.0))) * 0.5)
    return adjoint(solve_matrix(adjoint(out), adjoint(half)))


triangular_root.grad(a=lambda g, out, upper: cholesky_gradient(g, out, upper))


@op("LinalgQrBackward0", several=True, samples=(((3, 2), "reduced"), ((2, 2), "reduced"), ((2, 3), "complete")))
def qr(a: Array, mode: Any) -> Any:
    """An orthogonal Q and an upper triangular R with Q @ R = a"""
    if mode == "r":
        return np.zeros(0, a.dtype), np.linalg.qr(a, "r")
    q, r = np.linalg.qr(a, mode)
    return by_column(q), by_column(r)


QR_WITHOUT_Q = (
    "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
    "mode='reduced') if you are going to differentiate through linalg.qr."
)


def qr_gradient(g: Any, q: Any, r: Any, mode: str) -> Any:
    """Return the gradient; what lies right of the square part of a wide matrix follows from that part's Q."""
    if mode == "r":
        raise RuntimeError(QR_WITHOUT_Q)
    rows, columns = q.shape[-2], r.shape[-1]
    if mode == "complete" and rows > columns:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    gq, gr = g
    if rows >= columns:
        return square_qr_gradient(gq, gr, q, r)
    if gr is None:
        return beside(square_qr_gradient(gq, None, q, r[..., :, :rows]), r[..., :, rows:] * 0)
    more = (q @ r[..., :, rows:]) @ adjoint(gr[..., :, rows:])
    left = square_qr_gradient(more if gq is None else gq + more, gr[..., :, :rows], q, r[..., :, :rows])
    return beside(left, q @ gr[..., :, rows:])


def beside(left: Any, right: Any) -> Any:
    return SPACES["torch"]["cat"]([left, right], -1) if isinstance(left, Tensor) else np.concatenate([left, right], -1)


def square_qr_gradient(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    inner = None
    if gr is not None:
        inner = r @ adjoint(gr)
    if gq is not None:
        other = adjoint(gq) @ q
        inner = -other if inner is None else inner - other
    below, middle = lower(inner, 0.0), diagonal_of(inner)
    if (q._data if isinstance(q, Tensor) else q).dtype.kind == "c":
        middle = (middle + conj_of(middle)) / 2
    right = q @ (below + adjoint(below) + on_diagonal(middle))
    right = right if gq is None else right + gq
    return adjoint(solve_matrix(r, adjoint(right)))


def diagonal_of(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.diagonal(0, -2, -1)  # type: ignore[attr-defined]
    return np.diagonal(x, 0, -2, -1)


qr.grad(a=lambda g, out0, out1, mode: qr_gradient(g, out0, out1, mode))


@op("LinalgEighBackward0", several=True)
def eigh(a: Array, uplo: Any) -> Any:
    """The eigenvalues, ascending, and the eigenvectors of a symmetric matrix"""
    values, vectors = np.linalg.eigh(a, uplo)
    return values, by_column(vectors)


def gaps(values: Any) -> Any:
    """Return 1 / (values[j] - values[i]), 0 on the diagonal."""
    side = values.shape[-1]
    difference = values[..., None, :] - values[..., :, None]
    eye = np.eye(side)
    return masked(1 / (difference + masked(difference * 0 + 1, eye)), 1 - eye)


def check_phases(along: Any, name: str) -> None:
    """Raise RuntimeError where the gradient of eigenvectors points along themselves, turned in the complex plane."""
    if not np.allclose(getattr(along, "_data", along).imag, 0, atol=1e-2):
        raise RuntimeError(
            f"{name}: The eigenvectors in the complex case are specified up to multiplication by e^{{i phi}}. "
            "The specified loss function depends on this quantity, so it is ill-defined."
        )


def eigh_gradient(g: Any, values: Any, vectors: Any) -> Any:
    gvalues, gvectors = g
    if gvectors is None:
        return (vectors * gvalues[..., None, :]) @ adjoint(vectors)
    turned = adjoint(vectors) @ gvectors
    check_phases(diagonal_of(turned), "linalg_eigh_backward")
    inner = ((turned - adjoint(turned)) * 0.5) * gaps(values)
    if gvalues is not None:
        inner = inner + on_diagonal(gvalues)
    return vectors @ inner @ adjoint(vectors)


eigh.grad(a=lambda g, out0, out1: eigh_gradient(g, out0, out1))


@op("LinalgSvdBackward0", several=True, samples=(((2, 3), False), ((3, 2), False)))
def svd(a: Array, full_matrices: bool) -> Any:
    """U, the singular values S, descending, and Vh with U @ diag(S) @ Vh = a"""
    u, s, vh = decomposed(a, full_matrices)
    return by_column(u.astype(a.dtype, copy=False)), s, by_column(vh.astype(a.dtype, copy=False))


def svd_gradient(g: Any, u: Any, s: Any, vh: Any, full_matrices: bool) -> Any:
    gu, gs, gvh = g
    count = s.shape[-1]
    if full_matrices:
        u, vh = u[..., :, :count], vh[..., :count, :]
    if gu is None and gvh is None:
        tall = u.shape[-2] >= vh.shape[-1]
        return u @ (gs[..., :, None] * vh) if tall else (u * gs[..., None, :]) @ vh
    inner = None if gs is None else on_diagonal(gs)
    apart = gaps(s * s)
    outer = None
    if gu is not None:
        gu = gu[..., :, :count]
        turned = adjoint(u) @ gu
        part = ((turned - adjoint(turned)) * apart) * s[..., None, :]
        inner = part if inner is None else inner + part
        outer = ((gu - u @ turned) / s[..., None, :]) @ vh
    if gvh is not None:
        gvh = gvh[..., :count, :]
        turned = gvh @ adjoint(vh)
        part = s[..., :, None] * ((adjoint(turned) - turned) * apart)
        inner = part if inner is None else inner + part
        rest = u @ ((gvh - turned @ vh) / s[..., :, None])
        outer = rest if outer is None else outer + rest
    whole = u @ inner @ vh
    return whole if outer is None else whole + outer


svd.grad(a=lambda g, out0, out1, out2, full_matrices: svd_gradient(g, out0, out1, out2, full_matrices))


@op("LinalgPinvBackward0", samples=(((2, 3), 1e-6, False), ((3, 2), 1e-6, False)))
def pseudo_inverse(a: Array, rcond: Any, hermitian: bool) -> Any:
    """The pseudo-inverse, singular values up to rcond times the largest counting as 0"""
    return np.linalg.pinv(a, rcond, hermitian).astype(a.dtype)


def pinv_gradient(g: Any, a: Any, out: Any) -> Any:
    gh, ph = adjoint(g), adjoint(out)
    if a.shape[-2] <= a.shape[-1]:
        k = gh @ out
        kp = k @ ph
        return kp - adjoint(out @ k) - (a @ out) @ kp + (ph @ out) @ (gh - k @ a)
    k = out @ gh
    pk = ph @ k
    return pk - adjoint(k @ out) + (gh - a @ k) @ out @ ph - (pk @ out) @ a


pseudo_inverse.grad(a=lambda g, a, out: pinv_gradient(g, a, out))


@op("LinalgLstsqBackward0", several=True, samples=(((3, 2), (3, 1), False, True), ((3, 2), (3,), True, False)))
def least_squares(a: Array, b: Array, vector: bool, misses: bool) -> Any:
    """The x that makes a @ x - b smallest and, where wanted, the squares of what is missed"""
    wide, right = a.astype(np.promote_types(a.dtype, np.float64)), b[..., None] if vector else b
    found = (np.linalg.pinv(wide) @ right).astype(a.dtype)
    missed = (np.abs(a @ found - right) ** 2).sum(-2) if misses else np.zeros(0, a.dtype)
    return found[..., 0] if vector else found, missed


def columns(g: Any, vector: bool) -> Any:
    return g[..., None] if vector else g


def lstsq_gradient(g: Any, a: Any, b: Any, out: Any, vector: bool, misses: bool) -> Any:
    """Return the gradient by the matrix, of the solution and of the squares of what is missed."""
    right, whole = columns(b, vector), None
    if g[0] is not None:
        inverted = pseudo_inverse(a, 1e-15 if a.dtype.itemsize == 8 else 1e-7, False)
        whole = pinv_gradient(columns(g[0], vector) @ adjoint(right), a, inverted)
    if g[1] is None or not misses:
        return whole
    solution = columns(out, vector)
    part = ((a @ solution - right) * (g[1][..., None, :] * 2)) @ adjoint(solution)
    return part if whole is None else whole + part


def right_gradient(g: Any, a: Any, b: Any, out: Any, vector: bool, misses: bool) -> Any:
    """Return the gradient by the right side."""
    whole = None if g[0] is None else adjoint(pseudo_inverse(a, 1e-7, False)) @ columns(g[0], vector)
    if g[1] is not None and misses:
        part = (columns(b, vector) - a @ columns(out, vector)) * (g[1][..., None, :] * 2)
        whole = part if whole is None else whole + part
    return whole[..., 0] if vector and whole is not None else whole


least_squares.grad(
    a=lambda g, a, b, out0, vector, misses: lstsq_gradient(g, a, b, out0, vector, misses),
    b=lambda g, a, b, out0, vector, misses: right_gradient(g, a, b, out0, vector, misses),
)
