"""Which explanation an error or warning gets, and what the learner's own code adds to it, on each engine."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from gradrepl.session.core import Session
from gradrepl.session.outcome import Explanation, Outcome
from gradrepl.session.patterns import PATTERNS

X = "x = torch.ones(2, requires_grad=True)\n"
INFERENCE = X + "with torch.inference_mode():\n    y = x * 2\n\n"
CLASSES = "torch.nn.functional.cross_entropy(torch.ones(2, 3), "

# id, then programs whose last statement leads to it
REACHED: dict[str, Sequence[str]] = {
    "no-graph": ["x = torch.ones(2)\nx.sum().backward()", X + "with torch.no_grad():\n    x.sum().backward()\n"],
    "non-leaf-grad": [X + "y = x * 2\ny.grad"],
    "second-time": [X + "y = (x * x).sum()\ny.backward()\ny.backward()"],
    "not-scalar": [X + "(x * x).backward()"],
    "gradient-shape": [X + "(x * 2).backward(torch.ones(3))"],
    "unused": [X + "z = x.detach().requires_grad_()\ntorch.autograd.grad(x.sum(), z)"],
    "retain-grad": ["torch.ones(2).retain_grad()"],
    "hook-no-grad": ["torch.ones(2).register_hook(print)"],
    "leaf-flag": [X + "(x * 2).requires_grad_(False)", X + "y = x * 2\ny.requires_grad = False"],
    "integer-grad": [
        "torch.tensor([1], requires_grad=True)",
        "torch.tensor([1]).requires_grad_()",
        "x = torch.tensor([1])\nx.requires_grad = True",
    ],
    "grad-is-none": [X + "x.grad.zero_()", X + "0.1 * x.grad"],
    "grad-size": [X + "x.grad = torch.ones(3)"],
    "grad-type": [X + "x.grad = 1"],
    "grad-dtype": [X + "x.grad = torch.ones(2, dtype=torch.float64)"],
    "hook-size": [X + "_ = x.register_hook(lambda g: g.sum())\nx.sum().backward()"],
    "not-writable": [X + "x.grad_fn = None", X + "x.is_leaf = False"],
    "numpy-grad": [X + "x.numpy()", X + "import numpy\nnumpy.sin(x)"],
    "scalar-warning": ["x = torch.ones(1, requires_grad=True)\nfloat(x)"],
    "copy-warning": ["x = torch.ones(2)\ntorch.tensor(x)"],
    "deepcopy": [X + "import copy\ny = x * 2\ncopy.deepcopy(y)"],
    "anomaly": ["with torch.autograd.detect_anomaly():\n    pass\n"],
    "leaf-in-place": [X + "x += 1", X + "x.add_(1)"],
    "leaf-view-in-place": [X + "x[0] = 7."],
    "modified-in-place": [
        X + "e = x.exp()\n_ = e.add_(1)\ne.sum().backward()",
        X + "y = x * 2\ns = (y * y).sum()\ny[0] = 0.\ns.backward()",
    ],
    "no-grad-view": [X + "c = x.clone()\nwith torch.no_grad():\n    v = c[:1]\n\nv.mul_(2)"],
    "multi-view": [X + "a, b = (x * 2).unbind()\na.add_(1)"],
    "inference-saved": [INFERENCE + "y * x"],
    "inference-version": [INFERENCE + "y._version"],
    "inference-in-place": [INFERENCE + "y.add_(1)"],
    "inference-flag": [INFERENCE + "y.requires_grad_()"],
    "resize-grad": [X + "x.resize_(3)"],
    "out-grad": [X + "torch.add(x, x, out=torch.ones(2))"],
    "no-parentheses": ["with torch.no_grad:\n    pass\n"],
    "mode-missing": ["torch.set_grad_enabled()"],
    "mode-not-bool": ["torch.set_grad_enabled(0)"],
    "optimizer-non-leaf": [X + "y = x * 2\ntorch.optim.SGD([y], lr=0.1)"],
    "optimizer-empty": ["torch.optim.SGD([], lr=0.1)"],
    "scheduler-order": [X + "o = torch.optim.SGD([x], lr=0.1)\ns = torch.optim.lr_scheduler.StepLR(o, 1)\ns.step()"],
    "target-shape": ["torch.nn.functional.mse_loss(torch.ones(2), torch.ones(2, 1))"],
    "batch-size": [CLASSES + "torch.tensor([1, 1, 1]))"],
    "target-class": [CLASSES + "torch.tensor([5, 1]))"],
    "target-dtype": [CLASSES + "torch.ones(2))"],
    "sizes": ["torch.ones(2) + torch.ones(3)"],
    "matmul": ["torch.ones(2, 3) @ torch.ones(2, 3)", "torch.nn.Linear(3, 1)(torch.ones(2))"],
    "matmul-vector": ["torch.ones(2, 3) @ torch.ones(2)"],
    "dot-sizes": ["torch.dot(torch.ones(2), torch.ones(3))"],
    "reshape": ["torch.ones(2, 3).reshape(4)"],
    "view-stride": ["torch.ones(2, 3).t().view(6)"],
    "expand": ["torch.ones(3).expand(2)"],
    "cat-sizes": ["torch.cat([torch.ones(2, 2), torch.ones(3, 3)])"],
    "stack-sizes": ["torch.stack([torch.ones(2), torch.ones(3)])"],
    "ragged": ["torch.tensor([[1, 2], [3]])"],
    "index": ["torch.ones(2)[5]"],
    "index-type": ["torch.zeros(2)[1.5]"],
    "many-indices": ["torch.ones(2)[0, 0]"],
    "dimension": ["torch.ones(2).sum(dim=1)"],
    "no-dimensions": ["len(torch.tensor(1.))", "list(torch.tensor(1.))", "torch.tensor(1.)[0]"],
    "item": ["torch.ones(2).item()", "float(torch.ones(2))"],
    "truth": ["if torch.ones(2) > 0:\n    pass\n"],
    "dtypes": [
        "torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.float64)",
        "torch.ones(2) @ torch.ones(2, dtype=torch.float64)",
        "torch.nn.Linear(3, 1)(torch.ones(2, 3, dtype=torch.float64))",
    ],
    "in-place-dtype": ["torch.ones(3, dtype=torch.int64).add_(0.5)"],
    "integer-mean": ["torch.tensor([1, 2]).mean()"],
    "not-implemented-dtype": ["torch.arange(3).softmax(0)"],
    "text-tensor": ["torch.tensor(['a'])"],
    "none-tensor": ["torch.tensor([None])"],
    "none-attribute": [X + "x.sum().backward().item()"],
    "operands": ["torch.ones(2) + 'a'", "torch.ones(2) * None"],
    "not-a-tensor": ["torch.exp(2)"],
    "cuda": ["torch.ones(2).cuda()", "torch.ones(2, device='cuda')"],
    "attribute": ["torch.autogard", "torch.no_gard()", "torch.ones(2).require_grad", "torch.nn.Linar(1, 1)"],
    "argument": [
        "torch.ones(2, requirements_grad=True)",
        "torch.randn(2, requirements_grad=True)",
        "torch.ones(2).sum(axes=1)",
        "def step(rate): pass\nstep(rat=1)",
    ],
    "not-callable": ["torch.ones(2).requires_grad()", "torch.ones(2).shape()", "x = torch.ones(2)\nx()"],
    "missing-argument": ["torch.zeros(2).softmax()", "torch.nn.Linear(2)", "def f(a): pass\nf()"],
    "local-name": ["w = 1\ndef f():\n    w -= 1\n\nf()"],
    "name": ["prnt", "tensor_of_nobody_9000"],
    "module": ["import torchh", "import pytorch"],
    "import-name": ["from torch import autogard"],
    "translated": ["với torch.no_grad():\n    pass\n", "nhập torch", "cho i trong range(2): in(i)", "in(1)"],
    "quotes": ["print(“a”)"],
    "sign": ["torch.ones(2，3)", "1 × 2"],
    "hidden-sign": ["x =\u00a01"],
    "decimal-comma": ["torch.tensor([0,0844])", "torch.tensor(1,5)", "dict(lr=0,1)"],
    "colon": ["for i in range(3)\n    pass"],
    "bracket": ["torch.ones(2", "torch.ones(2]"],
    "open-text": ["x = 'abc"],
    "assign": ["1 = x", "dict(a.b=1)", "if x = 1: pass"],
    "magic": ["%timeit 1 + 1", "!ls", "%%time\nx = 1"],
    "comma": ["torch.tensor([1 2])", "y = x 2"],
    "glued": ["x = torch.ones(2) print(x)", "import torch x = 1"],
    "number-name": ["2x"],
    "print": ["print 1"],
    "no-block": ["if 1:\nprint(1)"],
    "indent": ["  x = 1", "if 1:\n    x = 1\n  y = 2"],
    "interrupted": ["raise KeyboardInterrupt"],
    "recursion": ["def f(): return f()\nf()"],
    "division": ["1 / 0"],
}
CASES = [(id, source) for id, sources in REACHED.items() for source in sources]
SILENT = (
    "raise ValueError('mine')",
    "torch.zzzzzzzz",
    "[1, 2].zzzz",
    "open('/nowhere/at/all')",
    "'a' + 1",
    "int('a')",
    "{}['a']",
    "import warnings\nwarnings.warn('mine')",
    "with 1: pass",
    "len.requires_gradient_of_nothing",
    "def f(): pass\nf(zzzzzzzzz=1)",
    "yield",
    "x = ",
)


def last(session: Session, source: str) -> Outcome:
    return list(session.run(source))[-1]


def only(outcome: Outcome) -> Explanation:
    assert len(outcome.explanations) == 1, outcome.explanations
    return outcome.explanations[0]


def facts(outcome: Outcome) -> list[tuple[str, ...]]:
    return [(fact.id, *fact.parameters.values()) for fact in only(outcome).facts]


@pytest.mark.parametrize(("id", "source"), CASES, ids=[f"{id}-{number}" for number, (id, _) in enumerate(CASES)])
def test_an_error_or_warning_has_its_explanation(session: Session, id: str, source: str) -> None:
    outcome = last(session, source)
    assert outcome.failure is not None or outcome.warnings
    assert [explanation.id for explanation in outcome.explanations] == [id]


def test_every_explanation_is_reached() -> None:
    only_builtin = {"only-here"}
    assert {pattern.id for pattern in PATTERNS} == set(REACHED) | only_builtin


def test_what_only_the_builtin_engine_lacks(session: Session) -> None:
    outcome = last(session, "torch.sparse.mm")
    if session.engine.name == "torch":
        assert outcome.explanations == ()
    else:
        assert (only(outcome).id, only(outcome).parameters) == ("only-here", {"name": "torch.sparse"})


@pytest.mark.parametrize("source", SILENT)
def test_nothing_is_said_where_nothing_is_known(session: Session, source: str) -> None:
    outcome = last(session, source)
    assert outcome.failure is not None or outcome.warnings
    assert outcome.explanations == ()


def test_nothing_is_explained_where_nothing_went_wrong(session: Session) -> None:
    assert last(session, X + "(x * 2).sum().backward()").explanations == ()


def test_the_input_that_computed_it_under_no_grad(session: Session) -> None:
    last(session, X)
    last(session, "with torch.no_grad():\n    c = x * 2\n")
    told = facts(last(session, "c.sum().backward()"))
    assert told == [("made-under", "c", "3", "with torch.no_grad(): c = x * 2", "torch.no_grad()")]


def test_a_decorated_function_is_named_as_what_switched(session: Session) -> None:
    last(session, X + "@torch.no_grad()\ndef f(t):\n    return t * 2\n\nc = f(x)")
    assert facts(last(session, "c.sum().backward()"))[0][:2] == ("made-under", "c")
    assert facts(last(session, "c.sum().backward()"))[0][-1] == "no_grad"


def test_the_nearest_switch_is_the_one_that_counts(session: Session) -> None:
    last(session, X)
    last(session, "with torch.enable_grad():\n    with torch.set_grad_enabled(False):\n        c = x * 2\n")
    assert facts(last(session, "c.sum().backward()"))[0][-1] == "torch.set_grad_enabled(False)"


def test_a_tensor_made_plainly_is_not_said_to_be_under_a_switch(session: Session) -> None:
    last(session, "k = torch.ones(2)")
    assert facts(last(session, "k.sum().backward()")) == [("made", "k", "2", "k = torch.ones(2)")]


def test_a_recorded_tensor_in_an_unrecorded_statement(session: Session) -> None:
    last(session, X + "d = x * 4\ntorch.set_grad_enabled(False)")
    assert facts(last(session, "d.sum().backward()")) == [("mode-off", "d", "set_grad_enabled(False)")]


def test_a_name_bound_anew_has_its_last_origin(session: Session) -> None:
    last(session, X + "c = x * 2")
    last(session, "with torch.no_grad():\n    c = x * 2\n")
    assert facts(last(session, "c.sum().backward()"))[0][:3] == ("made-under", "c", "3")


def test_the_input_that_went_backward_before(session: Session) -> None:
    last(session, X + "y = (x * x).sum()")
    last(session, "y.backward()")
    assert facts(last(session, "y.backward()")) == [("earlier-backward", "3", "y.backward()")]


def test_versions_and_the_input_that_wrote(session: Session) -> None:
    last(session, X + "e = x.exp()")
    last(session, "k = torch.ones(2)")
    last(session, "_ = k.add_(1)")
    last(session, "_ = e.add_(1).mul_(2)")
    outcome = last(session, "e.sum().backward()")
    assert (only(outcome).parameters["then"], only(outcome).parameters["now"]) == ("0", "2")
    assert facts(outcome) == [("written", "e", "5", "_ = e.add_(1).mul_(2)")]


def test_the_names_behind_shapes_and_dtypes(session: Session) -> None:
    last(session, "a, b = torch.ones(2, 3), torch.ones(4)")
    assert facts(last(session, "a + b")) == [("shape", "a", "(2, 3)"), ("shape", "b", "(4,)")]


def test_only_the_line_that_failed_is_looked_at(session: Session) -> None:
    last(session, X + "k = torch.ones(2)")
    outcome = last(session, "for i in range(2):\n    z = k * 2\n    x += 1\n")
    assert facts(outcome) == [("leaf", "x")]


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("torch.autogard", "torch.autograd"),
        ("torch.autograd.gard", "torch.autograd.grad"),
        ("torch.set_grad_enable(True)", "torch.set_grad_enabled"),
        ("torch.Enable_grad()", "torch.enable_grad"),
        ("torch.ones(2).requiresgrad", ".requires_grad"),
        ("weight = 1\nweigth", "weight"),
        ("true", "True"),
        ("Đúng", "True"),
        ("no_gard", "torch.no_grad"),
        ("torch.ones(2, requi_grad=True)", "requires_grad="),
        ("torch.ones(2, 2).sum(axes=1)", "dim="),
        ("import pytorch", "torch"),
        ("from torch.nn import Linaer", "torch.nn.Linear"),
    ],
)
def test_the_closest_name(session: Session, source: str, meant: str) -> None:
    assert facts(last(session, source))[0] == ("meant", meant)


def test_a_usual_import_is_named(session: Session) -> None:
    assert facts(last(session, "np.ones(2)")) == [("import", "import numpy as np")]


def test_a_vietnamese_keyboard_left_on(session: Session) -> None:
    told = facts(last(session, "torch.ténor"))
    assert told == [("meant", "torch.tensor"), ("keyboard", "ténor", "tensor")]


@pytest.mark.parametrize(
    ("source", "pairs"),
    [
        ("với torch.no_grad():\n    pass\n", [("với", "with")]),
        ("vơ\u0301i torch.no_grad():\n    pass\n", [("với", "with")]),
        ("từ torch nhập nn", [("từ", "from"), ("nhập", "import")]),
        ("cho i trong range(2): in(i)", [("cho", "for"), ("trong", "in"), ("in", "print")]),
        ("nếu 1 > 0:\n    pass\nngược lại:\n    pass\n", [("nếu", "if")]),
        ("in(1)", [("in", "print")]),
    ],
)
def test_the_words_that_were_translated(session: Session, source: str, pairs: list[tuple[str, str]]) -> None:
    assert [fact[1:] for fact in facts(last(session, source))] == pairs


def test_vietnamese_prose_is_not_taken_for_code(session: Session) -> None:
    assert "translated" not in {e.id for e in last(session, "với bạn thì sao nếu không").explanations}


def test_each_warning_and_the_failure_have_their_own(session: Session) -> None:
    outcome = last(session, X + "y = x * 2\ny.grad.zero_()")
    assert [(e.id, e.warning) for e in outcome.explanations] == [("non-leaf-grad", 0), ("grad-is-none", None)]


def test_code_too_deep_to_look_into_only_loses_its_explanation(session: Session) -> None:
    deep = "1" + " + 1" * 3000
    assert last(session, f"torch.ones(2, size_of_it={deep})").failure is not None


def test_the_table_says_nothing_twice() -> None:
    rows = [(pattern.types, pattern.words, pattern.find) for pattern in PATTERNS]
    assert len(rows) == len(set(rows))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", pattern.id) for pattern in PATTERNS)
