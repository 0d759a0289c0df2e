"""Where typed lines come from: anything that can be asked for the next input."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from gradrepl.session.read import Incomplete, read


class Reader(Protocol):
    """Asks for input; both methods raise EOFError at its end and KeyboardInterrupt on Ctrl-C."""

    def code(self) -> str:
        """The next complete input: a statement, several, or a command."""

    def line(self, prompt: str) -> str:
        """One line, behind a prompt."""


class LineReader:
    """Reads standard input line by line: for dumb terminals and pipes."""

    def __init__(self, ask: Callable[[str], str] = input) -> None:
        self._ask = ask

    def code(self) -> str:
        text = self._ask(">>> ")
        while isinstance(read(text + "\n"), Incomplete):
            text += "\n" + self._ask("... ")
        return text

    def line(self, prompt: str) -> str:
        sys.stdout.flush()
        return self._ask(prompt)
