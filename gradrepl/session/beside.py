"""A session beside a shell of somebody else's: that runs the code, this says what it did."""

from __future__ import annotations

import ast
import traceback
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from types import ModuleType
from typing import Any

from gradrepl.session import snapshot
from gradrepl.session.core import Session, attribute, end_of
from gradrepl.session.engine import Engine
from gradrepl.session.failure import message_of, name_of
from gradrepl.session.modes import watching
from gradrepl.session.outcome import Failure, Outcome, Warned


class Beside:
    """Watches the names of a module, cell by cell; begin() and end() go around each, on the thread that runs it.

    known: tensors that are there already are not new.
    """

    def __init__(self, engine: Engine, module: ModuleType, *, known: bool) -> None:
        self.session = Session(engine, module=module)
        self.mode_before = self.session.grad_mode()
        self.watched = ExitStack()
        self.warned: list[Warned] = []
        if not known:
            self.session.seen = {}

    def begin(self) -> None:
        """Watch the grad mode and the warnings from here on."""
        self.watched.close()
        self.mode_before = self.session.grad_mode()
        self.warned = []
        self.watched.enter_context(attribute(warnings, "showwarning", overhearing(self.warned)))
        self.session.watch.start()
        self.watched.enter_context(watching(self.session.watch))

    def end(self, source: str, error: BaseException | None = None) -> Outcome:
        """Stop watching; return what changed since the last time, and what is known of its warnings and its error.

        Output, warnings and failure themselves are left out: the shell has shown them.
        """
        self.watched.close()
        session, before = self.session, self.session.seen
        after = session.look()
        session.number += 1
        line = self.line_of(error)
        statement = statement_at(line, source)
        happened = Outcome(
            source=source,
            number=session.number,
            outputs=(),
            warnings=tuple(self.warned),
            failure=Failure(name_of(error), message_of(error, ""), "", line) if error is not None else None,
            mode=session.watch.deepest,
            mode_before=self.mode_before,
            mode_after=session.grad_mode(),
            switches=tuple(session.watch.switches),
            rows=snapshot.compare(before, after),
            gone=snapshot.gone(before, after),
            bound=snapshot.bound(before, after),
        )
        return replace(session.explained(happened, statement), warnings=(), failure=None)

    def line_of(self, error: BaseException | None) -> int | None:
        """Return the line of the cell that an error points at."""
        if error is None:
            return None
        if isinstance(error, SyntaxError):
            return error.lineno
        frames = traceback.walk_tb(error.__traceback__)
        return next((line for frame, line in frames if frame.f_globals is self.session.names), None)


def statement_at(line: int | None, source: str) -> ast.stmt | None:
    """Return the statement of a cell that holds a line; None where the cell is more than Python."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    return next((part for part in body if line is not None and part.lineno <= line <= end_of(part)), None)


def overhearing(warned: list[Warned]) -> Callable[..., None]:
    """Return a warnings.showwarning that notes each warning and lets the shell show it."""
    show = warnings.showwarning

    def note(message: Any, category: type[Warning], filename: str, lineno: int, *rest: Any) -> None:
        warned.append(Warned(category.__name__, str(message), lineno))
        show(message, category, filename, lineno, *rest)

    return note
