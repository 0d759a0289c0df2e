"""Derivatives of a function along directions: by finite differences, by going back and in forward mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.autograd import grad
from gradrepl.engine.derivatives.forward_ad import dual_level, make_dual, unpack_dual
from gradrepl.engine.dtype import CATEGORY, COMPLEX, INEXACT, Array
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.tensor import Tensor, make

Function = Callable[..., Any]
Inputs = tuple[Any, ...]

OTHER_RESULT = "Expected `func` to return outputs with the same {0} when inputs are perturbed {1}by {2}, but got: {0}"


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return a tuple or list as a tuple, and anything else as a tuple of itself."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def differentiable(output: Any) -> tuple[Tensor, ...]:
    """Return those outputs of a function that require grad."""
    return tuple(out for out in as_tuple(output) if out.requires_grad)


def wanted(inputs: Inputs) -> list[int]:
    """Return the positions of the inputs to differentiate by."""
    return [i for i, tensor in enumerate(inputs) if isinstance(tensor, Tensor) and tensor.requires_grad]


def inexact(outputs: Any) -> list[Tensor]:
    """Return the outputs of a floating point or complex dtype."""
    return [out for out in as_tuple(outputs) if isinstance(out, Tensor) and out._data.dtype in INEXACT]


def units(tensor: Tensor) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Yield for each element its index and the array that is 1 there and 0 elsewhere."""
    for index in np.ndindex(tensor._data.shape):
        direction = np.zeros(tensor._data.shape, tensor._data.dtype)
        direction[index] = 1
        yield index, direction


def differences(func: Function, inputs: Inputs, position: int, step: Array, eps: float, where: str) -> list[Any]:
    """Return for each output the central difference along `step` divided by 2·eps, as flat tensors.

    The input is written to and put back; raises AssertionError where an output's shape or dtype changes with it.
    """
    data = inputs[position]._data
    before = data.copy()
    sides = []
    try:
        for moved in (before - step, before + step):
            data[...] = moved
            sides.append([out.clone() for out in as_tuple(func(*inputs))])
    finally:
        data[...] = before
    with no_grad():
        return [quotient(low, high, eps, where) for low, high in zip(*sides, strict=True)]


def quotient(low: Any, high: Any, eps: float, where: str) -> Any:
    for name in ("shape", "dtype"):
        found = getattr(low, name), getattr(high, name)
        if found[0] != found[1]:
            raise AssertionError(OTHER_RESULT.format(name, where, eps) + f"s {found[0]} and {found[1]}.")
    return ((high - low) / (2 * eps)).detach().reshape(-1)


def directional(
    func: Function, inputs: Inputs, position: int, direction: Any, eps: float, forward: bool, where: str = ""
) -> list[Array]:
    """Return for each output the numerical derivative along a direction of one input.

    For a complex input it is that along the direction plus 1j times that along it turned (or along the second of
    two directions); then, and where `forward` is not set, outputs must be real.
    """
    first, second = direction if isinstance(direction, tuple) else (direction, direction)
    is_complex = CATEGORY[inputs[position]._data.dtype] == COMPLEX
    found = [one._data for one in differences(func, inputs, position, first * eps, eps, where)]
    if (is_complex or not forward) and any(CATEGORY[one.dtype] == COMPLEX for one in found):
        raise AssertionError("Expected ds_dx to be real-valued, not complex")
    if not is_complex:
        return found
    others = differences(func, inputs, position, second * (eps * 1j), eps, where)
    return [one + other._data * 1j for one, other in zip(found, others, strict=True)]


def numerical(func: Function, inputs: Inputs, outputs: Any, eps: float, forward: bool) -> list[list[Array]]:
    """Return for each wanted input and each output the matrix of numerical derivatives, a row for each element."""
    return [numerical_by(func, inputs, position, outputs, eps, forward) for position in wanted(inputs)]


def numerical_by(func: Function, inputs: Inputs, position: int, outputs: Any, eps: float, forward: bool) -> list[Array]:
    """Return for each output the matrix of its numerical derivatives by one input."""
    tensor = inputs[position]
    rows = [
        directional(func, inputs, position, direction, eps, forward, f"on index {index} ")
        for index, direction in units(tensor)
    ]
    own = tensor._data.dtype if CATEGORY[tensor._data.dtype] == COMPLEX else None
    return [
        np.array([row[i] for row in rows], own or out._data.dtype).reshape(tensor.numel(), out.numel())
        for i, out in enumerate(inexact(outputs))
    ]


def pulled_back(out: Tensor, inputs: Inputs, starts: Sequence[Array]) -> list[Array]:
    """Return for each wanted input the matrix of an output's gradients, a column for each start gradient."""
    tensors = [inputs[position] for position in wanted(inputs)]
    columns: list[list[Array]] = [[] for _ in tensors]
    for start in starts:
        found = grad(out, tensors, make(start), retain_graph=True, allow_unused=True)
        for column, tensor, gradient in zip(columns, tensors, found, strict=True):
            kept = np.zeros(tensor._data.size) if gradient is None else gradient._data.reshape(-1).copy()
            column.append(kept)
    return [
        np.array(column, tensor._data.dtype).reshape(len(starts), tensor.numel()).T
        for column, tensor in zip(columns, tensors, strict=True)
    ]


def pushed_forward(func: Function, inputs: Inputs, outputs: Any, directions: Sequence[Any]) -> list[list[Array]]:
    """Return for each wanted input and each output the matrix of tangents, a row for each direction of the input.

    directions: for each wanted input arrays of its shape.
    """
    places = wanted(inputs)
    matrices: list[list[Array]] = []
    for place, along in zip(places, directions, strict=True):
        rows = [[flat_tangent(out, found) for out, found in tangents(func, inputs, {place: one})] for one in along]
        matrices.append(
            [
                np.array([row[i] for row in rows], out._data.dtype).reshape(len(rows), out.numel())
                for i, out in enumerate(inexact(outputs))
            ]
        )
    return matrices


def flat_tangent(out: Tensor, tangent: Tensor | None) -> Array:
    return np.zeros(out._data.size, out._data.dtype) if tangent is None else tangent._data.reshape(-1).copy()


def tangents(
    func: Function, inputs: Inputs, along: dict[int, Array], bare: int | None = None
) -> list[tuple[Tensor, Tensor | None]]:
    """Return the value and tangent of each output where inputs move `along` directions; the one at `bare` has none."""
    given = list(inputs)
    with dual_level():
        for place in wanted(inputs):
            value = inputs[place].detach()
            zero = np.zeros_like(value._data)
            given[place] = value if place == bare else make_dual(value, make(along.get(place, zero)))
        return [tuple(unpack_dual(out)) for out in inexact(func(*given))]  # type: ignore[misc]
