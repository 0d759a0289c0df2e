"""A prompt in the middle of a lesson that plays: on a copy, and then the lesson goes on."""

from __future__ import annotations

from collections.abc import Iterable

from gradrepl.app.commands.replay import Dice, from_start, restore
from gradrepl.app.line.reader import Reader
from gradrepl.app.line.shortcut import Shortcut
from gradrepl.app.options import Options, Terminal
from gradrepl.app.repl import Repl
from gradrepl.session import read
from gradrepl.session.core import Session

BACK = ("done", "ve")


class Aside(Repl):
    """The prompt; `:done`, Tab on an empty line and Ctrl-D lead back."""

    def run(self) -> None:
        """Ask and run until the lesson is to go on."""
        self.screen.note(self._("Your turn, with the lesson's values. Tab on an empty line or :done goes on."))
        ended = False
        while not ended:
            self.reader.shortcuts = (Shortcut("tab", "Tab", ":done", self._("go on")),)
            ended = self.ask()
        self.close()
        self.screen.note(self._("The lesson goes on, with its own values."))

    def _command(self, typed: read.Command) -> bool:
        return typed.name in BACK or super()._command(typed)


def take_over(
    session: Session, dice: Dice, sources: Iterable[str], reader: Reader, options: Options, terminal: Terminal
) -> None:
    """Run a prompt in a session of its own, made by these dice and sources; `session` is then as it was."""
    enabled, here = bool(session.engine.torch.is_grad_enabled()), Dice.now(session.engine)
    other, chronicle = from_start(session.engine, dice, sources)
    prompt = Aside(options, terminal, reader, other)
    prompt.chronicle = chronicle
    try:
        prompt.run()
    finally:
        restore(session, enabled, here)
