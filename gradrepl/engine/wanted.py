"""What PyTorch's C++ code says of an argument of the wrong type, for functions that check nothing beforehand."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from gradrepl.engine.arguments import TYPES, type_name
from gradrepl.engine.dtype import c_name
from gradrepl.engine.tensor import Tensor

Body = Callable[..., Any]


def wants(function: str, *parameters: str) -> Callable[[Body], Body]:
    """Let a function that fails say what was wrong with its arguments: the first that is of the wrong type.

    function: PyTorch's name of it; an underscore follows where the argument `inplace` is true. parameters: in the
    order of PyTorch's C++ code, "name" for a tensor, "name.size" for one that Python first asks for an attribute,
    "name?" for a tensor or None, "name=Number" for a number, "name=any" for what is not looked at, "name=ints" and
    the like as in signatures, and "theirs:ours" where the name differs.
    """
    wanted = [parsed(text) for text in parameters]

    def decorate(body: Body) -> Body:
        @functools.wraps(body)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return body(*args, **kwargs)
            except (AttributeError, TypeError, ValueError):
                check(function, wanted, inspect.signature(body), args, kwargs)
                raise

        return call

    return decorate


def check_switch(value: object) -> None:
    """Raise TypeError for what is no bool, so that the function's caller is told which argument that is."""
    if type(value) is not bool:
        raise TypeError(type(value).__name__)


def parsed(text: str) -> tuple[str, str, str, bool]:
    """Return PyTorch's name of a parameter, ours, the type (or .attribute) and whether None may stand for it."""
    names, _, kind = text.partition("=")
    theirs, _, ours = names.removesuffix("?").partition(":")
    theirs, dot, attribute = theirs.partition(".")
    return theirs, ours or theirs, dot + attribute or kind or "Tensor", names.endswith("?")


def check(function: str, wanted: list[Any], signature: inspect.Signature, args: Any, kwargs: Any) -> None:
    """Raise TypeError for the first argument of the wrong type."""
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:
        return
    name = f"{function}_" if given.get("inplace") is True else function
    for position, (theirs, ours, kind, none) in enumerate(wanted, 1):
        value = given.get(ours, inspect.Parameter.empty)
        if kind == "any" or value is inspect.Parameter.empty or (value is None and none):
            continue
        if kind.startswith("."):
            if not isinstance(value, Tensor):
                raise AttributeError(f"'{c_name(value)}' object has no attribute '{kind[1:]}'") from None
            continue
        shown, accepts = TYPES[kind]
        if not (isinstance(value, (Tensor, int, float, complex)) if kind == "Number" else accepts(value)):
            raise TypeError(
                f"{name}(): argument '{theirs}' (position {position}) must be {shown}, not {type_name(value)}"
            ) from None
