"""The one door to the engines: ours on numpy, or PyTorch where it is installed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradrepl.session.engine import Engine

NAMES = ("builtin", "torch")


class EngineUnavailableError(Exception):
    """The engine asked for can't be loaded; `missing` says that PyTorch isn't installed at all."""

    def __init__(self, reason: str, *, missing: bool) -> None:
        super().__init__(reason)
        self.missing = missing


def load(name: str) -> Engine:
    """The engine `name`, one of NAMES.

    Raises EngineUnavailableError where PyTorch is asked for and can't be imported.
    """
    engine = _pytorch() if name == "torch" else _builtin()
    _freeze()
    gc.enable()  # the command line has it off while it imports
    return engine


@cache
def _freeze() -> None:
    """Spare the collector what was imported; once, for what a later call would freeze is garbage, too."""
    gc.freeze()


def of_process() -> Engine:
    """The engine of the program that is running: PyTorch where that is imported already, else ours."""
    if "torch" in sys.modules:
        try:
            return _pytorch()
        except EngineUnavailableError:
            return _builtin()
    return _builtin()


def _builtin() -> Engine:
    from gradrepl.engine import torch as builtin
    from gradrepl.session.engine import Engine

    modules = builtin.modules()
    return Engine("builtin", modules["torch"], modules, (_folder(builtin),))


def _pytorch() -> Engine:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise EngineUnavailableError(str(error), missing=error.name == "torch") from error
    except (ImportError, OSError) as error:  # a library that PyTorch needs is missing or broken
        raise EngineUnavailableError(str(error), missing=False) from error
    from gradrepl.session.engine import Engine

    return Engine("torch", torch, {}, (_folder(torch),))


def _folder(module: ModuleType) -> str:
    from pathlib import Path

    return str(Path(str(module.__file__)).parent)


def operations() -> Mapping[str, Any]:
    """The entries of gradrepl's own table of operations, by name."""
    _builtin()
    import gradrepl.engine.rest  # noqa: F401 - most of the table
    from gradrepl.engine.op import TABLE

    return TABLE
