"""The graph behind a tensor as rows, on both engines."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from gradrepl.app import engines
from gradrepl.session.core import Session
from gradrepl.session.graph import FEWER_WALKED, graph
from gradrepl.session.outcome import Graph, NodeRow, Saved

ENGINES = ["builtin", *(["torch"] if find_spec("torch") else [])]
START = """
x = torch.tensor([1., 2.], requires_grad=True)
w = torch.tensor(3., requires_grad=True)
y = x * w
z = (y ** 2 + y.exp() * x).sum()
"""


@pytest.fixture(params=ENGINES)
def session(request: pytest.FixtureRequest) -> Session:
    session = Session(engines.load(request.param))
    session.names["torch"] = session.engine.torch
    return session


def seen(session: Session, code: str, name: str = "z", **limits: int) -> Graph:
    for outcome in session.run(START + code):
        assert outcome.failure is None, outcome.failure
    return graph(session.engine, session.names[name].grad_fn, session.names, **limits)


def node(rows: tuple[NodeRow, ...], number: int) -> NodeRow:
    return next(row for row in rows if row.number == number)


def test_rows_stand_in_the_order_of_the_tree_with_leaves_by_name(session: Session) -> None:
    drawn = seen(session, "")
    assert [(row.number, row.name, row.names, len(row.branches)) for row in drawn.rows] == [
        (1, "SumBackward0", ("z",), 0),
        (2, "AddBackward0", (), 1),
        (3, "PowBackward0", (), 2),
        (4, "MulBackward0", ("y",), 3),
        (5, "AccumulateGrad", ("x",), 4),
        (6, "AccumulateGrad", ("w",), 4),
        (7, "MulBackward0", (), 2),
        (8, "ExpBackward0", (), 3),
        (4, "MulBackward0", ("y",), 4),
        (5, "AccumulateGrad", ("x",), 3),
    ]
    assert (drawn.count, drawn.exact, drawn.hidden, drawn.more) == (8, True, 0, None)


def test_a_node_that_several_use_is_shared_and_drawn_once(session: Session) -> None:
    rows = seen(session, "").rows
    assert [(row.number, row.uses) for row in rows if row.again] == [(4, 2), (5, 2)]
    assert node(rows, 6).uses == 1


def test_what_a_node_keeps_has_its_name_and_version(session: Session) -> None:
    rows = seen(session, "").rows
    assert node(rows, 4).saved == (Saved("other", "w", 0, 0), Saved("self", "x", 0, 0))
    assert Saved("exponent", "2") in node(rows, 3).saved
    assert Saved("self", "y", 0, 0) in node(rows, 3).saved


def test_a_saved_tensor_that_was_written_to_shows_both_versions(session: Session) -> None:
    rows = seen(session, "with torch.no_grad():\n    x.mul_(2)\n").rows
    assert Saved("self", "", 0, 1) in node(rows, 4).saved


def test_what_backward_let_go_of_is_said(session: Session) -> None:
    saved = node(seen(session, "z.backward()\n").rows, 4).saved
    assert {item.argument for item in saved if item.freed} == {"other", "self"}


def test_a_deep_graph_is_cut_and_says_where_it_goes_on(session: Session) -> None:
    nodes = 100_000 if session.engine.name == "builtin" else FEWER_WALKED["torch"] + 50
    drawn = seen(session, f"t = w * 1\nfor i in range({nodes}): t = t * w\n", "t")
    assert len(drawn.rows) <= 40
    assert drawn.exact == (session.engine.name == "builtin")
    assert drawn.count == (nodes + 2 if drawn.exact else FEWER_WALKED["torch"])
    assert drawn.count - drawn.hidden == len({row.number for row in drawn.rows})
    assert drawn.more is not None
    later = graph(session.engine, session.names["t"].grad_fn, session.names, start=drawn.more)
    assert later.rows[0].number == drawn.more
    assert later.rows[0].branches == ()


def test_looking_changes_nothing(session: Session) -> None:
    seen(session, "")
    before = session.rows()
    graph(session.engine, session.names["z"].grad_fn, session.names)
    assert session.rows() == before
    assert all(outcome.failure is None for outcome in session.run("z.backward()"))


def test_a_number_that_is_not_there_is_refused(session: Session) -> None:
    with pytest.raises(IndexError):
        seen(session, "", start=9)
