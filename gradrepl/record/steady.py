"""Addresses of objects (`at 0x7f...`) replaced by numbers in the order in which they appear: equal in every run."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypeVar

from gradrepl.record.event import Event, Ran
from gradrepl.session.outcome import Failure, Outcome, Output, TensorRow, Warned

ADDRESS = re.compile(r"(?<=\bat )0x[0-9a-f]{6,16}\b")
FIRST, APART = 0x7F0000000010, 0x10
MaybeText = TypeVar("MaybeText", str, str | None)


class Steady:
    """Knows the addresses that it has replaced: the same object keeps its number."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def event(self, event: Event) -> Event:
        """The event with steady addresses; itself where it has none."""
        if not isinstance(event, Ran):
            return event
        return replace(event, outcomes=tuple(map(self._outcome, event.outcomes)))

    def _outcome(self, outcome: Outcome) -> Outcome:
        return replace(
            outcome,
            outputs=tuple(Output(output.kind, self._text(output.text)) for output in outcome.outputs),
            warnings=tuple(Warned(w.category, self._text(w.message), w.line) for w in outcome.warnings),
            failure=self._failure(outcome.failure),
            rows=tuple(map(self._row, outcome.rows)),
        )

    def _failure(self, failure: Failure | None) -> Failure | None:
        if failure is None:
            return None
        return replace(failure, message=self._text(failure.message), traceback=self._text(failure.traceback))

    def _row(self, row: TensorRow) -> TensorRow:
        return replace(row, value=self._text(row.value), grad=self._text(row.grad))

    def _text(self, text: MaybeText) -> MaybeText:
        if text is None or "at 0x" not in text:
            return text
        return ADDRESS.sub(lambda match: self._steady(match[0]), text)

    def _steady(self, address: str) -> str:
        return self._known.setdefault(address, hex(FIRST + APART * len(self._known)))
