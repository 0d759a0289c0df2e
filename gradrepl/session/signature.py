"""How something is called: from the engine's signature strings, from Python, or from the first line of its help."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gradrepl.session.lookup import MISSING, attribute, is_method, resolve

_EXAMPLE = re.compile(
    r"\s*(?:[\w.]+\.)?(?P<name>\w+)\((?P<parameters>(?:[^()]|\([^()]*\))*)\)[ \t]*(?:->[^\n]*)?(?:\n|$)"
)
_COMMA = re.compile(r",(?![^(\[]*[)\]])")
_STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its name ("" for a bare `*` or `/`), how it is written, and how it may be given."""

    name: str
    text: str
    by_position: bool = True
    by_name: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """One way to call something."""

    name: str
    arguments: tuple[Argument, ...]

    @property
    def text(self) -> str:
        """Such as "sum(input, *, dtype=None)"."""
        return f"{self.name}({', '.join(argument.text for argument in self.arguments)})"

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names that may stand before a `=`."""
        return tuple(argument.name for argument in self.arguments if argument.name and argument.by_name)


def forms(path: str, names: Mapping[str, Any], *, bring: bool = False) -> tuple[Form, ...]:
    """Return the ways to call what a dotted name stands for; none where only running code could tell.

    bring: as in `resolve`.
    """
    value = resolve(path, names, bring=bring)
    if value is MISSING:
        return ()
    name, method = path.rpartition(".")[2], is_method(path, names)
    if not isinstance(value, (type, *_FUNCTIONS)):
        value, method = _call_of(type(value)), True
    return _forms(name, value, method, names.get("torch"))


def _forms(name: str, value: Any, method: bool, torch: Any) -> tuple[Form, ...]:
    texts = _texts(value)
    if not texts and method and _is_torch(value, torch):
        texts = _texts(attribute(torch, name.rstrip("_")))
    if texts:
        found = [Form(name, tuple(_from_texts(text))) for text in texts]
        return tuple(Form(name, _without_self(form.arguments)) if method else form for form in found)
    return _from_python(name, value, method) or _from_help(name, value)


def _call_of(kind: type) -> Any:
    """What runs where an instance is called: of a torch.nn.Module its forward."""
    found = [vars(each)[name] for name in ("forward", "__call__") for each in kind.__mro__ if name in vars(each)]
    return found[0] if found else MISSING


def _is_torch(value: Any, torch: Any) -> bool:
    """Whether a method belongs to the engine's tensors, whose functions have the strings."""
    if not isinstance(torch, types.ModuleType):
        return False
    tensor = attribute(torch, "Tensor")
    return isinstance(tensor, type) and attribute(tensor, getattr(value, "__name__", "")) is value


def _texts(value: Any) -> tuple[str, ...]:
    found = vars(value).get("signatures", ()) if isinstance(value, types.FunctionType) else ()
    return tuple(text for text in found if isinstance(text, str)) if isinstance(found, tuple) else ()


def _from_texts(text: str) -> Iterable[Argument]:
    """The arguments of a string such as "Tensor input, int? dim=None, *, dtype? dtype=None"."""
    by_position = True
    for piece in filter(None, map(str.strip, text.split(","))):
        written = piece.partition(" ")[2].strip() or piece
        by_position = by_position and piece != "*"
        yield Argument("", "*") if piece == "*" else Argument(written.partition("=")[0], written, by_position)


def _without_self(arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
    kept = [argument for argument in arguments[1:] if argument.name != "out"]
    return tuple(kept[:-1] if kept and kept[-1].text == "*" else kept)


def _from_python(name: str, value: Any, method: bool) -> tuple[Form, ...]:
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except Exception:  # no signature, or one that a class of the learner's fails to tell
        return ()
    arguments: list[Argument] = []
    for parameter in parameters[1:] if method else parameters:
        by_position = parameter.kind is not parameter.KEYWORD_ONLY
        if not by_position and all(a.by_position and not a.text.startswith("*") for a in arguments):
            arguments.append(Argument("", "*"))
        by_name = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        arguments.append(Argument(parameter.name, _written(parameter), by_position, by_name))
    return (Form(name, tuple(arguments)),)


def _written(parameter: inspect.Parameter) -> str:
    stars = _STARS.get(parameter.kind, "")
    if parameter.default is parameter.empty:
        return f"{stars}{parameter.name}"
    simple = isinstance(parameter.default, (int, float, str, bytes, type(None)))
    return f"{parameter.name}={parameter.default!r}" if simple else f"{parameter.name}=..."


def _from_help(name: str, value: Any) -> tuple[Form, ...]:
    """The form that a function of C prints as the first line of its help."""
    text = getattr(value, "__doc__", None) if isinstance(value, _FUNCTIONS) else None
    found = _EXAMPLE.match(text) if isinstance(text, str) else None
    if found is None:
        return ()
    by_position, arguments = True, []
    for piece in filter(None, map(str.strip, _COMMA.split(found["parameters"]))):
        by_position = by_position and piece != "*"
        bare = piece.partition("=")[0].lstrip("*") if piece != "/" else ""
        arguments.append(Argument(bare, piece, by_position, bool(bare) and not piece.startswith("*")))
    return (Form(name, tuple(arguments)),)
