"""The namespace that lessons and users import as `torch`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from gradrepl.engine import (
    access,
    anomaly,
    autograd,
    checkpoint,
    creation,
    function,
    functional,
    grad_mode,
    gradcheck,
    graph_tools,
    limits,
    once,
    printing,
    random,
    results,
    saved,
    storage,
    training,
    transforms,
    variable,
)
from gradrepl.engine import dtype as dtypes
from gradrepl.engine.absent import module_getattr
from gradrepl.engine.api import SPACES
from gradrepl.engine.floating_errors import be_silent
from gradrepl.engine.ops import (
    activation,
    arithmetic,
    blending,
    choosing,
    comparison,
    conversion,
    cumulative,
    decomposition,
    diagonal,
    drawing,
    einsum,
    extremum,
    gathering,
    indexing,
    joining,
    linalg,
    linear,
    logic,
    norm,
    power,
    products,
    quantile,
    rearranging,
    reduction,
    reshaping,
    rounding,
    selecting,
    sorting,
    special,
    spread,
    trigonometry,
    turning,
)
from gradrepl.engine.tensor import Size, Tensor

FILLED_BY = (
    access,
    creation,
    activation,
    arithmetic,
    comparison,
    indexing,
    reduction,
    reshaping,
    linear,
    power,
    trigonometry,
    rounding,
    choosing,
    logic,
    blending,
    saved,
    conversion,
    drawing,
    storage,
    limits,
    diagonal,
    gathering,
    joining,
    rearranging,
    selecting,
    turning,
    function,
    graph_tools,
    anomaly,
    variable,
    spread,
    norm,
    extremum,
    sorting,
    cumulative,
    training,
    functional,
    gradcheck,
    transforms,
    checkpoint,
    special,
    quantile,
    decomposition,
    linalg,
    products,
    einsum,
)
"""The modules that put their functions into SPACES and onto Tensor when they are imported."""

SWITCHES = {
    "no_grad": grad_mode.no_grad,
    "enable_grad": grad_mode.enable_grad,
    "set_grad_enabled": grad_mode.set_grad_enabled,
    "inference_mode": grad_mode.inference_mode,
}
THREADS = {"set_multithreading_enabled": grad_mode.set_multithreading_enabled}
ALIASES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
}
KINDS = {kind.name: kind for kind in dtypes.ALL}

OWN: dict[str, dict[str, Any]] = {
    "torch": {
        **SWITCHES,
        **KINDS,
        **{alias: KINDS[name] for alias, name in ALIASES.items()},
        "Tensor": Tensor,
        "Size": Size,
        "dtype": dtypes.dtype,
        "Generator": random.Generator,
        "is_grad_enabled": grad_mode.is_grad_enabled,
        "is_inference_mode_enabled": grad_mode.is_inference_mode_enabled,
        "set_printoptions": printing.set_printoptions,
        "set_warn_always": once.set_warn_always,
        "is_warn_always_enabled": once.is_warn_always_enabled,
        "get_default_dtype": dtypes.get_default_dtype,
        "set_default_dtype": dtypes.set_default_dtype,
        "__version__": "2.13.0",
    },
    "torch.autograd": {**SWITCHES, **THREADS},
    "torch.return_types": results.KINDS,
    "torch.autograd.grad_mode": {**SWITCHES, **THREADS},
}
"""What the modules hold beside the functions of SPACES."""


def with_parents(names: set[str]) -> set[str]:
    """Return dotted names and what they lie in."""
    return names | {name.rsplit(".", cut)[0] for name in names for cut in range(1, name.count(".") + 1)}


def build() -> dict[str, ModuleType]:
    """Make the modules, each holding what PyTorch has under its name, and hang them into one another."""
    be_silent()
    made: dict[str, ModuleType] = {}
    for name in sorted(with_parents({*OWN, *SPACES})):
        module = made[name] = ModuleType(name)
        module.__dict__.update({"__path__": [], **SPACES.get(name, {}), **OWN.get(name, {})})
        parent, _, child = name.rpartition(".")
        if parent:
            made[parent].__dict__.setdefault(child, module)
    for module in made.values():
        module.__dict__["__getattr__"] = module_getattr(module)
    return made


_modules: dict[str, ModuleType] = {}


def modules() -> dict[str, ModuleType]:
    """Return the engine's modules by their names: "torch", "torch.autograd", ... (made once)."""
    if not _modules:
        _modules.update(build())
    return _modules
