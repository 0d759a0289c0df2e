"""What `?name` and `name?` say, on both engines, without running anything of the learner's."""

from __future__ import annotations

import re

import pytest

from gradrepl.app.commands.about import about
from gradrepl.i18n import english, vietnamese
from gradrepl.session.core import Session
from gradrepl.session.read import Question, read

TOUCHY = '''
class Touchy:
    """Fails where it is touched."""
    @property
    def boom(self):
        """Never read."""
        raise SystemExit("touched")
    def call(self, a, *, b=2):
        "\\n".join("doc")
touchy = Touchy()
'''


def said(session: Session, text: str) -> list[str]:
    typed = read(text)
    assert isinstance(typed, Question)
    return list(about(typed, session, english))


def test_a_tensor_is_described(session: Session) -> None:
    list(session.run("x = torch.ones(2, 3, requires_grad=True)"))
    first, second = said(session, "x?")
    assert first == "x: requires_grad = True; grad_fn = None; grad = None"
    assert "shape = (2, 3); dtype = float32; is_leaf = True" in second


@pytest.mark.parametrize("asked", ["?torch.mul", "torch.mul?", "x.mul?"])
def test_an_operation_shows_its_form_and_its_derivative(session: Session, asked: str) -> None:
    list(session.run("x = torch.ones(2)"))
    lines = said(session, asked)
    assert lines[0] in ("mul(input, other, *, out=None)", "mul(other)", "mul(value)")
    assert lines[-4:] == [
        "mul(a, b) = a · b",
        "gradient, g is that of the result:",
        "    a.grad += g * b",
        "    b.grad += g * a",
    ]


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ("?torch.sum", "    a.grad += fill(g, a_shape)"),
        ("torch.matmul?", "    mat2.grad += mm(turned(input), g)"),
        ("x.mean?", "    a.grad += mean_gradient(g, a_shape)"),
        ("?torch.log_softmax", "    a.grad += log_softmax_gradient(g, out, dim)"),
    ],
)
def test_a_function_shows_the_derivative_of_the_operation_it_records(session: Session, asked: str, rule: str) -> None:
    list(session.run("x = torch.ones(2)"))
    lines = said(session, asked)
    assert lines[-1] == rule
    assert any(re.match(rf"{asked.strip('?').rpartition('.')[2]}\(.*\) = ", line) for line in lines)


def test_a_long_help_is_cut_and_two_marks_show_it_all(session: Session) -> None:
    text = "\\n".join(f"line {number}" for number in range(30))
    list(session.run(f"def f():\n    '''{text}'''\n"))
    assert said(session, "f?")[-1] == "... 18 more lines: f??"
    assert said(session, "f??")[-1] == "line 29"
    assert list(about(Question("f"), session, vietnamese))[-1] == "... còn 18 dòng nữa: f??"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("touchy.boom?", ["touchy.boom: Never read."]),
        ("touchy.call?", ["call(a, *, b=2)"]),
        ("touchy?", ["touchy: Touchy"]),
        ("nothing?", ["There is nothing named nothing."]),
        ("touchy.nothing?", ["There is nothing named touchy.nothing."]),
        ("nothing.at.all?", ["There is nothing named nothing.at.all."]),
    ],
)
def test_nothing_is_run_to_answer(session: Session, asked: str, answer: list[str]) -> None:
    list(session.run(TOUCHY))
    assert said(session, asked) == answer
