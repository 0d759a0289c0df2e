"""Products along chosen dimensions: inner, tensordot, einsum's parts, kron, cross, and distances between rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradrepl.engine.api import checked, functions, public, result_or_out
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array
from gradrepl.engine.once import warn_once
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import conj_of, mul, sign
from gradrepl.engine.ops.linear import dot, mm
from gradrepl.engine.ops.number import as_number
from gradrepl.engine.ops.reduction import sum_all
from gradrepl.engine.ops.refusing import underived
from gradrepl.engine.ops.reshaping import reshape
from gradrepl.engine.ops.shape import clone, summed_to
from gradrepl.engine.ops.view import dim_of, permute_dims, squeeze_all, transpose_dims, unsafe_view
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.wanted import wants

CROSS_WITHOUT_DIM = (
    "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or simply "
    "use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future "
    "release."
)


@op("TraceBackward0", samples=(((3, 3),), ((2, 3),)))
def trace_of(a: Array) -> Any:
    """The sum of the diagonal of a matrix"""
    return np.trace(a, dtype=a.dtype if a.dtype.kind in "fc" else np.int64)


def spread_diagonal(g: Any, shape: tuple[int, ...]) -> Any:
    eye = np.eye(*shape, dtype=g._data.dtype if isinstance(g, Tensor) else g.dtype)
    return g * (make(eye) if isinstance(g, Tensor) else eye)


trace_of.grad(a=lambda g, a_shape: spread_diagonal(g, a_shape))


@public("Tensor input")
def trace(input: Tensor) -> Any:
    """Return the sum of the diagonal (torch.trace)."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return trace_of.call(input)


@public("Tensor input, Tensor other, *, Tensor? out=None")
def inner(input: Tensor, other: Tensor) -> Any:
    """Return the products summed over the last dimension (torch.inner)."""
    if input.ndim == 0 or other.ndim == 0:
        return mul(input, other)
    check_alike(input, other)
    if input._data.shape[-1] != other._data.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input._data.shape)} and {list(other._data.shape)}"
        )
    return contracted(input, other, [input.ndim - 1], [other.ndim - 1])


def check_alike(a: Tensor, b: Tensor) -> None:
    if a._data.dtype is not b._data.dtype:
        raise RuntimeError("both inputs should have same dtype")


def contracted(a: Tensor, b: Tensor, dims_a: Sequence[int], dims_b: Sequence[int]) -> Any:
    """Sum products over pairs of dimensions, as one product of matrices."""
    for one, two in zip(dims_a, dims_b, strict=True):
        sizes = a._data.shape[one], b._data.shape[two]
        if sizes[0] != sizes[1] and 1 not in sizes:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {sizes[0]} in dim {one} and second has size "
                f"{sizes[1]} in dim {two}"
            )
    kept_a = [i for i in range(a.ndim) if i not in dims_a]
    kept_b = [i for i in range(b.ndim) if i not in dims_b]
    shape = (*(a._data.shape[i] for i in kept_a), *(b._data.shape[i] for i in kept_b))
    count = math.prod(a._data.shape[i] for i in dims_a)
    left = permute_dims(a, (*kept_a, *dims_a))
    right = permute_dims(b, (*dims_b, *kept_b))
    if not shape and left._data.flags.c_contiguous and right._data.flags.c_contiguous:
        return reshape(dot(flattened(left), flattened(right)), shape=())
    if not shape:
        return reshape(sum_all(mul(squeeze_all(left), squeeze_all(right))), shape=())
    rows = math.prod(a._data.shape[i] for i in kept_a)
    product = mm(reshape(left, shape=(rows, count)), reshape(right, shape=(count, math.prod(shape) // max(rows, 1))))
    return reshape(product, shape=shape)


def flattened(x: Tensor) -> Tensor:
    return x if x.ndim == 1 else reshape(x, shape=(x.numel(),))


@wants("tensordot", "input:a", "other:b")
def check_tensors(a: Any, b: Any) -> None:
    """Raise TypeError in PyTorch's words for operands that are no tensors."""
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        raise TypeError


def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> Any:
    """Sum products over the last dimensions of one and the first of the other, or over pairs (torch.tensordot)."""
    if out is not None:
        return result_or_out("tensordot", tensordot(a, b, dims), out, a, b)
    if isinstance(dims, (tuple, list)):
        check_tensors(a, b)
        dims_a, dims_b = ([d] if isinstance(d, int) else list(d) for d in dims)
    else:
        count = int(dims)
        if count < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={count}")
        if count > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={count}")
        dims_a, dims_b = list(range(-count, 0)), list(range(count))
    if len(dims_a) != len(dims_b):
        raise RuntimeError("both dimension lists should have same length")
    check_alike(a, b)
    check_pairs(a, b, dims_a, dims_b)
    for one, two in zip(dims_a, dims_b, strict=True):
        if a._data.shape[one] != b._data.shape[two]:
            a, b = (a.sum(one, keepdim=True), b) if b._data.shape[two] == 1 else (a, b.sum(two, keepdim=True))
    return contracted(a, b, [dim_of(d, a.ndim) for d in dims_a], [dim_of(d, b.ndim) for d in dims_b])


def check_pairs(a: Tensor, b: Tensor, dims_a: Sequence[int], dims_b: Sequence[int]) -> None:
    """Raise RuntimeError for dimensions that do not go together, naming them as they were given."""
    for one, two in zip(dims_a, dims_b, strict=True):
        sizes = a._data.shape[one], b._data.shape[two]
        if sizes[0] != sizes[1] and 1 not in sizes:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {sizes[0]} in dim {one} and second has size "
                f"{sizes[1]} in dim {two}"
            )


@public("Tensor input, Tensor other, *, Tensor? out=None")
def kron(input: Tensor, other: Tensor) -> Any:
    """Return the Kronecker product (torch.kron)."""
    ndim = max(input.ndim, other.ndim)
    a, b = ((1,) * (ndim - x.ndim) + x._data.shape for x in (input, other))
    left = unsafe_view(input, tuple(side for pair in zip(a, (1,) * ndim, strict=True) for side in pair))
    right = unsafe_view(other, tuple(side for pair in zip((1,) * ndim, b, strict=True) for side in pair))
    return unsafe_view(mul(left, right), tuple(x * y for x, y in zip(a, b, strict=True)))


@op("LinalgCrossBackward0", samples=(((2, 3), (2, 3), 1), ((3, 2), (3, 2), 0)))
def cross_of(input: Array, other: Array, dim: int) -> Any:
    """The cross product of vectors of 3 elements along a dimension"""
    a, b = np.moveaxis(input, dim, 0), np.moveaxis(other, dim, 0)
    parts = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return np.stack(np.broadcast_arrays(*parts), dim)


def fitted_cross(a: Any, b: Any, dim: int, shape: tuple[int, ...]) -> Any:
    return summed_to(cross_of(a, b, dim), shape)


cross_of.grad(
    input=lambda g, other, dim, input_shape: fitted_cross(conj_of(other), g, dim, input_shape),
    other=lambda g, input, dim, other_shape: fitted_cross(g, conj_of(input), dim, other_shape),
)


def linalg_cross(input: Tensor, other: Tensor, dim: int = -1) -> Any:
    """Return the cross product (torch.linalg.cross)."""
    x, y = input._data.shape, other._data.shape
    if len(x) != len(y):
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    place = dim_of(dim, len(x))
    if x[place] != 3 or y[place] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {x[place]} and {y[place]}")
    return cross_of(input, other, place)


@public("Tensor input, Tensor other, int? dim=None, *, Tensor? out=None")
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Any:
    """Return the cross product along the first dimension of size 3 (torch.cross)."""
    if dim is None:
        warn_once(CROSS_WITHOUT_DIM)
        dim = next((i for i, side in enumerate(input._data.shape) if side == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return linalg_cross(input, other, dim)


functions(
    "torch.linalg",
    cross=checked(linalg_cross, "linalg_cross", ("Tensor input, Tensor other, *, int dim=-1, Tensor? out=None",)),
)


def distances(x1: Array, x2: Array, p: float) -> Any:
    apart = np.abs(x1[..., :, None, :] - x2[..., None, :, :])
    if p == 2:
        return np.sqrt((apart * apart).sum(-1))
    if p == 0:
        return (apart != 0).sum(-1).astype(apart.dtype)
    if math.isinf(p):
        return apart.max(-1, initial=0)
    return (apart**p).sum(-1) ** (1 / p)


@op("CdistBackward0", samples=(((2, 3), (4, 3), 2.0), ((2, 3), (4, 3), 1.0), ((2, 3), (4, 3), 3.0)))
def cdist_of(x1: Array, x2: Array, p: float) -> Any:
    """The p-norm of the difference of each row of x1 and each row of x2"""
    return distances(x1, x2, p)


def cdist_gradient(g: Any, x1: Any, x2: Any, p: float, out: Any) -> Any:
    """The gradient of the distances by x1; 0 where two rows are the same."""
    difference = x1[..., :, None, :] - x2[..., None, :, :]
    apart = difference * sign(difference)
    far = out[..., None]
    if p == 0:
        return x1 * 0
    if p == 1:
        slope = sign(difference)
    elif math.isinf(p):
        slope = sign(difference) * as_number(apart == far, apart)
    else:
        slope = difference * powered(apart, p - 2) / powered(far + as_number(far == 0, far), p - 1)
    return (g[..., None] * slope).sum(-2)


def powered(x: Any, exponent: float) -> Any:
    if exponent == 0:
        return 1
    return x if exponent == 1 else (x + as_number(x == 0, x)) ** exponent


@op("CdistBackwardBackward0")
def cdist_back(g: Array, x1: Array, x2: Array, out: Array, p: float) -> Any:
    """The gradient of the distances by x1"""
    return cdist_gradient(g, x1, x2, p, out)


cdist_of.grad(
    x1=lambda g, x1, x2, p, out: summed_to(cdist_back(g, x1, x2, out, p), x1.shape),
    x2=lambda g, x1, x2, p, out: summed_to(cdist_back(swapped(g), x2, x1, swapped(out), p), x2.shape),
)
cdist_back.grad(**dict.fromkeys(("g", "x1", "x2", "out"), underived("_cdist_backward")))


def swapped(x: Any) -> Any:
    """Return an array or tensor turned over, in new memory."""
    return clone(transpose_dims(x, -2, -1)) if isinstance(x, Tensor) else x.swapaxes(-1, -2)


@wants("cdist", "x1", "x2", "p=float")
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """Return the distance of each row of x1 and each row of x2 (torch.cdist)."""
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    for name, x in (("X1", x1), ("X2", x2)):
        if CATEGORY[x._data.dtype] < FLOAT:
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {x.dtype.tensor_type}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    return cdist_of(x1, x2, float(p))


functions(tensordot=tensordot, cdist=cdist)
