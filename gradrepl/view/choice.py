"""Which tensors a table shows where there are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradrepl.session.outcome import TensorRow

MOST_ROWS = 12


def most_telling(rows: tuple[TensorRow, ...]) -> list[TensorRow]:
    """All rows, in their order; of more than MOST_ROWS, those that a statement changed and the newest."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    changed = [row.name for row in rows if row.changed][-MOST_ROWS:]
    others = [row.name for row in rows if not row.changed]
    kept = {*changed, *others[len(others) - (MOST_ROWS - len(changed)) :]}
    return [row for row in rows if row.name in kept]
