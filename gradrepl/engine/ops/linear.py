"""Products of vectors and matrices: mm, mv, dot, bmm, matmul with its rules for ranks, and the sums with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import methods, public
from gradrepl.engine.dtype import FLOAT32, FLOAT64, Array
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import Op, op
from gradrepl.engine.ops.arithmetic import conj_of, mul
from gradrepl.engine.ops.reshaping import reshape
from gradrepl.engine.ops.shape import clone, expand_to
from gradrepl.engine.ops.view import squeeze_at as squeeze
from gradrepl.engine.ops.view import t, transpose_dims, unsafe_view, unsqueeze_at
from gradrepl.engine.precision.products import multiplied
from gradrepl.engine.tensor import Tensor

Shape = tuple[int, ...]

C_NAMES = {
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "float32": "float",
    "float64": "double",
    "int64": "long int",
    "int32": "int",
    "int16": "short int",
    "int8": "signed char",
    "uint8": "unsigned char",
    "bool": "bool",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}
"""What C++ calls the element types; some messages have them."""


def adjoint(x: Any) -> Any:
    """Swap the last two dimensions of an array or tensor, conjugating complex elements."""
    return conj_of(transpose_dims(x, -2, -1))


def turned(x: Any) -> Any:
    """Turn a matrix over, conjugating complex elements."""
    return conj_of(t(x))


def check_same_dtype(a: Array, b: Array) -> None:
    if a.dtype is not b.dtype:
        found, other = (C_NAMES[dtypes.of(array).name] for array in (a, b))
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {found} != {other}")


def small_way(a: Array, b: Array) -> Callable[[Array, Array], Any] | None:
    """Return how PyTorch's library adds up the products of small float64 matrices; None for others."""
    depth, rows = a.shape[-1], a.shape[-2] if a.ndim > 1 else 1
    columns = b.shape[-1] if b.ndim > 1 else 1
    if rows > 3 and columns > 11:
        return None
    if depth < 4 or 1 < columns < 4 or (b.strides[-1] == b.itemsize and columns > 1):
        return term_by_term
    if columns == 1:
        return term_by_term if a.ndim > 1 and (depth == 4 or rows < 4) else None
    return even_and_odd if depth == 4 and rows > 1 else None


def term_by_term(a: Array, b: Array) -> Any:
    """Multiply as np.matmul does, with one addition after the other."""
    if b.ndim == 1:
        return np.add.accumulate(a * b, -1)[..., -1]
    out = a[..., :1] * b[..., :1, :] + 0
    for term in range(1, a.shape[-1]):
        out += a[..., term : term + 1] * b[..., term : term + 1, :]
    return out


def even_and_odd(a: Array, b: Array) -> Any:
    """Multiply as np.matmul does, with the sums of the even and the odd products."""
    return term_by_term(a[..., ::2], b[..., ::2, :]) + term_by_term(a[..., 1::2], b[..., 1::2, :])


def product(a: Array, b: Array, kernel: str) -> Any:
    """Multiply as np.matmul does; half precision is summed in single, as PyTorch does."""
    if a.dtype is FLOAT32:
        return multiplied(a, b)
    if a.dtype is FLOAT64:
        way = small_way(a, b) if 1 < a.shape[-1] < 8 else None
        return (way or np.matmul)(a, b)
    if a.dtype == np.float16:
        return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(np.float16)
    if a.dtype == bool:
        raise no_kernel(kernel, dtypes.bool_)
    return np.matmul(a, b)


def check_mm(a: Array, b: Array) -> None:
    if a.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if b.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if a.shape[1] != b.shape[0]:
        sizes = f"{a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]}"
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({sizes})")
    check_same_dtype(a, b)


@op("MmBackward0", samples=(((2, 3), (3, 4)), ((1, 1), (1, 1))))
def mm(input: Array, mat2: Array) -> Any:
    """The matrix product of two matrices"""
    check_mm(input, mat2)
    return product(input, mat2, "addmm_impl_cpu_")


mm.grad(input=lambda g, mat2: mm(g, turned(mat2)), mat2=lambda g, input: mm(turned(input), g))


@op("MvBackward0", samples=(((2, 3), (3,)),))
def mv(input: Array, vec: Array) -> Any:
    """The product of a matrix and a vector"""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        rows, columns = input.shape
        raise RuntimeError(f"size mismatch, got input ({rows}), mat ({rows}x{columns}), vec ({vec.shape[0]})")
    if input.dtype is not vec.dtype:
        names = [dtypes.of(array).tensor_type for array in (vec, input, vec)]
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {', '.join(names[:2])}, and {names[2]}"
        )
    return product(input, vec, "addmv_impl_cpu")


mv.grad(input=lambda g, vec: outer(g, conj_of(vec)), vec=lambda g, input: mv(turned(input), g))


def check_vectors(a: Array, b: Array) -> None:
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype is not b.dtype:
        names = [dtypes.of(array).tensor_type for array in (a, b)]
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {names[0]} and {names[1]}")
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the same number of "
            f"elements, but got {a.size} and {b.size} elements respectively"
        )


@op("DotBackward0", samples=(((3,), (3,)),))
def dot(input: Array, tensor: Array) -> Any:
    """The sum of the products of the elements of two vectors"""
    check_vectors(input, tensor)
    return product(input, tensor, "dot")


dot.grad(input=lambda g, tensor: g * conj_of(tensor), tensor=lambda g, input: g * conj_of(input))


@op("VdotBackward0", samples=(((3,), (3,)),))
def vdot(input: Array, other: Array) -> Any:
    """The dot product of the conjugate of one vector and another"""
    check_vectors(input, other)
    return product(np.conj(input), other, "vdot")


vdot.grad(input=lambda g, other: conj_of(g) * other, other=lambda g, input: g * input)


@op("BmmBackward0", samples=(((2, 2, 3), (2, 3, 4)),))
def bmm(input: Array, mat2: Array) -> Any:
    """The matrix product of each pair of matrices of two batches"""
    check_batches(input, mat2)
    if input.dtype is not mat2.dtype and input.dtype != bool:
        names = [dtypes.of(array).tensor_type for array in (input, mat2)]
        raise RuntimeError(f"expected scalar type {names[0]} but found {names[1]}")
    return product(input, mat2, "bmm")


def check_batches(input: Array, mat2: Array) -> None:
    for name, array in (("batch1", input), ("batch2", mat2)):
        if array.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    wanted = (input.shape[0], input.shape[2])
    if mat2.shape[:2] != wanted:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {list(wanted)} but got: "
            f"{list(mat2.shape[:2])}."
        )


bmm.grad(input=lambda g, mat2: bmm(g, adjoint(mat2)), mat2=lambda g, input: bmm(adjoint(input), g))


@op("SqueezeBackward4", samples=(((1, 3),),))
def squeeze_front(a: Array) -> Any:
    """a, without its first dimension, which is of size 1"""
    return a[0]


squeeze_front.grad(a=lambda g: unsqueeze_at(g, 0))


def outer(input: Any, vec2: Any) -> Any:
    """Return the product of each pair of elements of two vectors (torch.outer)."""
    for name, vector in (("self", input), ("vec2", vec2)):
        if vector.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {vector.ndim}-D")
    return mul(reshape(input, input._data.size, 1) if isinstance(input, Tensor) else input[:, None], vec2)


def matmul(input: Any, other: Any) -> Any:
    """Multiply by the rules for the ranks of the two: dot, matrix-vector, matrix or batched (torch.matmul)."""
    ranks = (input._data.ndim, other._data.ndim)
    if ranks == (2, 2):
        return mm.call(input, other)
    simple = BY_RANKS.get(ranks)
    if simple is not None:
        return simple(input, other)
    if 0 in ranks:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {ranks[0]}D and {ranks[1]}D")
    return folded(input, other) if should_fold(input, other) else batched(input, other)


BY_RANKS: dict[tuple[int, int], Callable[..., Any]] = {
    (1, 1): dot,
    (2, 1): mv,
    (1, 2): lambda a, b: squeeze_front(mm(unsqueeze_at(a, 0), b)),
}
"""What is no batch, by the ranks of the two operands."""


def should_fold(a: Tensor, b: Tensor) -> bool:
    """Whether a batch times one matrix or vector is best computed as one big matrix (PyTorch's own choice)."""
    larger, smaller = (a, b) if a._data.ndim >= b._data.ndim else (b, a)
    if larger._data.ndim < 3 or smaller._data.ndim > 2:
        return False
    if smaller.requires_grad:
        return True
    if a._data.ndim == 2:
        return False
    data = larger._data if larger is a else larger._data.swapaxes(-1, -2)
    steps, shape = data.strides, data.shape
    return data.size == 0 or all(steps[i] == steps[i + 1] * shape[i + 1] for i in range(data.ndim - 2))


def folded(a: Tensor, b: Tensor) -> Any:
    swapped = b._data.ndim > a._data.ndim
    many = transpose_dims(b, -2, -1) if swapped else a
    one = b if not swapped else t(a) if a._data.ndim == 2 else a
    shape = many._data.shape
    rows = reshape(many, math.prod(shape[:-1]), shape[-1])
    if one._data.ndim == 1:
        return unsafe_view(mv(rows, one), shape[:-1])
    out = unsafe_view(mm(rows, one), (*shape[:-1], one._data.shape[1]))
    return clone(transpose_dims(out, -2, -1)) if swapped else out


def batched(a: Tensor, b: Tensor) -> Any:
    x, y = a._data.shape, b._data.shape
    if len(x) == len(y) == 3 and x[0] != y[0]:
        if x[0] == 1 and a.requires_grad:
            return matmul(squeeze(a, 0), b)
        if y[0] == 1 and b.requires_grad:
            return matmul(a, squeeze(b, 0))
    batch = broadcast_batches(x[:-2], y[:-2])
    count = math.prod(batch)
    rows, inner = x[-2] if len(x) > 1 else 1, x[-1]
    left = reshape(expand_to(a, (*batch, rows, inner)), count, rows, inner)
    if len(y) == 1:
        right = unsqueeze_at(reshape(expand_to(b, (*batch, y[0])), count, y[0]), 2)
        return unsafe_view(squeeze(bmm(left, right), 2), (*batch, rows))
    right = reshape(expand_to(b, (*batch, *y[-2:])), count, *y[-2:])
    return unsafe_view(bmm(left, right), (*batch, *((rows,) if len(x) > 1 else ()), y[-1]))


def broadcast_batches(a: Shape, b: Shape) -> Shape:
    """Return the common shape of two batches; raises RuntimeError in PyTorch's words where there is none."""
    for back in range(1, min(len(a), len(b)) + 1):
        if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
            raise RuntimeError(
                f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at non-singleton "
                f"dimension {max(len(a), len(b)) - back}"
            )
    return np.broadcast_shapes(a, b)


def as_operand(self: Tensor, other: Any) -> Any:
    """self @ other, as Python asks for it."""
    return matmul(self, other) if isinstance(other, Tensor) else NotImplemented


def swapped_operand(self: Tensor, other: Any) -> Any:
    """other @ self, as Python asks for it."""
    return matmul(other, self) if isinstance(other, Tensor) else NotImplemented


def operand_named(name: str, entry: Op) -> Callable[..., Any]:
    """Return the public form of a product: its second operand by name."""

    def function(input: Any, **operand: Any) -> Any:
        return entry.call(input, operand[name])

    return function


OUT = "*, Tensor? out=None"


def expose(body: Callable[..., Any], name: str, operands: str, rest: str, has_out_dtype: bool = False) -> None:
    """Expose a product; some functions, but not their methods, take an `out_dtype` too."""
    text = f"{operands}, {rest}"
    texts = (text, f"{operands}, dtype out_dtype, {rest}") if has_out_dtype else (text,)
    public(*texts, name=name, method=False)(body)
    public(text, name=name, function=False)(body)


expose(operand_named("mat2", mm), "mm", "Tensor input, Tensor mat2", OUT, has_out_dtype=True)
expose(operand_named("mat2", bmm), "bmm", "Tensor input, Tensor mat2", OUT, has_out_dtype=True)
expose(operand_named("vec", mv), "mv", "Tensor input, Tensor vec", OUT)
expose(operand_named("tensor", dot), "dot", "Tensor input, Tensor tensor", OUT)
expose(operand_named("other", vdot), "vdot", "Tensor input, Tensor other", OUT)
expose(matmul, "matmul", "Tensor input, Tensor other", OUT)
expose(outer, "outer", "Tensor input, Tensor vec2", OUT)
expose(outer, "ger", "Tensor input, Tensor vec2", OUT)
methods(__matmul__=as_operand, __rmatmul__=swapped_operand)
