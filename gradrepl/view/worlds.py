"""One line of code in two worlds, grad mode on and off: every cell that differs, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradrepl.session.outcome import Outcome, TensorRow
from gradrepl.view.language import Translate
from gradrepl.view.safe import one_line

FIELDS = ("value", "requires_grad", "grad_fn", "grad", "is_leaf")
Span = tuple[str, str]
Line = tuple[str, str, str, bool]
WIDEST = 34


def compare(on: Outcome, off: Outcome, _: Translate) -> Iterator[Sequence[Span]]:
    """The tensors that either run changed, a cell a line: with grad mode on, off, and whether the two differ."""
    found = [*_results(on, off, _), *_cells(on, off)]
    if not found:
        yield [(_("No tensor changed, with grad mode on or off."), "cyan")]
        return
    head = ("", _("grad on"), _("grad off"), False)
    widths = [max(len(str(line[i])) for line in (head, *found)) for i in range(3)]
    for name, one, other, differs in (head, *found):
        texts = f"{name:<{widths[0]}}  {one:<{widths[1]}}  {other:<{widths[2]}}"
        style = "bold" if (name, one) == head[:2] else "bold yellow" if differs else ""
        yield [(f"{'~' if differs else ' '} ", style), (texts, style), (f"  {_('differs')}" if differs else "", style)]
    same = sum(not line[3] for line in found)
    if same == len(found):
        yield [(_("Grad mode makes no difference here."), "cyan")]


def _cells(on: Outcome, off: Outcome) -> Iterator[Line]:
    there = {row.name: row for row in off.rows}
    here = {row.name: row for row in on.rows}
    for name in _touched(on, off):
        one, other = here.get(name), there.get(name)
        for field in FIELDS:
            yield _line(f"{one_line(name)}.{field}".removesuffix(".value"), _text(one, field), _text(other, field))


def _touched(on: Outcome, off: Outcome) -> list[str]:
    rows = [*on.changed_rows, *off.changed_rows]
    return list(dict.fromkeys([row.name for row in rows] + [*on.bound, *off.bound]))


def _results(on: Outcome, off: Outcome, _: Translate) -> Iterator[Line]:
    if on.value is not None or off.value is not None:
        yield _line(_("result"), _short(on.value or ""), _short(off.value or ""))
    if on.failure is not None or off.failure is not None:
        yield _line(_("error"), _failed(on, _), _failed(off, _))


def _failed(outcome: Outcome, _: Translate) -> str:
    return _("none") if outcome.failure is None else outcome.failure.type


def _line(name: str, one: str, other: str) -> Line:
    return name, one, other, one != other


def _text(row: TensorRow | None, field: str) -> str:
    return "-" if row is None else _short(str(getattr(row, field)))


def _short(text: str) -> str:
    shown = one_line(text)
    return shown if len(shown) <= WIDEST else shown[: WIDEST - 3] + "..."
