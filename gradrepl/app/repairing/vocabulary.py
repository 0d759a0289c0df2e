"""The names that an engine's torch knows, for repairing misspelt ones."""

from __future__ import annotations

import types
from functools import cache
from typing import Any

from gradrepl.repair.model import Vocabulary
from gradrepl.session.engine import Engine
from gradrepl.session.misspelt import KEYWORDS

MODULES = ("torch", "torch.autograd", "torch.nn", "torch.nn.functional", "torch.optim", "torch.autograd.functional")
SHORT = {"torch.nn": "nn", "torch.nn.functional": "F", "torch.optim": "optim"}
MORE_KEYWORDS = (
    *("requires_grad", "dtype", "device", "mode", "size", "alpha", "value", "input", "other", "params", "betas", "eps"),
    *("in_features", "out_features", "in_channels", "out_channels", "kernel_size", "stride", "padding", "groups"),
)
OF_MODULES = ("training", "weight", "bias", "in_features", "out_features")
"""What a Linear has on top of its class; making one would draw from the learner's random numbers."""


def vocabulary(engine: Engine) -> Vocabulary:
    """Return the names that an engine's torch knows; reads no attribute that runs code."""
    return names_of(engine.torch)


@cache
def names_of(torch: types.ModuleType) -> Vocabulary:
    modules: dict[str, frozenset[str]] = {}
    for path in MODULES:
        found = module_at(torch, path)
        if found is not None:
            names = frozenset(name for name in dir(found) if not name.startswith("_"))
            modules[path] = modules[SHORT.get(path, path)] = names
    _ = torch.median  # what of a tensor comes only when it is asked for
    attributes = {name for name in dir(torch.Tensor) if not name.startswith("__")}
    shortened = module_at(torch, "torch.linalg")  # which programs like to call L or LA
    attributes |= {name for owner in (*kinds(torch), shortened) for name in dir(owner) if not name.startswith("_")}
    attributes.update(OF_MODULES)
    keywords = frozenset((*KEYWORDS, *MORE_KEYWORDS))
    return Vocabulary(modules, frozenset(attributes), keywords, frozenset(attributes.union(*modules.values())))


def module_at(torch: Any, path: str) -> types.ModuleType | None:
    found: types.ModuleType | None = torch
    for part in path.split(".")[1:]:
        found = getattr(found, part, None)
    return found


def kinds(torch: Any) -> list[type]:
    """Return the classes whose objects tutorials use most, nodes of a graph among them."""
    with torch.inference_mode(False), torch.enable_grad():  # whatever mode the learner is in
        product = torch.ones(1, requires_grad=True) * 2
    leaf = product.grad_fn.next_functions[0][0]
    handle = product.register_hook(lambda grad: None)
    named = [torch.nn.Module, torch.optim.Optimizer, torch.Generator, torch.autograd.Function, torch.nn.Linear]
    return [
        *named,
        torch.Size,
        *(type(value) for value in (product.grad_fn, leaf, handle, torch.float32, torch.finfo(torch.float32))),
    ]
