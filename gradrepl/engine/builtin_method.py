"""Methods that print as PyTorch's built-in ones: what x.item shows whoever forgot the parentheses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

SHOWN = frozenset(
    (
        "item",
        "tolist",
        "numpy",
        "size",
        "dim",
        "numel",
        "nelement",
        "stride",
        "type",
        "argmax",
        "argmin",
        "max",
        "min",
        "std",
        "var",
        "median",
        "flatten",
    )
)
"""The methods that are mistaken for attributes most; each costs a fifth of a microsecond more to call."""


BARE = frozenset(
    (
        *("item", "tolist", "dim", "numel", "nelement", "ndimension", "detach", "detach_"),
        *("element_size", "storage_offset", "data_ptr", "retain_grad"),
    )
)
"""The methods that take no arguments."""


class Bound(functools.partial[Any]):
    """A method bound to a tensor."""

    __slots__ = ()

    @property
    def __name__(self) -> str:
        return str(self.func.__name__)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.func.__doc__

    @property
    def __self__(self) -> Any:
        return self.args[0]

    def __repr__(self) -> str:
        tensor = self.args[0]
        return f"<built-in method {self.func.__name__} of {type(tensor).__name__} object at {id(tensor):#x}>"


class BuiltinMethod:
    """What a class holds in the place of such a function."""

    __slots__ = ("__wrapped__",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__wrapped__ = function

    def __get__(self, tensor: Any, kind: Any = None) -> Any:
        return self.__wrapped__ if tensor is None else Bound(self.__wrapped__, tensor)


def without_arguments(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that takes no arguments, with PyTorch's words for one that is given some."""

    @functools.wraps(function)
    def call(self: Any, *given: Any, **named: Any) -> Any:
        if named:
            raise TypeError(f"TensorBase.{name}() takes no keyword arguments")
        if given:
            raise TypeError(f"TensorBase.{name}() takes no arguments ({len(given)} given)")
        return function(self)

    call.__name__ = name
    return call


def shown_as_builtin(name: str, function: Any) -> Any:
    """Return a function ready to be a method under a name."""
    if name in BARE:
        function = without_arguments(name, function)
    return BuiltinMethod(function) if name in SHOWN else function
