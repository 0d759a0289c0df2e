"""Whole derivatives of functions: torch.autograd.functional's jacobian, hessian, vjp, jvp, vhp and hvp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import grad, stacked
from gradrepl.engine.grad_mode import enable_grad
from gradrepl.engine.ops.view import alias
from gradrepl.engine.tensor import Tensor, make

Tensors = tuple[Tensor, ...]

NO_GRAD = (
    "Output {} of the user-provided function does not require gradients. The outputs must be computed in a "
    "differentiable manner from the input when running in strict mode."
)
LINEAR = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
    "independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
    "differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for "
    "example)."
)
GRAD_LINEAR = (
    "The gradient with respect to input {} is independent of the inputs of the user-provided function. This is not "
    "allowed in strict mode."
)
INDEPENDENT = "The output of the user-provided function is independent of input {}. This is not allowed in strict mode."
CONSTANT_JACOBIAN = (
    "The jacobian of the user-provided function is independent of input {}. This is not allowed in strict mode when "
    "create_graph=True."
)
CONSTANT_HESSIAN = CONSTANT_JACOBIAN.replace("jacobian", "hessian")
JACOBIAN_INDEPENDENT = (
    "The jacobian of the user-provided function is independent of input {}. This is not allowed in strict mode."
)
TRICK_INDEPENDENT = (
    "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the double "
    "backward trick to compute forward mode gradients. This is not allowed in strict mode."
)
HESSIAN_INDEPENDENT = (
    "The hessian of the user-provided function is independent of entry {} in the grad_jacobian. This is not allowed in "
    "strict mode as it prevents from using the double backward trick to replace forward mode AD."
)
STRATEGY = 'Expected strategy to be either "forward-mode" or "reverse-mode".'
HINT = (
    ' Hint: If your function has more outputs than inputs, "forward-mode" tends to be more performant. Otherwise, '
    'prefer to use "reverse-mode".'
)
FORWARD_ALONE = (
    "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for `vectorize=True`."
)
WITH_FORWARD = (
    'torch.autograd.functional.jacobian: `{0}=True` and `strategy="forward-mode"` are not supported together (yet). '
    'Please either set `{0}=False` or `strategy="reverse-mode"`.'
)
STRICT_VECTORIZED = (
    "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either "
    "set `strict=False` or `vectorize=False`."
)
SINGLE_V = "The given v should contain a single Tensor."


def check_strategy(strategy: str, hint: str = "") -> None:
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(STRATEGY + hint)


def recording(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function running with recording on."""
    decorated: Callable[..., Any] = enable_grad()(function)
    return decorated


def tensors_of(given: Any, name: str, function: str | None) -> tuple[bool, Tensors]:
    """Return whether a tuple was given, and the tensors; raises TypeError in PyTorch's words for anything else."""
    values = given if isinstance(given, tuple) else (given,)
    for index, value in enumerate(values):
        if not isinstance(value, Tensor):
            place = f"value at index {index}" if isinstance(given, tuple) else f"given {name}"
            raise TypeError(
                f"The {name} given to {function} must be either a Tensor or a tuple of Tensors but the {place} has "
                f"type {type(value)}."
            )
    return isinstance(given, tuple), values


OUTPUTS = "outputs of the user-provided function"


def prepared(inputs: Tensors, create_graph: bool) -> Tensors:
    """Return inputs to differentiate by: connected to the given ones only where a graph is wanted."""
    return tuple(
        found if found.requires_grad else found.requires_grad_()
        for found in (connected(tensor, create_graph) for tensor in inputs)
    )


def connected(tensor: Any, create_graph: bool) -> Tensor:
    """Return a tensor that stands for a given one, connected to it only where a graph is wanted."""
    found: Tensor = alias(tensor) if create_graph and tensor.requires_grad else tensor.detach()
    return found


def released(results: Any, create_graph: bool) -> Any:
    """Return results cut off from the graph unless it is wanted."""
    if isinstance(results, tuple):
        return tuple(released(result, create_graph) for result in results)
    return results if create_graph else results.detach()


def check_v(v: Tensors, others: Tensors, is_tuple: bool) -> None:
    """Raise RuntimeError where the vector does not match what it is multiplied with."""
    if (len(others) > 1 or is_tuple) and len(v) != len(others):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(others)} but got {len(v)}.")
    if len(v) != len(others):
        raise RuntimeError(SINGLE_V)
    for index, (own, other) in enumerate(zip(v, others, strict=True)):
        if own.shape != other.shape:
            entry = f"Entry {index} in " if is_tuple else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {other.shape} but got {own.shape}.")


def vector(
    v: Any, others: Tensors, is_tuple: bool, function: str, none_message: str, create_graph: bool = False
) -> Tensors:
    """Return the vector to multiply with, ones where None may stand for it; with its history for `create_graph`."""
    if v is None:
        if len(others) != 1 or others[0].numel() != 1:
            raise RuntimeError(none_message)
        return (make(np.ones_like(others[0]._data)),)
    _, vectors = tensors_of(v, "v", function)
    vectors = tuple(connected(one, create_graph) for one in vectors)
    check_v(vectors, others, is_tuple)
    return vectors


ONE_OUTPUT = (
    "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
)
ONE_INPUT = (
    "The vector v can only be None if the input to the user-provided function is a single Tensor with a single element."
)


def check_requires_grad(tensors: Sequence[Any], strict: bool, text: str) -> None:
    if strict:
        for index, tensor in enumerate(tensors):
            if tensor is None or not tensor.requires_grad:
                raise RuntimeError(text.format(index))


def gradients(
    outputs: Sequence[Any], inputs: Tensors, grad_outputs: Sequence[Any] | None = None, create_graph: bool = False
) -> tuple[Tensor | None, ...]:
    """Return the gradients, None for an input that nothing depends on, also where no output requires grad."""
    given = grad_outputs if grad_outputs is not None else (None,) * len(outputs)
    pairs = [pair for pair in zip(outputs, given, strict=True) if pair[0] is not None and pair[0].requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    outs, starts = zip(*pairs, strict=True)
    return grad(outs, inputs, starts, allow_unused=True, create_graph=create_graph, retain_graph=True)


def with_zeros(
    found: Sequence[Tensor | None], like: Tensors, strict: bool, text: str, constant: str | None = None
) -> Tensors:
    """Put zeros in the place of gradients that are missing; raises RuntimeError there in strict mode.

    constant: what strict mode says of a gradient that has no history, where one is asked for.
    """
    done: list[Tensor] = []
    for index, (gradient, other) in enumerate(zip(found, like, strict=True)):
        if gradient is None and strict:
            raise RuntimeError(text.format(index))
        if strict and constant and gradient is not None and not gradient.requires_grad:
            raise RuntimeError(constant.format(index))
        done.append(make(np.zeros_like(other._data)) if gradient is None else gradient)
    return tuple(done)


def unpacked(results: Tensors, is_tuple: bool) -> Any:
    return results if is_tuple else results[0]


def single(output: Any, function: str, outputs: Tensors, is_tuple: bool) -> Tensor:
    """Return the one number that a function gave; raises RuntimeError in PyTorch's words for anything else."""
    if is_tuple:
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {function} should contain a single element")
    return outputs[0]


@recording
def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return a function's value and v times its Jacobian (torch.autograd.functional.vjp)."""
    is_tuple, given = tensors_of(inputs, "inputs", "vjp")
    ins = prepared(given, create_graph)
    output = func(*ins)
    several, outputs = tensors_of(output, OUTPUTS, "vjp")
    check_requires_grad(outputs, strict, NO_GRAD)
    start = vector(v, outputs, several, "vjp", ONE_OUTPUT, create_graph)
    constant = CONSTANT_JACOBIAN if create_graph else None
    found = with_zeros(gradients(outputs, ins, start, create_graph), ins, strict, INDEPENDENT, constant)
    return unpacked(released(outputs, create_graph), several), unpacked(released(found, create_graph), is_tuple)


@recording
def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return a function's value and its Jacobian times v (torch.autograd.functional.jvp)."""
    is_tuple, given = tensors_of(inputs, "inputs", "jvp")
    ins = prepared(given, create_graph)
    direction = vector(v, ins, is_tuple, "jvp", ONE_INPUT, create_graph)
    several, outputs = tensors_of(func(*ins), OUTPUTS, "jvp")
    check_requires_grad(outputs, strict, NO_GRAD)
    weights = tuple(make(np.zeros_like(out._data)).requires_grad_() for out in outputs)
    back = with_zeros(gradients(outputs, ins, weights, True), ins, strict, INDEPENDENT)
    check_requires_grad(back, strict, GRAD_LINEAR)
    constant = CONSTANT_JACOBIAN if create_graph else None
    found = with_zeros(gradients(back, weights, direction, create_graph), outputs, strict, TRICK_INDEPENDENT, constant)
    return unpacked(released(outputs, create_graph), several), unpacked(released(found, create_graph), several)


@recording
def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the derivative of each output by each input (torch.autograd.functional.jacobian)."""
    check_strategy(strategy, HINT)
    if strategy == "forward-mode":
        return forward_jacobian(func, inputs, create_graph, strict, vectorize)
    is_tuple, given = tensors_of(inputs, "inputs", "jacobian")
    ins = prepared(given, create_graph)
    several, outputs = tensors_of(func(*ins), OUTPUTS, "jacobian")
    check_requires_grad(outputs, strict, NO_GRAD)
    if strict and vectorize:
        raise RuntimeError(STRICT_VECTORIZED)
    blocks = vectorized(outputs, ins, create_graph) if vectorize else one_by_one(outputs, ins, create_graph, strict)
    rows = tuple(block if is_tuple else block[0] for block in released(blocks, create_graph))
    return rows if several else rows[0]


def rows_of(out: Tensor, inputs: Tensors, create_graph: bool) -> list[tuple[Tensor | None, ...]]:
    """Return the gradients of each element of an output by the inputs."""
    flat: Any = out.reshape(-1)  # type: ignore[attr-defined]
    return [gradients((flat[position],), inputs, None, create_graph) for position in range(out.numel())]


def one_by_one(outputs: Tensors, inputs: Tensors, create_graph: bool, strict: bool) -> tuple[Tensors, ...]:
    """Return for each output its derivative by each input; raises RuntimeError for what strict mode does not allow."""
    blocks = []
    for index, out in enumerate(outputs):
        independent = INDEPENDENT.replace("The output", f"Output {index}")
        rows = []
        for found in rows_of(out, inputs, create_graph):
            for place, gradient in enumerate(found if strict else ()):
                if gradient is None:
                    raise RuntimeError(independent.format(place))
                if create_graph and not gradient.requires_grad:
                    raise RuntimeError(CONSTANT_JACOBIAN.format(index))
            rows.append(with_zeros(found, inputs, False, ""))
        blocks.append(tuple(matrix([row[i] for row in rows], out, tensor) for i, tensor in enumerate(inputs)))
    return tuple(blocks)


def matrix(rows: Sequence[Tensor], out: Tensor, tensor: Tensor) -> Tensor:
    """Return the derivative of one output by one input, of both shapes, from its rows."""
    shaped: Tensor = stacked(rows).view((*out.shape, *tensor.shape))  # type: ignore[attr-defined]
    return shaped


def vectorized(outputs: Tensors, inputs: Tensors, create_graph: bool) -> tuple[Tensors, ...]:
    """Return what one_by_one does, as one batch of gradients cut into pieces."""
    rows = [with_zeros(found, inputs, False, "") for out in outputs for found in rows_of(out, inputs, create_graph)]
    if not rows:
        raise IndexError("index 0 is out of bounds for dimension 0 with size 0")
    sizes = [out.numel() for out in outputs]
    pieces = [stacked(column).split(sizes, dim=0) for column in zip(*rows, strict=True)]  # type: ignore[attr-defined]
    return tuple(
        tuple(piece[i].view((*out.shape, *tensor.shape)) for piece, tensor in zip(pieces, inputs, strict=True))
        for i, out in enumerate(outputs)
    )


def forward_jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool, vectorize: bool) -> Any:
    """Return the derivative of each output by each input, computed in forward mode: lists where these are tuples."""
    if create_graph:
        raise NotImplementedError(WITH_FORWARD.format("create_graph"))
    if strict:
        raise RuntimeError(WITH_FORWARD.format("strict"))
    is_tuple, ins = tensors_of(inputs, "inputs", "jacobian")
    if not vectorize:
        raise NotImplementedError(FORWARD_ALONE)
    columns, several = columns_of(func, ins)
    rows = [[mapped_back(group, tensor) for group, tensor in zip(out, ins, strict=True)] for out in columns]
    if is_tuple:
        return rows if several else rows[0]
    return tuple(row[0] for row in rows) if several else rows[0][0]


def columns_of(func: Callable[..., Any], inputs: Tensors) -> tuple[list[list[list[Tensor]]], bool]:
    """Return for each output, each input and each element of that the tangent; and whether outputs are a tuple."""
    from gradrepl.engine.derivatives.forward_ad import (  # here, because it needs this module
        dual_level,
        make_dual,
        unpack_dual,
    )

    columns: list[list[list[Tensor]]] = []
    several = False
    for place, tensor in enumerate(inputs):
        for element in range(tensor.numel()):
            directions = [np.zeros_like(one._data) for one in inputs]
            directions[place].reshape(-1)[element] = 1
            with dual_level():
                duals = [make_dual(one, make(array)) for one, array in zip(inputs, directions, strict=True)]
                several, outs = tensors_of(func(*duals), "outputs", None)
                parts = [unpack_dual(out) for out in outs]
            columns = columns or [[[] for _ in inputs] for _ in outs]
            for out, (primal, tangent) in zip(columns, parts, strict=True):
                out[place].append(make(np.zeros_like(primal._data)) if tangent is None else tangent)
    return columns, several


def mapped_back(group: list[Tensor], tensor: Tensor) -> Any:
    """Return the derivative of one output by one input, of both shapes, from its columns."""
    columns: Any = stacked(group)
    turned = columns.permute(*range(1, columns.dim()), 0)
    return turned.reshape((*columns.shape[1:], *tensor.shape))


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the second derivatives of a function that gives one number (torch.autograd.functional.hessian)."""
    is_tuple, given = tensors_of(inputs, "inputs", "hessian")
    check_strategy(outer_jacobian_strategy)

    def checked(*ins: Tensor) -> Any:
        output = func(*ins)
        several, outputs = tensors_of(output, OUTPUTS, "hessian")
        check_requires_grad(outputs, strict, NO_GRAD)
        return single(output, "hessian", outputs, several).squeeze()  # type: ignore[attr-defined]

    def jacobians(*ins: Any) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            ins = tuple(tensor.requires_grad_() for tensor in ins)
        found = jacobian(checked, ins, create_graph=True)
        check_requires_grad(found, strict, LINEAR)
        return found

    found = jacobian(jacobians, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if is_tuple else found[0][0]


@recording
def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return a function's value and v times its Hessian (torch.autograd.functional.vhp)."""
    is_tuple, given = tensors_of(inputs, "inputs", "vhp")
    ins = prepared(given, create_graph)
    direction = vector(v, ins, is_tuple, "vhp", ONE_INPUT, create_graph)
    output, first = first_derivative(func, ins, "vhp", strict)
    constant = CONSTANT_HESSIAN if create_graph else None
    found = with_zeros(gradients(first, ins, direction, create_graph), ins, strict, JACOBIAN_INDEPENDENT, constant)
    return released(output, create_graph), unpacked(released(found, create_graph), is_tuple)


@recording
def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return a function's value and its Hessian times v (torch.autograd.functional.hvp)."""
    is_tuple, given = tensors_of(inputs, "inputs", "hvp")
    ins = prepared(given, create_graph)
    direction = vector(v, ins, is_tuple, "hvp", ONE_INPUT, create_graph)
    output, first = first_derivative(func, ins, "hvp", strict)
    weights = tuple(make(np.zeros_like(tensor._data)).requires_grad_() for tensor in ins)
    second = with_zeros(gradients(first, ins, weights, True), ins, strict, JACOBIAN_INDEPENDENT)
    check_requires_grad(second, strict, LINEAR)
    constant = CONSTANT_HESSIAN if create_graph else None
    found = with_zeros(gradients(second, weights, direction, create_graph), ins, strict, HESSIAN_INDEPENDENT, constant)
    return released(output, create_graph), unpacked(released(found, create_graph), is_tuple)


def first_derivative(func: Callable[..., Any], inputs: Tensors, function: str, strict: bool) -> tuple[Tensor, Tensors]:
    output = func(*inputs)
    several, outputs = tensors_of(output, OUTPUTS, function)
    check_requires_grad(outputs, strict, NO_GRAD)
    value = single(output, function, outputs, several)
    first = with_zeros(gradients((value,), inputs, None, True), inputs, strict, INDEPENDENT)
    check_requires_grad(first, strict, LINEAR)
    return value, first


functions("torch.autograd.functional", vjp=vjp, jvp=jvp, jacobian=jacobian, hessian=hessian, vhp=vhp, hvp=hvp)
