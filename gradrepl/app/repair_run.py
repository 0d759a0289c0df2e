"""The prompt on a repaired page: each statement is offered in turn, Enter runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradrepl.app.options import Options, Terminal
from gradrepl.app.repl import Repl
from gradrepl.i18n import Translate
from gradrepl.repair.model import Recovered
from gradrepl.repair.python import tree_of


class Stepping:
    """A reader that offers a page's statements one after the other, then asks as before."""

    def __init__(self, reader: Any, sources: list[str]) -> None:
        self.__dict__.update(reader=reader, sources=sources)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reader, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.reader, name, value)

    def code(self, offered: str = "") -> str:
        """The next input; a statement of the page stands at the prompt for Enter to run."""
        ask: Callable[[str], str] = self.reader.code
        return ask(offered or (self.sources.pop(0) if self.sources else ""))


def start(found: Recovered, options: Options, terminal: Terminal, _: Translate) -> int:
    """Run the prompt with the statements of a page; without a keyboard they run one after the other.

    Returns the exit status. Statements that are no Python are left out.
    """
    sources = [statement.source for statement in found.statements if tree_of(statement.source) is not None]
    repl = Repl(options, terminal)
    if terminal.keyboard:
        repl.reader = Stepping(repl.reader, sources)
        return repl.loop(_("{count} statements of the page: Enter runs the next one.").format(count=len(sources)))
    for source in sources:
        repl.screen.source(source)
        repl.execute(source)
    repl.close()
    return repl.status
