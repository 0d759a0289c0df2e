"""A table of plain facts: a row a thing, its first column wrapped, the others as wide as they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from gradrepl.view.safe import one_line, visible


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Rows below their headings."""
    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for number, heading in enumerate(headings):
        drawn.add_column(Text(one_line(heading)), no_wrap=number > 0)
    for row in rows:
        drawn.add_row(*(Text(one_line(cell)) for cell in row))
    return drawn


def hanging(lines: Iterable[Sequence[tuple[str, str]]]) -> Table:
    """Lines of pieces of text with their styles; what doesn't fit goes on below the second piece."""
    drawn = Table.grid()
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for (lead, style), *rest in lines:
        drawn.add_row(Text(visible(lead), style), Text.assemble(*((visible(text), style) for text, style in rest)))
    return drawn
