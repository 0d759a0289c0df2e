"""A text that doesn't run as it is, beside its repaired form: what would change, line by line, and why."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from textwrap import dedent

from gradrepl.repair.model import Offer, Recovered, Statement, Vocabulary
from gradrepl.repair.pages import UnreadablePageError, text_of
from gradrepl.repair.pipeline import recover
from gradrepl.repair.prompts import has_prompts
from gradrepl.repair.python import statement_sources, tree_of
from gradrepl.repair.unprompted import as_prompts
from gradrepl.session.read import without_prompts
from gradrepl.view.plain import source as with_prompts

OF_OUTPUT = frozenset(("D09", "D10", "D11", "D12", "D13", "D16"))
"""Classes of damage to what a page printed and said; the prompt runs none of that."""
CODE = re.compile(r"[\w\])]\s*=(?!=)|\w\(|^\s*(?:return|for|if|while|def|class|with|import|from|print)\b")
PROMPTS = re.compile(r"^\s*(?:>>>|\.{3,}:?|In \[\d*\]:)")
OURS = re.compile(r"^(?:>>>|\.\.\.) ?")
MEANT = "import torch\n"
LONGEST = 200_000
"""Letters of a text that is looked at while somebody waits at the prompt, a second or two; `repair` takes more."""


@dataclass(frozen=True, slots=True)
class Change:
    """Neighbouring lines of a text, and the statements that they become.

    before: the lines; after: the statements' lines behind prompts; damages: ids of classes, in order; offers: what
    can't be known; broken: a statement is still no Python. words: lines below, taken for output or prose, where no
    prompts tell them from code.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    damages: tuple[str, ...]
    offers: tuple[Offer, ...]
    broken: bool
    words: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing changes."""
        return not (self.mended or self.words)

    @property
    def mended(self) -> bool:
        """Whether the statements aren't what stood there."""
        return bool(self.damages or self.broken) or bare(self.before) != bare(self.after)


def bare(lines: Sequence[str]) -> list[str]:
    """Return lines without prompts and indentation."""
    return [text for line in lines if (text := PROMPTS.sub("", line).strip())]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for a text. left_out: how many of its lines are output and prose between prompts."""

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
    if len(text) > LONGEST:
        return None
    try:
        page = dedent(text_of(text))
    except UnreadablePageError:
        return None
    candidates = (page,) if has_prompts(page) else (page, as_prompts(page))
    tried = [(candidate, without_known(recover(candidate, vocabulary), known)) for candidate in candidates]
    for is_better in (is_repaired, is_whole):
        for candidate, found in tried:
            if is_better(found) and changes_what_runs(candidate, found):
                return made(text, candidate, found, prompted=has_prompts(page))
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


def is_repaired(found: Recovered) -> bool:
    """Whether something of the code was repaired, or is offered."""
    done = any(repair.damage not in OF_OUTPUT for repair in found.repairs)
    return bool(found.offers) or (done and any(tree_of(statement.source) for statement in found.statements))


def is_whole(found: Recovered) -> bool:
    """Whether a program is there to be taken out of a page's words and outputs."""
    return len(found.statements) > 1 and all(tree_of(statement.source) for statement in found.statements)


def changes_what_runs(text: str, found: Recovered) -> bool:
    """Whether something else would run than without repair, and nothing is left out that looks like code."""
    plain = meaning(without_prompts(text))
    if plain is not None and plain == meaning(sources(found)):
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


def made(text: str, page: str, found: Recovered, *, prompted: bool) -> Proposal:
    """Return the proposal that was recovered.

    text: as it was pasted; page: what of it was looked at; prompted: its prompts are its own.
    """
    lines = page.split("\n")
    groups = [tuple(group) for _, group in groupby(found.statements, key=lambda statement: statement.line)]
    ends = [group[0].line - 1 for group in groups[1:]] + [len(lines)]
    changes = [change(group, lines, end, found) for group, end in zip(groups, ends, strict=True)]
    above = Change((), (), (), (), False, filled(lines[: groups[0][0].line - 1] if groups else lines))
    if not prompted:
        shown = [above] * bool(above.words) + changes
        return Proposal(text, found.statements, tuple(map(unprompted, shown)), found.offers, 0)
    left_out = sum(map(bool, filled(lines))) - sum(len(each.before) for each in changes)
    statements = tuple(possible(statement) for statement in found.statements)
    return Proposal(text, statements, tuple(replace(each, words=()) for each in changes), found.offers, left_out)


def possible(statement: Statement) -> Statement:
    """Return a statement of a page with prompts without the readings that are several statements: none is typed so."""
    return replace(statement, readings=tuple(s for s in statement.readings if len(statement_sources(s)) == 1))


def unprompted(each: Change) -> Change:
    """Return a change without the prompts that were put in front of its lines."""
    before, after = (tuple(OURS.sub("", line) for line in lines) for lines in (each.before, each.after))
    return replace(each, before=before, after=after)


def change(group: tuple[Statement, ...], lines: list[str], end: int, found: Recovered) -> Change:
    """Return the change of a page's lines from a group's first one on; end: the number of the last of them."""
    start = group[0].line
    after = tuple(line for statement in group for line in with_prompts(statement.source).split("\n"))
    own = lines[start - 1 : end]
    count = code_count(own, max(statement.source.count("\n") for statement in group))
    damages = dict.fromkeys(
        repair.damage for repair in found.repairs if start <= repair.line <= end and repair.damage not in OF_OUTPUT
    )
    offers = tuple(offer for offer in found.offers if start <= offer.line <= end)
    lacks = any(tree_of(statement.source) is None for statement in group)
    classes = tuple(dict.fromkeys((*damages, *(offer.damage for offer in offers))))
    return Change(filled(own[:count]), after, classes, offers, lacks, filled(own[count:]))


def code_count(lines: list[str], count: int) -> int:
    """Return how many lines there are up to the last one with a prompt; where there are no prompts, the count."""
    return max((number for number, line in enumerate(lines, 1) if PROMPTS.match(line)), default=count)


def filled(lines: list[str]) -> tuple[str, ...]:
    return tuple(line.rstrip() for line in lines if line.strip())
