"""What dotted names stand for, found without running anything: no property, no `__getattr__`, no call."""

from __future__ import annotations

import builtins
import inspect
import types
from collections.abc import Iterable, Mapping
from typing import Any

MISSING = object()
STORES = ("_parameters", "_buffers", "_modules")
"""Where a torch.nn.Module keeps what its `__getattr__` gives."""
_TRUSTED = "gradrepl.engine"
"""Whose `__dir__` and `__getattr__` are called: the engine brings in what is seldom needed when it is asked for."""
_CALLABLE = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)


def resolve(path: str, names: Mapping[str, Any], *, bring: bool = False) -> Any:
    """Return what a dotted name stands for; MISSING where only running code could tell.

    bring: what the engine has not imported yet may be brought in, which takes a moment.
    """
    first, *rest = path.split(".")
    value = names.get(first, vars(builtins).get(first, MISSING))
    for name in rest:
        if value is MISSING:
            return MISSING
        owner, value = value, attribute(value, name)
        if value is MISSING and bring and _brought(owner, name):
            value = attribute(owner, name)
    return value


def attribute(owner: Any, name: str) -> Any:
    """Return an attribute as it is stored, methods as the functions that they are made of; MISSING for a property."""
    stored = storage(owner)
    if name in stored:
        return stored[name]
    for store in STORES:
        kept = stored.get(store)
        if type(kept) is dict and name in kept:
            return kept[name]
    try:
        value = inspect.getattr_static(owner, name)
    except AttributeError:
        return MISSING
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__
    if isinstance(value, _CALLABLE) or not hasattr(type(value), "__get__"):
        return value
    return MISSING


def _brought(owner: Any, name: str) -> bool:
    """Whether the engine, asked for the name, brought it in."""
    later: Any = inspect.getattr_static(owner, name, None)
    if type(later).__module__.startswith(_TRUSTED) and hasattr(later, "bring"):
        later.bring()
        return True
    getter = _engines_own(owner, "__getattr__")
    try:
        return getter is not None and getter(name) is not MISSING
    except AttributeError:
        return False


def _engines_own(owner: Any, name: str) -> Any:
    """The engine's own special function of an object of the engine's; None for all other objects."""
    if isinstance(owner, types.ModuleType):
        found = storage(owner).get(name)
        return found if isinstance(found, types.FunctionType) and found.__module__.startswith(_TRUSTED) else None
    found = inspect.getattr_static(type(owner), name, None)
    if isinstance(found, types.FunctionType) and found.__module__.startswith(_TRUSTED):
        return types.MethodType(found, owner)
    return None


def attribute_names(owner: Any) -> set[str]:
    """Return the names of the attributes of an object, those that only running code would make left out."""
    names = set(storage(owner))
    lister = _engines_own(owner, "__dir__")
    kinds = type.mro(owner) if isinstance(owner, type) and owner is not type else type(owner).__mro__
    names.update(*([lister()] if lister else map(vars, kinds)))
    for store in STORES:
        kept = storage(owner).get(store)
        if type(kept) is dict:
            names.update(kept)
    return {name for name in names if isinstance(name, str)}


def storage(owner: Any) -> Mapping[str, Any]:
    """Return the dictionary in which an object keeps its own attributes, empty where it has none."""
    if isinstance(owner, type):
        return vars(owner)
    if isinstance(owner, types.ModuleType):
        stored: dict[str, Any] = types.ModuleType.__getattribute__(owner, "__dict__")
        return stored
    kept = inspect.getattr_static(owner, "__dict__", None)
    if type(kept) is types.GetSetDescriptorType:
        kept = kept.__get__(owner)
    return kept if type(kept) is dict else {}


def is_method(path: str, names: Mapping[str, Any]) -> bool:
    """Whether a dotted name reaches a function through an instance, which is then its first argument."""
    owner_path, dot, name = path.rpartition(".")
    owner = resolve(owner_path, names) if dot else MISSING
    if owner is MISSING or isinstance(owner, (type, types.ModuleType)) or name in storage(owner):
        return False
    return not isinstance(inspect.getattr_static(type(owner), name, None), staticmethod)


def visible(names: Iterable[str], start: str) -> list[str]:
    """Return the names with that start, in order; those with a leading underscore only where it is typed."""
    return sorted(name for name in names if name.startswith(start) and (start[:1] == "_" or name[:1] != "_"))
