"""Damaged pages come back: their statements, their outputs, and nothing with another meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from repair.corpus import meaning, pages, repaired, result
from support.running import SNIPPETS, snippets

ROOT = Path(__file__).parent.parent.parent
CLEAN = [program for path in sorted(SNIPPETS.glob("*.txt")) for program in snippets(path)[:8]][:200]


def test_the_corpus_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    results = [result(page) for page in list(pages())[::3]]
    asked = sum(len(meaning(source)) for found in results for source in found.page.sources)
    came = sum(found.recovered for found in results)
    agreeing, comparable = sum(r.agreeing for r in results), sum(r.comparable for r in results)
    with capsys.disabled():
        print(f"\n{len(results)} pages: statements {came}/{asked}, outputs {agreeing}/{comparable}")
    assert len(results) >= 40
    assert came >= 0.95 * asked
    assert agreeing >= 0.9 * comparable
    assert [(found.page.name, found.wrong) for found in results if found.wrong] == []


@pytest.mark.parametrize("path", sorted((ROOT / "lessons").glob("*.md")), ids=lambda path: path.stem)
def test_a_lesson_needs_no_repair(path: Path) -> None:
    found = repaired(path.read_text("utf-8"), path.name)
    assert found.statements
    assert found.repairs == found.offers == ()


def test_two_hundred_programs_need_no_repair() -> None:
    assert len(CLEAN) == 200
    for program in CLEAN:
        found = repaired(program)
        assert [repair for repair in found.repairs if repair.result != "import torch"] == []
        assert found.offers == ()
