"""The table, drawn on consoles of several widths and encodings."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from gradrepl.i18n import english, vietnamese
from gradrepl.session.outcome import GradMode, Outcome, TensorRow
from gradrepl.view.choice import MOST_ROWS
from gradrepl.view.language import Translate
from gradrepl.view.table import table

Make = Callable[..., Outcome]
MATRIX = "[[0.2824, -0.3715], [0.9088, -1.7601]]"


def draw(
    shown: Outcome, width: int = 80, encoding: str = "utf-8", color: bool = False, speech: Translate = english
) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="\n")
    console = Console(file=file, width=width, force_terminal=color, color_system="standard" if color else None)
    console.print(table(shown, speech))
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [80, 120])
def test_headings_and_cells_stand_in_their_columns(outcome: Make, x: TensorRow, y: TensorRow, width: int) -> None:
    shown = outcome(replace(x, changed=("grad",)), replace(y, changed=("name",)))
    lines = draw(shown, width).splitlines()
    assert lines[0].rstrip() == "grad mode: on"
    assert lines[1].split() == ["name", "value", "requires_grad", "grad_fn", "grad", "leaf"]
    assert lines[3].split() == ["x", "[1.]", "True", "None", "~", "[2.]", "True"]
    assert lines[4].split() == ["+", "y", "[2.]", "True", "MulBackward0", "None", "False"]
    assert lines[1].index("grad_fn") == lines[4].index("MulBackward0")
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [64, 80, 100, 120])
def test_a_matrix_breaks_between_its_rows_and_the_table_fits(outcome: Make, x: TensorRow, width: int) -> None:
    lines = draw(outcome(replace(x, value=MATRIX, grad=MATRIX, changed=("name",))), width).splitlines()
    assert max(map(len, lines)) <= width
    rows = [line.strip() for line in lines[3:]]
    assert rows[0].startswith("+ x     [[0.2824, -0.3715],") == (width >= 80)
    assert any(row.startswith("[0.9088, -1.7601]]") for row in rows) == (80 <= width < 120)


def test_a_row_that_did_not_change_takes_one_line(outcome: Make, x: TensorRow, y: TensorRow) -> None:
    wide = replace(x, value=MATRIX, grad=MATRIX)
    lines = draw(outcome(wide, replace(y, changed=("name",))), 80).splitlines()
    assert [line[:3].strip() for line in lines[3:]] == ["x", "+ y"]
    assert re.findall(r"\[\[\S+(?:, \S+)* \.\.\.", lines[3]) == ["[[0.2824, ...", "[[0.2824, ..."]
    assert len(draw(outcome(replace(wide, changed=("grad",))), 80).splitlines()) > 4


def test_an_encoding_without_box_characters_gets_ascii(outcome: Make, x: TensorRow) -> None:
    assert draw(outcome(x), encoding="ascii").isascii()


def test_change_shows_without_colour_and_with(outcome: Make, x: TensorRow) -> None:
    shown = outcome(replace(x, changed=("grad",)))
    assert "~ [2.]" in draw(shown)
    assert "\x1b" not in draw(shown)
    assert "\x1b[1;33m ~ [2.]" in draw(shown, color=True)


def test_a_name_that_is_gone_is_struck(outcome: Make, x: TensorRow) -> None:
    assert "- y" in draw(outcome(x, gone=("y",)))


def test_of_many_rows_the_changed_and_the_newest_stay(outcome: Make, x: TensorRow) -> None:
    rows = [replace(x, name=f"t{n}") for n in range(40)]
    rows[3] = replace(rows[3], changed=("grad",))
    text = draw(outcome(*rows))
    shown = [line.split()[0] for line in text.splitlines()[3:-1]]
    assert shown == ["t3", *(f"t{n}" for n in range(40 - MOST_ROWS + 1, 40))]
    assert f"not shown: {40 - MOST_ROWS}" in text


def test_the_mode_stands_over_the_table_in_the_learners_language(outcome: Make, x: TensorRow, off: GradMode) -> None:
    lines = draw(outcome(x, mode=off), width=60, speech=vietnamese).splitlines()
    assert lines[0].rstrip() == "chế độ gradient: tắt (no_grad), sau đó bật"


def test_the_mode_is_not_wrapped_to_the_width_of_the_table(outcome: Make, x: TensorRow) -> None:
    off = GradMode(False, ("set_grad_enabled(False)", "enable_grad", "set_grad_enabled(False)"))
    lines = draw(outcome(x, mode=off), width=110).splitlines()
    assert lines[0].rstrip().endswith("then on")
    assert lines[1].startswith("  name")
