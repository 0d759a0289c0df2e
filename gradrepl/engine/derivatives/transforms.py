"""Functions made of functions: torch.func's grad, vjp and jacrev."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import stacked
from gradrepl.engine.derivatives import tracking
from gradrepl.engine.derivatives.functional import gradients
from gradrepl.engine.derivatives.trees import flat, leaves, mapped, mapped_leaves, outline, rebuilt, same_structure
from gradrepl.engine.dtype import CATEGORY, COMPLEX, INEXACT
from gradrepl.engine.dual import set_tangent, tangent_of
from gradrepl.engine.grad_mode import ON, enable_grad, inference_mode, mode
from gradrepl.engine.graph import Node, reachable
from gradrepl.engine.op import edge_of
from gradrepl.engine.ops.view import alias
from gradrepl.engine.tensor import Tensor, make, make_leaf

Argnums = int | tuple[int, ...]
Function = Callable[..., Any]

NOT_A_TENSOR = "Thing passed to transform API must be Tensor, got {}"
NO_AUX = "output of function f should be a tuple: (output, aux) if has_aux is True"
NOT_ONLY_TENSORS = "{}: expected f(*primals) to return only tensors, got unsupported type {}"
EMPTY = "{}: Expected f to be a function that has non-empty output (got output = {})"
NOT_A_GRADIENT = "gradients can be either Tensors or None, but got {}"
NOT_DIFFERENTIABLE = "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {}"
OTHER_STRUCTURE = (
    "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. "
    "cotangents: {}, primal output: {}"
)
VJP = "vjp(f, *primals)"
GRAD = "grad_and_value(f)(*args)"


def fresh(tensor: Tensor) -> Tensor:
    """Return a tensor to differentiate by, connected to the given one where that is differentiated by itself."""
    if tensor.requires_grad:
        return alias(tensor)
    if tensor._data.dtype not in INEXACT:
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    return with_tangent(make_leaf(tensor._data), tangent_of(tensor))


def with_tangent(tensor: Tensor, tangent: Tensor | None) -> Tensor:
    """Return a tensor that has a tangent now, where there is one."""
    if tangent is not None:
        set_tangent(tensor, tangent)
    return tensor


def entered(leaf: Any) -> Tensor:
    """Return what stands for an argument inside of a transform; raises ValueError for what is no tensor."""
    if not isinstance(leaf, Tensor):
        raise ValueError(NOT_A_TENSOR.format(type(leaf)))
    return tracking.entered(leaf, fresh(leaf))


def positions_of(argnums: Any, count: int) -> list[int]:
    """Return which arguments are chosen; raises RuntimeError where `argnums` does not say that."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    places = (argnums,) if isinstance(argnums, int) else argnums
    for place in places:
        if not isinstance(place, int):
            raise RuntimeError(f"argnum must be int, got: {type(place)}")
        if not -count <= place < count:
            raise RuntimeError(f"Got argnum={place}, but only {count} positional inputs")
    positions = [place % count for place in places]
    if not positions:
        raise RuntimeError("argnums must be non-empty")
    if len(set(positions)) != len(positions):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(positions)}")
    return positions


def chosen(args: tuple[Any, ...], argnums: Argnums) -> tuple[tuple[Any, ...], Any]:
    """Return the arguments with fresh tensors at the chosen places, and what is chosen."""
    positions = positions_of(argnums, len(args))
    new = tuple(mapped_leaves(arg, entered) if i in positions else arg for i, arg in enumerate(args))
    picked = tuple(new[position] for position in positions)
    return new, picked[0] if isinstance(argnums, int) else picked


def free_of(results: Any, inputs: Sequence[Tensor]) -> Any:
    """Return results without history where that leads to nothing but the inputs and what was made beside them."""
    own = {id(tensor) for tensor in inputs if tensor.grad_fn is None}
    outside = len(tracking.levels.open)

    def release(tensor: Tensor) -> Tensor:
        root = edge_of(tensor) if tensor.requires_grad else None
        nodes = reachable([root])
        ends = [edge for node in nodes for edge in node.edges if edge is not None and not isinstance(edge, Node)]
        if isinstance(root, Tensor):
            ends.append(root)
        if mode.recording == ON and not all(id(end) in own or len(end._levels) > outside for end in ends):
            return tracking.left(tensor)
        tangent = tangent_of(tensor)
        return with_tangent(make(tensor._data), tangent if tangent is None else release(tangent))

    return mapped(results, release)


def without_aux(output: Any, has_aux: bool, where: str) -> tuple[Any, Any]:
    """Return the result of a function and what it gave beside it; raises RuntimeError where that is missing."""
    if not has_aux:
        return output, None
    if not isinstance(output, tuple) or len(output) != 2:
        raise RuntimeError(f"{where}: {NO_AUX}")
    return output


def freed_aux(aux: Any, inputs: Sequence[Tensor]) -> Any:
    """Return what a function gave beside its result; raises RuntimeError for what is no tensor."""
    for leaf in leaves(aux):
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")
    return free_of(aux, inputs)


def check_scalar(output: Any) -> None:
    if not isinstance(output, Tensor):
        raise RuntimeError(f"{GRAD}: Expected f(*args) to return a Tensor, got {type(output)}")
    if output.dim() != 0:
        raise RuntimeError(
            f"{GRAD}: Expected f(*args) to return a scalar Tensor, got tensor with {output.dim()} dims. Maybe you "
            "wanted to use the vjp or jacrev APIs instead?"
        )


def check_outputs(output: Any, where: str) -> None:
    """Raise RuntimeError where a function gave nothing, or something else than tensors."""
    found = leaves(output)
    if not found or (len(found) == 1 and found[0] is None):
        raise RuntimeError(EMPTY.format(where, found))
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(NOT_ONLY_TENSORS.format(where, type(leaf)))


def filled(found: Sequence[Tensor | None], inputs: Sequence[Tensor]) -> list[Tensor]:
    """Return gradients with zeros in the place of those that are missing."""
    pairs = zip(found, inputs, strict=True)
    return [make(np.zeros_like(tensor._data)) if gradient is None else gradient for gradient, tensor in pairs]


def value_and_grad(func: Function, argnums: Argnums, has_aux: bool) -> Function:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
        with inference_mode(False), tracking.level():
            new, picked = chosen(args, argnums)
            output, aux = without_aux(func(*new, **kwargs), has_aux, GRAD)
            check_scalar(output)
            ins = flat(picked)
            found = rebuilt(picked, filled(gradients((output,), tuple(ins), None, True), ins))
        return free_of(found, ins), free_of(output, ins), freed_aux(aux, ins) if has_aux else None

    return wrapper


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that computes a function's gradient (torch.func.grad)."""
    compute = value_and_grad(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, _, aux = compute(*args, **kwargs)
        return (gradient, aux) if has_aux else gradient

    return wrapper


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that computes a function's gradient and value (torch.func.grad_and_value)."""
    compute = value_and_grad(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value, aux = compute(*args, **kwargs)
        return (gradient, (value, aux)) if has_aux else (gradient, value)

    return wrapper


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return a function's value and the function that multiplies by its Jacobian (torch.func.vjp)."""
    with inference_mode(False), tracking.level():
        new = tuple(mapped_leaves(primal, entered) for primal in primals)
        output, aux = without_aux(func(*new), has_aux, VJP)
        check_differentiable(output)
    ins = flat(new)

    def wrapper(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> tuple[Any, ...]:
        if not same_structure(cotangents, output):
            raise RuntimeError(OTHER_STRUCTURE.format(outline(cotangents), outline(output)))
        for leaf in leaves(cotangents):
            if not isinstance(leaf, Tensor):
                raise TypeError(NOT_A_GRADIENT.format(type(leaf).__name__))
        with enable_grad():
            found = filled(gradients(flat(output), tuple(ins), flat(cotangents), True), ins)
        return tuple(free_of(rebuilt(new, found), ins))

    wrapper.__qualname__ = "_vjp_with_argnums.<locals>.wrapper"
    value = free_of(output, ins)
    return (value, wrapper, freed_aux(aux, ins)) if has_aux else (value, wrapper)


def check_differentiable(output: Any) -> None:
    check_outputs(output, VJP)
    for tensor in flat(output):
        if tensor._data.dtype not in INEXACT:
            raise RuntimeError(NOT_DIFFERENTIABLE.format(tensor.dtype))


def check_real(values: Any, name: str, what: str) -> None:
    """Raise RuntimeError for a complex tensor: Jacobians are those of real functions."""
    for index, leaf in enumerate(leaves(values)):
        if isinstance(leaf, Tensor) and CATEGORY[leaf._data.dtype] == COMPLEX:
            raise RuntimeError(
                f"{name}: Expected all {what} to be real but received complex tensor at flattened input idx: {index}"
            )


def check_chunk(chunk_size: int | None, message: str) -> None:
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(message)


def jacrev(func: Function, argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None) -> Function:
    """Return the function that computes a function's Jacobian (torch.func.jacrev)."""
    check_chunk(chunk_size, "jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args: Any) -> Any:
        check_real(args, "jacrev", "inputs")
        with inference_mode(False), tracking.level():
            new, picked = chosen(args, argnums)
            output, aux = without_aux(func(*new), has_aux, VJP)
            check_differentiable(output)
            found = jacobian_of(output, picked)
        return released(found, picked, aux, has_aux)

    return wrapper


def jacobian_of(output: Any, picked: Any) -> Any:
    """Return the derivative of each output by each chosen argument."""
    check_real(output, "jacrev", "outputs")
    ins = flat(picked)
    return mapped(output, lambda out: rebuilt(picked, blocks_of(out, ins)))


def released(found: Any, picked: Any, aux: Any, has_aux: bool) -> Any:
    """Return a derivative as it is outside of the transform, and what the function gave beside its result."""
    ins = flat(picked)
    return (free_of(found, ins), freed_aux(aux, ins)) if has_aux else free_of(found, ins)


def blocks_of(out: Tensor, inputs: list[Tensor]) -> list[Any]:
    """Return the derivative of one output by each input."""
    elements: Any = out.reshape(-1)  # type: ignore[attr-defined]
    count = out.numel() if out._data.dtype in INEXACT else 0
    rows = [filled(gradients((elements[position],), tuple(inputs), None, True), inputs) for position in range(count)]
    if not rows:
        return [make(np.zeros((*out.shape, *tensor.shape), out._data.dtype)) for tensor in inputs]
    blocks: list[Any] = [stacked(column) for column in zip(*rows, strict=True)]
    return [block.reshape((*out.shape, *tensor.shape)) for block, tensor in zip(blocks, inputs, strict=True)]


def functionalize(func: Function, *, remove: str = "mutations") -> Function:
    """Return a function of the same results (torch.func.functionalize): writes are no obstacle here."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(NOT_TO_REMOVE.format(remove))

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return wrapped


NOT_TO_REMOVE = (
    "functionalize(f, remove='mutations'): received invalid argument for remove={}. Valid options are:\n     "
    "remove='mutations': all inplace and out= operators will be removed from the program, and replaced with their "
    "out-of-place equivalents.\n     remove='mutations_and_views': In addition to the above, all aliasing operators "
    "{{view}} will be replaced with their non-aliasing counterparts, {{view}}_copy.\n"
)
functions("torch.func", grad=grad, grad_and_value=grad_and_value, vjp=vjp, jacrev=jacrev, functionalize=functionalize)
