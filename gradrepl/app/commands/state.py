"""What commands need of the prompt at which they were typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from gradrepl.app.commands.table import Command
    from gradrepl.app.line.reader import Reader
    from gradrepl.app.options import Options, Terminal
    from gradrepl.app.repairing.proposal import Proposal
    from gradrepl.app.screens.screen import Screen
    from gradrepl.i18n import Translate
    from gradrepl.session.chronicle import Chronicle
    from gradrepl.session.core import Session
    from gradrepl.session.engine import Engine
    from gradrepl.session.outcome import Explanation, Outcome


class PromptState(Protocol):
    """A prompt at work: the REPL's own, or a lesson's.

    status: what the process exits with. watched: names whose rows are shown after each input. explained: the
    explanation of what went wrong last, if it has one. proposals: what is to stand at the next prompts, one at each.
    pasted: what `:repair` is to offer for a damaged text that was pasted, if there is one.
    """

    options: Options
    terminal: Terminal
    reader: Reader
    status: int
    chronicle: Chronicle
    watched: tuple[str, ...]
    explained: Explanation | None
    proposals: list[str]
    pasted: Proposal | None

    @property
    def _(self) -> Translate:
        """Says a message in the language chosen now."""

    @property
    def screen(self) -> Screen:
        """A screen in the language chosen now."""

    @property
    def engine(self) -> Engine:
        """The engine chosen now; raises EngineUnavailableError."""

    @property
    def session(self) -> Session:
        """The session in which inputs run; raises EngineUnavailableError."""

    @property
    def commands(self) -> Sequence[Command[Any]]:
        """The commands of this prompt."""

    @property
    def undoable(self) -> int:
        """How many of the last inputs can be undone."""

    def execute(self, source: str) -> bool:
        """Run an input and show what it did; returns whether it ended the prompt."""

    def take_over(self, session: Session, chronicle: Chronicle) -> None:
        """Go on with another session on the same engine, and what it remembers."""

    def change_engine(self, name: str) -> None:
        """Start afresh on another engine; raises EngineUnavailableError and leaves all as it is."""


def run_input(state: PromptState, source: str) -> list[Outcome]:
    """Run an input, what it prints shown as it comes and within bounds; returns what each statement did.

    Raises EngineUnavailableError where the engine can't be loaded.
    """
    from gradrepl.app.commands.replay import watch_numpy
    from gradrepl.app.screens.limited import KEPT, Limited

    session, limited = state.session, Limited(state.screen, state._)
    session.sink, session.most = limited, KEPT
    watch_numpy(state.chronicle, source)
    outcomes = list(session.run(source))
    limited.finish()
    return outcomes


def show_run(state: PromptState, source: str, outcomes: Sequence[Outcome]) -> None:
    """Remember an input that has run, and show what its statements did: the tables, and what is known of errors.

    outcomes: at least one, as the session yielded them.
    """
    from gradrepl.app.commands import keeping, seeing, settings
    from gradrepl.app.commands.merge import merge
    from gradrepl.app.screens import explaining

    state.chronicle.note(source, outcomes, state.session.names)
    merged = merge(outcomes)
    settings.show(state.screen, merged, state.options.table)
    explaining.remember(state, outcomes)
    keeping.point_to_repair(state, source, outcomes)
    if state.watched:
        seeing.watched(state, merged.rows if merged.changed_rows else ())
