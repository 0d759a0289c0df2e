"""From an error or warning to the id of its explanation, with the learner's own names; for every engine."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

from gradrepl.session.case import Case
from gradrepl.session.outcome import Explanation, Fact, Outcome
from gradrepl.session.past import Past
from gradrepl.session.patterns import PATTERNS

MOST = 3


class Told(NamedTuple):
    """What Python said: an error, or the warning of that index."""

    type: str
    message: str
    line: int | None
    warning: int | None


def explain(
    outcome: Outcome, tree: ast.stmt | None, past: Past, names: Mapping[str, Any], torch: ModuleType
) -> tuple[Explanation, ...]:
    """Return what is known of an outcome's warnings and failure, each explanation once; nothing of what isn't known.

    tree: the statement, None if the source is no Python. names: those that the code can refer to.
    """
    case = partial(Case, outcome=outcome, tree=tree, past=past, names=names, torch=torch)
    found: dict[str, Explanation] = {}
    for said in told(outcome):
        for explanation in matching(said, case):
            found.setdefault(explanation.id, explanation)
            break
    return tuple(found.values())


def told(outcome: Outcome) -> Iterator[Told]:
    """Yield the warnings, then the failure."""
    for index, warned in enumerate(outcome.warnings):
        yield Told(warned.category, warned.message, warned.line, index)
    if outcome.failure is not None:
        yield Told(outcome.failure.type, outcome.failure.message, outcome.failure.line, None)


def matching(said: Told, case: Callable[..., Case]) -> Iterator[Explanation]:
    """Yield the explanations whose pattern fits, in the order of the table."""
    for pattern in PATTERNS:
        match = pattern.match(said.type, said.message)
        facts = distinct(pattern.find(case(match=match, line=said.line))) if match is not None else []
        if match is not None and (facts or not pattern.needed):
            yield Explanation(pattern.id, parameters(match), tuple(facts[:MOST]), said.warning)


def parameters(match: re.Match[str]) -> dict[str, str]:
    return {key: value for key, value in match.groupdict().items() if value is not None}


def distinct(facts: Iterator[Fact]) -> list[Fact]:
    kept: list[Fact] = []
    for fact in facts:
        if fact not in kept:
            kept.append(fact)
    return kept
