"""Names that are not here: PyTorch's words for what PyTorch lacks too, and plain words for what only we lack."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from opcode import opmap
from types import FrameType, ModuleType
from typing import Any


@functools.cache
def owners() -> dict[str, str]:
    """Return PyTorch's modules and its Tensor by their names, each with the names that it has, in one text."""
    return listed("pytorch_names.txt")


def listed(file: str) -> dict[str, str]:
    """Return the names behind each owner in a file of this folder; pathlib would take a fifth of the engine's start."""
    loader: Any = __spec__.loader
    lines = loader.get_data(__file__.removesuffix("absent.py") + file).decode().splitlines()
    return {owner: names for owner, _, names in (line.partition(":") for line in lines)}


@functools.cache
def pytorch_names(owner: str) -> frozenset[str]:
    """Return the names that one of PyTorch's modules has, or its Tensor; none of what is not there."""
    return frozenset(owners().get(owner, "").split())


LACKING = (
    "{} is part of PyTorch, but gradrepl's builtin engine does not have it. "
    + "Start gradrepl with --engine torch to use it."
)


def only_we_lack(owner: str, name: str) -> str | None:
    """Return what to say of a name that PyTorch has under `owner` and the builtin engine has not, or None."""
    if name not in pytorch_names(owner):
        return None
    return LACKING.format(f"{owner}.{name}")


def attribute_error(owner: str, name: str, message: str, thing: Any) -> AttributeError:
    """Return the error for a missing name; Python suggests a similar name of `thing`, and none for None."""
    lack = only_we_lack(owner, name)
    if lack is not None:
        return AttributeError(lack, name=name, obj=None)
    return AttributeError(message, name=name, obj=thing)


def module_getattr(module: ModuleType) -> Callable[[str], Any]:
    """Return a module's `__getattr__`.

    For `torch` itself Python suggests nothing: in PyTorch it has more names than Python looks through.
    """
    owner = module.__name__
    thing = None if owner == "torch" else module

    def missing(name: str) -> Any:
        lack = only_we_lack(owner, name)
        if lack is not None and is_at(IMPORT, sys._getframe(2)):
            raise ImportError(lack, name=owner)
        if lack is not None and is_at(IMPORT_ALL, sys._getframe(2)):
            return StandIn(lack)
        raise attribute_error(owner, name, f"module '{owner}' has no attribute '{name}'", thing)

    return missing


class Absent:
    """Stands on Tensor for an attribute that only we lack: who asks for it is told so.

    A `__getattr__` would do too, but with one Python takes four times as long for every attribute that is there.
    """

    comes_later = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.__doc__ = LACKING.format(f"torch.Tensor.{name}")

    def __get__(self, tensor: Any, cls: Any = None) -> Any:
        raise AttributeError(self.__doc__, name=self.name, obj=None)


IMPORT = opmap["IMPORT_FROM"]
"""What runs at `from module import name`: Python has words of its own for an AttributeError there."""
IMPORT_ALL = opmap.get("IMPORT_STAR", opmap.get("CALL_INTRINSIC_1"))
"""What runs at `from module import *`."""


def is_at(instruction: int | None, frame: FrameType) -> bool:
    """Whether a frame runs an instruction."""
    return frame.f_code.co_code[frame.f_lasti] == instruction


class StandIn:
    """What `from module import *` brings for a name that only we lack: who uses it is told so."""

    lack = ""

    def __init__(self, lack: str) -> None:
        self.lack = lack

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(self.lack)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(self.lack, name=name, obj=None)


def stand_ins(owner: str, there: Iterable[str]) -> list[str]:
    """Return what `from owner import *` brings beside what is there: classes, of packages that give their own only."""
    if owner not in PACKAGES:
        return []
    return sorted(name for name in pytorch_names(owner).difference(there) if name[0].isupper())


PACKAGES = ("torch.distributions", "torch.nn", "torch.optim")


class Path(list[str]):
    """The `__path__` of the engine's modules, by which they are told from PyTorch's."""


class MissingModules:
    """Says of `import torch.NAME`, where only we lack it, what a missing name is told (sys.meta_path)."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> None:
        """Raise ModuleNotFoundError for a module that PyTorch has."""
        owner, _, name = fullname.rpartition(".")
        lack = only_we_lack(owner, name) if isinstance(path, Path) else None
        if lack is not None:
            raise ModuleNotFoundError(lack, name=fullname)
