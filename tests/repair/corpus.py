"""The corpus: every transcript in some form and with some damages, and how much of it comes back."""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from repair.damage import DAMAGES, FORMS, Transcript, transcripts, undamaged_by

from gradrepl.app import engines
from gradrepl.app.repairing.vocabulary import vocabulary
from gradrepl.repair.model import Recovered, Vocabulary
from gradrepl.repair.pages import text_of
from gradrepl.repair.pipeline import recover
from gradrepl.repair.python import parses
from gradrepl.repair.verify import Checked, verified
from gradrepl.session.core import Session

ENDINGS = {"html": ".html", "escaped-twice": ".html", "markdown": ".md", "ipynb": ".ipynb"}
SINGLE = tuple((name,) for name in DAMAGES)
EXCLUDED = (
    *({"D01", "D01-zh"}, {"D03", "D03-invisible"}, {"D03", "D17-print"}),
    *({"D04", "D13"}, {"D04", "D16"}, {"D04", "D17-print"}),
)
"""Damages of which one hides the other: a comment or a sentence swallows all that follows in its line."""


@dataclass(frozen=True)
class DamagedPage:
    """A page, and the statements that it was made of."""

    name: str
    text: str
    sources: tuple[str, ...]
    items: Transcript


@dataclass(frozen=True)
class Result:
    """What came back of a page. wrong: statements that were run with another meaning, and nothing was said."""

    page: DamagedPage
    recovered: int
    agreeing: int
    comparable: int
    missing: tuple[str, ...]
    wrong: tuple[str, ...]
    differing: tuple[str, ...]


@cache
def words() -> Vocabulary:
    return vocabulary(engines.load("builtin"))


@cache
def true_transcripts() -> dict[str, Transcript]:
    return transcripts()


def combinations(choose: random.Random) -> Iterator[tuple[str, ...]]:
    """Two to four kinds of damage at a time, without end."""
    while True:
        yield tuple(choose.sample(sorted(DAMAGES), choose.randint(2, 4)))


def pages(each: int, seed: int = 7) -> Iterator[DamagedPage]:
    """Pages of every form: as many of each, with one kind of damage or several; the same ones for a seed."""
    choose = random.Random(seed)
    mixed = combinations(choose)
    for form in FORMS:
        for number in range(each):
            damages = next(
                names
                for names in (mixed if number % 2 else iter(lambda: choose.choice(SINGLE), None))
                if not any(pair <= {form, *names} for pair in EXCLUDED)
            )
            yield damaged(choose.choice(list(true_transcripts())), form, damages, choose)


def damaged(name: str, form: str, damages: tuple[str, ...], choose: random.Random) -> DamagedPage:
    items = undamaged_by(form, true_transcripts()[name])
    changed = items
    for damage in damages:
        changed = DAMAGES[damage](choose, changed)
    title = f"{name}+{'+'.join((form, *damages))}{ENDINGS.get(form, '.txt')}"
    return DamagedPage(title, FORMS[form](changed), tuple(item.source for item in items), items)


def repaired(text: str, name: str = "") -> Recovered:
    return recover(text_of(text, name), words())


def checked(found: Recovered) -> list[Checked]:
    with Session(engine := engines.load("builtin")) as session:
        engine.torch.manual_seed(0)
        return list(verified(found.statements, session))


def meaning(source: str) -> list[str]:
    try:
        return [ast.dump(node) for node in ast.parse(source).body]
    except (SyntaxError, ValueError):
        return [f"broken: {source}"]


def result(page: DamagedPage) -> Result:
    """Repair a page, run it, and compare with what it was made of."""
    found = repaired(page.text, page.name)
    ran = checked(found)
    want = [(dump, source) for source in page.sources for dump in meaning(source)]
    got = [(dump, item) for item in ran for dump in meaning(item.statement.source)]
    matcher = difflib.SequenceMatcher(None, [dump for dump, _ in want], [dump for dump, _ in got], autojunk=False)
    blocks = matcher.get_matching_blocks()
    kept_want = {block.a + i for block in blocks for i in range(block.size)}
    kept_got = {block.b + i for block in blocks for i in range(block.size)}
    strange = [item for number, (_, item) in enumerate(got) if number not in kept_got]
    wrong = [item.statement.source for item in strange if unmarked(item, found)]
    shown = [item for item in ran if item.statement.printed]
    return Result(
        page,
        len(kept_want),
        sum(item.verdict == "agree" for item in shown),
        sum(bool(item.output) for item in page.items),
        tuple(source for number, (_, source) in enumerate(want) if number not in kept_want),
        tuple(wrong),
        tuple(f"{i.statement.source!r} {i.statement.printed[:200]!r}" for i in ran if i.verdict == "differs"),
    )


def unmarked(item: Checked, found: Recovered) -> bool:
    """Whether a statement that the page never had ran, and neither a repair nor a verdict says so."""
    if not parses(item.statement.source):
        return False
    offered = any(offer.line == item.statement.line for offer in found.offers)
    return not (item.verdict in ("broken", "differs") or item.statement.repairs or offered)
