"""Several statements that were typed as one input, shown as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

from gradrepl.session.outcome import Explanation, Outcome, TensorRow


def merge(outcomes: Sequence[Outcome]) -> Outcome:
    """The last outcome, with the warnings, switches and changes of all; outcomes: at least one."""
    first, last = outcomes[0], outcomes[-1]
    return replace(
        last,
        warnings=tuple(warned for outcome in outcomes for warned in outcome.warnings),
        switches=tuple(switch for outcome in outcomes for switch in outcome.switches),
        mode_before=first.mode_before,
        rows=tuple(_merged(row, outcomes) for row in last.rows),
        gone=_gone(outcomes),
        explanations=tuple(_explanations(outcomes)),
        bound=tuple(dict.fromkeys(name for outcome in outcomes for name in outcome.bound)),
    )


def _merged(row: TensorRow, outcomes: Sequence[Outcome]) -> TensorRow:
    changed = {field for outcome in outcomes for r in outcome.rows if r.name == row.name for field in r.changed}
    return replace(row, changed=tuple(f.name for f in fields(TensorRow) if f.name in changed))


def _gone(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Names that were there before the input and are not any more."""
    first, last = outcomes[0], outcomes[-1]
    before = [*first.gone, *(row.name for row in first.rows if "name" not in row.changed)]
    left = {row.name for row in last.rows}
    return tuple(name for name in before if name not in left)


def _explanations(outcomes: Sequence[Outcome]) -> Iterator[Explanation]:
    """Each explanation once, with its warning's place among the warnings of all."""
    seen: set[str] = set()
    before = 0
    for outcome in outcomes:
        for explanation in outcome.explanations:
            if explanation.id not in seen:
                seen.add(explanation.id)
                index = explanation.warning
                yield replace(explanation, warning=None if index is None else before + index)
        before += len(outcome.warnings)
