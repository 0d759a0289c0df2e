"""Every public name of PyTorch: it is here, or its absence is explained; what PyTorch lacks too has its own words."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from support.running import has_torch

from gradrepl.engine import torch as namespace
from gradrepl.engine.absent import owners, pytorch_names

OWNERS = sorted(owners())


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    for name, module in namespace.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    yield namespace.modules()["torch"]


def found(torch: Any, dotted: str) -> Any:
    if dotted in namespace.modules():
        return namespace.modules()[dotted]
    thing = torch
    for name in dotted.split(".")[1:]:
        thing = getattr(thing, name)
    return thing


@pytest.mark.parametrize("owner", OWNERS)
def test_a_public_name_is_there_or_its_absence_is_explained(torch: Any, owner: str) -> None:
    try:
        thing = found(torch, owner)
    except AttributeError as error:
        assert "--engine torch" in str(error)
        return
    thing = thing() if owner == "torch.nn.Module" else thing
    for name in pytorch_names(owner):
        try:
            getattr(thing, name)
        except AttributeError as error:
            assert str(error).startswith(f"{owner}.{name} is part of PyTorch") and "--engine torch" in str(error)


@pytest.mark.parametrize(
    "program",
    ["import torch.distributed", "from torch.nn import FractionalMaxPool2d", "from torch import compile"],
)
def test_an_import_of_what_only_the_engine_lacks_says_so(torch: Any, program: str) -> None:
    with pytest.raises(ImportError, match=r"is part of PyTorch.*--engine torch"):
        exec(program, {})


@pytest.mark.parametrize(
    "program",
    [
        "from torch.distributions import *; Weibull(1.0, 2.0)",
        "from torch.distributions import *; Wishart.support",
        "from torch.optim import *; Muon([])",
    ],
)
def test_what_an_import_of_everything_lacks_says_so_when_it_is_used(torch: Any, program: str) -> None:
    with pytest.raises((NotImplementedError, AttributeError), match=r"is part of PyTorch.*--engine torch"):
        exec(program, {})


def test_an_import_of_everything_brings_no_stand_in_to_where_it_is_asked_for_by_name(torch: Any) -> None:
    assert not hasattr(torch.distributions, "Weibull")
    names: dict[str, Any] = {}
    exec("from torch.distributions import *", names)
    assert not hasattr(torch.distributions, "Weibull") and names["Normal"] is torch.distributions.Normal


@pytest.mark.parametrize("program", ["import torch.nonsense", "from torch.nn import nonsense"])
def test_an_import_of_what_pytorch_lacks_too_has_pythons_words(torch: Any, program: str) -> None:
    with pytest.raises(ImportError, match=r"^(No module named|cannot import name) '(torch\.)?nonsense'"):
        exec(program, {})


@pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed: the list of its names is not held against it")
def test_the_list_of_names_is_pytorchs() -> None:
    real = importlib.import_module("torch")
    assert {name for name in dir(real.nn.functional) if not name.startswith("_")} == pytorch_names(
        "torch.nn.functional"
    )
