"""The prompt on a repaired page: what was repaired is shown, then each statement is offered in turn, Enter runs it."""

from __future__ import annotations

from gradrepl.app.options import Options, Terminal
from gradrepl.app.repairing import offer
from gradrepl.app.repairing.page import Page
from gradrepl.app.repairing.proposal import made
from gradrepl.app.repl import Repl
from gradrepl.i18n import Translate
from gradrepl.repair.model import Recovered
from gradrepl.repair.pages import text_of
from gradrepl.repair.prompts import has_prompts


def start(page: Page, found: Recovered, options: Options, terminal: Terminal, _: Translate) -> int:
    """Run the prompt with the statements of a page; without a keyboard they run one after the other.

    Returns the exit status. Statements that are no Python are left out.
    """
    repl, text = Repl(options, terminal), text_of(page.text, page.name)
    proposal = made(page.text, text, found, prompted=has_prompts(text))
    if proposal.damages:
        offer.show(repl, proposal, _("{name}, repaired").format(name=page.name))
    sources = [statement.source for statement in proposal.statements]
    if terminal.keyboard:
        offer.step(repl, offer.decided(repl, proposal) or sources)
        text = _("{count} statements of the page: Enter runs the next one.")
        return repl.loop(text.format(count=len(repl.proposals)))
    offer.run(repl, sources)
    repl.close()
    return repl.status
