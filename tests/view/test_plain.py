"""Plain lines: one fact each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gradrepl.i18n import english, vietnamese
from gradrepl.session.outcome import GradMode, ModeSwitch, Outcome, TensorRow
from gradrepl.view import plain

Make = Callable[..., Outcome]


def test_a_row_is_one_fact_line(y: TensorRow) -> None:
    assert plain.row(y, english) == "y: requires_grad = True; grad_fn = MulBackward0; grad = None"


@pytest.mark.parametrize(
    ("fields", "in_english", "in_vietnamese"),
    [(("name",), " [new]", " [mới]"), (("value", "grad"), " [changed: value, grad]", " [đổi: value, grad]")],
)
def test_what_changed_is_said_in_a_word(
    x: TensorRow, fields: tuple[str, ...], in_english: str, in_vietnamese: str
) -> None:
    row = replace(x, changed=fields)
    assert plain.row(row, english) == plain.row(x, english) + in_english
    assert plain.row(row, vietnamese) == plain.row(x, english) + in_vietnamese


def test_only_changed_rows_are_said(outcome: Make, x: TensorRow, y: TensorRow) -> None:
    new = replace(y, changed=("name",))
    assert list(plain.state(outcome(x, new), english)) == [plain.row(new, english)]


def test_the_mode_is_said_when_it_is_not_plainly_on(outcome: Make, y: TensorRow, off: GradMode) -> None:
    new = replace(y, changed=("name",))
    assert next(plain.state(outcome(new, mode=off), english)) == "grad mode: off (no_grad), then on"
    assert next(plain.state(outcome(new, mode=off, after=off), english)) == "grad mode: off (no_grad)"
    nested = GradMode(True, ("no_grad", "enable_grad"))
    lines = list(plain.state(outcome(new, mode=nested), vietnamese))
    assert lines[0] == "chế độ gradient: bật (no_grad > enable_grad), sau đó bật"


def test_a_switch_is_said_though_no_tensor_changed(outcome: Make, off: GradMode) -> None:
    quiet = outcome(mode=off, after=off)
    assert list(plain.state(quiet, english)) == []
    switched = replace(quiet, switches=(ModeSwitch("call", "set_grad_enabled(False)", False, 1),))
    assert list(plain.state(switched, english)) == ["grad mode: off (no_grad)"]


def test_a_name_that_is_gone_is_said(outcome: Make, x: TensorRow) -> None:
    assert list(plain.state(outcome(x, gone=("y",)), english)) == ["y: gone"]


def test_a_source_has_pythons_prompts() -> None:
    assert plain.source("with a:\n    b\n") == ">>> with a:\n...     b"
    assert plain.source("s = '''\n\n'''\n") == ">>> s = '''\n...\n... '''"


def test_a_value_cannot_break_the_line_or_reach_the_terminal(x: TensorRow) -> None:
    assert plain.row(replace(x, grad="[1.]\n\x1b[2J"), english).endswith("grad = [1.]\\n\\x1b[2J")
