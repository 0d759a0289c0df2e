"""Damaged pages come back: their statements, their outputs, and nothing with another meaning."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from repair.corpus import checked, damaged, meaning, pages, repaired, result, true_transcripts
from repair.damage import FORMS, on_sources, without_operators

from gradrepl.repair.python import parses

EACH, SEED = (int(os.environ.get(name, usual)) for name, usual in (("GRADREPL_PAGES", "3"), ("GRADREPL_SEED", "7")))
"""Pages of each form. GRADREPL_PAGES=100 makes some 1,700 in two minutes; GRADREPL_SEED makes others."""


def test_the_corpus_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    results = [result(page) for page in pages(EACH, SEED)]
    asked = sum(len(meaning(source)) for found in results for source in found.page.sources)
    came, false = sum(found.recovered for found in results), sum(len(found.wrong) for found in results)
    agreeing, comparable = sum(r.agreeing for r in results), sum(r.comparable for r in results)
    with capsys.disabled():
        print(f"\n{len(results)} pages: statements {came}/{asked}, outputs {agreeing}/{comparable}, false {false}")
    assert len(results) >= 40
    assert came >= 0.95 * asked
    assert agreeing >= 0.9 * comparable
    assert [(found.page.name, found.wrong) for found in results if found.wrong] == []


@pytest.mark.parametrize("form", FORMS)
def test_an_undamaged_page_of_each_form_comes_back(form: str) -> None:
    found = result(damaged("07-example-set-grad-enabled", form, (), random.Random(0)))
    assert found.missing == found.wrong == found.differing == ()


def operators() -> Iterator[tuple[str, str]]:
    """Statements that lost an operator, with what they were."""
    damage = on_sources(without_operators)
    for items in true_transcripts().values():
        for before, after in zip(items, damage(random.Random(0), items), strict=True):
            if before.source != after.source and before.source.count("\n") == 1:
                yield after.source, before.source


def test_a_lost_operator_is_offered_and_never_guessed() -> None:
    pairs = dict(operators())
    found = repaired("".join(f">>> {source}" for source in pairs))
    assert len(pairs) > 20
    ran = {item.statement.source: item.verdict for item in checked(found)}
    assert {ran[source] for source in pairs if not parses(source)} == {"broken"}
    offered = {offer.original: offer.choices for offer in found.offers}
    single = [(broken.strip(), whole.strip()) for broken, whole in pairs.items() if whole.count(" * ") == 1]
    assert len(single) > 15
    assert [broken for broken, whole in single if not parses(broken) and whole not in offered.get(broken, ())] == []
