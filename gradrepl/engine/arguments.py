"""Arguments checked and bound by signature strings, with PyTorch's words for what does not fit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.device import device, layout, memory_format, require_cpu
from gradrepl.engine.dtype import CATEGORY, FLOAT, PYTHON_TYPES, c_name, dtype
from gradrepl.engine.once import warn_once
from gradrepl.engine.tensor import Tensor

REQUIRED = object()
INTS, FLOATS = (int, np.integer), (int, float, np.integer, np.floating)


def is_int(value: Any) -> bool:
    """Whether a value serves as an integer: no bool, but a 0-d integer tensor does."""
    if isinstance(value, Tensor):
        return value._data.ndim == 0 and CATEGORY[value._data.dtype] < FLOAT and not value._requires_grad
    return isinstance(value, INTS) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value._data.ndim == 0 and not value._requires_grad
    return isinstance(value, (int, float, complex, np.generic))


def is_numbers(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and not any(
        isinstance(item, Tensor) or not is_number(item) for item in value
    )


def is_float(value: Any) -> bool:
    return (isinstance(value, FLOATS) and not isinstance(value, bool)) or (
        isinstance(value, Tensor) and value._data.ndim == 0 and not value._requires_grad
    )


def is_ints(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and (not value or is_int(value[0]))


def is_dtype(value: Any) -> bool:
    return isinstance(value, dtype) or (isinstance(value, type) and value in PYTHON_TYPES)


TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "Tensor": ("Tensor", lambda value: isinstance(value, Tensor)),
    "Operand": ("Tensor", lambda value: isinstance(value, Tensor) or is_number(value)),
    "Tensors": ("tuple of Tensors", lambda value: isinstance(value, (tuple, list))),
    "Number": ("Number", is_number),
    "Numbers": ("tuple of Scalars", is_numbers),
    "int": ("int", is_int),
    "side": ("int", is_int),
    "float": ("float", is_float),
    "bool": ("bool", lambda value: isinstance(value, (bool, np.bool_))),
    "ints": ("tuple of ints", is_ints),
    "int_or_ints": ("tuple of ints", lambda value: is_int(value) or is_ints(value)),
    "floats": ("tuple of floats", lambda value: isinstance(value, (tuple, list))),
    "str": ("str", lambda value: isinstance(value, str)),
    "dtype": ("torch.dtype", is_dtype),
    "kind": ("torch.dtype", lambda value: is_dtype(value) or type(value) in (bool, float, complex)),
    "Generator": ("torch.Generator", lambda value: type(value).__qualname__ == "Generator"),
    "device": (
        "torch.device",
        lambda value: isinstance(value, (str, int, device)) and not isinstance(value, bool),
    ),
    "layout": ("torch.layout", lambda value: isinstance(value, layout)),
    "memory_format": ("torch.memory_format", lambda value: isinstance(value, memory_format)),
    "Storage": ("torch.Storage", lambda value: False),
    "any": ("object", lambda value: True),
}
"""The types of signature strings: what PyTorch calls them, and what they accept."""


class Parameter(NamedTuple):
    """One parameter: `none` says that None may stand for it, `text` how PyTorch prints it."""

    name: str
    kind: str
    none: bool
    default: Any
    keyword_only: bool
    text: str

    def accepts(self, value: Any) -> bool:
        return (value is None and self.none) or TYPES[self.kind][1](value)


LITERALS = {"None": None, "True": True, "False": False, "()": ()}


def literal(text: str) -> Any:
    if text in LITERALS:
        return LITERALS[text]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text.strip('"')


class Signature:
    """One way to call a function, from a string such as "Tensor input, int_or_ints? dim, bool keepdim=False, *,
    dtype? dtype=None"; types are the keys of TYPES, `?` lets None stand for the argument, "deprecated" in front says
    that PyTorch takes it with a warning and lists it nowhere. A method's signature
    leaves out the first parameter and `out`."""

    def __init__(self, text: str, method: bool) -> None:
        self.parameters: list[Parameter] = []
        self.deprecated = text.startswith("deprecated ")
        text = text.removeprefix("deprecated ")
        pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
        if method:
            pieces = [piece for piece in pieces[1:] if piece.partition("=")[0].split()[-1] != "out"]
            pieces = pieces[:-1] if pieces[-1:] == ["*"] else pieces
        keyword_only = False
        shown = []
        for piece in pieces:
            if piece == "*":
                keyword_only = True
                shown.append("*")
                continue
            parameter = self.parameter(piece, keyword_only)
            self.parameters.append(parameter)
            shown.append(parameter.text)
        self.text = f"({', '.join(shown)})"
        self.pieces = max(len(shown), 1)
        self.positional = sum(not parameter.keyword_only for parameter in self.parameters)
        self.required = sum(parameter.default is REQUIRED for parameter in self.parameters)
        self.checks = [(parameter, TYPES[parameter.kind][1]) for parameter in self.parameters]
        first = self.parameters[0] if self.parameters else None
        self.takes_varargs = first is not None and first.kind == "ints" and self.positional == 1

    @staticmethod
    def parameter(piece: str, keyword_only: bool) -> Parameter:
        left, has_default, right = piece.partition("=")
        kind, name = left.split()
        default = literal(right.strip()) if has_default else REQUIRED
        none = kind.endswith("?") or default is None
        kind = kind.rstrip("?")
        text = f"{TYPES[kind][0]} {name}" + (f" = {right.strip()}" if has_default else "")
        return Parameter(name, kind, none, default, keyword_only, text)

    def bind(self, function: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any] | None:
        """Return the values in the order of the parameters; None where they do not fit."""
        if not self.takes_varargs:
            return self.match(function, args, kwargs)
        try:
            return self.values(function, args, kwargs, kwargs)
        except MisfitError:
            return None

    def explain(self, function: str, args: Sequence[Any], kwargs: dict[str, Any], given: dict[str, Any]) -> None:
        """Raise TypeError in PyTorch's words where values do not fit; given: the keywords as they were typed."""
        try:
            self.values(function, args, kwargs, given)
        except MisfitError as misfit:
            raise TypeError(misfit.message()) from None

    def match(self, function: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any] | None:
        """Return what `values` returns, or None: the short way, which collects nothing for a message."""
        count = len(args)
        if count > self.positional or count + len(kwargs) < self.required:
            return None
        values: list[Any] = []
        used = 0
        for position, (parameter, accepts) in enumerate(self.checks):
            if position < count:
                value = args[position]
            elif (value := kwargs.get(parameter.name, REQUIRED)) is not REQUIRED:
                used += 1
                if parameter.kind == "kind" and not is_dtype(value):
                    return None
            elif parameter.default is REQUIRED:
                return None
            else:
                values.append(parameter.default)
                continue
            if not accepts(value) and not (value is None and parameter.none):
                return None
            values.append(value if value.__class__ is Tensor else unpacked(function, parameter, value))
        return values if used == len(kwargs) else None

    def values(self, function: str, args: Sequence[Any], kwargs: dict[str, Any], given: dict[str, Any]) -> list[Any]:
        spread = self.takes_varargs and is_ints(args)
        if len(args) > self.positional and not spread:
            raise MisfitError(lambda: too_many(function, self, len(args)))
        positional = (tuple(args),) if spread and args else args
        values: list[Any] = []
        used = 0
        for position, parameter in enumerate(self.parameters):
            named = position >= len(positional)
            value = kwargs.get(parameter.name, REQUIRED) if named else positional[position]
            if value is REQUIRED:
                if parameter.default is REQUIRED:
                    raise MisfitError(functools.partial(missing, function, self, position, kwargs))
                values.append(parameter.default)
                continue
            used += named
            if not parameter.accepts(value) or (named and parameter.kind == "kind" and not is_dtype(value)):
                raise MisfitError(functools.partial(wrong, function, parameter, position, named, value))
            values.append(unpacked(function, parameter, value))
        if used < len(kwargs):
            raise MisfitError(lambda: unexpected(function, self, given, len(positional)))
        return values


class MisfitError(Exception):
    """Arguments that do not fit an overload; the message is made only where somebody wants it."""

    def __init__(self, message: Callable[[], str]) -> None:
        self.message = message


def unpacked(function: str, parameter: Parameter, value: Any) -> Any:
    """Return a value as the function wants it; raises TypeError for a sequence of ints with something else in it."""
    if parameter.kind == "device":
        require_cpu(value)
    if parameter.kind in ("dtype", "kind") and isinstance(value, type):
        return PYTHON_TYPES[value]
    if parameter.kind not in ("ints", "int_or_ints") or not isinstance(value, (tuple, list)):
        return value
    for position, item in enumerate(value):
        if not is_int(item):
            raise TypeError(
                f"{function}(): argument '{parameter.name}' failed to unpack the object at pos {position + 1} with "
                f'error "type must be tuple of ints,but got {type_name(item)}"'
            )
    return tuple(int(item) for item in value)


def too_many(function: str, signature: Signature, count: int) -> str:
    most = signature.positional
    least = sum(p.default is REQUIRED for p in signature.parameters if not p.keyword_only)
    given = f"{count} {'was' if count == 1 else 'were'} given"
    if least < most:
        return f"{function}() takes from {least} to {most} positional arguments but {given}"
    return f"{function}() takes {most} positional argument{'' if most == 1 else 's'} but {given}"


def missing(function: str, signature: Signature, position: int, kwargs: dict[str, Any]) -> str:
    names = [p.name for p in signature.parameters[position:] if p.default is REQUIRED and p.name not in kwargs]
    listed = ", ".join(f'"{name}"' for name in names)
    plural = "arguments" if len(names) == 1 else "argument"
    return f"{function}() missing {len(names)} required positional {plural}: {listed}"


def unexpected(function: str, signature: Signature, kwargs: dict[str, Any], count: int) -> str:
    names = [parameter.name for parameter in signature.parameters]
    for name in kwargs:
        if name not in names:
            return f"{function}() got an unexpected keyword argument '{name}'"
        if names.index(name) < count:
            return f"{function}() got multiple values for argument '{name}'"
    return "invalid keyword arguments"


def wrong(function: str, parameter: Parameter, position: int, named: bool, value: Any) -> str:
    wanted = TYPES[parameter.kind][0]
    if named:
        return f"{function}(): argument '{parameter.name}' must be {wanted}, not {type_name(value)}"
    place = f"{function}(): argument '{parameter.name}' (position {position + 1})"
    if parameter.kind in ("ints", "int_or_ints") and isinstance(value, (tuple, list)):
        bad = next((i for i, item in enumerate(value) if not is_int(item)), 0)
        return f"{place} must be {wanted}, but found element of type {type_name(value[bad])} at pos {bad}"
    return f"{place} must be {wanted}, not {type_name(value)}"


def type_name(value: Any) -> str:
    """Return the name of a value's type as PyTorch's C code sees it."""
    kind = type(value)
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else c_name(value)


def described(args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    text = ", ".join(type_name(value) for value in args)
    named = "".join(f"{name}={type_name(kwargs[name])}, " for name in reversed(kwargs))
    if args:
        return f"({text}{', ' + named[:-2] if named else ''})"
    return f"({named})"


def marked(signature: Signature, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """Return the types that were given, those that an overload does not take between exclamation marks."""
    shown = []
    for position, value in enumerate(args):
        parameter = signature.parameters[position] if position < len(signature.parameters) else None
        fits = parameter is not None and simply_fits(parameter.kind, value)
        shown.append(type_name(value) if fits else f"!{item_types(value)}!")
    for name, value in kwargs.items():
        parameter = next((p for p in signature.parameters if p.name == name), None)
        fits = parameter is not None and simply_fits(parameter.kind, value)
        shown.append(f"{name}={type_name(value)}" if fits else f"!{name}={type_name(value)}!")
    tail = ", " if kwargs else ""
    return f"({', '.join(shown)}{tail})"


def item_types(value: Any) -> str:
    """Return the name of a value's type, for a sequence with those of its items."""
    if type(value) is list:
        return f"list of [{', '.join(map(type_name, value))}]"
    if type(value) is tuple:
        return f"tuple of ({', '.join(map(type_name, value))}{',' if len(value) == 1 else ''})"
    return type_name(value)


def simply_fits(kind: str, value: Any) -> bool:
    wanted, name = TYPES[kind][0], type_name(value)
    if kind == "side":  # in messages PyTorch finds fault with any int there
        return False
    return name == wanted or (wanted == "float" and name == "int")


def invalid(function: str, signatures: Sequence[Signature], args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """Return the list of overloads that PyTorch prints when none fits."""
    start = f"{function}() received an invalid combination of arguments - got "
    given = len(args) + len(kwargs)
    if len(signatures) == 1:
        only = signatures[0]
        same = given == only.pieces
        shown = marked(only, args, kwargs) if same else described(args, kwargs)
        return f"{start}{shown}, but expected {only.text}"
    lines = [f"{start}{described(args, kwargs)}, but expected one of:"]
    for signature in signatures:
        lines.append(f" * {signature.text}")
        if given != signature.pieces:
            continue
        names = {parameter.name for parameter in signature.parameters}
        unknown = [name for name in reversed(kwargs) if name not in names]
        if unknown:
            lines.append(f"      didn't match because some of the keywords were incorrect: {', '.join(unknown)}")
        else:
            text = marked(signature, args, kwargs)
            lines.append(f"      didn't match because some of the arguments have invalid types: {text}")
    return "\n".join(lines) + "\n"


ALIASES = {"axis": "dim", "keepdims": "keepdim", "x1": "input", "x2": "other", "a": "input"}
"""Numpy's argument names that PyTorch takes too."""


def bind(
    function: str, signatures: Sequence[Signature], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Signature, list[Any]]:
    """Return the first overload that fits, and its values; raises PyTorch's TypeError where none does."""
    given = kwargs
    if kwargs:
        names = {parameter.name for signature in signatures for parameter in signature.parameters}
        if not kwargs.keys() <= names:
            kwargs = {
                ALIASES[name] if name not in names and ALIASES.get(name) in names else name: value
                for name, value in kwargs.items()
            }
    for signature in signatures:
        values = signature.bind(function, args, kwargs)
        if values is not None:
            if signature.deprecated:
                warn_once(deprecated(function, signature, signatures), stacklevel=4, place="overload")
            return signature, values
    if len(signatures) == 1 and not signatures[0].parameters:
        raise TypeError(takes_nothing(function, args))
    count = len(args) + len(kwargs)
    listed = [s for s in signatures if not s.deprecated]
    plausible = [s for s in listed if s.required <= count <= len(s.parameters)] if len(signatures) > 1 else signatures
    if len(plausible) == 1:
        plausible[0].explain(function, args, kwargs, given)
    raise TypeError(invalid(function, listed, args, given))


def deprecated(function: str, signature: Signature, signatures: Sequence[Signature]) -> str:
    """Return PyTorch's words for an overload that it takes but does not list."""
    others = "".join(f"\n\t{function}{other.text}" for other in signatures if not other.deprecated)
    return (
        f"This overload of {function} is deprecated:\n\t{function}{signature.text}\nConsider using one of the "
        f"following signatures instead:{others}"
    )


def takes_nothing(function: str, args: Sequence[Any]) -> str:
    """Return PyTorch's words for arguments to a method that has none."""
    if args:
        return f"TensorBase.{function}() takes no arguments ({len(args)} given)"
    return f"TensorBase.{function}() takes no keyword arguments"
