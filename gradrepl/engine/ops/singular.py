"""Singular vectors with the signs that PyTorch's LAPACK gives them: they follow from the way it takes for a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.dtype import Array


def decomposed(a: Array, full: bool) -> tuple[Any, Any, Any]:
    """Return U, S and Vh of real or complex matrices; full: with the vectors that belong to no singular value."""
    height, width = a.shape[-2:]
    if a.dtype.kind != "c":
        if 1 < height < width and width >= height * 11 // 6:
            return within_larger(a, full)
        if 1 < width < height and width * 3 // 2 <= height < width * 11 // 6:
            return after_triangle(a, full)
    return np.linalg.svd(a, full)


def after_triangle(a: Array, full: bool) -> tuple[Any, Any, Any]:
    """Decompose R of a = Q @ R, which numpy's LAPACK does for matrices that are higher still."""
    width = a.shape[-1]
    q, r = np.linalg.qr(a, "complete" if full else "reduced")
    u, s, vh = np.linalg.svd(r[..., :width, :])
    return np.concatenate((q[..., :width] @ u, q[..., width:]), -1), s, vh


def within_larger(a: Array, full: bool) -> tuple[Any, Any, Any]:
    """Decompose a matrix that is not so wide and has a in its corner, so that numpy's LAPACK goes the direct way."""
    height, width = a.shape[-2:]
    more = 0
    while width + more >= (height + more) * 11 // 6:
        more += 1
    larger = np.zeros((*a.shape[:-2], height + more, width + more), a.dtype)
    larger[..., :height, :width] = a
    u, s, vh = np.linalg.svd(larger, False)
    found = vh[..., :height, :width]
    if full:
        rest = [unreached(matrix) for matrix in a.reshape(-1, height, width)]
        found = np.concatenate((found, np.reshape(rest, (*a.shape[:-2], width - height, width))), -2)
    return u[..., :height, :height], s[..., :height], found


def unreached(a: Array) -> Array:
    """Return the rows that belong to no singular value of a wide matrix: a rest of what makes it bidiagonal."""
    height, width = a.shape
    work, turned = a.copy(), np.eye(width, dtype=a.dtype)
    for i in range(height):
        mirror = mirror_of(work[i, i:])
        work[:, i:] = work[:, i:] @ mirror
        turned[:, i:] = turned[:, i:] @ mirror
        if i + 1 < height:
            work[i + 1 :] = mirror_of(work[i + 1 :, i]) @ work[i + 1 :]
    return turned[:, height:].T


def mirror_of(x: Array) -> Any:
    """Return the reflection that turns a vector onto the first axis, away from where it points."""
    if not x[1:].any():
        return np.eye(x.size, dtype=x.dtype)
    normal = x.copy()
    normal[0] += np.copysign(np.linalg.norm(x), x[0])
    return np.eye(x.size, dtype=x.dtype) - 2 * np.outer(normal, normal) / (normal @ normal)
