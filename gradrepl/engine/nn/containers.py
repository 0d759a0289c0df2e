"""Modules that hold modules or parameters: Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Self

from gradrepl.engine.nn.module import Module, indented
from gradrepl.engine.nn.parameter import Parameter, export
from gradrepl.engine.nn.registration import type_name
from gradrepl.engine.tensor import Tensor


def position(index: Any, count: int) -> int:
    """Return a position counted from the front; raises IndexError."""
    index = operator.index(index)
    if not -count <= index < count:
        raise IndexError(f"index {index} is out of range")
    return index % count


class Sequential(Module):
    """Modules that run one after another (torch.nn.Sequential)."""

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for index, module in enumerate(args):
                self.add_module(str(index), module)

    def name_at(self, index: Any) -> str:
        """Return the name of the module at a position."""
        return next(islice(self._modules, position(index, len(self)), None))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self.name_at(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self.name_at(index), module)

    def __delitem__(self, index: Any) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self.name_at(index)]
        for name in names:
            delattr(self, name)
        renumber(self, self._modules.values())

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Self:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return self.extend(other)

    def __mul__(self, other: Any) -> Sequential:
        check_factor(other, type(self))
        return Sequential(*(module for _ in range(other) for module in self))

    __rmul__ = __mul__

    def __imul__(self, other: Any) -> Self:
        check_factor(other, type(self))
        return self.extend([module for _ in range(other - 1) for module in self])

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def append(self, module: Module) -> Self:
        """Put a module at the end (torch.nn.Sequential.append)."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module at a position (torch.nn.Sequential.insert)."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        count = len(self._modules)
        if not -count <= index <= count:
            raise IndexError(f"Index out of range: {index}")
        modules = list(self._modules.values())
        modules.insert(index if index >= 0 else index + count, module)
        renumber(self, modules)
        return self

    def extend(self, sequential: Iterable[Any]) -> Self:
        """Put modules at the end (torch.nn.Sequential.extend)."""
        for module in list(sequential):
            self.append(module)
        return self

    def pop(self, key: Any) -> Any:
        """Take a module out (torch.nn.Sequential.pop)."""
        module = self[key]
        del self[key]
        return module


def check_factor(other: Any, kind: type) -> None:
    """Raise what PyTorch raises for a Sequential multiplied by what is no count."""
    if not isinstance(other, int):
        raise TypeError(f"unsupported operand type(s) for *: {kind} and {type(other)}")
    if other <= 0:
        raise ValueError(f"Non-positive multiplication factor {other} for {kind}")


def renumber(owner: Module, modules: Iterable[Any]) -> None:
    owner._modules = {str(index): module for index, module in enumerate(list(modules))}


class ModuleList(Module):
    """A list of modules (torch.nn.ModuleList)."""

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.__class__(list(self._modules.values())[index])
        return self._modules[str(position(index, len(self)))]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, str(position(index, len(self))), module)

    def __delitem__(self, index: Any) -> None:
        modules = list(self._modules.values())
        del modules[index if isinstance(index, slice) else position(index, len(self))]
        renumber(self, modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __iadd__(self, modules: Iterable[Any]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Any]) -> ModuleList:
        return ModuleList([*self, *other])

    def append(self, module: Any) -> Self:
        """Put a module at the end (torch.nn.ModuleList.append)."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Any) -> None:
        """Put a module at a position (torch.nn.ModuleList.insert)."""
        modules = list(self._modules.values())
        modules.insert(index, module)
        renumber(self, modules)

    def extend(self, modules: Iterable[Any]) -> Self:
        """Put modules at the end (torch.nn.ModuleList.extend)."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}")
        for module in modules:
            self.append(module)
        return self

    def pop(self, key: Any) -> Any:
        """Take a module out (torch.nn.ModuleList.pop)."""
        module = self[key]
        del self[key]
        return module

    def __repr__(self) -> str:
        runs: list[tuple[int, int, str]] = []
        for index, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], index, text)
            else:
                runs.append((index, index, text))
        if not runs:
            return f"{self._get_name()}()"
        lines = []
        for first, last, text in runs:
            place = f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}"
            lines.append(indented(place))
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """Modules by names (torch.nn.ModuleDict)."""

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Any) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out (torch.nn.ModuleDict.clear)."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out (torch.nn.ModuleDict.pop)."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Any:
        """Return the names (torch.nn.ModuleDict.keys)."""
        return self._modules.keys()

    def items(self) -> Any:
        """Return names and modules (torch.nn.ModuleDict.items)."""
        return self._modules.items()

    def values(self) -> Any:
        """Return the modules (torch.nn.ModuleDict.values)."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Put modules in, from a mapping or from pairs (torch.nn.ModuleDict.update)."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                + type(modules).__name__
            )
        if isinstance(modules, (Mapping, ModuleDict)):
            modules = modules.items()
        for key, module in checked_pairs("ModuleDict", modules):
            self[key] = module


def checked_pairs(owner: str, pairs: Iterable[Any]) -> Iterator[Any]:
    """Go through pairs; raises what PyTorch raises for an element that is none."""
    for place, pair in enumerate(pairs):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{owner} update sequence element #{place} should be Iterable; is{type(pair).__name__}")
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{owner} update sequence element #{place} has length {len(pair)}; 2 is required")
        yield pair


def as_entry(value: Any) -> Any:
    """Return a tensor as a parameter, anything else as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


class ParameterList(Module):
    """A list of parameters (torch.nn.ParameterList)."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(*index.indices(len(self)))])
        return getattr(self, str(position(index, len(self))))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, str(position(index, len(self))), as_entry(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter(self[i] for i in range(len(self)))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Put a parameter at the end (torch.nn.ParameterList.append)."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Put parameters at the end (torch.nn.ParameterList.extend)."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in values:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        lines = []
        for index, value in enumerate(self):
            if isinstance(value, Tensor):
                kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
                size = "x".join(str(side) for side in value.shape)
                lines.append(f"  ({index}): {kind} containing: [{value.dtype} of size {size}]")
            else:
                lines.append(f"  ({index}): Object of type: {type(value).__name__}")
        return "\n".join(lines)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called.")


def checked_key(key: Any) -> str:
    """Return a key that is a string; raises PyTorch's TypeError for another."""
    if not isinstance(key, str):
        raise TypeError(
            "Index given to ParameterDict cannot be used as a key as it is not a string (type is "
            f"'{type(key).__name__}'). Open an issue on github if you need non-string keys."
        )
    return key


class ParameterDict(Module):
    """Parameters by names (torch.nn.ParameterDict)."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, checked_key(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._keys[key] = None
        setattr(self, checked_key(key), as_entry(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, checked_key(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __or__(self, other: ParameterDict) -> ParameterDict:
        copy = self.copy()
        copy.update(other)
        return copy

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def keys(self) -> Any:
        """Return the names (torch.nn.ParameterDict.keys)."""
        return self._keys.keys()

    def items(self) -> Any:
        """Return names and parameters (torch.nn.ParameterDict.items)."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Any:
        """Return the parameters (torch.nn.ParameterDict.values)."""
        return (self[key] for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a parameter, or the default (torch.nn.ParameterDict.get)."""
        return self[key] if key in self._keys else default

    def pop(self, key: str) -> Any:
        """Take a parameter out (torch.nn.ParameterDict.pop)."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last parameter out, with its name (torch.nn.ParameterDict.popitem)."""
        key, _ = self._keys.popitem()
        self._keys[key] = None
        return key, self.pop(key)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return a parameter, put in where it is not there (torch.nn.ParameterDict.setdefault)."""
        if key not in self:
            self[key] = default
        return self[key]

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a new dict with one value under all keys (torch.nn.ParameterDict.fromkeys)."""
        return ParameterDict((key, default) for key in keys)

    def copy(self) -> ParameterDict:
        """Return a new dict with the same parameters (torch.nn.ParameterDict.copy)."""
        return ParameterDict(OrderedDict((key, self[key]) for key in self._keys))

    def clear(self) -> None:
        """Take all parameters out (torch.nn.ParameterDict.clear)."""
        for key in list(self._keys):
            del self[key]

    def update(self, parameters: Any) -> None:
        """Put parameters in, from a mapping or from pairs (torch.nn.ParameterDict.update)."""
        if not isinstance(parameters, Iterable):
            raise TypeError(
                "ParametersDict.update should be called with an iterable of key/value pairs, but got "
                + type(parameters).__name__
            )
        if isinstance(parameters, (OrderedDict, ParameterDict)):
            pairs: Iterable[Any] = parameters.items()
        elif isinstance(parameters, Mapping):
            pairs = sorted(parameters.items())
        else:
            pairs = checked_pairs("ParameterDict", parameters)
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        lines = []
        for key, value in self.items():
            if isinstance(value, Tensor):
                kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
                size = "x".join(str(side) for side in value.shape)
                lines.append(f"  ({key}): {kind} containing: [{type_name(value)} of size {size}]")
            else:
                lines.append(f"  ({key}): Object of type: {type(value).__name__}")
        return "\n".join(lines)

    def __call__(self, input: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called.")


export("torch.nn.modules.container", Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict)
