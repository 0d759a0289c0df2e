"""Where typed lines come from: anything that can be asked for the next input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from gradrepl.app.options import Options, Terminal
from gradrepl.app.scope import Scope
from gradrepl.app.shortcut import Shortcut

REPAIR = ":repair"


def never(text: str) -> bool:
    """No text is damaged: where nobody looks."""
    return False


class Reader(Protocol):
    """Asks for input; both methods raise EOFError at its end and KeyboardInterrupt on Ctrl-C.

    toolbar: the text of the line below the input, where there is one; asked for at each redraw.
    scope: what completion and the toolbar look at. suggests: lines of the history are offered behind the cursor.
    shortcuts: the keys that give commands on an empty prompt. footer: the line below the input is shown.
    vi: keys are vi's rather than Emacs'. keeps: what is typed is kept for next time. colored: in colours, and theme:
    in which. idle: called each time a prompt is there and somebody reads it or types. damaged: asked of a pasted text;
    where it says yes, the text stays out of the prompt, and `code` gives `:repair`.
    """

    toolbar: Callable[[], str]
    idle: Callable[[], object]
    damaged: Callable[[str], bool]
    scope: Scope
    shortcuts: Sequence[Shortcut]
    footer: bool
    suggests: bool
    vi: bool
    keeps: bool
    colored: bool
    theme: str

    def code(self, offered: str = "") -> str:
        """The next complete input: a statement, several, or a command; offered: what Enter alone gives."""

    def line(self, prompt: str, offered: str = "") -> str:
        """One line, behind a prompt; offered: what Enter alone gives."""

    def loss(self) -> str | None:
        """Why input isn't kept for next time, said once; None while it is."""


class LineReader:
    """Reads standard input line by line: for dumb terminals and pipes."""

    def __init__(self, ask: Callable[[str], str] = input) -> None:
        self._ask = ask
        self.toolbar: Callable[[], str] = str
        self.idle: Callable[[], object] = str
        self.damaged: Callable[[str], bool] = never
        self.scope = Scope()
        self.shortcuts: Sequence[Shortcut] = ()
        self.footer = self.suggests = self.vi = self.keeps = self.colored = False
        self.theme = "auto"

    def code(self, offered: str = "") -> str:
        from gradrepl.session.read import Incomplete, read
        from gradrepl.view import plain

        if offered:
            print(plain.source(offered))
        self.idle()
        text = self._ask(">>> ")
        if offered and not text.strip():
            return offered
        while isinstance(read(text + "\n"), Incomplete):
            text += "\n" + self._ask("... ")
        return text

    def line(self, prompt: str, offered: str = "") -> str:
        from gradrepl.view.safe import visible

        sys.stdout.flush()
        return self._ask(visible(f"{prompt}[{offered}] " if offered else prompt)).strip() or offered

    def loss(self) -> str | None:
        return None


def open_reader(terminal: Terminal, options: Options) -> Reader:
    """The best reader for a terminal, as the options want it."""
    if not (terminal.keyboard and terminal.drawn):
        return LineReader()
    from gradrepl.app.history import QuietHistory
    from gradrepl.app.places import place
    from gradrepl.app.prompt import PromptReader

    history = QuietHistory(place("state", "history"), kept=options.history)
    reader = PromptReader(history, colored=terminal.colored)
    reader.vi, reader.suggests, reader.theme = options.keys == "vi", options.suggest, options.theme
    return reader
