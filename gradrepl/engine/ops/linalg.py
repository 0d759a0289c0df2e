"""torch.linalg and its older names: decompositions.py's operations as PyTorch shows them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.api import SPACES, checked, functions, public
from gradrepl.engine.dtype import CATEGORY, COMPLEX, INEXACT, c_name
from gradrepl.engine.once import warn_once
from gradrepl.engine.ops.arithmetic import conj_of, log, mul
from gradrepl.engine.ops.decomposition import (
    LinAlgError,
    check_matrices,
    eigh,
    inverse,
    least_squares,
    linalg_det,
    linalg_slogdet,
    matrices,
    minor_order,
    pseudo_inverse,
    qr,
    solve_matrix,
    solve_vector,
    svd,
    triangular_root,
)
from gradrepl.engine.ops.elimination import eliminated, zero_pivots
from gradrepl.engine.ops.linear import C_NAMES, adjoint, matmul, mm
from gradrepl.engine.ops.shape import clone, where
from gradrepl.engine.ops.view import dim_of
from gradrepl.engine.results import named
from gradrepl.engine.tensor import Tensor, make

SPACE = "torch.linalg"


def linalg(*texts: str, name: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a function into torch.linalg, its arguments checked by signature strings."""

    def expose(body: Callable[..., Any]) -> Callable[..., Any]:
        shown = name or body.__name__.removesuffix("_of")
        functions(SPACE, **{shown: checked(body, f"linalg_{shown}", texts)})
        return body

    return expose


@linalg("Tensor A, *, Tensor? out=None")
@public("Tensor input", name="det")
def det_of(input: Tensor) -> Any:
    """Return the determinant (torch.linalg.det)."""
    check_matrices(input._data, "linalg.det")
    return linalg_det.call(input)


def slogdet_named(function: str) -> Callable[[Tensor], Any]:
    kind = named(function, "sign", "logabsdet")

    def slogdet(input: Tensor) -> Any:
        check_matrices(input._data, "linalg.slogdet")
        return kind(linalg_slogdet(input))

    return slogdet


linalg("Tensor A, *, Tensor? out=None", name="slogdet")(slogdet_named("linalg_slogdet"))
public("Tensor input", name="slogdet")(slogdet_named("slogdet"))


@public("Tensor input", name="logdet")
def logdet_of(input: Tensor) -> Any:
    """Return the logarithm of the determinant, nan where that is negative (torch.logdet)."""
    check_matrices(input._data, "logdet")
    sign, logarithm = linalg_slogdet(input)
    if input._data.dtype.kind == "c":
        return log(sign) + logarithm
    return where(make(sign._data == -1), float("nan"), logarithm)


@linalg("Tensor A, *, Tensor? out=None", name="inv")
@public("Tensor input, *, Tensor? out=None", name="inverse")
def inverse_of(input: Tensor) -> Any:
    """Return the inverse matrix (torch.linalg.inv)."""
    check_matrices(input._data, "linalg.inv")
    return inverse.call(input)


@linalg("Tensor A, *, bool check_errors=False, Tensor? out=None")
def inv_ex_of(A: Tensor, check_errors: bool = False) -> Any:  # noqa: N803
    """Return the inverse and which pivot was zero (torch.linalg.inv_ex)."""
    info = zero_pivots(eliminated(A._data)[0])
    found = inverse_of(A) if check_errors or not info.any() else make(np.full_like(A._data, np.nan))
    return named("linalg_inv_ex", "inverse", "info")((found, make(info)))


@linalg("Tensor A, Tensor B, *, bool left=True, Tensor? out=None")
def solve_of(A: Tensor, B: Tensor, left: bool = True) -> Any:  # noqa: N803
    """Return the X with A @ X = B, or X @ A = B (torch.linalg.solve)."""
    a, b = A._data.shape, B._data.shape
    check_matrices(A._data, "linalg.solve")
    if A.dtype is not B.dtype:
        found, other = A.dtype.tensor_type, B.dtype.tensor_type
        raise RuntimeError(
            "linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{found} and B of type {other} instead"
        )
    vector = len(b) == 1 or (len(a) - 1 == len(b) and a[:-1] == b)
    if not left:
        return adjoint(solve_of(adjoint(A), adjoint(B)))
    rows, columns = (b[-1], 1) if vector else b[-2:]
    if a[-1] != rows:
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation AX = B "
            f"({a[-2]}x{a[-1]} and {rows}x{columns})"
        )
    return solve_vector(A, B) if vector else solve_matrix(A, B)


@linalg("Tensor input, *, bool upper=False, Tensor? out=None")
def cholesky_of(input: Tensor, upper: bool = False) -> Any:
    """Return the triangular L with L @ L.T = A (torch.linalg.cholesky)."""
    check_matrices(input._data, "linalg.cholesky")
    return triangular_root(input, upper)


@linalg("Tensor input, *, bool upper=False, bool check_errors=False, Tensor? out=None")
def cholesky_ex_of(input: Tensor, upper: bool = False, check_errors: bool = False) -> Any:
    """Return the triangular L and the order of the minor that was not positive (torch.linalg.cholesky_ex)."""
    data = input._data
    check_matrices(data, "linalg.cholesky_ex")
    info = np.array([minor_order(one) for one in matrices(data)], np.int32)
    failed = info.any() and not check_errors
    found = make((np.triu if upper else np.tril)(data)) if failed else cholesky_of(input, upper)
    return named("linalg_cholesky_ex", "L", "info")((found, make(info.reshape(data.shape[:-2]))))


@linalg('Tensor A, str mode="reduced", *, Tensor? out=None')
def qr_of(A: Tensor, mode: str = "reduced") -> Any:  # noqa: N803
    """Return Q and R with Q @ R = A (torch.linalg.qr)."""
    check_matrices(A._data, "linalg.qr", square=False)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return named("linalg_qr", "Q", "R")(qr(A, mode))


@linalg("Tensor A, bool full_matrices=True, *, str? driver=None, Tensor? out=None")
def svd_of(A: Tensor, full_matrices: bool = True, driver: Any = None) -> Any:  # noqa: N803
    """Return U, S and Vh with U @ diag(S) @ Vh = A (torch.linalg.svd)."""
    check_matrices(A._data, "linalg.svd", square=False)
    return named("linalg_svd", "U", "S", "Vh")(svd(A, full_matrices))


@linalg("Tensor A, *, str? driver=None, Tensor? out=None")
def svdvals_of(A: Tensor, driver: Any = None) -> Any:  # noqa: N803
    """Return the singular values (torch.linalg.svdvals)."""
    check_matrices(A._data, "linalg.svd", square=False)
    return svd(A, False)[1]


@public("Tensor input, bool some=True, bool compute_uv=True, *, Tensor? out=None", name="svd")
def old_svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """Return U, S and V (torch.svd)."""
    u, s, vh = svd_of(input, not some)
    return named("svd", "U", "S", "V")((u, s, adjoint(vh)))


QR_DEPRECATED = (
    "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future PyTorch release.\nThe boolean "
    "parameter 'some' has been replaced with a string parameter 'mode'.\nQ, R = torch.qr(A, some)\nshould be replaced "
    "with\nQ, R = torch.linalg.qr(A, 'reduced' if some else 'complete')"
)


@public("Tensor input, bool some=True, *, Tensor? out=None", name="qr")
def old_qr(input: Tensor, some: bool = True) -> Any:
    """Return Q and R (torch.qr)."""
    warn_once(QR_DEPRECATED)
    return named("qr", "Q", "R")(qr_of(input, "reduced" if some else "complete"))


@linalg('Tensor input, str UPLO="L", *, Tensor? out=None')
def eigh_of(input: Tensor, UPLO: str = "L") -> Any:  # noqa: N803
    """Return the eigenvalues and eigenvectors of a symmetric matrix (torch.linalg.eigh)."""
    check_matrices(input._data, "linalg.eigh")
    return named("linalg_eigh", "eigenvalues", "eigenvectors")(eigh(input, UPLO))


@linalg('Tensor input, str UPLO="L", *, Tensor? out=None')
def eigvalsh_of(input: Tensor, UPLO: str = "L") -> Any:  # noqa: N803
    """Return the eigenvalues of a symmetric matrix (torch.linalg.eigvalsh)."""
    return eigh_of(input, UPLO)[0]


@linalg("Tensor input, Tensor b, float? rcond=None, *, str? driver=None, Tensor? out=None")
def lstsq_of(input: Tensor, b: Tensor, rcond: Any = None, driver: Any = None) -> Any:
    """Return the least-squares solution of A @ X = B, with residuals and rank (torch.linalg.lstsq)."""
    vector = check_least_squares(input, b)
    a, driver = input._data, driver or "gelsy"
    if driver not in DRIVERS:
        raise RuntimeError(f"torch.linalg.lstsq: parameter `driver` should be one of {DRIVERS_SHOWN}")
    rank = np.asarray(np.linalg.matrix_rank(a), np.int64)
    full = bool(np.all(rank == a.shape[-1])) and a.shape[-2] > a.shape[-1]
    solution, residuals = least_squares(input, b, vector, full and driver != "gelsy")
    singular = np.linalg.svd(a, compute_uv=False) if driver in ("gelsd", "gelss") else np.zeros(0, a.dtype)
    kind = named("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
    return kind((solution, residuals, make(np.zeros(0, np.int64) if driver == "gels" else rank), make(singular)))


DRIVERS = ("gels", "gelsy", "gelsd", "gelss")
DRIVERS_SHOWN = "(gels, gelsy, gelsd, gelss)"


def check_least_squares(input: Tensor, b: Tensor) -> bool:
    """Raise what PyTorch raises for operands that do not go together; return whether b is a vector."""
    a, right, name = input._data.shape, b._data.shape, "torch.linalg.lstsq:"
    if len(a) < 2:
        raise RuntimeError(f"{name} input must have at least 2 dimensions.")
    if not right:
        raise RuntimeError(f"{name} other must have at least 1 dimension.")
    if input.dtype is not b.dtype:
        raise RuntimeError(
            f"{name} Expected input and other to have the same dtype, but got input's dtype {input.dtype.tensor_type} "
            f"and other's dtype {b.dtype.tensor_type}"
        )
    if input._data.dtype not in INEXACT or input._data.dtype.itemsize == 2:
        raise RuntimeError("This function doesn't handle types other than float and double")
    vector = len(a) - 1 == len(right) and a[:-1] == right
    if not vector and (len(right) < 2 or a[-2] != right[-2]):
        where = "-1" if len(right) < 2 else "-2"
        raise RuntimeError(f"{name} input.size(-2) should match other.size({where})")
    return vector


def tolerances(input: Tensor, absolute: Any, relative: Any) -> tuple[Any, Any]:
    """Return up to where singular values count as 0, and up to which share of the greatest, as arrays."""
    data = input._data
    least = np.asarray(0.0 if absolute is None else getattr(absolute, "_data", absolute))
    if relative is not None:
        return least, np.asarray(getattr(relative, "_data", relative))
    return least, np.where(least > 0, 0.0, max(data.shape[-2:]) * np.finfo(data.dtype).eps)


def check_settled(**given: Any) -> None:
    """Raise RuntimeError for tolerances that require grad."""
    for name, value in given.items():
        if isinstance(value, Tensor) and value.requires_grad:
            raise RuntimeError(
                f"The function 'linalg_pinv' is not differentiable with respect to argument '{name}'. This input "
                "cannot have requires_grad True."
            )


def singular_values(a: Any, hermitian: bool) -> Any:
    return np.abs(np.linalg.eigvalsh(a)) if hermitian else np.linalg.svd(a, compute_uv=False)


def with_tolerance(name: str) -> tuple[str, ...]:
    """Return the signatures of a function whose tolerances are numbers or tensors; name: of the old one."""
    rest, out = "bool hermitian=False", "Tensor? out=None"
    kinds = ("Tensor", "float")
    return (
        *(f"Tensor input, *, {kind}? atol=None, {kind}? rtol=None, {rest}, {out}" for kind in kinds),
        *(f"Tensor input, {kind} {name}, {rest}, *, {out}" for kind in kinds),
    )


@linalg(*with_tolerance("rcond"))
def pinv_of(input: Tensor, rcond: Any = None, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """Return the pseudo-inverse (torch.linalg.pinv)."""
    check_matrices(input._data, "linalg.pinv", square=False)
    check_settled(atol=atol, rtol=rcond if rcond is not None else rtol)
    least, share = tolerances(input, atol, rcond if rcond is not None else rtol)
    if least.any():
        greatest = singular_values(input._data, hermitian).max(axis=-1, initial=0)
        share = np.maximum(share, np.divide(least, greatest, where=greatest > 0, out=np.zeros_like(greatest)))
    return pseudo_inverse(input, share, hermitian)


@public("Tensor input, float rcond=1e-15", name="pinverse")
def pinverse_of(input: Tensor, rcond: float = 1e-15) -> Any:
    """Return the pseudo-inverse (torch.pinverse)."""
    return pinv_of(input, rcond)


@linalg(*with_tolerance("tol"))
def matrix_rank_of(input: Tensor, tol: Any = None, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """Return the number of singular values above a tolerance (torch.linalg.matrix_rank)."""
    check_matrices(input._data, "linalg.matrix_rank", square=False)
    values = singular_values(input._data, hermitian)
    least, share = tolerances(input, atol if tol is None else tol, 0.0 if tol is not None and rtol is None else rtol)
    bound = np.maximum(share * values.max(axis=-1, initial=0), least)
    return make(np.asarray((values > bound[..., None]).sum(-1), np.int64))


@linalg("Tensor input, int n, *, Tensor? out=None", name="matrix_power")
@public("Tensor input, int n, *, Tensor? out=None", name="matrix_power")
def matrix_power_of(input: Tensor, n: int) -> Any:
    """Return a matrix multiplied by itself n times; the inverse for a negative n (torch.linalg.matrix_power)."""
    check_matrices(input._data, "linalg.matrix_power", floating=n < 0)
    if n == 0:
        eye = np.broadcast_to(np.eye(input.shape[-1], dtype=input._data.dtype), input._data.shape)
        return clone(input).copy_(make(np.array(eye)))
    if n < 0:
        return inverse_of(input) if n == -1 else matrix_power_of(inverse_of(input), -n)
    if n == 1:
        return clone(input)
    if n == 3:
        return matmul(matmul(input, input), input)
    result, power = None, None
    while n:
        power = input if power is None else matmul(power, power)
        if n % 2:
            result = power if result is None else matmul(result, power)
        n //= 2
    return result


def multiplied(tensors: Sequence[Tensor], given: Sequence[Tensor]) -> Any:
    """Return the product of a chain of matrices, in the order that needs the fewest multiplications.

    given: those that an error names, the first and last of which may be vectors.
    """
    shapes = [tensor._data.shape for tensor in tensors]
    for index in range(len(shapes) - 1):
        if shapes[index][-1] != shapes[index + 1][0]:
            raise RuntimeError(
                f"multi_dot(): tensors {index} and {index + 1} with shapes {list(given[index]._data.shape)} and "
                f"{list(given[index + 1]._data.shape)} cannot be multiplied"
            )

    @functools.cache
    def cost(start: int, stop: int) -> tuple[int, int]:
        if stop - start == 1:
            return 0, start
        sides = (shapes[start][0], shapes[stop - 1][1])
        return min(
            (cost(start, cut)[0] + cost(cut, stop)[0] + sides[0] * shapes[cut][0] * sides[1], cut)
            for cut in range(start + 1, stop)
        )

    def product(start: int, stop: int) -> Any:
        if stop - start == 1:
            return tensors[start]
        cut = cost(start, stop)[1]
        return mm(product(start, cut), product(cut, stop))

    return product(0, len(tensors))


@linalg("Tensors tensors, *, Tensor? out=None")
def multi_dot_of(tensors: Sequence[Tensor]) -> Any:
    """Return the product of two or more matrices, the first and last perhaps vectors (torch.linalg.multi_dot)."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    chain: list[Any] = list(tensors)
    check_chain(chain)
    for place, one in (("first", chain[0]), ("last", chain[-1])):
        if one.ndim not in (1, 2):
            raise RuntimeError(f"multi_dot(): the {place} tensor must be 1D or 2D but got {one.ndim}D")
    shape: list[int] = [chain[0].shape[0]] if chain[0].ndim == 2 else []
    shape += [chain[-1].shape[1]] if chain[-1].ndim == 2 else []
    chain[0] = chain[0] if chain[0].ndim == 2 else chain[0].unsqueeze(0)
    chain[-1] = chain[-1] if chain[-1].ndim == 2 else chain[-1].unsqueeze(-1)
    for index, tensor in enumerate(chain):
        if tensor.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {index} must be 2D but got {tensor.ndim}D")
    return multiplied(chain, tensors).view(shape)


def check_chain(chain: Sequence[Any]) -> None:
    """Raise what PyTorch raises for matrices of several dtypes."""
    kinds = [C_NAMES[tensor.dtype.name] for tensor in chain]
    for index, kind in enumerate(kinds):
        if kind != kinds[0]:
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{kinds[0]} and tensor {index} {kind}"
            )


CHAIN_DEPRECATED = (
    "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
    "instead, which accepts a list of two or more tensors rather than multiple parameters."
)


def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """Return the product of a chain of matrices (torch.chain_matmul)."""
    warn_once(CHAIN_DEPRECATED)
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for index, matrix in enumerate(matrices):
        if not isinstance(matrix, Tensor):
            raise TypeError(f"expected Tensor as element {index} in argument 0, but got {c_name(matrix)}")
    return matrices[0] if len(matrices) == 1 else multi_dot_of(list(matrices))


functions(chain_matmul=chain_matmul)


@linalg("Tensor input, Number? p=None, *, Tensor? out=None", "Tensor input, str p, *, Tensor? out=None")
def cond_of(input: Tensor, p: Any = None) -> Any:
    """Return how far a matrix is from one that can't be inverted (torch.linalg.cond)."""
    if p in (None, 2, -2):
        values: Any = svdvals_of(input)
        first, final = values[..., 0:1], values[..., -1:]
        return (final / first if p == -2 else first / final).squeeze(-1)
    norm: Any = SPACES[SPACE]["matrix_norm"]
    return norm(input, p) * norm(inverse_of(input), p)


@linalg("Tensor x, Tensor y, *, int dim=-1, Tensor? out=None")
def vecdot_of(x: Any, y: Any, dim: int = -1) -> Any:
    """Return the dot product along a dimension (torch.linalg.vecdot)."""
    if x.dtype is not y.dtype:
        raise RuntimeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{x.dtype.tensor_type} and y of type {y.dtype.tensor_type} instead"
        )
    if x.ndim == y.ndim == 1 and CATEGORY[x._data.dtype] != COMPLEX:
        return x.vdot(y)
    return mul(conj_of(x), y).sum(dim_of(dim, max(x.ndim, y.ndim)))


linalg("Tensor input, Tensor other, *, Tensor? out=None", name="matmul")(matmul)
functions(SPACE, LinAlgError=LinAlgError)
