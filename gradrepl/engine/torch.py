"""The namespace that lessons and users import as `torch`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from gradrepl.engine import access, autograd, creation, grad_mode, printing, random
from gradrepl.engine import dtype as dtypes
from gradrepl.engine.graph import Node
from gradrepl.engine.op import as_function
from gradrepl.engine.ops import activation, arithmetic, comparison, indexing, reduction, shape, view
from gradrepl.engine.tensor import Size, Tensor

SWITCHES = {
    "no_grad": grad_mode.no_grad,
    "enable_grad": grad_mode.enable_grad,
    "set_grad_enabled": grad_mode.set_grad_enabled,
    "inference_mode": grad_mode.inference_mode,
}


def module(name: str, *parts: dict[str, Any]) -> ModuleType:
    """Return a module of the given full name that holds the given names."""
    made = ModuleType(name)
    made.__dict__["__path__"] = []
    for part in parts:
        made.__dict__.update(part)
    return made


def named(*entries: Any) -> dict[str, Any]:
    """Return functions under their own names; an entry of the table of operations becomes a function."""
    return {function.__name__: function for function in map(as_function, entries)}


def functions() -> dict[str, Any]:
    """Return what torch has as functions."""
    return named(
        *(
            arithmetic.add,
            arithmetic.sub,
            arithmetic.mul,
            arithmetic.div,
            arithmetic.neg,
            arithmetic.reciprocal,
        ),
        *(arithmetic.pow, arithmetic.exp, arithmetic.log, arithmetic.sqrt, arithmetic.abs, arithmetic.sign),
        *(comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge),
        *(comparison.all, comparison.any, reduction.sum, reduction.mean, shape.where, shape.clone),
        *(view.reshape, view.unbind, view.transpose, view.permute, view.unsqueeze, view.squeeze, view.t),
        *(activation.sigmoid, activation.tanh, activation.relu),
        *(
            creation.tensor,
            creation.full,
            creation.ones,
            creation.zeros,
            creation.ones_like,
            creation.zeros_like,
        ),
        *(creation.randn, creation.rand, random.manual_seed),
        *(grad_mode.is_grad_enabled, grad_mode.is_inference_mode_enabled),
        *(printing.set_printoptions, dtypes.get_default_dtype, dtypes.set_default_dtype),
    )


def kinds() -> dict[str, Any]:
    """Return the dtypes under all their names."""
    aliases = {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32"}
    own = {kind.name: kind for kind in dtypes.ALL}
    return own | {alias: own[name] for alias, name in aliases.items()}


def build() -> dict[str, ModuleType]:
    """Make the modules, each holding what PyTorch has under its name."""
    assert access and indexing
    modes = module("torch.autograd.grad_mode", SWITCHES)
    graph = module("torch.autograd.graph", {"saved_tensors_hooks": autograd.saved_tensors_hooks, "Node": Node})
    gradients = module(
        "torch.autograd",
        SWITCHES,
        {"grad": autograd.grad, "backward": autograd.backward, "graph": graph, "grad_mode": modes},
    )
    torch = module(
        "torch",
        functions(),
        kinds(),
        SWITCHES,
        {"Tensor": Tensor, "Size": Size, "dtype": dtypes.dtype, "Generator": random.Generator},
        {"autograd": gradients, "__version__": "2.13.0"},
    )
    torch.__dict__["__getattr__"] = missing
    return {found.__name__: found for found in (torch, gradients, modes, graph)}


def missing(name: str) -> Any:
    """Raise what PyTorch raises for a name that it lacks."""
    raise AttributeError(f"module 'torch' has no attribute '{name}'")


_modules: dict[str, ModuleType] = {}


def modules() -> dict[str, ModuleType]:
    """Return the engine's modules by their names: "torch", "torch.autograd", ... (made once)."""
    if not _modules:
        _modules.update(build())
    return _modules
