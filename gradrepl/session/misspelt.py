"""Names that Python or PyTorch doesn't know: which known one was perhaps meant."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from gradrepl.session.case import Case
from gradrepl.session.outcome import Fact
from gradrepl.session.past import last_name
from gradrepl.session.spelling import closest

KEYWORDS = (
    *("requires_grad", "dtype", "device", "dim", "keepdim", "retain_graph", "create_graph", "allow_unused"),
    *("inputs", "gradient", "grad_outputs", "memory_format", "generator", "out", "size", "reduction", "lr"),
    *("momentum", "weight_decay", "bias", "set_to_none", "correction", "unbiased", "high", "low", "dim0", "dim1"),
)
SAME = {"axis": "dim", "axes": "dim", "keepdims": "keepdim", "learning_rate": "lr", "shape": "size"}
USUAL = {
    "torch": "import torch",
    "np": "import numpy as np",
    "numpy": "import numpy",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "optim": "from torch import optim",
    "math": "import math",
    "plt": "import matplotlib.pyplot as plt",
}
ELSEWHERE = {"true": "True", "false": "False", "null": "None", "none": "None", "nil": "None"}
VIETNAMESE = {"Đúng": "True", "đúng": "True", "Sai": "False", "sai": "False", "Không": "None", "hoặc": "or"}
GOT = re.compile(r"(\w+)=")


def meant(name: str, known: Iterable[str], before: str = "") -> Iterator[Fact]:
    """Tell the known name closest to a misspelt one; before: what stands before its dot."""
    found = closest(name, known)
    if found is None:
        return
    word, keyboard = found
    yield Fact("meant", {"name": f"{before}{word}"})
    if keyboard:
        yield Fact("keyboard", {"name": name, "meant": word})


def name(case: Case) -> Iterator[Fact]:
    """Tell what an unknown name was perhaps meant to be: a usual import, another language's word, a close name."""
    word = case.match["name"]
    if word in USUAL:
        yield Fact("import", {"code": USUAL[word]})
    elif word in ELSEWHERE or word in VIETNAMESE:
        yield Fact("meant", {"name": {**ELSEWHERE, **VIETNAMESE}[word]})
    else:
        own = list(meant(word, case.known_names()))
        yield from own or meant(word, attributes(case.torch), "torch.")


def attributes(thing: Any) -> list[str]:
    """Return the public names under a module or class, reading none of them."""
    return [name for name in dir(thing) if not name.startswith("_")]


def module_attribute(case: Case) -> Iterator[Fact]:
    """Tell the name of a module closest to a misspelt one."""
    module = find_module(case, case.match["owner"])
    if module is not None:
        yield from meant(case.match["name"], attributes(module), f"{case.match['owner']}.")


def find_module(case: Case, path: str) -> ModuleType | None:
    first, *rest = path.split(".")
    found: Any = case.torch if first == "torch" else case.names.get(first, sys.modules.get(first))
    for part in rest:
        found = vars(found).get(part) if isinstance(found, ModuleType) else None
    return found if isinstance(found, ModuleType) else None


def attribute(case: Case) -> Iterator[Fact]:
    """Tell the attribute of an object closest to a misspelt one."""
    kind = find_class(case, case.match["owner"])
    if kind is not None:
        yield from meant(case.match["name"], attributes(kind), ".")


def find_class(case: Case, name: str) -> type | None:
    """Return the class of that name: PyTorch's tensor, or that of something the learner has a name for."""
    if name in ("Tensor", "Parameter"):
        kind: type = case.torch.Tensor
        return kind
    return next((type(value) for value in case.names.values() if type(value).__name__ == name), None)


def argument(case: Case) -> Iterator[Fact]:
    """Tell the keyword argument closest to an unknown one."""
    groups = case.match.groupdict()
    words = [groups["name"]] if groups.get("name") else GOT.findall(groups.get("got") or "")
    own = list(parameters(case))
    for word in words:
        if word in SAME:
            yield Fact("meant", {"name": f"{SAME[word]}="})
        elif word not in KEYWORDS:
            found = closest(word, [*own, *KEYWORDS])
            if found is not None:
                yield Fact("meant", {"name": f"{found[0]}="})


def parameters(case: Case) -> Iterator[str]:
    """Yield the parameter names of the learner's own functions that the statement calls."""
    for node in ast.walk(case.code):
        function = case.names.get(last_name(node.func) or "") if isinstance(node, ast.Call) else None
        if inspect.isfunction(function):
            yield from inspect.signature(function).parameters


def module(case: Case) -> Iterator[Fact]:
    """Tell which module was perhaps meant by one that isn't there."""
    first = case.match["name"].split(".")[0]
    if first in ("pytorch", "Torch", "PyTorch"):
        yield Fact("meant", {"name": "torch"})
        return
    known = ["torch", "numpy", "matplotlib", "math", "random", "copy", "time", *sorted(sys.stdlib_module_names)]
    yield from meant(first, known)


def imported(case: Case) -> Iterator[Fact]:
    """Tell the name closest to one that a module doesn't have."""
    yield from module_attribute(case)
