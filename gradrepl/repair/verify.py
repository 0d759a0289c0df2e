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
    """Run statements one after the other; where one has several readings, the first that the page agrees with."""
    for statement in statements:
        if not parses(statement.source) and "SyntaxError" not in statement.printed:
            yield Checked(statement, (), "broken")
            continue
        chosen = choose(statement, session) if statement.readings else statement
        outcomes = tuple(session.run(chosen.source))
        yield Checked(chosen, outcomes, verdict(chosen.printed, outcomes))


def choose(statement: Statement, session: Session) -> Statement:
    for source in (statement.source, *statement.readings):
        with session.fork() as fork:
            fork.sink = None
            if verdict(statement.printed, tuple(fork.run(source))) != "differs":
                return replace(statement, source=source)
    return statement
