"""Comparisons: results are bool and never recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import methods, overloaded, public
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import Op, as_operator, op
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.quick import short_way
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.creation import shared

BOTH = (((2, 3), (2, 3)), ((2, 3), 0.5))


@op(broadcasts=True, samples=BOTH)
def eq(a: Array, b: Array) -> Any:
    """a == b"""
    return np.equal(a, b)


@op(broadcasts=True, samples=BOTH)
def ne(a: Array, b: Array) -> Any:
    """a != b"""
    return np.not_equal(a, b)


@op(broadcasts=True, samples=BOTH)
def lt(a: Array, b: Array) -> Any:
    """a < b"""
    return np.less(a, b)


@op(broadcasts=True, samples=BOTH)
def le(a: Array, b: Array) -> Any:
    """a <= b"""
    return np.less_equal(a, b)


@op(broadcasts=True, samples=BOTH)
def gt(a: Array, b: Array) -> Any:
    """a > b"""
    return np.greater(a, b)


@op(broadcasts=True, samples=BOTH)
def ge(a: Array, b: Array) -> Any:
    """a >= b"""
    return np.greater_equal(a, b)


COMPARISONS: dict[Op, str] = {
    eq: "",
    ne: "not_equal",
    lt: "less",
    le: "less_equal",
    gt: "greater",
    ge: "greater_equal",
}
"""Each comparison with its second name."""


def written(entry: Op) -> Callable[..., Tensor]:
    """Return a comparison that writes 0 and 1 into its first operand; no gradient comes back through it."""
    name = entry.name.capitalize()

    def beside_number(a: Array, b: Any) -> Any:
        return entry.forward(a, b)

    beside_number.__name__ = entry.name
    of_tensor = Op(entry.forward, f"{name}Backward1", broadcasts=True)
    of_number = Op(beside_number, f"{name}Backward0", broadcasts=True)
    of_tensor.grad(a=lambda g: zeros_of(g), b=lambda g: zeros_of(g))
    of_number.grad(a=lambda g: zeros_of(g))

    def call(input: Tensor, other: Any) -> Tensor:
        return in_place(of_tensor if isinstance(other, Tensor) else of_number)(input, other)

    return call


PLAIN = ("Tensor input, Tensor other", "Tensor input, Number other")
for entry, alias in COMPARISONS.items():
    for name in (entry.name, alias) if alias else (entry.name,):
        overloaded(entry, name)
        public(*PLAIN, name=f"{name}_", function=False)(written(entry))


def asked_of_arrays(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return `==` for a numpy array on its right too, which is taken as a tensor."""

    def equals(input: Any, other: Any) -> Any:
        if not isinstance(other, np.ndarray):
            return call(input, other)
        try:
            return eq(input, make(shared(other)))
        except TypeError:
            return NotImplemented

    return equals


eq.operator = short_way(eq, asked_of_arrays(as_operator(eq)))
methods(__eq__=eq, __ne__=ne, __lt__=lt, __le__=le, __gt__=gt, __ge__=ge)


def test(function: Any, name: str) -> None:
    """Expose a question to every element."""

    def call(input: Tensor) -> Tensor:
        return make(function(input._data))

    public("Tensor input", name=name)(call)


def never(a: Array) -> Any:
    return np.zeros(a.shape, bool)


def only_floats(function: Any) -> Any:
    """Return a question whose answer is no for integers and bools."""
    return lambda a: function(a) if CATEGORY[a.dtype] >= FLOAT else never(a)


test(only_floats(np.isnan), "isnan")
test(only_floats(np.isinf), "isinf")
test(np.isfinite, "isfinite")
test(np.isreal, "isreal")


def exposed_with_out(function: Any, name: str) -> None:
    """Expose a question to every element that takes `out`."""

    def call(input: Tensor) -> Tensor:
        return make(function(input._data))

    public("Tensor input, *, Tensor? out=None", name=name)(call)


exposed_with_out(only_floats(np.isposinf), "isposinf")
exposed_with_out(only_floats(np.isneginf), "isneginf")
exposed_with_out(lambda a: np.signbit(a) if CATEGORY[a.dtype] >= FLOAT else a < 0, "signbit")


def check_same_dtype(a: Tensor, b: Tensor) -> None:
    if a._data.dtype != b._data.dtype:
        x, y = dtypes.of(a._data), dtypes.of(b._data)
        raise RuntimeError(f"{x.tensor_type} did not match {y.tensor_type}")


def close(a: Array, b: Array, rtol: float, atol: float, equal_nan: bool) -> Array:
    """Whether |a - b| <= atol + rtol · |b|, element by element."""
    if CATEGORY[a.dtype] < FLOAT:
        near = np.abs(a - b) <= atol + np.abs(rtol * b) if a.dtype != bool else a == b
    else:
        near = (a == b) | (np.isfinite(b) & (np.abs(a - b) <= atol + np.abs(rtol * b)))
    return near | ((a != a) & (b != b)) if equal_nan else near


CLOSE = "Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False"


@public(CLOSE)
def isclose(input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool) -> Tensor:
    """Tell for every element whether it is close to the other (torch.isclose)."""
    check_same_dtype(input, other)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {float(value):g}")
    check_broadcast((input._data, other._data))
    return make(close(input._data, other._data, rtol, atol, equal_nan))


@public(CLOSE)
def allclose(input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool) -> bool:
    """Tell whether all elements are close to the other's (torch.allclose)."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._data.all())


@public("Tensor input, Tensor other")
def equal(input: Tensor, other: Tensor) -> bool:
    """Tell whether shape and elements are the same (torch.equal)."""
    return bool(np.array_equal(input._data, other._data))
