"""What a program may ask of autograd: hooks, custom Functions, saved tensors, derivatives of derivatives."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from support.cost import with_peak

from gradrepl.engine import torch as namespace
from gradrepl.engine.graph import HookCounter

modules = namespace.modules()
torch: Any = modules["torch"]
Function: Any = torch.autograd.Function
grad: Any = torch.autograd.grad


def leaf(*values: float) -> Any:
    return torch.tensor(list(values), requires_grad=True)


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        (x,) = ctx.saved_tensors
        return gradient * 3 * x**2


class CubeInTwoParts(Function):
    @staticmethod
    def forward(x: Any) -> Any:
        return x**3

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs)

    backward = Cube.backward


@pytest.fixture(params=[Cube, CubeInTwoParts])
def cube(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_custom_function_has_its_own_gradient_and_node(cube: Any) -> None:
    x = leaf(1.0, 2.0)
    y = cube.apply(x)
    assert y.grad_fn.name() == f"{cube.__name__}Backward"
    assert y.grad_fn.next_functions[0][0].variable is x
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 12.0]


def test_a_custom_function_can_be_differentiated_twice(cube: Any) -> None:
    x = leaf(2.0)
    (first,) = grad(cube.apply(x).sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    assert second.tolist() == [12.0]


def test_the_context_is_the_node() -> None:
    seen: list[Any] = []

    class Remember(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.note = "kept"
            return x * 2

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            seen.append(ctx)
            return gradient * 2

    y = Remember.apply(leaf(1.0))
    y.sum().backward()
    assert seen == [y.grad_fn]
    assert y.grad_fn.note == "kept"


def test_what_a_function_saved_is_gone_after_backward() -> None:
    y = Cube.apply(leaf(1.0)).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


def test_a_write_to_what_a_function_saved_is_seen() -> None:
    x = leaf(1.0) * 1
    y = Cube.apply(x).sum()
    x.add_(1)
    with pytest.raises(RuntimeError, match="output 0 of Add, is at version 1; expected version 0"):
        y.backward()


def test_an_output_may_be_saved_without_a_cycle() -> None:
    class Exp(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            out = x.exp()
            ctx.save_for_backward(out)
            return out

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return gradient * ctx.saved_tensors[0]

    gc.disable()
    try:
        x = leaf(0.0)
        y = Exp.apply(x)
        assert torch.autograd.gradgradcheck(Exp.apply, (x.detach().double().requires_grad_(),))
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
        assert x.grad.tolist() == [1.0]
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda g: (g, g), "returned an incorrect number of gradients \\(expected 1, got 2\\)"),
        (lambda g: 3, "expected Variable or None \\(got int\\)"),
        (lambda g: g[:1], "got \\[1\\] but expected shape compatible with \\[2\\]"),
    ],
)
def test_a_wrong_gradient_of_a_function_is_named(returned: Callable[[Any], Any], message: str) -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return returned(gradient)

    with pytest.raises(RuntimeError, match=message):
        Wrong.apply(leaf(1.0, 2.0)).sum().backward()


def test_once_differentiable_refuses_the_second_time() -> None:
    class Once(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, gradient: Any) -> Any:
            return gradient * 2 * ctx.saved_tensors[0]

    x = leaf(3.0)
    (first,) = grad((Once.apply(x) * x).sum(), x, create_graph=True)
    assert first.tolist() == [27.0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_outputs_without_a_gradient_give_zeros_or_none() -> None:
    seen: list[Any] = []

    def function(materialize: bool) -> Any:
        class Both(Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.set_materialize_grads(materialize)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx: Any, one: Any, two: Any) -> Any:
                seen.append(one)
                return two

        return Both

    for materialize in (True, False):
        function(materialize).apply(leaf(1.0))[1].sum().backward()
    assert seen[0].tolist() == [0.0]
    assert seen[1] is None


def test_hooks_run_in_the_order_of_registration_and_may_replace_the_gradient() -> None:
    x = leaf(1.0)
    log: list[float] = []
    x.register_hook(lambda g: log.append(g.item()))
    handle = x.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: log.append(g.item()))
    (x * 2).sum().backward()
    assert log == [2.0, 20.0]
    assert x.grad.tolist() == [20.0]
    handle.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_every_kind_of_hook_has_its_place() -> None:
    x = leaf(1.0)
    y = x * 2
    log: list[str] = []
    y.register_hook(lambda g: log.append("tensor"))
    y.grad_fn.register_prehook(lambda g: log.append("before"))
    y.grad_fn.register_hook(lambda gi, go: log.append("after"))
    x.register_hook(lambda g: log.append("leaf"))
    x.register_post_accumulate_grad_hook(lambda t: log.append("accumulated"))
    y.sum().backward()
    assert log == ["tensor", "before", "after", "leaf", "accumulated"]


def test_an_accumulating_node_holds_its_hooks() -> None:
    x = leaf(1.0)
    y = x * 2
    log: list[Any] = []
    y.grad_fn.next_functions[0][0].register_hook(lambda gi, go: log.append((gi, x.grad.tolist())))
    y.sum().backward()
    assert log == [((), [2.0])]


def test_retained_gradients_move_with_a_write_in_place() -> None:
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * 5).sum().backward()
    assert y.grad.tolist() == [5.0]
    assert x.grad.tolist() == [30.0]


def test_backward_into_chosen_inputs_leaves_the_others_alone() -> None:
    x, w = leaf(2.0), leaf(3.0)
    (x * w).sum().backward(inputs=[x])
    assert x.grad.tolist() == [3.0]
    assert w.grad is None


def test_the_same_input_may_be_asked_for_twice() -> None:
    x = leaf(2.0)
    first, second = grad((x * x).sum(), [x, x])
    assert first.tolist() == second.tolist() == [4.0]


def test_nothing_is_recorded_and_kept_without_grad_mode() -> None:
    x = leaf(1.0)
    with torch.no_grad():
        y = x.exp()
    data = weakref.ref(y)
    z = y * 2
    del y
    assert data() is None
    assert z.grad_fn is None


def test_saved_tensors_go_through_the_hooks_and_back() -> None:
    x = leaf(3.0)
    packed: list[Any] = []

    def pack(tensor: Any) -> int:
        packed.append(tensor.detach().clone())
        return len(packed) - 1

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda number: packed[number]):
        y = x * x
    (first,) = grad(y.sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    assert (first.tolist(), second.tolist()) == ([6.0], [2.0])
    assert len(packed) == 2


def test_checkpoint_gives_the_same_gradient_from_a_second_run() -> None:
    checkpoint = modules["torch.utils.checkpoint"].checkpoint
    runs: list[int] = []

    def function(x: Any) -> Any:
        runs.append(1)
        return (x.exp() * x).exp()

    expected = grad(function(leaf(0.5)).sum(), [leaf(0.5)], allow_unused=True)
    assert expected == (None,)
    for reentrant in (False, True):
        x, y = leaf(0.5), leaf(0.5)
        checkpoint(function, x, use_reentrant=reentrant).sum().backward()
        function(y).sum().backward()
        assert x.grad.tolist() == y.grad.tolist()
    assert len(runs) == 1 + 2 * 3


def test_anomaly_mode_names_the_operation_and_its_line() -> None:
    x = leaf(-1.0)
    with torch.autograd.set_detect_anomaly(True):
        y = x.sqrt()
        with (
            pytest.warns(UserWarning, match="Error detected in SqrtBackward0[^$]*y = x.sqrt()"),
            pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values in its 0th output"),
        ):
            y.sum().backward()
    assert not torch.is_anomaly_enabled()


def test_a_node_can_be_called() -> None:
    x = leaf(3.0)
    node = (x * x).grad_fn
    first, second = node(torch.ones(1))
    assert first.tolist() == second.tolist() == [3.0]
    with pytest.raises(TypeError, match="expected 1 arguments, got 2 instead"):
        node(torch.ones(1), torch.ones(1))


def test_saved_tensors_can_be_looked_at() -> None:
    x, w = leaf(3.0), leaf(4.0)
    y = x * w
    assert y.grad_fn._saved_self is x
    assert y.grad_fn._saved_other is w
    y.sum().backward()
    with pytest.raises(RuntimeError, match="after they have already been freed"):
        _ = y.grad_fn._saved_self


def test_derivatives_of_functions() -> None:
    functional = torch.autograd.functional
    x = torch.tensor([1.0, 2.0])
    assert functional.jacobian(lambda x: x**2, x).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert functional.hessian(lambda x: (x**3).sum(), x).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert functional.jvp(lambda x: x**2, x, torch.ones(2))[1].tolist() == [2.0, 4.0]
    assert functional.hvp(lambda x: (x**3).sum(), x, torch.ones(2))[1].tolist() == [6.0, 12.0]
    assert torch.func.grad(torch.func.grad(lambda x: x**3))(torch.tensor(2.0)).item() == 12.0


def test_gradcheck_tells_right_from_wrong() -> None:
    class Wrong(Cube):
        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return gradient

    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Cube.apply, (x,))
    assert not torch.autograd.gradcheck(Wrong.apply, (x,), raise_exception=False)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        torch.autograd.gradcheck(Wrong.apply, (x,))


def test_a_gradient_that_nothing_else_holds_becomes_grad_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HookCounter, "in_play", False)
    size = 1_000_000
    y = torch.ones(size, requires_grad=True).sum()
    _none, most = with_peak(y.backward)
    assert most < 1.5 * size * 4


def test_a_gradient_that_something_else_holds_becomes_grad_as_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HookCounter, "in_play", False)
    a, b, given = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True), torch.ones(3)
    (a + b).backward(given)
    shown = a.exp()
    shown.backward(torch.ones(3))
    square, flat = torch.ones(2, 2, requires_grad=True), torch.ones(4)
    square.view(4).backward(flat)
    for written in (a, square):
        written.grad.zero_()
    assert (b.grad == 1).all() and (given == 1).all() and (shown > 2).all() and (flat == 1).all()


def test_a_long_chain_is_small_and_goes_without_recursion() -> None:
    count = 100_000
    x = leaf(1.0)
    tracemalloc.start()
    y = x
    for _ in range(count):
        y = y + 1
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / count <= 300
    y.backward(torch.ones(1))
    assert x.grad.tolist() == [1.0]
    del y


def test_backward_inside_a_hook() -> None:
    x = leaf(1.0)
    other = (x * 5).sum()
    y = x * 3
    y.register_hook(lambda g: other.backward())
    y.sum().backward()
    assert x.grad.tolist() == [8.0]


def test_a_failing_backward_leaves_the_mode_and_the_graph_in_order() -> None:
    x = leaf(1.0)
    y = x * 3

    def fail(gradient: Any) -> None:
        raise ValueError("no")

    y.register_hook(fail)
    with pytest.raises(ValueError, match="no"):
        y.sum().backward()
    assert torch.is_grad_enabled()
    assert x.grad is None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0]
