"""Modules called with other parameters: torch.func's functional_call and stack_module_state."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import stacked
from gradrepl.engine.tensor import Tensor

AMBIGUOUS = "{} appeared in multiple dictionaries; behavior of functional call is ambiguous"
TIED = "functional_call got multiple values for keys {}, which are tied. Consider using tie_weights=False"


def merged(given: Any) -> dict[str, Tensor]:
    """Return the tensors of one dict or several; raises ValueError for anything else, and for a name given twice."""
    if isinstance(given, dict):
        return dict(given)
    if not isinstance(given, Sequence):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got " + str(type(given))
        )
    if not all(isinstance(one, dict) for one in given):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for one in given for name in one]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(AMBIGUOUS.format(twice))
    return {name: value for one in given for name, value in one.items()}


def all_tensors(module: Any) -> dict[str, Tensor]:
    """Return a module's parameters and buffers under every name that they have."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def tied(module: Any, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what is given under all names of each tensor; raises ValueError where these were given different ones."""
    names_of: dict[int, list[str]] = {}
    for name, tensor in all_tensors(module).items():
        names_of.setdefault(id(tensor), []).append(name)
    found = dict(given)
    for names in names_of.values():
        values = [given[name] for name in names if name in given]
        if any(value is not values[0] for value in values):
            raise ValueError(TIED.format(sorted(names)))
        found.update(dict.fromkeys(names, values[0]) if values else {})
    return found


def check_names(module: Any, given: dict[str, Tensor]) -> None:
    """Raise RuntimeError where the names are not those of a module's parameters and buffers."""
    own = all_tensors(module)
    lists = (("Unexpected", sorted(given.keys() - own.keys())), ("Missing", sorted(own.keys() - given.keys())))
    lines = [f"{kind} key(s): {', '.join(map(repr, names))}." for kind, names in lists if names]
    if lines:
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(lines))


def owner_of(module: Any, path: str) -> Any:
    """Return a part of a module; raises AttributeError in PyTorch's words where there is none."""
    for name in path.split(".") if path else ():
        if name not in module._modules:
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        module = module._modules[name]
    return module


@contextmanager
def swapped(module: Any, named: Mapping[str, Tensor]) -> Iterator[None]:
    """Put other tensors in the places of parameters and buffers for a block."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, tensor in named.items():
            path, _, last = name.rpartition(".")
            owner = owner_of(module, path)
            if not isinstance(tensor, Tensor):
                raise TypeError(f"{tensor} is not an instance of torch.Tensor")
            for store in (owner._parameters, owner._buffers):
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
    given = merged(parameter_and_buffer_dicts)
    given = tied(module, given) if tie_weights else given
    if strict:
        check_names(module, given)
    with swapped(module, given):
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


functions("torch.func", stack_module_state=stack_module_state, functional_call=functional_call)
