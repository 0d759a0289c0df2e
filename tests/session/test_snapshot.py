"""Reading the named tensors: what the rows say, and that reading changes nothing."""

from __future__ import annotations

import warnings

import pytest
from support.cost import with_peak

from gradrepl.session.core import Session
from gradrepl.session.outcome import Outcome, TensorRow


def run(session: Session, *sources: str) -> Outcome:
    """Run sources that must not fail; return what the last statement did."""
    outcomes = [outcome for source in sources for outcome in session.run(source)]
    assert [outcome.failure for outcome in outcomes if outcome.failure] == []
    return outcomes[-1]


def row(outcome: Outcome, name: str) -> TensorRow:
    return next(row for row in outcome.rows if row.name == name)


def test_a_leaf_and_a_result(session: Session) -> None:
    outcome = run(session, "x = torch.tensor([1., 2.], requires_grad=True)", "y = x * 2")
    assert row(outcome, "x") == TensorRow("x", (2,), "float32", True, True, None, None, "[1., 2.]")
    assert row(outcome, "y") == TensorRow(
        "y", (2,), "float32", True, False, "MulBackward0", None, "[2., 4.]", ("name",)
    )


def test_what_a_statement_changed_is_said(session: Session) -> None:
    run(session, "x = torch.tensor([1., 2.], requires_grad=True)", "y = (x * x).sum()")
    outcome = run(session, "y.backward()")
    assert row(outcome, "x").grad == "[2., 4.]"
    assert [(row.name, row.changed) for row in outcome.changed_rows] == [("x", ("grad",))]
    assert run(session, "x = 1").gone == ("x",)


def test_a_write_that_the_short_text_does_not_show_is_said(session: Session) -> None:
    run(session, "x = torch.zeros(100)")
    before = run(session, "1")
    after = run(session, "_ = x[50].fill_(1.0)")
    assert row(before, "x").value == row(after, "x").value
    assert row(after, "x").changed == ("value",)


def test_rows_come_in_the_order_of_their_names_binding(session: Session) -> None:
    outcome = run(session, "b = torch.zeros(1); a = torch.zeros(1)", "c = torch.zeros(1)")
    assert [row.name for row in outcome.rows] == ["b", "a", "c"]


def test_hidden_names_and_other_values_have_no_row(session: Session) -> None:
    outcome = run(session, "_hidden = torch.zeros(1)", "n = 1", "torch.zeros(2)")
    assert outcome.rows == ()


def test_the_grad_of_a_result_is_not_read(session: Session) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = run(session, "x = torch.ones(1, requires_grad=True); y = x * 2", "y.backward()")
    assert outcome.warnings == ()
    assert (row(outcome, "y").grad, row(outcome, "x").grad) == (None, "[2.]")


def test_the_grad_of_a_result_that_retains_it_is_read(session: Session) -> None:
    outcome = run(session, "x = torch.ones(1, requires_grad=True); y = x * 2", "y.retain_grad()", "(y * 3).backward()")
    assert row(outcome, "y").grad == "[3.]"


def test_reading_adds_nothing_to_the_graph(session: Session) -> None:
    run(session, "x = torch.ones(2, 3, requires_grad=True)", "y = x * 2")
    before = run(session, "y._version, x._version, y.requires_grad, x.grad is None").value
    session.rows()
    assert before == "(0, 0, True, True)"
    assert run(session, "y._version, x._version, y.requires_grad, x.grad is None").value == before


def test_a_huge_tensor_is_read_at_its_edges_only(session: Session) -> None:
    run(session, "x = torch.zeros(3000, 3000)")
    (seen,), most = with_peak(session.rows)
    assert most < 100_000  # 9 million numbers as Python objects take hundreds of megabytes
    assert seen.shape == (3000, 3000)
    assert seen.value.startswith("[[0., 0., 0., ..., 0., 0., 0.]")
    assert len(seen.value) <= 80


@pytest.mark.parametrize(
    ("source", "shape", "dtype", "value"),
    [
        ("torch.tensor(1.5)", (), "float32", "1.5000"),
        ("torch.tensor(3)", (), "int64", "3"),
        ("torch.tensor([])", (0,), "float32", "[]"),
        ("torch.zeros(2, 0)", (2, 0), "float32", "[[], []]"),
        ("torch.tensor([True, False])", (2,), "bool", "[True, False]"),
        ("torch.tensor([1, -2])", (2,), "int64", "[1, -2]"),
        ("torch.tensor([float('nan'), float('inf'), -float('inf')])", (3,), "float32", "[nan, inf, -inf]"),
        ("torch.tensor([1e-9, 1.0])", (2,), "float32", "[1.0000e-09, 1.0000e+00]"),
        ("torch.tensor([0.25, 1.0], dtype=torch.float64)", (2,), "float64", "[0.2500, 1.0000]"),
    ],
)
def test_numbers_of_all_kinds(session: Session, source: str, shape: tuple[int, ...], dtype: str, value: str) -> None:
    seen = row(run(session, f"x = {source}"), "x")
    assert (seen.shape, seen.dtype, seen.value) == (shape, dtype, value)


def test_an_inference_tensor_has_a_row(session: Session) -> None:
    outcome = run(session, "with torch.inference_mode():\n    x = torch.ones(2)\n")
    assert row(outcome, "x").value == "[1., 1.]"
    assert not row(outcome, "x").requires_grad


def test_a_view_whose_node_can_not_be_read_has_a_row(session: Session) -> None:
    source = (
        "x = torch.ones(2, requires_grad=True)\ny = x.clone()\nwith torch.no_grad():\n    v = y[:1]\n    v.mul_(2)\n"
    )
    outcome = list(session.run(source))[-1]
    row = next(row for row in outcome.rows if row.name == "v")
    assert (outcome.failure, row.requires_grad) == (None, True)
    assert row.value == "[2.]"
