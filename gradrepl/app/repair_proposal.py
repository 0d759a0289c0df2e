"""A text that doesn't run as it is, beside its repaired form: what would change, line by line, and why."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from textwrap import dedent

from gradrepl.repair.model import Offer, Recovered, Statement, Vocabulary
from gradrepl.repair.pages import UnreadablePageError, text_of
from gradrepl.repair.pipeline import LONGEST_PAGE, recover
from gradrepl.repair.prompts import has_prompts
from gradrepl.repair.python import statement_sources, tree_of
from gradrepl.repair.unprompted import as_prompts
from gradrepl.session.read import without_prompts
from gradrepl.view.plain import source as with_prompts

OF_OUTPUT = frozenset(("D09", "D10", "D11", "D12", "D13", "D16", "D17"))
"""Classes of damage to what a page printed and said; the prompt runs none of that."""
CODE = re.compile(r"[\w\])]\s*=(?!=)|\w\(|^\s*(?:return|for|if|while|def|class|with|import|from|print)\b")
PROMPTS = re.compile(r"^\s*(?:>>>|\.\.\.|In \[)")
OURS = re.compile(r"^(?:>>>|\.\.\.) ")
MEANT = "import torch\n"


@dataclass(frozen=True, slots=True)
class Change:
    """Neighbouring lines of a text, and the statements that they become.

    before: the lines; after: the statements' lines behind prompts; damages: ids of classes, in order; offers: what
    can't be known; broken: a statement is still no Python.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    damages: tuple[str, ...]
    offers: tuple[Offer, ...]
    broken: bool

    @property
    def same(self) -> bool:
        """Whether nothing changes."""
        return not (self.damages or self.offers or self.broken)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for a text. left_out: how many of its lines are no code and would not run."""

    text: str
    statements: tuple[Statement, ...]
    changes: tuple[Change, ...]
    offers: tuple[Offer, ...]
    left_out: int

    @property
    def damages(self) -> tuple[str, ...]:
        """The classes of damage, in the order in which they come."""
        return tuple(dict.fromkeys(id for change in self.changes for id in change.damages))


def propose(text: str, vocabulary: Vocabulary, known: Collection[str] = ()) -> Proposal | None:
    """Return what is proposed for a text, None where nothing can be done for it or nothing has to be.

    known: names that are there already.
    """
    if len(text) > LONGEST_PAGE:
        return None
    try:
        page = dedent(text_of(text))
    except UnreadablePageError:
        return None
    for candidate in (page,) if has_prompts(page) else (page, as_prompts(page)):
        found = without_known(recover(candidate, vocabulary), known)
        if worth_it(candidate, found):
            proposal = made(text, candidate, found)
            return proposal if candidate == page else without_prompts_of_ours(proposal)
    return None


def without_known(found: Recovered, known: Collection[str]) -> Recovered:
    """Return what was recovered without the import that was put first, where the name is there."""
    first = found.statements[0] if found.statements else None
    if (
        first is None
        or "torch" not in known
        or first.source != MEANT
        or not any(r.original == "" for r in first.repairs)
    ):
        return found
    repairs = tuple(repair for repair in found.repairs if repair not in first.repairs)
    return Recovered(found.statements[1:], repairs, found.offers, found.before)


def worth_it(text: str, found: Recovered) -> bool:
    """Whether repairs change what would run, and leave out nothing that looks like code."""
    done = any(repair.damage not in OF_OUTPUT for repair in found.repairs)
    runs = any(tree_of(statement.source) is not None for statement in found.statements)
    plain = meaning(without_prompts(text))
    if not ((runs and done) or found.offers) or (plain is not None and plain == meaning(sources(found))):
        return False
    return has_prompts(text) or not any(CODE.search(line) for line in dropped(found))


def dropped(found: Recovered) -> Iterator[str]:
    """Yield the lines that are taken for words, not for something that Python printed."""
    from gradrepl.repair.printed import looks_printed

    for piece in (found.before, *(statement.printed for statement in found.statements)):
        yield from (line for line in piece.splitlines() if not looks_printed(line) and line.isascii())


def sources(found: Recovered) -> str:
    return "".join(statement.source for statement in found.statements)


def meaning(source: str) -> str | None:
    """What tells two programs apart; None for what is no Python."""
    tree = tree_of(source)
    return None if tree is None else ast.dump(tree)


def made(text: str, page: str, found: Recovered) -> Proposal:
    """Return the proposal that was recovered; text: as it was pasted; page: what of it was looked at."""
    lines = page.split("\n")
    groups = [tuple(group) for _, group in groupby(found.statements, key=lambda statement: statement.line)]
    ends = [group[0].line - 1 for group in groups[1:]] + [len(lines)]
    changes = [
        change(group, lines[group[0].line - 1 : end], end, found) for group, end in zip(groups, ends, strict=True)
    ]
    shown = sum(len(each.before) for each in changes)
    left_out = sum(bool(line.strip()) for line in lines) - shown
    statements = tuple(possible(statement) for statement in found.statements) if has_prompts(page) else found.statements
    return Proposal(text, statements, tuple(changes), found.offers, left_out)


def possible(statement: Statement) -> Statement:
    """Return a statement of a page with prompts without the readings that are several statements: none is typed so."""
    return replace(statement, readings=tuple(s for s in statement.readings if len(statement_sources(s)) == 1))


def without_prompts_of_ours(proposal: Proposal) -> Proposal:
    """Return a proposal with the lines as they were before prompts were put in front of them."""
    changes = [replace(each, before=tuple(OURS.sub("", line) for line in each.before)) for each in proposal.changes]
    return replace(proposal, changes=tuple(changes))


def change(group: tuple[Statement, ...], lines: list[str], end: int, found: Recovered) -> Change:
    """Return the change of the lines from a group's first one on; end: the number of the last of them."""
    start = group[0].line
    after = tuple(line for statement in group for line in with_prompts(statement.source).split("\n"))
    before = code_lines(lines, max(statement.source.count("\n") for statement in group))
    damages = dict.fromkeys(
        repair.damage for repair in found.repairs if start <= repair.line <= end and repair.damage not in OF_OUTPUT
    )
    offers = tuple(offer for offer in found.offers if start <= offer.line <= end)
    lacks = any(tree_of(statement.source) is None for statement in group)
    return Change(before, after, (*damages, *(offer.damage for offer in offers)), offers, lacks)


def code_lines(lines: list[str], count: int) -> tuple[str, ...]:
    """Return the lines up to the last one with a prompt; where there are no prompts, the first so many."""
    last = max((index for index, line in enumerate(lines) if PROMPTS.match(line)), default=count - 1)
    return tuple(line.rstrip() for line in lines[: last + 1] if line.strip())
