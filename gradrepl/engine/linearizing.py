"""Forward-mode products and calls with other parameters: torch.func's jvp, linearize and functional_call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.functional import gradients
from gradrepl.engine.grad_mode import enable_grad
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.transforms import flat, free_of, fresh, mapped, rebuilt

NOT_A_TUPLE = "jvp(f, primals, tangents): Expected {} to be a tuple. E.g. it should be valid to call f(*primals)."


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """Return a function's value and its Jacobian times the tangents (torch.func.jvp).

    It goes back twice: the product with the Jacobian is linear in what it multiplies, and its derivative by that
    is the product with the Jacobian turned over. Raises RuntimeError for primals that are no tuple.
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(NOT_A_TUPLE.format("primals"))
    with enable_grad():
        new = tuple(mapped(primal, fresh) for primal in primals)
        output = func(*new)
        output, aux = output if has_aux else (output, None)
        ins = flat(new)
        found = forward_product(flat(output), ins, flat(tangents))
    done = free_of(rebuilt(output, found), ins)
    value = free_of(output, ins)
    return (value, done, free_of(aux, ins)) if has_aux else (value, done)


def forward_product(outs: list[Tensor], ins: list[Tensor], tangents: list[Tensor]) -> list[Tensor]:
    """Return for each output the directional derivative along the tangents."""
    wanted = [out for out in outs if out.requires_grad]
    weights = [make(np.zeros_like(out._data)).requires_grad_() for out in wanted]
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


functions("torch.func", jvp=jvp, linearize=linearize, functional_call=functional_call)
