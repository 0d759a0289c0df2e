"""A session beside a shell of somebody else's: that runs the code, this says what it did."""

from __future__ import annotations

from contextlib import ExitStack
from types import ModuleType

from gradrepl.session import snapshot
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.modes import watching
from gradrepl.session.outcome import Outcome


class Beside:
    """Watches the names of a module, cell by cell; begin() and end() go around each, on the thread that runs it.

    known: tensors that are there already are not new.
    """

    def __init__(self, engine: Engine, module: ModuleType, *, known: bool) -> None:
        self.session = Session(engine, module=module)
        self.mode_before = self.session.grad_mode()
        self.watched = ExitStack()
        if not known:
            self.session.seen = {}

    def begin(self) -> None:
        """Watch the grad mode from here on."""
        self.watched.close()
        self.mode_before = self.session.grad_mode()
        self.session.watch.start()
        self.watched.enter_context(watching(self.session.watch))

    def end(self, source: str) -> Outcome:
        """Stop watching; return what changed since the last time, without output, warnings and failure."""
        self.watched.close()
        session, before = self.session, self.session.seen
        after = session.look()
        session.number += 1
        return Outcome(
            source=source,
            number=session.number,
            outputs=(),
            warnings=(),
            failure=None,
            mode=session.watch.deepest,
            mode_before=self.mode_before,
            mode_after=session.grad_mode(),
            switches=tuple(session.watch.switches),
            rows=snapshot.compare(before, after),
            gone=snapshot.gone(before, after),
            bound=snapshot.bound(before, after),
        )
