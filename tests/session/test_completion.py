"""What may follow the text before the cursor, and that looking it up runs nothing."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from support.cost import with_calls

from gradrepl.session.calls import Call, call_before
from gradrepl.session.completion import complete
from gradrepl.session.lookup import MISSING, resolve
from gradrepl.session.signature import forms


class Touchy:
    """Fails where anything of it is run."""

    kept = 1

    def __init__(self) -> None:
        self.own = 2

    @property
    def boom(self) -> int:
        raise AssertionError("a property was read")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"__getattr__ was asked for {name}")

    def __dir__(self) -> list[str]:
        raise AssertionError("__dir__ was called")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("== was called")

    __hash__ = object.__hash__

    def method(self, first: int, *, second: int = 2) -> None: ...


@pytest.fixture
def names(engine: Any) -> dict[str, Any]:
    torch = engine.torch
    x = torch.ones(2, requires_grad=True)
    return {"torch": torch, "x": x, "y": x * 2, "model": torch.nn.Linear(2, 1), "touchy": Touchy(), "_hidden": 1}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("y.gra", ["grad"]),
        ("y.requires_", ["requires_grad", "requires_grad_"]),
        ("model.we", ["weight"]),
        ("model.weight.requires_grad_", ["requires_grad_"]),
        ("torch.no_", ["no_grad"]),
        ("with torch.enable_", ["enable_grad"]),
        ("torch.tensor([1.], requires_", ["requires_grad="]),
        ("torch.tensor([1., (2", []),
        ("torch.nn.Lin", ["Linear"]),
        ("y.cums", ["cumsum"]),
        ("torch.cumsum(y, di", ["dim="]),
        ("y.cumsum(di", ["dim="]),
        ("y.sum(keep", ["keepdim="]),
        ("y.backward(retain_graph=True, cre", ["create_graph="]),
        ("touchy.", ["boom", "kept", "method", "own"]),
        ("touchy.method(", ["first=", "second="]),
        ("touchy.boom.", []),
        ("tou", ["touchy"]),
        ("_hid", ["_hidden"]),
        ("isins", ["isinstance"]),
        ("retur", ["return"]),
        ("print(1, se", ["sep="]),
        ("x[0].", []),
        ("x.sum().", []),
        ("'x.", []),
        ("# x.", []),
        ("f'''\nx.", []),
        ("1.", []),
        ("", []),
    ],
)
def test_what_may_follow(names: dict[str, Any], text: str, first: list[str]) -> None:
    texts = list(complete(text, names).texts)
    assert texts[: len(first)] == first
    assert bool(texts) == bool(first)


def test_looking_at_a_tensor_warns_of_nothing_and_calls_little(names: dict[str, Any]) -> None:
    complete("y.", names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in ("y.", "y.grad.", "torch.", "torch.zeros(2, ", "model."):
            _found, calls = with_calls(lambda text=text: complete(text, names))
            assert calls < 10_000, text


@pytest.mark.parametrize("path", ["touchy.boom", "touchy.missing", "nothing", "x.grad", "touchy.boom.deeper"])
def test_what_only_running_could_tell_is_missing(names: dict[str, Any], path: str) -> None:
    assert resolve(path, names) is MISSING


def test_a_method_is_called_without_self(names: dict[str, Any]) -> None:
    assert [form.text for form in forms("touchy.method", names)] == ["method(first, *, second=2)"]


@pytest.mark.parametrize(
    ("path", "keyword"),
    [("torch.tensor", "requires_grad"), ("torch.sum", "input"), ("x.sum", "dim"), ("torch.optim.SGD", "lr")],
)
def test_the_forms_of_a_call_name_its_arguments(names: dict[str, Any], path: str, keyword: str) -> None:
    found = forms(path, names)
    assert any(keyword in form.keywords for form in found)
    assert not any("self" in form.keywords for form in found)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("f(", Call("f", 0, (), None)),
        ("a.b(1, ", Call("a.b", 1, (), None)),
        ("f(x=1, y=", Call("f", 1, ("x",), "y")),
        ("f(x == 1, ", Call("f", 1, (), None)),
        ("f([1, 2, ", Call("f", 0, (), None)),
        ("f((1, 2), {3: 4}, ", Call("f", 2, (), None)),
        ("f(g(1), h(", Call("h", 0, (), None)),
        ("f(')', ", Call("f", 1, (), None)),
        ("with f(\n    1,\n    ", Call("f", 1, (), None)),
        ("f(1)", None),
        ("class A(", None),
        ("a[0](", None),
        ("f)(", None),
    ],
)
def test_the_call_that_is_typed(text: str, call: Call | None) -> None:
    assert call_before(text) == call
