"""Where typed lines come from: anything that can be asked for the next input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from gradrepl.app.commands.scope import Scope
from gradrepl.app.line.shortcut import Shortcut
from gradrepl.app.options import Options, Terminal, theme

REPAIR = ":repair"
PAUSE = 0.05  # seconds in which the next line of a paste comes


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
    """Reads standard input line by line: for dumb terminals and pipes.

    more: whether another line has come already, where that can be asked.
    """

    def __init__(self, ask: Callable[[str], str] = input, more: Callable[[], bool] | None = None) -> None:
        self._ask, self._more = ask, more or (lambda: False)
        self._waiting: list[str] = []
        self.toolbar: Callable[[], str] = str
        self.idle: Callable[[], object] = str
        self.damaged: Callable[[str], bool] = never
        self.scope = Scope()
        self.shortcuts: Sequence[Shortcut] = ()
        self.footer = self.suggests = self.vi = self.keeps = self.colored = False
        self.theme = "auto"

    def code(self, offered: str = "") -> str:
        from gradrepl.session.read import Incomplete, is_suspect, read
        from gradrepl.view import plain

        if offered:
            print(plain.source(offered))
        self.idle()
        text = self._next(">>> ")
        if offered and not text.strip():
            return offered
        if is_suspect(text) and self._takes(text):
            return REPAIR
        while isinstance(read(text + "\n"), Incomplete):
            text += "\n" + self._next("... ")
        return text

    def _next(self, prompt: str) -> str:
        return self._waiting.pop(0) if self._waiting else self._ask(prompt)

    def _takes(self, text: str) -> bool:
        """Whether a line and those that came with it, as a paste does, go to `:repair`; else they wait their turn."""
        while self._more():
            try:
                self._waiting.append(self._ask(""))
            except EOFError:
                break
        taken = bool(self._waiting) and self.damaged("\n".join([text, *self._waiting]))
        if taken:
            self._waiting.clear()
        return taken

    def line(self, prompt: str, offered: str = "") -> str:
        from gradrepl.view.safe import visible

        sys.stdout.flush()
        return self._next(visible(f"{prompt}[{offered}] " if offered else prompt)).strip() or offered

    def loss(self) -> str | None:
        return None


def has_more() -> bool:
    """Whether another line waits at the terminal; False where a system can't tell."""
    import select

    try:
        return bool(select.select([sys.stdin], [], [], PAUSE)[0])
    except (OSError, ValueError):
        return False


def open_reader(terminal: Terminal, options: Options) -> Reader:
    """The best reader for a terminal, as the options want it."""
    if not (terminal.keyboard and terminal.drawn):
        return LineReader(more=has_more if terminal.keyboard else None)
    from gradrepl.app.line.history import QuietHistory
    from gradrepl.app.line.prompt import PromptReader
    from gradrepl.app.places import place

    history = QuietHistory(place("state", "history"), kept=options.history)
    reader = PromptReader(history, colored=terminal.colored)
    reader.vi, reader.suggests, reader.theme = options.keys == "vi", options.suggest, theme(options, terminal)
    return reader
