"""The commands that show what is there, typed at a scripted prompt, on both engines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

X = "x = torch.tensor([1., 2.], requires_grad=True)"
Y = "y = x * 3"
NO_GRAD = "with torch.no_grad():\n    z = x * 2\n"
OFF = "_ = torch.set_grad_enabled(False)"
Type = Callable[..., list[str]]


def test_t_shows_every_tensor_or_those_that_are_named(shown: Type) -> None:
    assert [line.split(":")[0] for line in shown(X, Y, ":t")] == ["x", "y"]
    lines = shown(X, Y, ":t y nope")
    assert lines == [
        "y: requires_grad = True; grad_fn = MulBackward0; grad = None",
        "There is no nope. Tensors: x, y",
    ]


def test_t_shows_five_hundred_names(shown: Type) -> None:
    many = "for i in range(500): globals()[f't{i}'] = torch.ones(1)"
    assert len(shown(many, ":t")) == 500


def test_g_draws_the_graph_with_leaves_shared_nodes_and_versions(shown: Type) -> None:
    lines = shown(X, Y, "s = (y * y).sum()", ":g s", drawn=True)
    assert lines[0] == "#1 SumBackward0 = s"
    assert "└─ #2 MulBackward0  keeps other=y v0, self=y v0" in lines[1]
    assert "#3 MulBackward0 = y  shared: used 2 times  keeps " in lines[2]
    assert "│  └─ #4 x AccumulateGrad (2,)" in lines[3]
    assert lines[-1].endswith("└─ #3 MulBackward0 = y  (see above)")


def test_g_of_a_deep_graph_says_how_to_see_more(shown: Type) -> None:
    loop = "for i in range(1500): y = y * x"
    lines = shown(X, Y, loop, ":g y")
    assert len(lines) <= 41
    assert lines[-1].endswith(":g y 14 goes on at #14")
    assert shown(X, Y, loop, ":g y 14")[0].startswith("#14 MulBackward0")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (":g x", "x has no graph: its grad_fn is None. :why x.grad_fn says why."),
        (":g n", "n is no tensor. Tensors: x, y"),
        (":g y 99", "The graph of y has no node #99."),
        (":g y nonsense", "The graph of y has no node #nonsense."),
    ],
)
def test_g_says_in_a_line_what_is_wrong(shown: Type, asked: str, said: str) -> None:
    assert shown(X, Y, "n = 1", asked) == [said]


@pytest.mark.parametrize(
    ("inputs", "asked", "said"),
    [
        ((X, Y), "y.grad_fn", "`y` was made at input 2: `y = x * 3`"),
        ((X, Y), "y.requires_grad", "`x` required grad and grad mode was on, so the operation was recorded."),
        ((X, Y), "y.grad", "`y.retain_grad()` before backward() would keep it."),
        (
            (X, NO_GRAD),
            "z.grad_fn",
            "Grad mode was off (no_grad), switched in line 1: nothing is recorded then, although",
        ),
        (
            (X, OFF, "y = x * 2"),
            "y",
            "Grad mode was off (set_grad_enabled(False)): nothing is recorded then, although `x`",
        ),
        ((X, "y = x.detach()"), "y", "That statement takes it out of the graph."),
        ((X, "y = x.argmax()"), "y", "Its dtype is int64: only floating point"),
        (("a = torch.ones(2)", "b = a * 2"), "b", "After `a.requires_grad_()` the same line gives `b` a grad_fn."),
        (
            ("a = torch.ones(2)", "a.requires_grad_();"),
            "a",
            "requires_grad was switched on at input 2: `a.requires_grad_();`",
        ),
        ((X, "x.requires_grad_(False);"), "x", "requires_grad was switched off at input 2"),
        (("a = torch.ones(2)",), "a.is_leaf", "A tensor that does not require grad is always a leaf."),
        ((X, Y), "x.grad", "No backward() has reached `x` since then"),
        ((X, "(x * 3).sum().backward()"), "x.grad", "`x.grad` was filled at input 2: `(x * 3).sum().backward()`"),
        ((X, *["(x * 3).sum().backward()"] * 2), "x.grad", "`x.grad` changed at inputs 2, 3."),
        ((X, "(x * 3).sum().backward()", "x.grad = None"), "x.grad", "set back to None at input 3: `x.grad = None`"),
        (("with torch.inference_mode():\n    a = torch.ones(2)\n",), "a", "It was made in inference mode"),
    ],
)
def test_why_tells_the_story(shown: Type, inputs: tuple[str, ...], asked: str, said: str) -> None:
    assert any(said in line for line in shown(*inputs, f":why {asked}"))


def test_why_shows_code_as_code(shown: Type) -> None:
    said = shown(X, "y = x * len('`')", ":why y", drawn=True)
    assert "y was made at input 2: y = x * len(''')" in said


def test_why_knows_the_block_in_which_a_name_was_bound(shown: Type) -> None:
    nested = "with torch.no_grad():\n    a = x * 2\n    with torch.enable_grad():\n        b = x * 2\n"
    assert any("Grad mode was off (no_grad), switched in line 1" in line for line in shown(X, nested, ":why a"))
    assert any("so the operation was recorded" in line for line in shown(X, nested, ":why b"))


def test_why_of_a_name_that_is_bound_again_tells_of_the_new_one(shown: Type) -> None:
    assert "`y` was made at input 3: `y = x * 3`" in shown(X, Y, Y, ":why y")


def test_mode_says_who_switched_and_when_it_ends(shown: Type) -> None:
    assert shown(X, OFF, ":mode") == [
        "grad mode: off (set_grad_enabled(False))",
        "  set_grad_enabled(False): switched at input 2, line 1; until the next call of set_grad_enabled",
    ]
    entered = shown("guard = torch.no_grad()", "guard.__enter__()", ":mode")
    assert entered[1] == "  no_grad: switched at input 2, line 1; until its block is left"
    assert shown(X, NO_GRAD, ":mode")[1] == "  nothing has switched it; operations are recorded"


def test_diff_shows_both_worlds_and_leaves_the_names_alone(shown: Type) -> None:
    lines = shown(X, ":diff q = x * 2")
    assert "~ q.requires_grad  True          False     differs" in lines
    assert "~ q.grad_fn        MulBackward0  None      differs" in lines
    assert shown(X, ":diff q = x * 2", "'q' in globals(), torch.is_grad_enabled()") == ["(False, True)"]


def test_diff_of_backward_writes_no_gradient_into_the_learners_tensors(shown: Type) -> None:
    lines = shown(X, "s = (x * x).sum()", ":diff s.backward()")
    assert any(line.split()[:3] == ["x.grad", "[2.,", "4.]"] for line in lines)
    assert shown(X, "s = (x * x).sum()", ":diff s.backward()", "x.grad is None") == ["True"]


def test_diff_shows_an_error_of_one_world_only(shown: Type) -> None:
    lines = shown(X, ":diff (x * x).sum().backward()")
    assert any("error" in line and "RuntimeError" in line and "differs" in line for line in lines)


def test_watched_tensors_are_shown_after_each_input(shown: Type) -> None:
    row = "x: requires_grad = True; grad_fn = None; grad = None"
    assert shown(X, Y, ":watch x", "1") == [row, "1", row]
    assert shown(X, ":watch x", ":watch off", "1") == ["1"]


@pytest.mark.parametrize("asked", ["mul", "*", "MulBackward0", "y"])
def test_op_shows_forward_rule_and_formula(shown: Type, asked: str) -> None:
    lines = shown(X, Y, f":op {asked}")
    assert lines[0].startswith("mul(a, b)   a · b")
    assert "    a.grad += g * b" in lines
    assert "grad_fn: MulBackward0" in lines


def test_op_says_which_names_are_close(shown: Type) -> None:
    assert shown(":op mull")[0].startswith("The table has no operation mull. Such names are: mul")


@pytest.mark.parametrize("command", [":t", ":why", ":g", ":mode", ":diff", ":op", ":watch", ":t x", ":why x.y.z"])
def test_before_the_first_input_every_command_has_an_answer(shown: Type, command: str) -> None:
    lines = shown(command)
    assert lines
    assert not any("Traceback" in line for line in lines)


def test_the_commands_speak_vietnamese(shown: Type) -> None:
    assert "`y` được tạo ở lệnh nhập số 2: `y = x * 3`" in shown(X, Y, ":taisao y", speech="vi")
