"""Elimination with row exchanges and substitution, in the order in which PyTorch's LAPACK rounds for small matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.dtype import Array

ELIMINATED, SUBSTITUTED = 16, 7
"""LAPACK divides matrices with longer sides into blocks, which are rounded in another order."""


def exchange_rows(work: Array, row: int, others: Array) -> None:
    """Exchange a row of each matrix of a batch with another row of it."""
    places = others[..., None, None]
    moved = np.take_along_axis(work, places, -2)
    np.put_along_axis(work, places, work[..., row : row + 1, :].copy(), -2)
    work[..., row : row + 1, :] = moved


def eliminated(a: Array) -> tuple[Array, Array]:
    """Return L (below the diagonal) and U in one array, and the order of rows, for a batch of matrices."""
    work = np.array(a, order="C")
    height, width = a.shape[-2:]
    rows = np.tile(np.arange(height)[:, None], (*a.shape[:-2], 1, 1))
    for column in range(min(height, width) if work.size else 0):
        best = np.abs(work[..., column:, column].real) + np.abs(work[..., column:, column].imag)
        others = column + best.argmax(-1)
        exchange_rows(work, column, others)
        exchange_rows(rows, column, others)
        pivot = work[..., column, column, None]
        pivot = np.where(pivot == 0, 1, pivot).astype(a.dtype)
        below = work[..., column + 1 :, column]
        if height == width < 5 and column == height - 2:
            below /= pivot
        else:
            below *= 1 / pivot
        work[..., column + 1 :, column + 1 :] -= below[..., :, None] * work[..., column, None, column + 1 :]
    return work, rows[..., 0]


def dotted(row: Array, known: Array) -> Any:
    """Return row @ known, added up term by term."""
    return np.add.accumulate(row[..., :, None] * known, -2)[..., -1, :]


def substituted(packed: Array, rows: Array, b: Array) -> Array:
    """Return the x with L @ U @ x = b[rows], for a batch of equations."""
    side = packed.shape[-1]
    whole = np.broadcast_to(b, (*np.broadcast_shapes(packed.shape[:-2], b.shape[:-2]), *b.shape[-2:]))
    x = np.take_along_axis(whole, np.broadcast_to(rows, whole.shape[:-1])[..., None], -2).astype(packed.dtype)
    for row in range(1, side):
        x[..., row, :] -= dotted(packed[..., row, :row], x[..., :row, :])
    for row in range(side - 1, -1, -1):
        if row < side - 1:
            x[..., row, :] -= dotted(packed[..., row, :row:-1], x[..., :row:-1, :])
        x[..., row, :] *= 1 / packed[..., row, row, None]
    return x


def zero_pivots(packed: Array) -> Array:
    """Return for each matrix which diagonal element of U (from 1) is the first to be zero, 0 for none."""
    zeros = np.diagonal(packed, 0, -2, -1) == 0
    before = np.logical_and.accumulate(~zeros, -1).sum(-1)
    return np.where(zeros.any(-1), before + 1, 0).astype(np.int32)


def by_column(x: Array) -> Array:
    """Return matrices with their columns in one piece, as LAPACK leaves them."""
    return np.swapaxes(np.ascontiguousarray(np.swapaxes(x, -1, -2)), -1, -2)


def solved(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the x with a @ x = b, and for each matrix which pivot is zero (0 for none: else x means nothing)."""
    if a.shape[-1] > SUBSTITUTED:
        try:
            return by_column(np.linalg.solve(a, b)), np.zeros(a.shape[:-2], np.int32)
        except np.linalg.LinAlgError:
            pass
    packed, rows = eliminated(a)
    info = zero_pivots(packed)
    return (b if info.any() else by_column(substituted(packed, rows, b))), info


def factors(a: Array) -> tuple[Array, Array]:
    """Return the diagonal of U, whose product is the determinant up to its sign, and the sign of the exchanges."""
    by_row = a.flags.c_contiguous and a.dtype.kind != "c"
    packed, rows = eliminated(np.swapaxes(a, -1, -2) if by_row else a)
    return np.diagonal(packed, 0, -2, -1), parity(rows).astype(a.dtype)


def parity(rows: Array) -> Array:
    """Return 1 or -1: whether the rows came into their order by an even number of exchanges."""
    side = rows.shape[-1]
    before = np.tri(side, k=-1, dtype=bool)
    turned = (rows[..., None, :] > rows[..., :, None]) & before
    return 1 - 2 * (turned.sum((-2, -1)) % 2)
