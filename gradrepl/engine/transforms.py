"""Functions made of functions: torch.func's grad, vjp, jacrev, hessian and vmap."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import stacked
from gradrepl.engine.functional import gradients
from gradrepl.engine.grad_mode import enable_grad, mode
from gradrepl.engine.graph import Node, reachable
from gradrepl.engine.op import edge_of
from gradrepl.engine.ops.view import alias
from gradrepl.engine.random import default_generator
from gradrepl.engine.tensor import Tensor, make

Argnums = int | tuple[int, ...]
Function = Callable[..., Any]


def mapped(tree: Any, change: Callable[[Tensor], Any]) -> Any:
    """Return nested tuples, lists and dicts with every tensor changed."""
    if isinstance(tree, Tensor):
        return change(tree)
    if isinstance(tree, dict):
        return {key: mapped(value, change) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        values = [mapped(value, change) for value in tree]
        return type(tree)(*values) if hasattr(tree, "_fields") else type(tree)(values)
    return tree


def flat(tree: Any) -> list[Tensor]:
    """Return the tensors of nested tuples, lists and dicts."""
    found: list[Tensor] = []
    mapped(tree, found.append)
    return found


def rebuilt(tree: Any, tensors: Sequence[Any]) -> Any:
    """Return the nested tuples, lists and dicts with other tensors in their places."""
    rest = iter(tensors)
    return mapped(tree, lambda tensor: next(rest))


def fresh(tensor: Tensor) -> Tensor:
    """Return a tensor to differentiate by, connected to the given one where that is differentiated by itself."""
    if tensor.requires_grad:
        return alias(tensor)
    return make(tensor._data).requires_grad_()


def chosen(args: tuple[Any, ...], argnums: Argnums) -> tuple[tuple[Any, ...], Any]:
    """Return the arguments with fresh tensors at the chosen places, and what is chosen."""
    places = (argnums,) if isinstance(argnums, int) else argnums
    for place in places:
        if not -len(args) <= place < len(args):
            raise RuntimeError(f"Got argnum={place}, but only {len(args)} positional inputs")
    positions = [place % len(args) for place in places]
    for position in positions:
        if isinstance(args[position], (int, float)):
            raise ValueError(NOT_A_TENSOR.format(type(args[position])))
    new = tuple(mapped(arg, fresh) if i in positions else arg for i, arg in enumerate(args))
    picked = tuple(new[position] for position in positions)
    return new, picked[0] if isinstance(argnums, int) else picked


def free_of(results: Any, inputs: Sequence[Tensor]) -> Any:
    """Return results without history where that leads to nothing but the inputs."""
    own = {id(tensor) for tensor in inputs if tensor.grad_fn is None}

    def release(tensor: Tensor) -> Tensor:
        root = edge_of(tensor) if tensor.requires_grad else None
        nodes = reachable([root])
        ends = [edge for node in nodes for edge in node.edges if edge is not None and not isinstance(edge, Node)]
        if isinstance(root, Tensor):
            ends.append(root)
        return make(tensor._data) if all(id(end) in own for end in ends) else tensor

    return mapped(results, release)


def check_scalar(output: Any) -> None:
    where = "grad_and_value(f)(*args): Expected f(*args) to return a"
    if not isinstance(output, Tensor):
        raise RuntimeError(f"{where} Tensor, got {type(output)}")
    if output.dim() != 0:
        raise RuntimeError(
            f"{where} scalar Tensor, got tensor with {output.dim()} dims. Maybe you wanted to use the vjp or jacrev "
            "APIs instead?"
        )


def value_and_grad(func: Function, argnums: Argnums, has_aux: bool) -> Function:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
        with enable_grad():
            new, picked = chosen(args, argnums)
            output = func(*new, **kwargs)
            output, aux = output if has_aux else (output, None)
            check_scalar(output)
            ins = flat(picked)
            found = [
                make(np.zeros_like(tensor._data)) if gradient is None else gradient
                for tensor, gradient in zip(ins, gradients((output,), tuple(ins), None, True), strict=True)
            ]
            done = free_of(rebuilt(picked, found), ins)
            return done, free_of(output, ins), free_of(aux, ins)

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
    with enable_grad():
        new = tuple(mapped(primal, fresh) for primal in primals)
        output = func(*new)
        output, aux = output if has_aux else (output, None)
    ins = flat(new)

    def multiply(*cotangents: Any) -> tuple[Any, ...]:
        with enable_grad():
            starts = flat(cotangents)
            found = gradients(flat(output), tuple(ins), starts, True)
            filled = [
                make(np.zeros_like(tensor._data)) if one is None else one
                for tensor, one in zip(ins, found, strict=True)
            ]
            return tuple(free_of(rebuilt(new, filled), ins))

    value = free_of(output, ins)
    return (value, multiply, free_of(aux, ins)) if has_aux else (value, multiply)


def jacrev(func: Function, argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None) -> Function:
    """Return the function that computes a function's Jacobian (torch.func.jacrev)."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            new, picked = chosen(args, argnums)
            output = func(*new, **kwargs)
            output, aux = output if has_aux else (output, None)
            ins = flat(picked)
            found = mapped(output, lambda out: rebuilt(picked, jacobian_of(out, ins)))
            found = free_of(found, ins)
            return (found, free_of(aux, ins)) if has_aux else found

    return wrapper


jacfwd = functools.wraps(jacrev)(lambda func, argnums=0, has_aux=False, **rest: jacrev(func, argnums, has_aux=has_aux))


def jacobian_of(out: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """Return the derivative of one output by each input."""
    elements: Any = out.reshape(-1)  # type: ignore[attr-defined]
    rows = []
    for position in range(out.numel()):
        found = gradients((elements[position],), tuple(inputs), None, True)
        rows.append([make(np.zeros_like(t._data)) if g is None else g for t, g in zip(inputs, found, strict=True)])
    return [
        stacked([row[i] for row in rows]).reshape(*out.shape, *tensor.shape)  # type: ignore[attr-defined]
        for i, tensor in enumerate(inputs)
    ]


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes a function's Hessian (torch.func.hessian)."""
    return jacrev(jacrev(func, argnums), argnums)


def func_name(func: Function) -> str:
    """Return a function's name as vmap's messages show it."""
    return str(getattr(func, "__name__", repr(func)))


def vmap(
    func: Function, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> Function:
    """Return the function that maps a function over a dimension of its arguments (torch.func.vmap)."""

    name = func_name(func)
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        dims = dims_for(args, in_dims, name)
        rows = []
        state = default_generator.get_state() if randomness == "same" else None
        for row in rows_of(args, dims, name, in_dims):
            if state is not None:
                default_generator.set_state(state)
            with Mapping(randomness == "error"):
                rows.append(func(*row, **kwargs))
        for row in rows:
            check_returned(row, name)
        return joined(rows, out_dims)

    return wrapper


NOT_MAPPED = (
    "vmap({}, in_dims={}, ...)(<inputs>): Got in_dim={} for an input but the input is of type {}. We cannot vmap over "
    "non-Tensor arguments, please use None as the respective in_dim"
)
NO_SUCH_DIM = (
    "vmap({}, in_dims={}, ...)(<inputs>): Got in_dim={} for some input, but that input is a Tensor of dimensionality "
    "{} so expected in_dim to satisfy -{} <= in_dim < {}."
)


def dims_for(args: tuple[Any, ...], in_dims: Any, name: str) -> Sequence[Any]:
    """Return the dimension to map over for each argument; raises ValueError in PyTorch's words where they don't fit."""
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) "
            f"tuple matching the structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs. The latter is unsupported."
        )
    dims = in_dims if isinstance(in_dims, tuple) else (in_dims,) * len(args)
    if len(dims) != len(args):
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of "
            f"`inputs`. in_dims has structure {structure(dims)} but inputs has structure {structure(args)}."
        )
    return dims


def structure(items: Sequence[Any]) -> str:
    """Return a flat tuple as PyTorch's messages draw it."""
    leaves = ",\n  ".join("*" * len(items))
    return f"TreeSpec(tuple, None, [{leaves}])"


def check_returned(result: Any, name: str) -> None:
    """Raise ValueError in PyTorch's words for a result of a mapped function that is no tensor."""
    if isinstance(result, dict):
        result = tuple(result.values())
    for one in result if isinstance(result, (tuple, list)) else (result,):
        if isinstance(one, (tuple, list, dict)):
            check_returned(one, name)
        elif not isinstance(one, Tensor):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(one)}. Did you mean to set "
                "out_dims= to None for output?"
            )


class Mapping:
    """A call of a mapped function: single elements can't be looked at, nor random numbers drawn where that is fixed."""

    def __init__(self, fixed: bool) -> None:
        self.now = (True, fixed)

    def __enter__(self) -> None:
        self.before = (mode.mapping, mode.drawing_refused)
        mode.mapping, mode.drawing_refused = self.now

    def __exit__(self, *exception: object) -> None:
        mode.mapping, mode.drawing_refused = self.before


NOT_A_TENSOR = "Thing passed to transform API must be Tensor, got {}"


def rows_of(args: tuple[Any, ...], dims: Sequence[Any], name: str, all_dims: Any) -> list[tuple[Any, ...]]:
    """Return the arguments of each call; raises ValueError where the mapped dimensions differ in size."""
    mapped_over = [(arg, dim) for arg, dim in zip(args, dims, strict=True) if dim is not None]
    for arg, dim in mapped_over:
        if not flat(arg) and not isinstance(arg, (dict, tuple, list)):
            raise ValueError(NOT_MAPPED.format(name, all_dims, dim, type(arg)))
        for tensor in flat(arg):
            if not -tensor.dim() <= dim < tensor.dim():
                count = tensor.dim()
                raise ValueError(NO_SUCH_DIM.format(name, all_dims, dim, count, count, count))
    sizes = [tensor.shape[dim] for arg, dim in mapped_over for tensor in flat(arg)]
    if not sizes:
        raise ValueError("vmap: at least one input must be mapped over (have in_dims != None)")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension"
        )

    def picked(arg: Any, dim: Any, index: int) -> Any:
        return arg if dim is None else mapped(arg, lambda tensor: tensor.select(dim, index))  # type: ignore[attr-defined]

    return [tuple(picked(arg, dim, i) for arg, dim in zip(args, dims, strict=True)) for i in range(sizes[0])]


def joined(rows: list[Any], out_dims: Any) -> Any:
    """Return the results of the calls, stacked."""
    if isinstance(rows[0], (tuple, list)):
        dims = out_dims if isinstance(out_dims, (tuple, list)) else (out_dims,) * len(rows[0])
        return type(rows[0])(joined([row[i] for row in rows], dim) for i, dim in enumerate(dims))
    if isinstance(rows[0], dict):
        return {key: joined([row[key] for row in rows], out_dims) for key in rows[0]}
    out: Any = stacked(rows)
    return out if out_dims == 0 else out.movedim(0, out_dims)


functions(
    "torch.func",
    grad=grad,
    grad_and_value=grad_and_value,
    vjp=vjp,
    jacrev=jacrev,
    jacfwd=jacfwd,
    hessian=hessian,
    vmap=vmap,
)
functions(vmap=vmap)
