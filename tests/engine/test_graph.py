"""The backward walk: deep, wide, repeated and cut short."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from gradrepl.engine import torch as namespace

torch: Any = namespace.modules()["torch"]

SECOND_TIME = "Trying to backward through the graph a second time"


def test_a_chain_of_100_000_operations_does_not_recurse() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_y_equals_y_plus_x_accumulates_right() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(5):
        y = y + x
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    assert y.tolist() == [6.0, 12.0]


def test_the_gradient_in_flight_is_not_stolen_by_a_leaf() -> None:
    x, z = (torch.tensor([1.0], requires_grad=True) for _ in range(2))
    (x + z).sum().backward()
    (x + z).sum().backward()
    assert x.grad.tolist() == [2.0]
    assert z.grad.tolist() == [2.0]
    assert x.grad.data_ptr() != z.grad.data_ptr()


def test_a_second_backward_is_an_error_where_something_was_saved() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=SECOND_TIME):
        y.backward()
    assert x.grad.tolist() == [2.0]


def test_a_second_backward_is_right_where_nothing_was_saved() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0]


def test_a_second_backward_is_right_when_the_graph_is_retained() -> None:
    x = torch.tensor([3.0], requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [12.0]


def test_leaves_that_were_finished_before_an_error_have_their_gradient() -> None:
    x, w = (torch.tensor([2.0], requires_grad=True) for _ in range(2))
    inner = x * x
    inner.sum().backward()
    with pytest.raises(RuntimeError, match=SECOND_TIME):
        (inner + w).sum().backward()
    assert w.grad.tolist() == [1.0]


def test_a_graph_goes_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        x = torch.tensor([1.0], requires_grad=True)
        y = (x * 2).exp()
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
    finally:
        gc.enable()


def test_double_backward() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    (first,) = torch.autograd.grad(x * x * x, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x, create_graph=True)
    (third,) = torch.autograd.grad(second, x)
    assert (first.item(), second.item(), third.item()) == (27.0, 18.0, 6.0)


def test_each_thread_has_its_own_mode() -> None:
    seen: list[bool] = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
        seen.append(torch.is_grad_enabled())
    assert seen == [True, False]


def test_the_graph_can_be_walked_by_next_functions() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    node = (x * 2).sum().grad_fn
    ((mul, number),) = node.next_functions
    (leaf, _), nothing = mul.next_functions
    assert (node.name(), mul.name(), number) == ("SumBackward0", "MulBackward0", 0)
    assert leaf.name() == "torch::autograd::AccumulateGrad"
    assert leaf.variable is x
    assert nothing == (None, 0)
