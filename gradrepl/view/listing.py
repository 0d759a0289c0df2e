"""A table of plain facts: a row a thing, its first column wrapped, the others as wide as they need."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from gradrepl.view.safe import one_line


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Rows below their headings."""
    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for number, heading in enumerate(headings):
        drawn.add_column(Text(one_line(heading)), no_wrap=number > 0)
    for row in rows:
        drawn.add_row(*(Text(one_line(cell)) for cell in row))
    return drawn
