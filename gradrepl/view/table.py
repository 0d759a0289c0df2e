"""The table of tensors: one row a name, with signs and colours for what a statement changed."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from gradrepl.session.outcome import Outcome, TensorRow
from gradrepl.view import mode
from gradrepl.view.cell import Cell, Heading
from gradrepl.view.language import Translate
from gradrepl.view.safe import one_line

MOST_ROWS = 12
NEW, CHANGED, GONE = "+", "~", "-"
_STYLES = {NEW: "bold green", CHANGED: "bold yellow", GONE: "red"}
_COLUMNS = ("name", "value", "requires_grad", "grad_fn", "grad", "leaf")
_FIELDS = {"leaf": "is_leaf"}
_WRAPPING = ("value", "grad_fn", "grad")


def table(outcome: Outcome, _: Translate) -> Table:
    """The tensors after a statement; of more than MOST_ROWS, those that it changed and the newest."""
    shown = _most_telling(outcome.rows)
    drawn = Table(box=None, padding=0, title_style="", caption_style="")
    drawn.title = Text(mode.sentence(outcome, _), style=mode.style(outcome.mode))
    drawn.title_justify = drawn.caption_justify = "left"
    if len(shown) < len(outcome.rows):
        hidden = len(outcome.rows) - len(shown)
        drawn.caption = _("unchanged, not shown: {count}").format(count=hidden)
    for name in _COLUMNS:
        drawn.add_column(Heading(name, _gutter(name)), no_wrap=name not in _WRAPPING)
    for row in shown:
        drawn.add_row(*_cells(row))
    for name in outcome.gone:
        drawn.add_row(_cell(name, GONE, "name"))
    return drawn


def worth_showing(outcome: Outcome) -> bool:
    """Whether a statement changed a tensor."""
    return bool(outcome.changed_rows or outcome.gone)


def _most_telling(rows: tuple[TensorRow, ...]) -> list[TensorRow]:
    if len(rows) <= MOST_ROWS:
        return list(rows)
    changed = [row for row in rows if row.changed][-MOST_ROWS:]
    others = [row for row in rows if not row.changed]
    kept = {row.name for row in [*changed, *others[len(changed) - MOST_ROWS :]][:MOST_ROWS]}
    return [row for row in rows if row.name in kept]


def _cells(row: TensorRow) -> list[Cell]:
    new = "name" in row.changed
    return [_cell(_text(row, column), _sign(row, column, new), column) for column in _COLUMNS]


def _sign(row: TensorRow, column: str, new: bool) -> str:
    if new:
        return NEW if column == "name" else ""
    return CHANGED if _FIELDS.get(column, column) in row.changed else ""


def _text(row: TensorRow, column: str) -> str:
    return str(getattr(row, _FIELDS.get(column, column)))


def _cell(text: str, sign: str, column: str) -> Cell:
    style = _STYLES[sign] if sign else "dim" if text == "None" else ""
    return Cell(one_line(text), sign, style, _gutter(column))


def _gutter(column: str) -> int:
    """Room for a sign; behind another column also for the space before it."""
    return 2 if column == "name" else 3
