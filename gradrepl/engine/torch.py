"""The namespace that lessons and users import as `torch`."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from gradrepl.engine import autograd, grad_mode, once, results
from gradrepl.engine import dtype as dtypes
from gradrepl.engine.absent import Absent, MissingModules, Path, listed, module_getattr, pytorch_names, stand_ins
from gradrepl.engine.api import SPACES
from gradrepl.engine.derivatives import saved
from gradrepl.engine.ops import (
    activation,
    arithmetic,
    broadcasting,
    comparison,
    drawing,
    indexing,
    power,
    reduction,
    reshaping,
)
from gradrepl.engine.precision.floating_errors import be_silent
from gradrepl.engine.tensor import Size, Tensor
from gradrepl.engine.values import access, creation, printing, random

FILLED_BY = (
    access,
    autograd,
    creation,
    activation,
    arithmetic,
    comparison,
    indexing,
    reduction,
    reshaping,
    power,
    saved,
    drawing,
    broadcasting,
)
"""What is there at once: modules that put their functions into SPACES and onto Tensor when they are imported. All
else is in rest.py, which is imported when somebody asks for a name that is not here yet."""

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


@functools.cache
def rest_names() -> dict[str, frozenset[str]]:
    """Return what comes only with the rest: the names that it adds to Tensor and to each module."""
    return {owner: frozenset(names.split()) for owner, names in listed("rest_names.txt").items()}


def with_parents(names: set[str]) -> set[str]:
    """Return dotted names and what they lie in."""
    return names | {name.rsplit(".", cut)[0] for name in names for cut in range(1, name.count(".") + 1)}


def build() -> dict[str, ModuleType]:
    """Make the modules and hang them into one another; each gets the names that are there at once."""
    be_silent()
    made: dict[str, ModuleType] = {}
    for name in sorted(with_parents({*OWN, *SPACES, *rest_names()} - {"torch.Tensor"})):
        module = made[name] = ModuleType(name)
        parent, _, child = name.rpartition(".")
        if parent and child not in rest_names().get(parent, ()):
            made[parent].__dict__.setdefault(child, module)
        module.__dict__.update({"__path__": Path(), "__getattr__": getter(module), "__dir__": lister(module)})
    fill(made)
    sys.meta_path.append(MissingModules)
    return made


def fill(made: dict[str, ModuleType]) -> None:
    """Give each module all that is there for it by now."""
    for name, module in made.items():
        module.__dict__.update({**SPACES.get(name, {}), **OWN.get(name, {})})


def load_rest() -> None:
    """Import what is not there at once; who asks for it in another thread at the same time waits until it is there."""
    with loading:
        if rest_loaded:
            return
        rest_loaded.append(True)
        from gradrepl.engine import rest

        assert rest.PARTS
        fill(_modules)


loading = threading.RLock()
rest_loaded: list[bool] = []


def getter(module: ModuleType) -> Callable[[str], Any]:
    """Return a module's `__getattr__`: it brings in the rest before it says that a name is missing."""
    missing = module_getattr(module)

    def find(name: str) -> Any:
        if name == "__all__":
            return everything(module)
        if name in rest_names().get(module.__name__, ()):
            load_rest()
        return module.__dict__[name] if name in module.__dict__ else missing(name)

    return find


def everything(module: ModuleType) -> list[str]:
    """Return what `from module import *` brings: all but what begins with an underscore, and modules."""
    load_rest()
    names = dir(module)
    own = [name for name in names if name[0] != "_" and not isinstance(getattr(module, name), ModuleType)]
    return own + stand_ins(module.__name__, names)


def lister(module: ModuleType) -> Callable[[], list[str]]:
    """Return a module's `__dir__`: all its names, those of the rest too, which it need not bring in for that."""

    def names() -> list[str]:
        own = {name for name in module.__dict__ if name not in ("__getattr__", "__dir__", "__path__")}
        return sorted(own | rest_names().get(module.__name__, frozenset()))

    return names


class Later:
    """Stands on Tensor for an attribute of the rest, which comes and takes its place when somebody asks for it."""

    comes_later = True

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Any, cls: Any = None) -> Any:
        self.bring()
        if vars(Tensor)[self.name] is self:
            raise AttributeError(self.name)
        return getattr(cls if tensor is None else tensor, self.name)

    def __set__(self, tensor: Tensor, value: Any) -> None:
        self.bring()
        setattr(tensor, self.name, value)

    @staticmethod
    def bring() -> None:
        """Bring in the rest."""
        load_rest()


def tensor_names(self: Tensor) -> list[str]:
    """Return all names of a tensor, those of the rest too."""
    return sorted({*object.__dir__(self)} - lacked() | {*self.__dict__})


def class_names(cls: type[Tensor]) -> list[str]:
    """Return all names of the class Tensor, those of the rest too."""
    return sorted({*type.__dir__(cls)} - lacked())


def lacked() -> set[str]:
    """Return the names that stand on Tensor for what only we lack."""
    return {name for name, value in vars(Tensor).items() if type(value) is Absent}


def new_subclass(cls: type[Tensor], **kwargs: Any) -> None:
    """Get a class ready that somebody derives from Tensor."""
    super(Tensor, cls).__init_subclass__(**kwargs)
    if cls.__module__ == "torch" or cls.__module__.startswith("gradrepl.") or not cls._may_override:
        return
    load_rest()
    from gradrepl.engine import subclasses

    subclasses.prepare(cls)
    fill(_modules)


Tensor.__init_subclass__ = classmethod(new_subclass)  # type: ignore[assignment, arg-type]
type(Tensor).__dir__ = class_names  # type: ignore[method-assign, assignment]
Tensor.__dir__ = tensor_names  # type: ignore[method-assign]


def later(operator: str) -> Callable[..., Any]:
    """Return a stand-in for an operator of the rest: Python takes operators from the class itself."""

    def call(self: Tensor, *operands: Any) -> Any:
        load_rest()
        return getattr(type(self), operator)(self, *operands)

    call.comes_later = True  # type: ignore[attr-defined]
    return call


def new_later(cls: type[Tensor], *args: Any, **kwargs: Any) -> Any:
    """Stand in for the constructor torch.Tensor(...) of the rest."""
    load_rest()
    return cls.__new__(cls, *args, **kwargs)


new_later.comes_later = True  # type: ignore[attr-defined]


def stand_for_what_is_not_there() -> None:
    """Put on Tensor what stands for the attributes that come later, and for those that never come."""
    rest = rest_names()["torch.Tensor"]
    for name in rest:
        if name != "__new__":
            setattr(Tensor, name, later(name) if name.startswith("__") else Later(name))
    for name in pytorch_names("torch.Tensor").difference(rest, vars(Tensor), vars(object)):
        setattr(Tensor, name, Absent(name))


stand_for_what_is_not_there()
Tensor.__new__ = new_later  # type: ignore[assignment]

_modules: dict[str, ModuleType] = {}


def modules() -> dict[str, ModuleType]:
    """Return the engine's modules by their names: "torch", "torch.autograd", ... (made once)."""
    if not _modules:
        _modules.update(build())
    return _modules
