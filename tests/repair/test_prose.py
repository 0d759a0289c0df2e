"""The words of a page between its pieces of code, and pages of which some pieces show prompts."""

from __future__ import annotations

import json

import pytest

from gradrepl.repair.pages import text_of
from gradrepl.repair.prose import words_between

MARKDOWN = (
    "Before.\n\n```python\nx = 1\n```\n\n- one\n- two\n\n```bash\npip install torch\n```\n\n```\n>>> x\n1\n```\nAfter."
)
HTML = (
    "<!doctype html><title>no</title><nav>no</nav><p>Before &amp; then.</p><pre>&gt;&gt;&gt; x = 1\n</pre>"
    "<div>Between <b>two</b>.</div><pre><span>&gt;&gt;&gt; x</span>\n1</pre><script>no</script>After."
)
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "source": ["# Before\n", "\n", "```\nno\n```\n", "and then"]},
            {"cell_type": "code", "source": "x = 1\ny = 2", "outputs": []},
            {"cell_type": "raw", "source": "no"},
            {"cell_type": "code", "source": "x", "outputs": [{"text": "1\n"}]},
            {"cell_type": "markdown", "source": "After."},
        ],
        "nbformat": 4,
    }
)


@pytest.mark.parametrize(
    ("page", "words", "code"),
    [
        (MARKDOWN, ["Before.", "one\n\ntwo", "After."], [">>> x = 1", ">>> x", None]),
        (HTML, ["Before & then.", "Between two.", "After."], ["", "", None]),
        (NOTEBOOK, ["Before\n\nand then", "After."], [">>> x = 1", None]),
    ],
)
def test_words_stand_before_the_line_of_code_that_follows_them(
    page: str, words: list[str], code: list[str | None]
) -> None:
    lines = text_of(page).split("\n")
    found = words_between(page)
    assert [text for _, text in found] == words
    assert [lines[line - 1] if line <= len(lines) else None for line, _ in found] == code


@pytest.mark.parametrize("page", ["Words.\n>>> x = 1\n", "", '{"cells": 3}', "<p>Words, no code.</p>", "x = 1\n"])
def test_a_page_whose_code_is_no_part_of_its_own_has_none(page: str) -> None:
    assert words_between(page) == ()


def test_programs_beside_transcripts_get_prompts_and_outputs_dont() -> None:
    page = "```\n>>> x = 1\n```\n```python\nwith a:\n    b()\nx\n```\n```python\ntensor([1.])\n```\n"
    assert text_of(page).split("\n") == [">>> x = 1", "", ">>> with a:", "...     b()", ">>> x", "tensor([1.])", ""]
