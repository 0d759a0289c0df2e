"""Linear algebra under its older names: what was removed says so, the rest computes as torch.linalg does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, methods, public
from gradrepl.engine.dtype import Array
from gradrepl.engine.once import warn_once
from gradrepl.engine.op import op
from gradrepl.engine.ops.decomposition import (
    LinAlgError,
    check_matrices,
    cholesky_gradient,
    solve_matrix,
    triangular_root,
)
from gradrepl.engine.ops.factoring import solve_triangle, solved_back, triangle_gradient
from gradrepl.engine.ops.linear import adjoint
from gradrepl.engine.results import named
from gradrepl.engine.tensor import Tensor

GONE = "This function was deprecated since version 1.9 and is now removed."
REMOVED = {
    "solve": (
        " `torch.solve` is deprecated in favor of `torch.linalg.solve`. `torch.linalg.solve` has its "
        "arguments reversed and does not return the LU factorization.\n\n"
        "To get the LU factorization see `torch.lu`, which can be used with `torch.lu_solve` or "
        "`torch.lu_unpack`.\nX = torch.solve(B, A).solution should be replaced with:\n"
        "X = torch.linalg.solve(A, B)"
    ),
    "lstsq": (
        " `torch.lstsq` is deprecated in favor of `torch.linalg.lstsq`.\n"
        "`torch.linalg.lstsq` has reversed arguments and does not return the QR decomposition in the "
        "returned tuple (although it returns other information about the problem).\n\n"
        "To get the QR decomposition consider using `torch.linalg.qr`.\n\n"
        "The returned solution in `torch.lstsq` stored the residuals of the solution in the last m - n "
        "columns of the returned value whenever m > n. In torch.linalg.lstsq, the residuals are in the "
        "field 'residuals' of the returned named tuple.\n\nThe unpacking of the solution, as in\n"
        "X, _ = torch.lstsq(B, A).solution[:A.size(1)]\nshould be replaced with:\n"
        "X = torch.linalg.lstsq(A, B).solution"
    ),
    "eig": (
        " `torch.linalg.eig` returns complex tensors of dtype `cfloat` or `cdouble` rather than real "
        "tensors mimicking complex tensors.\n\nL, _ = torch.eig(A) should be replaced with:\n"
        "L_complex = torch.linalg.eigvals(A)\n\nand\n\n"
        "L, V = torch.eig(A, eigenvectors=True) should be replaced with:\n"
        "L_complex, V_complex = torch.linalg.eig(A)"
    ),
    "symeig": (
        " The default behavior has changed from using the upper triangular portion of the matrix by "
        "default to using the lower triangular portion.\n\n"
        "L, _ = torch.symeig(A, upper=upper) should be replaced with:\n"
        "L = torch.linalg.eigvalsh(A, UPLO='U' if upper else 'L')\n\nand\n\n"
        "L, V = torch.symeig(A, eigenvectors=True) should be replaced with:\n"
        "L, V = torch.linalg.eigh(A, UPLO='U' if upper else 'L')"
    ),
    "matrix_rank": (
        "\nPlease use the `torch.linalg.matrix_rank` function instead. The parameter 'symmetric' was "
        "renamed in `torch.linalg.matrix_rank()` to 'hermitian'."
    ),
}
"""What PyTorch says instead of computing, after GONE."""


def removed(name: str, words: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(GONE + words)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Raise RuntimeError: removed from PyTorch (torch.{name})."
    return call


for _name, _words in REMOVED.items():
    functions(**{_name: removed(_name, _words)})
    if _name != "matrix_rank":
        methods(**{_name: removed(_name, _words)})


@op("CholeskyBackward0")
def cholesky_factor(a: Array, upper: bool) -> Any:
    """The triangular L with L @ L.T = a, or its transpose"""
    try:
        return triangular_root.forward(a, upper)
    except LinAlgError as error:
        raise LinAlgError(str(error).removeprefix("linalg.")) from None


cholesky_factor.grad(a=lambda g, out, upper: cholesky_gradient(g, out, upper))

CHOLESKY_DEPRECATED = (
    "torch.cholesky is deprecated in favor of torch.linalg.cholesky and will be removed in a future PyTorch release.\n"
    "L = torch.cholesky(A)\nshould be replaced with\nL = torch.linalg.cholesky(A)\nand\n"
    "U = torch.cholesky(A, upper=True)\nshould be replaced with\nU = torch.linalg.cholesky(A).mH\n"
    "This transform will produce equivalent results for all valid (symmetric positive definite) inputs."
)


@public("Tensor input, bool upper=False, *, Tensor? out=None")
def cholesky(input: Tensor, upper: bool = False) -> Any:
    """Return the triangular L with L @ L.T = A (torch.cholesky)."""
    warn_once(CHOLESKY_DEPRECATED, stacklevel=3)
    check_matrices(input._data, "cholesky")
    return cholesky_factor.call(input, upper)


@op("CholeskySolveBackward0")
def solve_factored(b: Array, factor: Array, upper: bool) -> Any:
    """The x with A @ x = b for the A of a Cholesky factor"""
    return solve_matrix.forward(product_of(factor, upper), b)


def product_of(factor: Array, upper: bool) -> Any:
    """Return the matrix that has a Cholesky factor, of which one triangle is looked at."""
    part = np.triu(factor) if upper else np.tril(factor)
    return adjoint(part) @ part if upper else part @ adjoint(part)


def factor_gradient(common: Any, factor: Any, upper: bool) -> Any:
    whole = common + adjoint(common)
    return -(factor @ whole) if upper else -(whole @ factor)


solve_factored.grad(
    b=lambda g, factor, upper: solve_factored(g, factor, upper),
    factor=lambda g, factor, out, upper: factor_gradient(
        solve_factored(g, factor, upper) @ adjoint(out), factor, upper
    ),
)


@public("Tensor input, Tensor input2, bool upper=False, *, Tensor? out=None")
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Any:
    """Return the x with A @ x = b from a Cholesky factor of A (torch.cholesky_solve)."""
    return solve_factored.call(input, input2, upper)


@op("CholeskyInverseBackward0")
def inverse_factored(factor: Array, upper: bool) -> Any:
    """The inverse of the A of a Cholesky factor"""
    return np.linalg.inv(product_of(factor, upper))


inverse_factored.grad(
    factor=lambda g, factor, out, upper: (
        -(factor @ (out @ (g + adjoint(g)) @ out)) if upper else -((out @ (g + adjoint(g)) @ out) @ factor)
    )
)


@public("Tensor input, bool upper=False, *, Tensor? out=None")
def cholesky_inverse(input: Tensor, upper: bool = False) -> Any:
    """Return the inverse of A from its Cholesky factor (torch.cholesky_inverse)."""
    check_matrices(input._data, "cholesky_inverse")
    return inverse_factored.call(input, upper)


SOLVED = named("triangular_solve", "solution", "cloned_coefficient")
TRIANGULAR_DEPRECATED = (
    "torch.triangular_solve is deprecated in favor of torch.linalg.solve_triangularand will be removed in a future "
    "PyTorch release.\ntorch.linalg.solve_triangular has its arguments reversed and does not return a copy of one of "
    "the inputs.\nX = torch.triangular_solve(B, A).solution\nshould be replaced with\n"
    "X = torch.linalg.solve_triangular(A, B)."
)


@op("TriangularSolveBackward0", several=True, samples=(((2, 1), (2, 2), True, False, False),))
def solve_and_clone(b: Array, a: Array, upper: bool, transpose: bool, unit: bool) -> Any:
    """The x with a @ x = b, looking at one triangle of a only, and a copy of a"""
    matrix = np.swapaxes(a, -1, -2) if transpose else a
    return solve_triangle.forward(matrix, b, upper != transpose, True, unit), a.copy()


def coefficient_gradient(g: Any, a: Any, out: Any, upper: bool, transpose: bool, unit: bool) -> Any:
    if g[0] is None:
        return g[1]
    if transpose:
        found = adjoint(triangle_gradient(g[0], adjoint(a), out, not upper, True, unit))
    else:
        found = triangle_gradient(g[0], a, out, upper, True, unit)
    return found if g[1] is None else found + g[1]


solve_and_clone.grad(
    b=lambda g, a, upper, transpose, unit: (
        None if g[0] is None else solved_back(g[0], adjoint(a) if transpose else a, upper != transpose, True, unit)
    ),
    a=lambda g, a, out0, upper, transpose, unit: coefficient_gradient(g, a, out0, upper, transpose, unit),
)


def check_triangular(b: Tensor, a: Tensor) -> None:
    """Raise RuntimeError in PyTorch's words for what triangular_solve can't take."""
    for name, shape in (("b", b._data.shape), ("A", a._data.shape)):
        if len(shape) < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has {len(shape)} "
                "dimensions instead"
            )
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {b.dtype.tensor_type} and A of type "
            f"{a.dtype.tensor_type} instead."
        )
    rows, columns = a._data.shape[-2:]
    if rows != columns:
        raise RuntimeError(f"A must be batches of square matrices, but they are {rows} by {columns} matrices")
    if b._data.shape[-2] != rows:
        raise RuntimeError(
            "Incompatible matrix sizes for triangular_solve: each A matrix is "
            f"{rows} by {columns} but each b matrix is {b._data.shape[-2]} by {b._data.shape[-1]}"
        )


@public("Tensor input, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False, *, Tensors? out=None")
def triangular_solve(
    input: Tensor,
    A: Tensor,  # noqa: N803
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> Any:
    """Return the x with A @ x = b for a triangular A, and a copy of A (torch.triangular_solve)."""
    check_triangular(input, A)
    warn_once(TRIANGULAR_DEPRECATED, stacklevel=3)
    return SOLVED(solve_and_clone(input, A, upper, transpose, unitriangular))
