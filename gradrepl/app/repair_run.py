"""The prompt on a repaired page: each statement is offered in turn, Enter runs it."""

from __future__ import annotations

from gradrepl.app import repair_offer
from gradrepl.app.options import Options, Terminal
from gradrepl.app.repl import Repl
from gradrepl.i18n import Translate
from gradrepl.repair.model import Recovered


def start(found: Recovered, options: Options, terminal: Terminal, _: Translate) -> int:
    """Run the prompt with the statements of a page; without a keyboard they run one after the other.

    Returns the exit status. Statements that are no Python are left out.
    """
    repl = Repl(options, terminal)
    sources = [statement.source for statement in found.statements]
    if terminal.keyboard:
        repair_offer.step(repl, sources)
        text = _("{count} statements of the page: Enter runs the next one.")
        return repl.loop(text.format(count=len(repl.proposals)))
    repair_offer.run(repl, sources)
    repl.close()
    return repl.status
