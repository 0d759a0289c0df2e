"""Forward-mode products and calls with other parameters: torch.func's jvp, linearize and functional_call."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import stacked
from gradrepl.engine.functional import gradients
from gradrepl.engine.grad_mode import enable_grad
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.transforms import flat, free_of, fresh, mapped, rebuilt

JVP = "jvp(f, primals, tangents): "
NOT_A_TUPLE = JVP + "Expected {} to be a tuple. E.g. it should be valid to call f(*primals)."
OTHER_STRUCTURE = (
    JVP + "Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 "
    "tensors, tangents also must be. Got primals with structure {} and tangents with structure {}"
)
OTHER_TANGENT = "tangent:{} with shape {} in flattened pytree doesn't match the shape {} of the corresponding primal."
OTHER_SIZE = (
    "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
    "supported. Tensor is of size {} while the given forward gradient is of size {}."
)


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """Return a function's value and its Jacobian times the tangents (torch.func.jvp).

    It goes back twice: the product with the Jacobian is linear in what it multiplies, and its derivative by that
    is the product with the Jacobian turned over. Raises RuntimeError for primals that are no tuple.
    """
    check_tangents(primals, tangents)
    with enable_grad():
        new = tuple(mapped(primal, fresh) for primal in primals)
        output = func(*new)
        output, aux = without_aux(output) if has_aux else (output, None)
        check_output(output)
        ins = flat(new)
        found = forward_product(flat(output), ins, flat(tangents))
    done = free_of(rebuilt(output, found), ins)
    value = free_of(output, ins)
    return (value, done, free_of(aux, ins)) if has_aux else (value, done)


def structure(tree: Any) -> str:
    """Return the shape of nested tuples and lists as PyTorch's messages show it."""
    if not isinstance(tree, (tuple, list)):
        return "*"
    return f"TreeSpec({type(tree).__name__}, None, [{(',' + chr(10) + '  ').join(map(structure, tree))}])"


def check_tangents(primals: Any, tangents: Any) -> None:
    """Raise RuntimeError in PyTorch's words where tangents do not fit the values."""
    if not isinstance(primals, tuple):
        raise RuntimeError(NOT_A_TUPLE.format("primals"))
    if structure(primals) != structure(tangents):
        raise RuntimeError(OTHER_STRUCTURE.format(structure(primals), structure(tangents)))
    for primal, tangent in zip(flat(primals), flat(tangents), strict=True):
        if primal._data.shape != tangent._data.shape:
            raise RuntimeError(OTHER_SIZE.format(list(primal._data.shape), list(tangent._data.shape)))


def without_aux(output: Any) -> tuple[Any, Any]:
    """Return the two things that a function with has_aux=True gave."""
    if not isinstance(output, tuple) or len(output) != 2:
        raise RuntimeError(JVP + "output of function f should be a tuple: (output, aux) if has_aux is True")
    return output


def check_output(output: Any) -> None:
    """Raise RuntimeError where a function gave something else than tensors."""
    if output is None:
        raise RuntimeError(JVP + "Expected f to be a function that has non-empty output (got output = [None])")
    for leaf in output if isinstance(output, (tuple, list)) else [output]:
        if not isinstance(leaf, (Tensor, tuple, list, dict)):
            raise RuntimeError(JVP + f"expected f(*primals) to return only tensors, got unsupported type {type(leaf)}")


def forward_product(outs: list[Tensor], ins: list[Tensor], tangents: list[Tensor]) -> list[Tensor]:
    """Return for each output the directional derivative along the tangents."""
    wanted = [out for out in outs if out.requires_grad]
    weights = [make(np.ones_like(out._data)).requires_grad_() for out in wanted]
    products = gradients(tuple(wanted), tuple(ins), weights, True) if wanted else ()
    pairs = [pair for pair in zip(products, tangents, strict=False) if pair[0] is not None and pair[0].requires_grad]
    firsts, starts = tuple(one for one, _ in pairs), [other for _, other in pairs]
    second = iter(gradients(firsts, tuple(weights), starts, True) if pairs else [None] * len(wanted))
    results = []
    for out in outs:
        tangent = next(second) if out.requires_grad else None
        results.append(make(np.zeros_like(out._data)) if tangent is None else tangent)
    return results


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a function's value and the function that multiplies by its Jacobian there (torch.func.linearize)."""

    def product(*tangents: Any) -> Any:
        for place, (primal, tangent) in enumerate(zip(flat(primals), flat(tangents), strict=True)):
            if primal.shape != tangent.shape:
                raise RuntimeError(OTHER_TANGENT.format(place, tangent.shape, primal.shape))
        return jvp(func, primals, tangents)[1]

    return func(*primals), product


@contextmanager
def swapped(module: Any, named: Mapping[str, Tensor]) -> Iterator[None]:
    """Put other tensors in the places of parameters and buffers for a block."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    places = dict(module.named_modules(remove_duplicate=False))
    try:
        for name, tensor in named.items():
            path, _, last = name.rpartition(".")
            owner = places.get(path)
            for store in () if owner is None else (owner._parameters, owner._buffers):
                if last in store:
                    before.append((store, last, store[last]))
                    store[last] = tensor
        yield
    finally:
        for store, last, tensor in reversed(before):
            store[last] = tensor


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other parameters and buffers (torch.func.functional_call)."""
    given = parameter_and_buffer_dicts
    merged = (
        dict(given) if isinstance(given, Mapping) else {name: value for one in given for name, value in one.items()}
    )
    with swapped(module, merged):
        values = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*values, **(kwargs or {}))


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of several models, stacked (torch.func.stack_module_state)."""
    models = list(models)
    where = "stack_module_state: Expected "
    if not models:
        raise RuntimeError(where + "at least one model, got 0.")
    if not (all(model.training for model in models) or not any(model.training for model in models)):
        raise RuntimeError(where + "all models to have the same training/eval mode.")
    if any(type(model) is not type(models[0]) for model in models):
        raise RuntimeError(where + "all models to be of the same class.")
    parameters = {name: stacked_leaf(models, name) for name, _ in models[0].named_parameters()}
    return parameters, {name: stacked_leaf(models, name) for name, _ in models[0].named_buffers()}


def stacked_leaf(models: list[Any], name: str) -> Any:
    """Return the parameters or buffers of one name of several models as one leaf."""
    tensors = [operator.attrgetter(name)(model) for model in models]
    flags = {tensor.requires_grad for tensor in tensors}
    if len(flags) > 1:
        raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
    return stacked([tensor.detach() for tensor in tensors]).requires_grad_(flags.pop())


functions(
    "torch.func", stack_module_state=stack_module_state, jvp=jvp, linearize=linearize, functional_call=functional_call
)
