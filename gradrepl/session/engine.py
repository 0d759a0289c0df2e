"""What a session needs to know of an engine: a namespace that behaves as torch."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import NamedTuple


class Engine(NamedTuple):
    """An engine: ours or PyTorch.

    name: "builtin" or "torch".
    torch: the module that `import torch` gives inside a session.
    modules: what `sys.modules` holds under "torch" and "torch.*" while a session runs code
    (empty for real PyTorch, whose modules are there already).
    roots: folders whose frames are left out of tracebacks; grad modes that code in them switches for its
    own ends are not the learner's. decorators: modules in them that switch on behalf of who called.
    """

    name: str
    torch: ModuleType
    modules: Mapping[str, ModuleType]
    roots: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ("torch.utils._contextlib", "gradrepl.engine.grad_mode")
