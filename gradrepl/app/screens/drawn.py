"""The drawn screen: rich tables, colours and highlighted code."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.rule import Rule
from rich.style import Style
from rich.text import Text

from gradrepl.app.screens.screen import Explain, unexplained
from gradrepl.i18n import Translate
from gradrepl.session.outcome import Outcome, Output, TensorRow
from gradrepl.view import code, explanation, mode, plain, prose, report, table
from gradrepl.view.paragraph import Paragraph
from gradrepl.view.safe import visible
from gradrepl.view.theme import repainted
from gradrepl.view.tree import ASCII

NARROWEST_TABLE, WIDEST_BIG = 64, 72
_COLUMN = re.compile(r"\S.*?  +(?=\S.*$)")
"""What stands in the first column of a line of two."""


class _Console(Console):
    """Keeps a broken pipe for the command line, where rich would end the process.

    A program that prints gets it too, but it is no failure of the program's.
    """

    broken: BrokenPipeError | None = None
    colours: str = "auto"

    def get_style(self, name: str | Style, *, default: Style | str | None = None) -> Style:
        """The style of that definition, in the colours of the theme."""
        painted = repainted(name, self.colours) if isinstance(name, str) else name
        return super().get_style(painted, default=default)

    def on_broken_pipe(self) -> None:
        self.broken = BrokenPipeError()
        raise self.broken


class DrawnScreen:
    """Draws on standard output with rich; colours are the terminal's own sixteen.

    width: in columns, the terminal's own unless given; record: keep what is drawn, for console.export_svg.
    explain: what to say of errors and warnings, below them. theme: auto, light or dark. big: for a projector, with
    fewer columns and larger gaps.
    """

    def __init__(
        self,
        speech: Translate,
        *,
        colored: bool,
        width: int | None = None,
        record: bool = False,
        explain: Explain = unexplained,
        theme: str = "auto",
        big: bool = False,
    ) -> None:
        self._ = speech
        self._explain = explain
        self.console = _Console(
            file=sys.stdout,
            color_system="standard",
            no_color=not colored,
            force_terminal=True,
            highlight=False,
            markup=False,
            emoji=False,
            width=width,
            record=record,
        )
        self.console.colours = theme
        self._big = big
        if big and width is None:
            self.console.width = min(self.console.width, WIDEST_BIG)
        self._line_open = self._gap_is_there = False

    def title(self, text: str) -> None:
        self._print(Text(visible(text), style="bold reverse"))

    def heading(self, text: str) -> None:
        self._print()
        if self._big:
            self.console.print()
        self._print(Rule(Text(visible(text), style="bold"), align="left", style="bright_black"))

    def prose(self, markdown: str) -> None:
        within_list = False
        for block in prose.blocks(markdown):
            is_item = bool(block.lead)
            if not (within_list and is_item):
                self._print()
            self._print(Paragraph(block))
            within_list = is_item
        if self._big:
            self.console.print()

    def note(self, text: str) -> None:
        shown, width = visible(text), self.console.width
        column = _COLUMN.match(shown)
        if column and cell_len(column[0]) <= width // 2 and cell_len(shown) > width:
            self.hanging([[(column[0], "cyan"), (shown[column.end() :], "cyan")]])
        else:
            self._print(Text(shown, style="cyan"))

    def sentence(self, text: str) -> None:
        self._print(explanation.paragraph(text, lead=""))

    def gap(self) -> None:
        self._print()

    def typed(self) -> None:
        self._gap_is_there = False

    def source(self, source: str) -> None:
        self._print(code.code(source))

    def output(self, output: Output) -> None:
        for text in report.output(output):
            self.console.print(text, end="", soft_wrap=True)
            self._line_open = not text.plain.endswith("\n")
        self._gap_is_there = False

    def result(self, outcome: Outcome, lesson: str | None = None, step: str | None = None) -> None:
        if self.console.broken is not None:
            raise self.console.broken
        for index, warned in enumerate(outcome.warnings):
            self._print(report.warning(warned))
            self.explanations(outcome, index)
        if outcome.failure is not None:
            self._print(report.failure(outcome.failure))
            self.explanations(outcome, None)
        if table.worth_showing(outcome):
            self._table(outcome)
        elif mode.worth_saying(outcome):
            self._print(Text(mode.sentence(outcome, self._), style=mode.style(outcome.mode)))
        if self._big:
            self.console.print()

    def spans(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        strokes = ASCII if self.console.options.ascii_only else {}
        for line in lines:
            self._print(Text.assemble(*((visible(text).translate(strokes), style) for text, style in line)))

    def hanging(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        from gradrepl.view import listing  # few commands list things

        self._print(listing.hanging(lines))

    def rows(self, rows: Sequence[TensorRow]) -> None:
        if self.console.width < NARROWEST_TABLE:
            for row in rows:
                self._print(Text(plain.row(row, self._)))
        elif rows:
            self._print(table.of_rows(rows))

    def listing(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from gradrepl.view import listing  # few commands list things

        self._print(listing.table(headings, rows))

    def _table(self, outcome: Outcome) -> None:
        if self.console.width < NARROWEST_TABLE:
            for line in plain.state(outcome, self._):
                self._print(Text(line))
            return
        self._print(table.table(outcome, self._))
        self._print()

    def explanations(self, outcome: Outcome, warning: int | None) -> None:
        """What is known of an outcome's warning of that index, or of its failure."""
        for explained in outcome.explanations:
            if explained.warning == warning:
                self._print(*map(explanation.paragraph, self._explain(explained)))

    def _print(self, *renderables: object) -> None:
        if self._line_open:
            self.console.print()
            self._line_open = False
        if renderables or not self._gap_is_there:
            self.console.print(*renderables)
        self._gap_is_there = not renderables
