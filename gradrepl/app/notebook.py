"""The table after each cell of IPython and Jupyter: `%load_ext gradrepl`."""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType
from typing import Any

from gradrepl.app import engines
from gradrepl.app.commands.settings import show
from gradrepl.app.embedding import preferred
from gradrepl.app.options import survey
from gradrepl.app.screens.explaining import short
from gradrepl.app.screens.screen import open_shown
from gradrepl.i18n import mark, translator
from gradrepl.session.beside import Beside
from gradrepl.session.core import take_torch
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Outcome

OWN_TORCH = mark("PyTorch is not installed: `import torch` gives gradrepl's own until %unload_ext gradrepl.")
_loaded: dict[int, CellTables] = {}


def load_ipython_extension(shell: Any) -> None:
    """Show the table after each cell of this shell from now on."""
    if id(shell) not in _loaded:
        _loaded[id(shell)] = CellTables(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Show no more tables."""
    tables = _loaded.pop(id(shell), None)
    if tables is not None:
        tables.end()


class CellTables:
    """The tables of one shell.

    beside: watches the shell's names, from the first cell on that has a torch. own: gradrepl's engine, where
    PyTorch isn't installed.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.options = preferred(None)
        self.beside: Beside | None = None
        self.own: Engine | None = None
        if "torch" not in sys.modules and importlib.util.find_spec("torch") is None:
            self.own = engines.load("builtin")
            sys.modules.update(self.own.modules)
            print(translator(self.options.speech)(OWN_TORCH))
        self._watch(known=True)
        shell.events.register("pre_run_cell", self.before)
        shell.events.register("post_run_cell", self.after)

    def before(self, info: Any) -> None:
        """A cell is about to run."""
        self._watch(known=True)
        if self.beside is not None:
            self.beside.begin()

    def after(self, result: Any) -> None:
        """A cell has run."""
        self._watch(known=False)
        if self.beside is None:
            return
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        outcome = self.beside.end(str(getattr(getattr(result, "info", None), "raw_cell", "")), error)
        if hasattr(self.shell, "kernel"):
            self._publish(outcome)
        else:
            self._draw(outcome)

    def end(self) -> None:
        """Leave the shell as it was."""
        self.shell.events.unregister("pre_run_cell", self.before)
        self.shell.events.unregister("post_run_cell", self.after)
        if self.beside is not None:
            self.beside.watched.close()
        if self.own is not None:
            take_torch()

    def _watch(self, *, known: bool) -> None:
        if self.beside is None and "torch" in sys.modules:
            module: ModuleType = self.shell.user_module
            self.beside = Beside(self.own or engines.of_process(), module, known=known)

    def _draw(self, outcome: Outcome) -> None:
        screen = open_shown(self.options, survey(self.options, os.environ))
        for warning in dict.fromkeys(each.warning for each in outcome.explanations):
            screen.explanations(outcome, warning)
        show(screen, outcome, self.options.table)

    def _publish(self, outcome: Outcome) -> None:
        """Send a notebook the table as HTML, with plain lines for what can't show that."""
        from gradrepl.view import plain, table
        from gradrepl.view.html import html

        _ = translator(self.options.speech)
        for text in (text for each in outcome.explanations for text in short(each, self.options.speech)):
            self.shell.display_pub.publish({"text/plain": plain.explanation(text), "text/markdown": text})
        wanted = table.worth_showing(outcome) if self.options.table == "changed" else bool(outcome.rows)
        if self.options.table == "off" or not wanted:
            return
        lines = list(plain.state(outcome, _)) or [plain.row(row, _) for row in outcome.rows]
        self.shell.display_pub.publish({"text/plain": "\n".join(lines), "text/html": html(table.table(outcome, _))})
