"""A prediction's form: the table that will show, with a question mark in each cell that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from gradrepl.view.safe import one_line

COLUMNS = ("requires_grad", "grad_fn", "grad", "is_leaf")
ASKED, OPEN = "?", "·"
Line = list[tuple[str, str]]


def lines(cells: Sequence[str]) -> list[Line]:
    """The form's lines as styled pieces; none where no cell is of the table."""
    asked: dict[str, list[str]] = {}
    for cell in cells:
        name, _, column = cell.rpartition(".")
        if column in COLUMNS and name.isidentifier():
            asked.setdefault(name, []).append(column)
    if not asked:
        return []
    width = max(len("name"), *map(len, asked)) + 2
    head = "  " + "name".ljust(width) + "  ".join(_label(column) for column in COLUMNS)
    rows: list[Line] = [[(head, "bold")]]
    for name, columns in asked.items():
        row: Line = [("  " + one_line(name).ljust(width), "")]
        for column in COLUMNS:
            sign = ASKED if column in columns else OPEN
            row.append((sign.ljust(len(_label(column)) + 2), "bold cyan" if sign == ASKED else "bright_black"))
        rows.append(row)
    return [*rows, []]


def _label(column: str) -> str:
    return "leaf" if column == "is_leaf" else column
