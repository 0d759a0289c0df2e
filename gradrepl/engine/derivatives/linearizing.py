"""Forward-mode products and what is made of them: torch.func's jvp, jacfwd, hessian and linearize."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.derivatives import tracking
from gradrepl.engine.derivatives.functional import gradients
from gradrepl.engine.derivatives.transforms import (
    Argnums,
    Function,
    check_outputs,
    check_real,
    chosen,
    entered,
    free_of,
    freed_aux,
    jacrev,
    released,
    without_aux,
)
from gradrepl.engine.derivatives.trees import flat, leaves, mapped, mapped_leaves, rebuilt, same_structure, structure
from gradrepl.engine.derivatives.vmapping import check_randomness, mapping
from gradrepl.engine.dtype import INEXACT
from gradrepl.engine.dual import NESTED, back_twice, forward, set_tangent, tangent_of
from gradrepl.engine.grad_mode import inference_mode
from gradrepl.engine.ops.joining import stack
from gradrepl.engine.ops.shape import cast
from gradrepl.engine.ops.view import alias
from gradrepl.engine.tensor import Tensor, make, make_leaf

JVP = "jvp(f, primals, tangents)"
NOT_A_TUPLE = JVP + ": Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
OTHER_STRUCTURE = (
    JVP + ": Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 "
    "tensors, tangents also must be. Got primals with structure {} and tangents with structure {}"
)
OTHER_TANGENTS = "Expected the tangents {} to have the same argspec as the primals {}"
OTHER_TANGENT = "tangent:{} with shape {} in flattened pytree doesn't match the shape {} of the corresponding primal."
OTHER_DTYPE = "tangent:{} with dtype {} in flattened pytree doesn't match the dtype {} of the corresponding primal."
OTHER_SIZE = (
    "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
    "supported. Tensor is of size {} while the given forward gradient is of size {}."
)
INDEPENDENT = (
    "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with "
    "strict=True."
)


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """Return a function's value and its Jacobian times the tangents (torch.func.jvp).

    On its own or mapped it carries the tangents along. Inside of another transform it goes back twice: the product
    with the Jacobian is linear in what it multiplies, and its derivative by that is the product with the Jacobian
    turned over. Raises RuntimeError for primals that are no tuple.
    """
    check_tangents(primals, tangents)
    if forward.level is not None and not tracking.levels.open:
        raise RuntimeError(NESTED)
    if forward.level is None and all(number < 0 for number in tracking.levels.open):
        return carried(func, primals, tangents, strict, has_aux)
    with inference_mode(False), tracking.level(), back_twice():
        new = tuple(mapped_leaves(primal, entered) for primal in primals)
        output, aux = without_aux(func(*new), has_aux, JVP)
        check_outputs(output, JVP)
        ins = flat(new)
        outs = flat(output)
        if strict and not all(out.requires_grad for out in outs):
            raise RuntimeError(INDEPENDENT)
        found = [
            in_kind(*pair) for pair in zip(along(outs, *turned_over(outs, ins), flat(tangents)), outs, strict=True)
        ]
    done = free_of(rebuilt(output, found), ins)
    value = free_of(output, ins)
    return (value, done, freed_aux(aux, ins)) if has_aux else (value, done)


def carried(func: Callable[..., Any], primals: Any, tangents: Any, strict: bool, has_aux: bool) -> tuple[Any, ...]:
    """Return a function's value and its tangent, which every operation carries along."""
    from gradrepl.engine.derivatives.forward_ad import dual_level  # here, because it needs this module

    with inference_mode(False), tracking.level(), dual_level():
        new = tuple(mapped(primal, beside) for primal in primals)
        ins = flat(new)
        for tensor, tangent in zip(ins, flat(tangents), strict=True):
            set_tangent(tensor, beside(tangent))
        output, aux = without_aux(func(*new), has_aux, JVP)
        check_outputs(output, JVP)
        outs = flat(output)
        found = [tangent_of(out) for out in outs]
        if strict and None in found:
            raise RuntimeError(INDEPENDENT)
    filled = [make(np.zeros_like(out._data)) if one is None else one for one, out in zip(found, outs, strict=True)]
    done = free_of(rebuilt(output, filled), ins)
    value = free_of(output, ins)
    return (value, done, freed_aux(aux, ins)) if has_aux else (value, done)


def beside(tensor: Tensor) -> Tensor:
    """Return what stands for a tensor inside of a transform that carries tangents."""
    if tensor.requires_grad:
        return tracking.entered(tensor, alias(tensor))
    inner = make(tensor._data)
    inner._counter = tensor._counter
    return tracking.entered(tensor, inner)


def in_kind(tangent: Tensor, out: Tensor) -> Tensor:
    """Return a tangent in the dtype of the result that it belongs to."""
    return tangent if tangent._data.dtype == out._data.dtype else cast(tangent, out._data.dtype)


def check_tangents(primals: Any, tangents: Any) -> None:
    """Raise RuntimeError in PyTorch's words where tangents do not fit the values."""
    if not isinstance(primals, tuple):
        raise RuntimeError(NOT_A_TUPLE)
    if not same_structure(primals, tangents):
        raise RuntimeError(OTHER_STRUCTURE.format(structure(primals), structure(tangents)))
    given = leaves(primals)
    if not given:
        raise RuntimeError(f"{JVP}: Expected primals to contain at least one Tensor.")
    for name, values in (("primals", given), ("tangents", leaves(tangents))):
        for leaf in values:
            if not isinstance(leaf, Tensor):
                raise RuntimeError(f"{JVP}: Expected {name} to only contain Tensors, got {type(leaf)}")
    for primal, tangent in zip(given, leaves(tangents), strict=True):
        for name, one in (("primal", primal), ("tangent", tangent)):
            if one._data.dtype not in INEXACT:
                raise ValueError(f"Expected {name} to be floating point or complex, but got: {one.dtype}")
        if primal._data.shape != tangent._data.shape:
            raise RuntimeError(OTHER_SIZE.format(list(primal._data.shape), list(tangent._data.shape)))


def turned_over(outs: list[Tensor], ins: list[Tensor]) -> tuple[list[Tensor], tuple[Any, ...]]:
    """Return weights of those outputs that require grad, and the products of these with the Jacobian."""
    wanted = [out for out in outs if out.requires_grad]
    weights = [make_leaf(np.ones_like(out._data)) for out in wanted]
    return weights, gradients(tuple(wanted), tuple(ins), weights, True) if wanted else ()


def along(outs: list[Tensor], weights: list[Tensor], products: tuple[Any, ...], tangents: list[Tensor]) -> list[Tensor]:
    """Return for each output the directional derivative along the tangents: that of the products by the weights."""
    pairs = [pair for pair in zip(products, tangents, strict=False) if pair[0] is not None and pair[0].requires_grad]
    firsts, starts = tuple(one for one, _ in pairs), [other for _, other in pairs]
    second = iter(gradients(firsts, tuple(weights), starts, True) if pairs else [None] * len(weights))
    results = []
    for out in outs:
        tangent = next(second) if out.requires_grad else None
        results.append(make(np.zeros_like(out._data)) if tangent is None else tangent)
    return results


def jacfwd(func: Function, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error") -> Function:
    """Return the function that computes a function's Jacobian as forward mode does (torch.func.jacfwd)."""
    where = "jvp(f, primals, tangents)"

    @functools.wraps(func)
    def wrapper(*args: Any) -> Any:
        check_real(args, "jacfwd", "inputs")
        check_randomness(randomness)
        with inference_mode(False), tracking.level(hidden=1), mapping(randomness == "error", False), back_twice():
            new, picked = chosen(args, argnums)
            output, aux = without_aux(func(*new), has_aux, where)
            check_outputs(output, where)
            check_real(output, "jacfwd", "outputs")
            blocks = iter(columns_of(flat(output), flat(picked)))
            found = mapped(output, lambda out: rebuilt(picked, next(blocks)))
        return released(found, picked, aux, has_aux)

    return wrapper


def columns_of(outs: list[Tensor], ins: list[Tensor]) -> list[list[Any]]:
    """Return for each output its derivative by each input, found column by column as forward mode does."""
    weights, products = turned_over(outs, ins)
    blocks: list[list[Any]] = [[] for _ in outs]
    for place, tensor in enumerate(ins):
        columns = []
        for element in range(tensor.numel()):
            directions = [np.zeros_like(one._data) for one in ins]
            directions[place].reshape(-1)[element] = 1
            columns.append(along(outs, weights, products, [make(direction) for direction in directions]))
        for number, out in enumerate(outs):
            blocks[number].append(joined([column[number] for column in columns], out, tensor))
    return blocks


def joined(columns: list[Tensor], out: Tensor, tensor: Tensor) -> Any:
    """Return the columns of a Jacobian as one tensor."""
    if not columns:
        return make(np.zeros((*out.shape, *tensor.shape), out._data.dtype))
    whole: Any = stack([in_kind(column, out) for column in columns], -1)
    return whole.reshape((*out.shape, *tensor.shape))


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes a function's Hessian (torch.func.hessian)."""
    return jacfwd(jacrev(func, argnums), argnums)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a function's value and the function that multiplies by its Jacobian there (torch.func.linearize)."""

    def jvp_fn(*tangents: Any) -> Any:
        if not same_structure(primals, tangents):
            raise RuntimeError(OTHER_TANGENTS.format(structure(tangents), structure(primals)))
        for place, (primal, tangent) in enumerate(zip(flat(primals), flat(tangents), strict=True)):
            if primal.shape != tangent.shape:
                raise RuntimeError(OTHER_TANGENT.format(place, tangent.shape, primal.shape))
            if primal.dtype != tangent.dtype:
                raise RuntimeError(OTHER_DTYPE.format(place, tangent.dtype, primal.dtype))
        return jvp(func, primals, tangents)[1]

    return func(*primals), jvp_fn


functions("torch.func", jvp=jvp, jacfwd=jacfwd, hessian=hessian, linearize=linearize)
