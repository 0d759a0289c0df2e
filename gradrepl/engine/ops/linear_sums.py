"""Sums with products: beta * input + alpha * (a product of vectors or matrices), such as addmm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import public
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array, fitting_number, promote
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import Op, op
from gradrepl.engine.ops.arithmetic import conj_of
from gradrepl.engine.ops.linear import (
    C_NAMES,
    Shape,
    adjoint,
    bmm,
    check_batches,
    check_mm,
    expose,
    mm,
    mv,
    outer,
    product,
    turned,
)
from gradrepl.engine.ops.number import times_number
from gradrepl.engine.ops.shape import expand_to, summed_to
from gradrepl.engine.ops.view import t
from gradrepl.engine.tensor import Tensor


def expanded(input: Array, shape: Shape) -> Array:
    """Return an array repeated to a shape; raises RuntimeError in PyTorch's words where it does not fit."""
    for back in range(1, len(input.shape) + 1):
        side = input.shape[-back]
        if back > len(shape) or side not in (1, shape[-back]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[-back]}) must match the existing size ({side}) at "
                f"non-singleton dimension {len(shape) - back}.  Target sizes: {list(shape)}.  Tensor sizes: "
                f"{list(input.shape)}"
            )
    return np.broadcast_to(input, shape)


def scaled(value: Any, factor: Any) -> Any:
    """Return an array or tensor times a number."""
    if factor == 1:
        return value
    return times_number(value, factor) if isinstance(value, Tensor) else value * factor


def weighted(g: Any, factor: Any) -> Any:
    """Return the gradient of what was multiplied by a number."""
    return scaled(g, factor.conjugate())


def blend(input: Array, beta: Any, result: Array, alpha: Any) -> Any:
    """beta * input + alpha * result, in the dtype of the result; beta 0 leaves the input out, even where it is nan"""
    kind = result.dtype
    if kind.kind != "c":
        beta, alpha = fitting_number(beta, kind), fitting_number(alpha, kind)
    left = expanded(input, result.shape)
    total = scaled(result, alpha) if beta == 0 else scaled(left, beta) + scaled(result, alpha)
    return np.asarray(total).astype(kind, copy=False)


def check_alike(input: Array, last: Array) -> None:
    if input.dtype is not last.dtype:
        found, other = (dtypes.of(array).tensor_type for array in (input, last))
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {found} and {other}")


@op("AddmmBackward0", samples=(((2, 4), (2, 3), (3, 4), 1, 1), ((4,), (2, 3), (3, 4), 2.0, 0.5)))
def add_mm(input: Array, mat1: Array, mat2: Array, beta: Any, alpha: Any) -> Any:
    """beta · input + alpha · (mat1 @ mat2)"""
    check_alike(input, mat2)
    for name, matrix in (("mat1", mat1), ("mat2", mat2)):
        if matrix.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {matrix.ndim}-D tensor")
    check_mm(mat1, mat2)
    out = product(mat1, mat2, "addmm_impl_cpu_")
    if beta == 1 == alpha and input.ndim == 1 and input.shape[0] == out.shape[1]:
        out += input
        return out
    return blend(input, beta, out, alpha)


add_mm.grad(
    input=lambda g, input_shape, beta: summed_to(weighted(g, beta), input_shape),
    mat1=lambda g, mat2, alpha: weighted(mm(g, turned(mat2)), alpha),
    mat2=lambda g, mat1, alpha: weighted(mm(turned(mat1), g), alpha),
)


@op("AddmvBackward0", samples=(((2,), (2, 3), (3,), 1, 1), ((2,), (2, 3), (3,), 2.0, 0.5)))
def add_mv(input: Array, mat: Array, vec: Array, beta: Any, alpha: Any) -> Any:
    """beta · input + alpha · (mat @ vec)"""
    if input.ndim > 1 or mat.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}")
    if mat.shape[1] != vec.shape[0] or (input.ndim == 1 and input.size not in (1, mat.shape[0])):
        raise RuntimeError(
            f"size mismatch, got input ({input.size}), mat ({mat.shape[0]}x{mat.shape[1]}), vec ({vec.size})"
        )
    if input.dtype is not mat.dtype or mat.dtype is not vec.dtype:
        one, two, three = (dtypes.of(array).tensor_type for array in (input, mat, vec))
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {one}, {two}, and {three}")
    return blend(input, beta, mv.forward(mat, vec), alpha)


add_mv.grad(
    input=lambda g, input_shape, beta: summed_to(weighted(g, beta), input_shape),
    mat=lambda g, vec, alpha: weighted(outer(g, conj_of(vec)), alpha),
    vec=lambda g, mat, alpha: weighted(mv(turned(mat), g), alpha),
)


@op("AddrBackward0", samples=(((2, 3), (2,), (3,), 1, 1), ((3,), (2,), (3,), 2.0, 0.5)))
def add_outer(input: Array, vec1: Array, vec2: Array, beta: Any, alpha: Any) -> Any:
    """beta · input + alpha · outer(vec1, vec2)"""
    for name, vector in (("vec1", vec1), ("vec2", vec2)):
        if vector.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {vector.ndim}-D")
    kind = promote(input, np.empty(1, promote(vec1, vec2)))
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if CATEGORY[kind] < FLOAT and isinstance(factor, float):
            raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
    return blend(input, beta, np.multiply.outer(vec1, vec2).astype(kind, copy=False), alpha)


add_outer.grad(
    input=lambda g, input_shape, beta: summed_to(weighted(g, beta), input_shape),
    vec1=lambda g, vec2, alpha: weighted(mv(g, conj_of(vec2)), alpha),
    vec2=lambda g, vec1, alpha: weighted(mv(t(g), conj_of(vec1)), alpha),
)


@op("BaddbmmBackward0", samples=(((2, 2, 4), (2, 2, 3), (2, 3, 4), 1, 1), ((4,), (2, 2, 3), (2, 3, 4), 2.0, 0.5)))
def add_bmm(input: Array, batch1: Array, batch2: Array, beta: Any, alpha: Any) -> Any:
    """beta · input + alpha · (batch1 @ batch2), matrix by matrix"""
    check_batches(batch1, batch2)
    if input.dtype is not batch1.dtype or batch1.dtype is not batch2.dtype:
        one, two, three = (C_NAMES[dtypes.of(array).name] for array in (input, batch1, batch2))
        raise RuntimeError(f"Input dtypes must be the same, got: input {one}, batch1: {two}, batch2: {three}")
    return blend(input, beta, bmm.forward(batch1, batch2), alpha)


add_bmm.grad(
    input=lambda g, input_shape, beta: summed_to(weighted(g, beta), input_shape),
    batch1=lambda g, batch2, alpha: weighted(bmm(g, adjoint(batch2)), alpha),
    batch2=lambda g, batch1, alpha: weighted(bmm(adjoint(batch1), g), alpha),
)


@op("AddbmmBackward0", samples=(((2, 4), (2, 2, 3), (2, 3, 4), 1, 1), ((4,), (2, 2, 3), (2, 3, 4), 2.0, 0.5)))
def add_bmm_sum(input: Array, batch1: Array, batch2: Array, beta: Any, alpha: Any) -> Any:
    """beta · input + alpha · the sum of (batch1 @ batch2) over the batch"""
    check_batches(batch1, batch2)
    check_alike(input, batch2)
    return blend(input, beta, np.add.reduce(bmm.forward(batch1, batch2), 0, batch1.dtype), alpha)


def spread(g: Any, batch: Array | Tensor) -> Any:
    """Repeat a matrix for each member of a batch."""
    return expand_to(g, (batch.shape[0], *g.shape))


add_bmm_sum.grad(
    input=lambda g, input_shape, beta: summed_to(weighted(g, beta), input_shape),
    batch1=lambda g, batch2, alpha: weighted(bmm(spread(g, batch2), adjoint(batch2)), alpha),
    batch2=lambda g, batch1, alpha: weighted(bmm(adjoint(batch1), spread(g, batch1)), alpha),
)


def scaled_sum(entry: Op, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return the public form of a sum with a product: its operands by name, beta and alpha last."""
    first, second = entry.arguments[1:3]

    def function(input: Any, beta: Any = 1, alpha: Any = 1, **operands: Any) -> Any:
        return call(input, operands[first], operands[second], beta, alpha)

    return function


def place_of_outer(input: Tensor, vec1: Tensor, vec2: Tensor) -> str:
    """Return what is wrong with the place for an outer product, or nothing."""
    if input.ndim != 2:
        return f"2D tensor expected, got {input.ndim}D tensor for input"
    if input.shape == (vec1.shape[0], vec2.shape[0]):
        return ""
    return f"size mismatch, input: {list(input.shape)}, v1: {list(vec1.shape)}, v2: {list(vec2.shape)}"


def place_of_product(input: Tensor, left: Tensor, right: Tensor) -> str:
    """Return what is wrong with the place for a product of matrices, or nothing."""
    shape = [*left.shape[:-1], *right.shape[left.ndim - 1 :]]
    if list(input.shape) == shape:
        return ""
    return f"Bad in-place call: input tensor size {list(input.shape)} and output tensor size {shape} should match"


PLACES = {add_mm: place_of_product, add_mv: place_of_product, add_bmm: place_of_product, add_outer: place_of_outer}


def into_place(entry: Op) -> Callable[..., Any]:
    """Return the operation that writes the sum into its first argument, which must have the shape of the product."""
    call, place = in_place(entry), PLACES.get(entry)

    def function(input: Tensor, left: Tensor, right: Tensor, beta: Any, alpha: Any) -> Any:
        wrong = place(input, left, right) if place is not None else ""
        if wrong:
            entry.forward(np.zeros((1,) * input.ndim, input._data.dtype), left._data, right._data, beta, alpha)
            raise RuntimeError(wrong)
        return call(input, left, right, beta, alpha)

    return function


SCALES = "*, Number beta=1, Number alpha=1, Tensor? out=None"
MATRICES, BATCHES = "Tensor input, Tensor mat1, Tensor mat2", "Tensor input, Tensor batch1, Tensor batch2"
SUMS = (
    ("addmm", add_mm, MATRICES),
    ("addmv", add_mv, "Tensor input, Tensor mat, Tensor vec"),
    ("addr", add_outer, "Tensor input, Tensor vec1, Tensor vec2"),
    ("baddbmm", add_bmm, BATCHES),
    ("addbmm", add_bmm_sum, BATCHES),
)
for _name, _entry, _operands in SUMS:
    expose(scaled_sum(_entry, _entry), _name, _operands, SCALES, has_out_dtype=_name in ("addmm", "baddbmm"))
    public(f"{_operands}, {SCALES}", name=f"{_name}_", function=False)(scaled_sum(_entry, into_place(_entry)))
