"""Write gradrepl/engine/pytorch_names.txt: the names that PyTorch has, so that a missing one can be told apart.

Run with PyTorch 2.13 installed: python tests/tools/pytorch_names.py
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

from gradrepl.engine import torch as namespace

MODULES = (
    *("torch", "torch.Tensor", "torch.autograd", "torch.autograd.graph", "torch.autograd.functional"),
    *("torch.autograd.grad_mode", "torch.autograd.forward_ad", "torch.func", "torch.linalg", "torch.fft"),
    *("torch.special", "torch.random", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils"),
    *("torch.nn.utils.rnn", "torch.optim", "torch.optim.lr_scheduler", "torch.utils", "torch.utils.data"),
    *("torch.testing", "torch.distributions", "torch.cuda", "torch.sparse", "torch.utils.checkpoint"),
    *("torch.nn.Module", "torch.nn.utils.parametrize", "torch.nn.utils.parametrizations", "torch.amp", "torch.jit"),
)
"""What a missing name is looked for in, beside the modules that the builtin engine has."""
TARGET = Path(__file__).resolve().parents[2] / "gradrepl" / "engine" / "pytorch_names.txt"


def names_of(name: str) -> list[str]:
    """Return the public names of a module or class of PyTorch, and the special methods of Tensor."""
    owner, _, child = name.rpartition(".")
    is_class = child in ("Tensor", "Module")
    thing = getattr(importlib.import_module(owner), child) if is_class else importlib.import_module(name)
    return sorted(entry for entry in dir(thing) if not entry.startswith("_"))


def modules() -> list[str]:
    """Return the modules of PyTorch to list: those above and those that the builtin engine has."""
    made = [name for name in sorted(namespace.modules()) if has(name)]
    return list(dict.fromkeys((*MODULES, *made)))


def has(name: str) -> bool:
    """Whether PyTorch has a module, public in all its parts."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return "._" not in name


def text() -> str:
    """Return the file's text: a line a module, its name and then what it has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return "".join(f"{name}: {' '.join(names_of(name))}\n" for name in modules())


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
