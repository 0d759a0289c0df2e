"""Huge pages of every shape end, with statements or with one clear answer."""

from __future__ import annotations

import json
import os
import time

import pytest

from gradrepl.app import engines
from gradrepl.app.errors import UsageError
from gradrepl.app.repairing import page as pages
from gradrepl.repair.pages import decoded
from gradrepl.repair.pipeline import LONGEST_PAGE

LETTERS = int(os.environ.get("GRADREPL_LETTERS", "3000"))
"""Letters of each page. GRADREPL_LETTERS=300000, the longest page that is read, or 10000000 tell times with -s."""
CELL = {"cell_type": "code", "source": ["x = 1\n", "y 2"], "outputs": [{"text": ["1\n"]}]}
PIECES = {
    "one line of prose": "với tensor ",
    "one line of code": "x = 1 ",
    "one line of numbers": "1,",
    "many lines": "x = 1\ny = x 2\n",
    "prose": "Với torch.no_grad(): ta tính.\n",
    "empty prompts": ">>> ",
    "prompts": ">>> x = 1\n",
    "prompts in a line": ">>> x = 1",
    "broken prompts": ">>> y = x 2 z w v u\n",
    "blocks": ">>> with x:\n... y\n",
    "blocks in a line": ">>> with x:... y = 2... z",
    "brackets": "([{",
    "open brackets": ">>> f(\n",
    "open brackets, no prompts": "x = f(\n",
    "quotes": "'",
    "triple quotes": '"""\n',
    "apostrophes": "it's ",
    "cells": "In [1]: x\nOut[1]: 2\n",
    "bare cells": "In [1]:\nx = 1\n",
    "heads": "with x:\n",
    "translated heads": "với x:\n",
    "decorators": "@x\n",
    "flat blocks": "if x:\ny = 1\nelse:\nz = 1\n",
    "flat classes": "class A:\ndef f(self):\nreturn 1\n",
    "gutters": "a = 1\nb = 2\n1\n2\n\n",
    "quotations": "> >>> x = 1\n",
    "signs": ">",
    "mojibake": "vÃ¡»›i torch\n",
    "Chinese read as GBK": "寮犻噺",
    "entities": "&amp;gt;",
    "blanks": "\u00a0",
    "unseen": "x\u200b= 1\n",
    "no lines": "\n",
    "glued values": ">>> x.gradNoneTrue tensor(1.)\n",
    "values": ">>> xTrue 1 2 3 4 None tensor( tensor( ' ' [ [\n",
    "wrapped": ">>> x = f(1,\n2,\n3,\n",
    "comments": ">>> x # a\nb\n... c\n",
    "tracebacks": "Traceback (most recent call last):\n  x = 1\n",
    "old prints": "print x.grad\n",
    "long broken lines": ">>> x = 1 y = 2 z = 3 " + "a b c d e f g h " * 40 + "\n",
    "long lines of statements": "x = 1 y = 2 True z = 3 None a.b tensor(1.) c = 4 " * 30 + "\n",
    ".html nested": "<div><p>x = 1",
    ".html code": "<pre>>>> x = 1</pre>",
    ".html open code": "<pre>x ",
    ".html open attributes": '<a b="',
    ".html open comments": "<!--",
    ".html signs": "<",
    ".html open declarations": "<![CDATA[",
    ".html script": "<script>x = 1\n",
    ".html gutter": '<td class="gutter">1',
    ".md fences": "```\nx = 1\n",
    ".md quotations": ">",
    ".md lists": "- ",
    ".md emphasis": "*a_",
    ".md brackets": "[",
}


def page(shape: str) -> tuple[str, str]:
    """Return a page of a shape, and its name."""
    piece = PIECES[shape]
    ending = shape.split()[0] if shape.startswith(".") else ".txt"
    text = (piece * (LETTERS // len(piece) + 1))[:LETTERS]
    return {".html": "<html>", ".md": "```\n```\n"}.get(ending, "") + text, "page" + ending


def answer(text: str, name: str) -> str:
    """How many statements a page has, or what is said where it has none or is too long."""
    engine, began = engines.load("builtin"), time.process_time()
    try:
        found = pages.recovered(pages.Page(decoded(text.encode()), name), engine, str)
        said = f"statements: {len(found.statements)}"
    except UsageError as error:
        said = str(error)
    print(f"{name} {time.process_time() - began:.2f} s: {said[:99]}")
    return said


@pytest.mark.parametrize("shape", PIECES)
def test_a_huge_page_ends(shape: str) -> None:
    said = answer(*page(shape))
    assert said.startswith("statements: ") or "nothing to run" in said or "Give the part of the page" in said


@pytest.mark.parametrize(
    "text",
    (
        json.dumps({"nbformat": 4, "cells": [CELL] * (LETTERS // 90)}),
        '{"nbformat": 4, "cells":' + "[" * LETTERS,
        json.dumps({"nbformat": 4, "cells": [{**CELL, "source": ["với x:\n"] * (LETTERS // 12)}]}),
    ),
    ids=("cells", "brackets", "one cell"),
)
def test_a_huge_notebook_ends(text: str) -> None:
    said = answer(text, "page.ipynb")
    assert said.startswith("statements: ") or "expected a notebook" in said or "Give the part of the page" in said


def test_a_page_that_is_too_long_is_refused() -> None:
    said = answer("x = 1\ny 2\n" * (LONGEST_PAGE // 10 + 1), "page.txt")
    assert said.startswith("page.txt holds more than 300,000 letters. Give the part")
