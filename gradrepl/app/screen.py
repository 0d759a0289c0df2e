"""Where everything that is shown goes: a drawn screen, plain lines, or the event stream."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

from gradrepl.app.options import Options, Terminal
from gradrepl.i18n import Translate, translator
from gradrepl.session.outcome import Outcome, Output
from gradrepl.view import plain, prose
from gradrepl.view.safe import visible


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

    def gap(self) -> None:
        """An empty line where that helps the eye."""

    def source(self, source: str) -> None:
        """A statement that is about to run, or has just run."""

    def output(self, output: Output) -> None:
        """A piece of output, as soon as it comes."""

    def result(self, outcome: Outcome, lesson: str | None = None, step: str | None = None) -> None:
        """What a statement did, but for the output that `output` has shown already."""


class PlainScreen:
    """One fact a line: for pipes, dumb terminals and screen readers."""

    def __init__(self, speech: Translate, out: TextIO | None = None, errors: TextIO | None = None) -> None:
        self._ = speech
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

    def gap(self) -> None:
        """Nothing: what follows begins a line anyhow."""

    def source(self, source: str) -> None:
        self._print(plain.source(source))

    def output(self, output: Output) -> None:
        text = visible(output.text) + ("\n" if output.kind == "echo" else "")
        stream = self._errors if output.kind == "stderr" else self._out
        try:
            stream.write(text)
            stream.flush()
        except BrokenPipeError as error:
            # The program that prints gets it, but it is no failure of the program's.
            self._broken = error
            raise
        self._line_open = not text.endswith("\n")

    def result(self, outcome: Outcome, lesson: str | None = None, step: str | None = None) -> None:
        if self._broken is not None:
            raise self._broken
        for warned in outcome.warnings:
            self._print(plain.warning(warned), self._errors)
        if outcome.failure is not None:
            self._print(visible(outcome.failure.traceback).rstrip("\n"), self._errors)
        for line in plain.state(outcome, self._):
            self._print(line)

    def _print(self, text: str, stream: TextIO | None = None) -> None:
        if self._line_open:
            self._out.write("\n")
            self._line_open = False
        (stream or self._out).write(text + "\n")
        (stream or self._out).flush()


def open_screen(options: Options, terminal: Terminal, errors: TextIO | None = None) -> Screen:
    """The screen for these options; errors: where a plain screen writes warnings and tracebacks."""
    if options.json:
        from gradrepl.app.events import EventScreen

        return EventScreen(options)
    if not terminal.drawn:
        return PlainScreen(translator(options.speech), errors=errors)
    from gradrepl.app.drawn import DrawnScreen

    return DrawnScreen(translator(options.speech), colored=terminal.colored)
