"""Where everything that is shown goes: a drawn screen, plain lines, or the event stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from gradrepl.app.options import Options, Terminal, theme
from gradrepl.i18n import Translate, translator
from gradrepl.session.outcome import Explanation, Outcome, Output, TensorRow
from gradrepl.view import plain, prose
from gradrepl.view.safe import pieces, visible
from gradrepl.view.tree import INDENT

if TYPE_CHECKING:
    from gradrepl.app.screens.drawn import DrawnScreen

Explain = Callable[[Explanation], Sequence[str]]  # the texts to show of an explanation, one a language


def unexplained(explanation: Explanation) -> Sequence[str]:
    """Nothing: for programs, whose errors are as Python's."""
    return ()


class Screen(Protocol):
    """What a command may show; each method ends its output with a newline."""

    def title(self, text: str) -> None:
        """A lesson's title."""

    def heading(self, text: str) -> None:
        """A step's number and label."""

    def prose(self, markdown: str) -> None:
        """A lesson's words."""

    def note(self, text: str) -> None:
        """A line of gradrepl's own."""

    def sentence(self, text: str) -> None:
        """As `note`; pieces in backticks are code."""

    def gap(self) -> None:
        """An empty line where that helps the eye."""

    def typed(self) -> None:
        """Somebody has typed a line since the last output: a gap would be a new one."""

    def source(self, source: str) -> None:
        """A statement that is about to run, or has just run."""

    def output(self, output: Output) -> None:
        """A piece of output, as soon as it comes."""

    def result(self, outcome: Outcome, lesson: str | None = None, step: str | None = None) -> None:
        """What a statement did, but for the output that `output` has shown already."""

    def spans(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        """Lines of pieces of text, each with its style (a rich style definition)."""

    def hanging(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        """As `spans`; of a line that doesn't fit, the rest goes below its second piece."""

    def rows(self, rows: Sequence[TensorRow]) -> None:
        """Tensors as they are now."""

    def listing(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of texts, below their headings; the first column is the widest."""


class PlainScreen:
    """One fact a line: for pipes, dumb terminals and screen readers."""

    def __init__(
        self,
        speech: Translate,
        out: TextIO | None = None,
        errors: TextIO | None = None,
        explain: Explain = unexplained,
    ) -> None:
        self._ = speech
        self._explain = explain
        self._out = out or sys.stdout
        self._errors = errors or self._out
        self._line_open = False
        self._broken: BrokenPipeError | None = None

    def title(self, text: str) -> None:
        self._print(visible(text))

    def heading(self, text: str) -> None:
        self._print("\n" + visible(text))

    def prose(self, markdown: str) -> None:
        for block in prose.blocks(markdown):
            self._print(prose.plain(block))

    def note(self, text: str) -> None:
        self._print(visible(text))

    sentence = note

    def gap(self) -> None:
        """Nothing: what follows begins a line anyhow."""

    def typed(self) -> None:
        """Nothing: there are no gaps."""

    def source(self, source: str) -> None:
        self._print(plain.source(source))

    def output(self, output: Output) -> None:
        text = output.text + ("\n" if output.kind == "echo" else "")
        stream = self._errors if output.kind == "stderr" else self._out
        try:
            stream.writelines(map(visible, pieces(text)))
            stream.flush()
        except BrokenPipeError as error:
            # The program that prints gets it, but it is no failure of the program's.
            self._broken = error
            raise
        self._line_open = not text.endswith("\n")

    def result(self, outcome: Outcome, lesson: str | None = None, step: str | None = None) -> None:
        if self._broken is not None:
            raise self._broken
        for index, warned in enumerate(outcome.warnings):
            self._print(plain.warning(warned), self._errors)
            self.explanations(outcome, index)
        if outcome.failure is not None:
            self._print(visible(outcome.failure.traceback).rstrip("\n"), self._errors)
            self.explanations(outcome, None)
        for line in plain.state(outcome, self._):
            self._print(line)

    def spans(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        for line in lines:
            self._print(visible("".join(text for text, _style in line)).translate(INDENT).rstrip())

    hanging = spans

    def rows(self, rows: Sequence[TensorRow]) -> None:
        for row in rows:
            self._print(plain.row(row, self._))

    def listing(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        for row in rows:
            self._print(plain.listed(headings, row))

    def explanations(self, outcome: Outcome, warning: int | None) -> None:
        """What is known of an outcome's warning of that index, or of its failure."""
        for explained in outcome.explanations:
            if explained.warning == warning:
                for text in self._explain(explained):
                    self._print(plain.explanation(text), self._errors)

    def _print(self, text: str, stream: TextIO | None = None) -> None:
        if self._line_open:
            self._out.write("\n")
            self._line_open = False
        (stream or self._out).write(text + "\n")
        (stream or self._out).flush()


def open_screen(options: Options, terminal: Terminal, errors: TextIO | None = None) -> Screen:
    """The screen for these options; errors: where a plain screen writes warnings and tracebacks, as Python does."""
    if options.json:
        from gradrepl.app.screens.events import EventScreen

        return EventScreen(options)
    return open_shown(options, terminal, errors)


def open_shown(options: Options, terminal: Terminal, errors: TextIO | None = None) -> PlainScreen | DrawnScreen:
    """As `open_screen`, for people to read: never the event stream."""

    def explain(explanation: Explanation) -> Sequence[str]:
        from gradrepl.app.screens.explaining import short  # its texts wait until something goes wrong

        return short(explanation, options.speech)

    if not terminal.drawn:
        told = unexplained if errors is not None else explain
        return PlainScreen(translator(options.speech), errors=errors, explain=told)
    from gradrepl.app.screens.drawn import DrawnScreen

    speech, colored, colours = translator(options.speech), terminal.colored, theme(options, terminal)
    return DrawnScreen(speech, colored=colored, explain=explain, theme=colours, big=options.big)
