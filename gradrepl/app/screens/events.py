"""The screen of `--json`: the event stream and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from gradrepl.app.options import Options
from gradrepl.record import json_lines
from gradrepl.session.outcome import Outcome, Output, TensorRow


class EventScreen:
    """JSON lines on standard output; what a program writes to standard error goes there."""

    def __init__(self, options: Options) -> None:
        # A program may put other streams in their place.
        self._out, self._errors = sys.stdout, sys.stderr
        self._print(json_lines.header(options.engine, options.speech))

    def title(self, text: str) -> None:
        """Nothing: events only."""

    heading = prose = note = sentence = source = title

    def spans(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        """Nothing: events only."""

    hanging = spans

    def rows(self, rows: Sequence[TensorRow]) -> None:
        """Nothing: events only."""

    def listing(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Nothing: events only."""

    def gap(self) -> None:
        """Nothing: events only."""

    typed = gap

    def output(self, output: Output) -> None:
        if output.kind == "stderr":
            self._errors.write(output.text)

    def result(self, outcome: Outcome, lesson: str | None = None, step: str | None = None) -> None:
        self._out.writelines(json_lines.parts(outcome, lesson, step))
        self._print("")

    def _print(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()
