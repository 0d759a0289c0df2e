"""Outcomes as plain lines: one fact a line, nothing that needs a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gradrepl.view import mode
from gradrepl.view.safe import one_line, visible

if TYPE_CHECKING:
    from gradrepl.session.outcome import Outcome, TensorRow, Warned
    from gradrepl.view.language import Translate

POINTER = "=> "


def row(row: TensorRow, _: Translate) -> str:
    """Such as "y: requires_grad = True; grad_fn = MulBackward0; grad = None [new]"."""
    facts = f"requires_grad = {row.requires_grad}; grad_fn = {row.grad_fn}; grad = {row.grad}"
    return one_line(f"{row.name}: {facts}{_changes(row, _)}")


def state(outcome: Outcome, _: Translate) -> Iterator[str]:
    """The lines that the table has elsewhere: the mode, unless it is plainly on, and what changed."""
    if mode.worth_saying(outcome):
        yield mode.sentence(outcome, _)
    yield from (row(changed, _) for changed in outcome.changed_rows)
    yield from (_("{name}: gone").format(name=one_line(name)) for name in outcome.gone)


def warning(warned: Warned) -> str:
    """Such as "UserWarning: The .grad attribute of ..."."""
    return visible(f"{warned.category}: {warned.message}")


def explanation(text: str) -> str:
    """An explanation's words on one line."""
    return POINTER + one_line(text)


def source(text: str) -> str:
    """A statement with the prompts of Python's interactive mode."""
    lines = visible(text).rstrip("\n").split("\n")
    return "\n".join(f"{'...' if number else '>>>'} {line}".rstrip() for number, line in enumerate(lines))


def listed(headings: Sequence[str], row: Sequence[str]) -> str:
    """A table's row on one line: the first cell, then each that isn't empty behind its heading."""
    facts = "; ".join(f"{heading}: {cell}" for heading, cell in zip(headings[1:], row[1:], strict=True) if cell)
    return one_line(f"{row[0]}: {facts}" if facts else row[0])


def _changes(row: TensorRow, _: Translate) -> str:
    if "name" in row.changed:
        return f" [{_('new')}]"
    return f" [{_('changed: {fields}').format(fields=', '.join(row.changed))}]" if row.changed else ""
