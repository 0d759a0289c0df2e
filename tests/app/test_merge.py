"""Several statements of one input become one outcome."""

from __future__ import annotations

from gradrepl.app.commands.merge import merge
from gradrepl.app.engines import load
from gradrepl.session.core import Session
from gradrepl.session.outcome import Outcome


def outcome_of(source: str, before: str = "import torch") -> Outcome:
    with Session(load("builtin")) as session:
        list(session.run(before))
        return merge(list(session.run(source)))


def test_changes_add_up() -> None:
    merged = outcome_of("x = torch.ones(1, requires_grad=True)\ny = x * 2\ny.backward()")
    assert [(row.name, row.changed, row.grad) for row in merged.rows] == [
        ("x", ("name", "grad"), "[2.]"),
        ("y", ("name",), None),
    ]


def test_a_name_that_came_and_went_is_not_mentioned() -> None:
    assert outcome_of("y = torch.ones(1)\ndel y\n1").gone == ()


def test_a_name_that_was_there_is_gone() -> None:
    assert outcome_of("1\ndel y\n2", before="import torch\ny = torch.ones(1)").gone == ("y",)


def test_switches_and_warnings_of_all_are_kept() -> None:
    merged = outcome_of("import warnings\nwarnings.warn('one')\n_ = torch.set_grad_enabled(False)\n1")
    assert [warned.message for warned in merged.warnings] == ["one"]
    assert [switch.name for switch in merged.switches] == ["set_grad_enabled(False)"]
    assert merged.mode_before.enabled
    assert merged.value == "1"
