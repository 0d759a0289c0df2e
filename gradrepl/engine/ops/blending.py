"""Operations of three tensors, and products with logarithms: lerp, addcmul, addcdiv, xlogy, ldexp."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import public, two_operands
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import analytic, op
from gradrepl.engine.ops.number import number_minus, number_over, times_number
from gradrepl.engine.ops.power import check_float, pow_base
from gradrepl.engine.ops.shape import without
from gradrepl.engine.precision.fused import between, fused
from gradrepl.engine.precision.precise import nearest
from gradrepl.engine.tensor import C_NAMES, Tensor

THREE = (((2, 3), (2, 3), (3,)),)


@op("LerpBackward0", broadcasts=True, samples=(((2, 3), (3,), 0.3),))
def lerp_number(a: Array, b: Array, weight: Any) -> Any:
    """a + weight · (b - a)"""
    return between(a, b, weight)


lerp_number.grad(
    a=lambda g, weight: times_number(g, 1 - weight),
    b=lambda g, weight: times_number(g, weight),
)


@op("LerpBackward1", broadcasts=True, samples=THREE)
def lerp_tensor(a: Array, b: Array, weight: Array) -> Any:
    """a + weight · (b - a)"""
    apart = b - a
    return np.where(np.abs(weight) < 0.5, fused(weight, apart, a), fused(-apart, 1 - weight, b))


lerp_tensor.grad(
    a=lambda g, weight: g * number_minus(1, weight),
    b=lambda g, weight: g * weight,
    weight=lambda g, a, b: g * (b - a),
)


@op("AddcmulBackward0", broadcasts=True, samples=(((2, 3), (2, 3), (3,), 2.0),))
def addcmul_of(a: Array, b: Array, c: Array, value: Any) -> Any:
    """a + value · b · c"""
    return fused(b * a.dtype.type(value), c, a)


addcmul_of.grad(
    a=lambda g: g,
    b=lambda g, c, value: g * times_number(c, value),
    c=lambda g, b, value: g * times_number(b, value),
)


@op("AddcdivBackward0", broadcasts=True, samples=(((2, 3), (2, 3), (3,), 2.0),))
def addcdiv_of(a: Array, b: Array, c: Array, value: Any) -> Any:
    """a + value · b / c"""
    return a + b * a.dtype.type(value) / c


addcdiv_of.grad(
    a=lambda g: g,
    b=lambda g, c, value: g * number_over(value, c),
    c=lambda g, b, c, value: -g * (times_number(b, value) / (c * c)),
)


def product_with_log(a: Any, b: Any) -> Any:
    product = a * nearest(np.log, b)
    return np.where((a == 0) & (b == b), np.zeros_like(product), product)


@op("XlogyBackward0", broadcasts=True, promotes="float", samples=(((2, 3), (2, 3)),))
def xlogy_tensors(a: Array, b: Array) -> Any:
    """a · log(b), and 0 where a is 0"""
    return product_with_log(a, b)


@op("XlogyBackward1", broadcasts=True, promotes="float", samples=((2.0, (2, 3)),))
def xlogy_of_number(a: Any, b: Array) -> Any:
    """number · log(b), and 0 where the number is 0"""
    return product_with_log(b.dtype.type(a), b)


@op("XlogyBackward2", broadcasts=True, promotes="float", samples=(((2, 3), 2.0),))
def xlogy_by_number(a: Array, b: Any) -> Any:
    """a · log(number), and 0 where a is 0"""
    return product_with_log(a, a.dtype.type(b))


xlogy_tensors.grad(
    a=lambda g, a, b: without((a == 0) & (b <= 0), xlogy(g, b)),
    b=lambda g, a, b: g * a / b,
)
xlogy_of_number.grad(b=lambda g, a, b: times_number(g, a) / b)
xlogy_by_number.grad(a=lambda g, a, b: xlogy(g, b) if b > 0 else without(a == 0, xlogy(g, b)))


def xlogy(input: Any, other: Any) -> Any:
    """input * log(other), and 0 where input is 0 (torch.xlogy)."""
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        return product_with_log(input, input.dtype.type(other) if isinstance(other, (int, float)) else other)
    if not isinstance(input, Tensor):
        return xlogy_of_number(input, other)
    return xlogy_tensors(input, other) if isinstance(other, Tensor) else xlogy_by_number(input, other)


@op("LdexpBackward0", broadcasts=True, promotes="float", samples=(((2, 3), (2, 3)),))
def ldexp(a: Array, b: Array) -> Any:
    """a · 2 ** b"""
    return a * np.exp2(b)


ldexp.grad(a=lambda g, b: g * pow_base(2, b), b=lambda g, out: times_number(g * out, math.log(2)))

analytic(lerp_number, lerp_tensor, addcmul_of, addcdiv_of, ldexp)
ENDS = ("Tensor input, Tensor end, Tensor weight", "Tensor input, Tensor end, Number weight")
OUT = ", *, Tensor? out=None"


def check_end(input: Tensor, end: Tensor) -> None:
    if input._data.dtype != end._data.dtype:
        names = [C_NAMES.get(x.dtype.name, x.dtype.name) for x in (input, end)]
        raise RuntimeError(f"expected dtype {names[0]} for `end` but got dtype {names[1]}")
    check_float("lerp_kernel_scalar", input._data)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Any:
    """Go from input towards end by a weight (torch.lerp)."""
    check_end(input, end)
    return lerp_tensor(input, end, weight) if isinstance(weight, Tensor) else lerp_number(input, end, weight)


def lerp_(input: Tensor, end: Tensor, weight: Any) -> Any:
    """Go towards end by a weight, in place (torch.Tensor.lerp_)."""
    check_end(input, end)
    return in_place(lerp_tensor if isinstance(weight, Tensor) else lerp_number)(input, end, weight)


public(*(text + OUT for text in ENDS), name="lerp")(lerp)
public(*ENDS, name="lerp_", function=False)(lerp_)

OLD = "Tensor input, Number value, Tensor tensor1, Tensor tensor2"
TENSORS = "Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1"
INTEGER_DIVISION = (
    "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
    "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
    "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) "
    "for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / "
    "tensor2), for all dtypes."
)


@public(f"{TENSORS}, Tensor? out=None", f"deprecated {OLD}, *, Tensor? out=None")
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Any) -> Any:
    """input + value * tensor1 * tensor2 (torch.addcmul)."""
    return addcmul_of(input, tensor1, tensor2, value)


@public(TENSORS, f"deprecated {OLD}", function=False)
def addcmul_(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Any) -> Any:
    """input += value * tensor1 * tensor2 (torch.Tensor.addcmul_)."""
    return in_place(addcmul_of)(input, tensor1, tensor2, value)


def check_not_integers(*tensors: Tensor) -> None:
    if all(CATEGORY[tensor._data.dtype] < FLOAT for tensor in tensors):
        raise RuntimeError(INTEGER_DIVISION)


@public(f"{TENSORS}, Tensor? out=None", f"deprecated {OLD}, *, Tensor? out=None")
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Any) -> Any:
    """input + value * tensor1 / tensor2 (torch.addcdiv)."""
    check_not_integers(tensor1, tensor2)
    return addcdiv_of(input, tensor1, tensor2, value)


@public(TENSORS, f"deprecated {OLD}", function=False)
def addcdiv_(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Any) -> Any:
    """input += value * tensor1 / tensor2 (torch.Tensor.addcdiv_)."""
    check_not_integers(tensor1, tensor2)
    return in_place(addcdiv_of)(input, tensor1, tensor2, value)


PLAIN = ("Tensor input, Tensor other", "Number self, Tensor other", "Tensor input, Number other")
public(*(text + OUT for text in PLAIN), name="xlogy", method=False)(xlogy)
public(PLAIN[0], PLAIN[2], name="xlogy", function=False)(xlogy)
public(PLAIN[0] + OUT, name="ldexp")(two_operands(ldexp))
public(PLAIN[0], name="ldexp_", function=False)(two_operands(in_place(ldexp)))


@public(PLAIN[0], PLAIN[2], function=False)
def xlogy_(input: Tensor, other: Any) -> Any:
    """Multiply by the logarithm of other, in place (torch.Tensor.xlogy_)."""
    return in_place(xlogy_tensors if isinstance(other, Tensor) else xlogy_by_number)(input, other)
