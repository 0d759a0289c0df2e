"""Damaged pages come back: their statements, their outputs, and nothing with another meaning."""

from __future__ import annotations

import pytest
from repair.corpus import meaning, pages, result


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
