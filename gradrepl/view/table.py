"""The table of tensors: one row a name, with signs and colours for what a statement changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradrepl.session.outcome import Outcome, TensorRow
from gradrepl.view import mode
from gradrepl.view.cell import MOST_LINES, Cell, Heading
from gradrepl.view.choice import most_telling
from gradrepl.view.language import Translate
from gradrepl.view.safe import one_line

NEW, CHANGED, GONE = "+", "~", "-"
_STYLES = {NEW: "bold green", CHANGED: "bold yellow", GONE: "red"}
_COLUMNS = ("name", "value", "requires_grad", "grad_fn", "grad", "leaf")
_FIELDS = {"leaf": "is_leaf"}
_WRAPPING = ("value", "grad_fn", "grad")


def table(outcome: Outcome, _: Translate) -> Group:
    """The mode and the tensors after a statement; of many, those that it changed and the newest."""
    # Titles of rich's own are wrapped to the width of the table.
    title = Text(mode.sentence(outcome, _), style=mode.style(outcome.mode))
    shown = most_telling(outcome.rows)
    drawn: list[RenderableType] = [title, of_rows(shown, outcome.gone, brief=True)]
    if len(shown) < len(outcome.rows):
        hidden = len(outcome.rows) - len(shown)
        drawn.append(Text(_("not shown: {count}; :t shows every tensor").format(count=hidden)))
    return Group(*drawn)


def of_rows(rows: Sequence[TensorRow], gone: Sequence[str] = (), *, brief: bool = False) -> Table:
    """All these rows, and names that are gone; brief: rows that did not change have one line each."""
    drawn = Table(box=None, padding=0)
    gutters = {column: _gutter(column, rows) for column in _COLUMNS}
    for column in _COLUMNS:
        drawn.add_column(Heading(column, gutters[column]), no_wrap=column not in _WRAPPING)
    for row in rows:
        most = 1 if brief and not row.changed else MOST_LINES
        drawn.add_row(*(_cell(row, column, gutters[column], most) for column in _COLUMNS))
    for name in gone:
        drawn.add_row(Cell(one_line(name), GONE, _STYLES[GONE], gutters["name"]))
    return drawn


def worth_showing(outcome: Outcome) -> bool:
    """Whether a statement changed a tensor."""
    return bool(outcome.changed_rows or outcome.gone)


def _cell(row: TensorRow, column: str, gutter: int, most: int) -> Cell:
    text, sign = str(getattr(row, _FIELDS.get(column, column))), _sign(row, column)
    style = _STYLES[sign] if sign else "dim" if text == "None" else ""
    return Cell(one_line(text), sign, style, gutter, most)


def _sign(row: TensorRow, column: str) -> str:
    if "name" in row.changed:
        return NEW if column == "name" else ""
    return CHANGED if _FIELDS.get(column, column) in row.changed else ""


def _gutter(column: str, rows: Sequence[TensorRow]) -> int:
    """Room for a sign and a space; a sign behind another column has a space before it too."""
    signed = column != "name" and any(_sign(row, column) for row in rows)
    return 3 if signed else 2
