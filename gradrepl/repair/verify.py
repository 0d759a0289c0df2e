"""Repaired statements run: which reading the page's own outputs agree with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gradrepl.repair.model import Statement, Verdict
from gradrepl.repair.printed import verdict
from gradrepl.repair.python import parses
from gradrepl.session.core import Session
from gradrepl.session.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement as it was run, what came of it, and how that agrees with the page."""

    statement: Statement
    outcomes: tuple[Outcome, ...]
    verdict: Verdict


def verified(statements: tuple[Statement, ...], session: Session) -> Iterator[Checked]:
    """Run statements one after the other; where one has several readings, the first that the page agrees with.

    A page may print below a program what all of it printed: then all of it agrees.
    """
    waiting: list[Checked] = []
    trials = Trials(session)
    for statement in statements:
        chosen = trials.choose(statement)
        waiting.append(checked := run(chosen, session))
        trials.history.append(chosen.source)
        if checked.verdict in ("differs", "lost") and len(waiting) > 1 and agrees(waiting):
            waiting = [replace(i, verdict="agree") if i.verdict in ("differs", "lost") else i for i in waiting]
        if not only_comments(checked.statement.printed) or len(waiting) > MOST_WAITING:
            yield from waiting
            waiting = []
    yield from waiting


MOST_WAITING = 200
"""Statements whose outputs may stand together below the last of them."""


def run(statement: Statement, session: Session) -> Checked:
    """Run a statement and compare what it prints."""
    if not parses(statement.source) and "SyntaxError" not in statement.printed:
        return Checked(statement, (), "broken")
    outcomes = tuple(session.run(statement.source))
    return Checked(statement, outcomes, verdict(statement.printed, outcomes))


def agrees(checked: list[Checked]) -> bool:
    """Whether the page shows below the last statement what all of them printed."""
    outcomes = tuple(outcome for item in checked for outcome in item.outcomes)
    return bool(checked[-1].statement.printed) and verdict(checked[-1].statement.printed, outcomes) == "agree"


def only_comments(printed: str) -> bool:
    return all(line.startswith("#") for line in printed.split("\n") if line.strip())


class Trials:
    """Readings tried on sessions of their own, in which all statements before them have run again.

    A fork would not do: code that writes into a tensor writes into the one tensor that all forks share.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.start = session.engine.torch.get_rng_state()
        self.history: list[str] = []
        self.left = MOST_TRIALS

    def choose(self, statement: Statement) -> Statement:
        """Return the statement with the first of its readings that the page's output agrees with; else as it is."""
        if not statement.readings or not statement.printed:
            return statement
        for source in (statement.source, *statement.readings):
            self.left -= 1
            if self.left >= 0 and self.verdict_of(source, statement.printed) not in ("differs", "broken"):
                return replace(statement, source=source)
        return statement

    def verdict_of(self, source: str, printed: str) -> Verdict:
        torch = self.session.engine.torch
        now = torch.get_rng_state()
        torch.set_rng_state(self.start)
        try:
            with Session(self.session.engine) as trial:
                trial.most = self.session.most
                for earlier in self.history:
                    list(trial.run(earlier))
                return verdict(printed, tuple(trial.run(source)))
        finally:
            torch.set_rng_state(now)


MOST_TRIALS = 24
