"""Pasted transcripts lose their prompts and what was printed; everything else stays as it was typed."""

from __future__ import annotations

import pytest

from gradrepl.session.read import Code, read
from gradrepl.session.transcript import is_transcript, strip_prompts


def test_a_pasted_transcript_loses_prompts_and_output() -> None:
    pasted = ">>> x = 1\n>>> x\n1\n>>> for i in [1]:\n...     i\n...\n1\n"
    assert read(pasted) == Code("x = 1\nx\nfor i in [1]:\n    i\n\n")


def test_an_indented_transcript_is_read_too() -> None:
    assert strip_prompts("    >>> x = 1\n    >>> x\n    1\n") == "x = 1\nx\n"


def test_a_notebook_transcript_is_read_too() -> None:
    assert strip_prompts("In [1]: x = 1\nIn [2]: x\nOut[2]: 1\n") == "x = 1\nx\n"


@pytest.mark.parametrize("text", ['s = ">>> x"\n', 's = """\n>>> x\n"""\n', "x = ...\n"])
def test_a_string_that_holds_prompts_survives(text: str) -> None:
    assert read(text) == Code(text)


@pytest.mark.parametrize(
    ("pasted", "statements"),
    [
        ("y = x * 2>>> y.requires_grad", "y = x * 2\ny.requires_grad\n"),
        (">>> a>>> b", "a\nb\n"),
        ("x = 1\n>>> y = 2\n", "x = 1\ny = 2\n"),
        (">>> with a:...     b...     c>>> d", "with a:\n    b\n    c\nd\n"),
        (">>> with a:...     b... >>> c", "with a:\n    b\n\nc\n"),
        (">>> x = 1  # a leaf>>> x", "x = 1  # a leaf\nx\n"),
        (">>> x\ntensor([1.])>>> y = 3", "x\ny = 3\n"),
        ("In [1]: x = 2In [2]: x", "x = 2\nx\n"),
    ],
)
def test_lines_that_came_glued_together_are_taken_apart(pasted: str, statements: str) -> None:
    assert strip_prompts(pasted) == statements


@pytest.mark.parametrize(
    ("pasted", "statements"),
    [
        (">>> s = '>>> x'\n>>> s\n'>>> x'\n", "s = '>>> x'\ns\n"),
        (">>> s = '''\n... a>>> inner\n... '''\n>>> s", "s = '''\na>>> inner\n'''\ns\n"),
        (">>> def f(): ...\n>>> f()\n", "def f(): ...\nf()\n"),
        (">>> x[..., 0]\n", "x[..., 0]\n"),
        ("In [1]: for i in a:\n   ...:     i\n   ...: \nOut[1]: 1\n", "for i in a:\n    i\n\n"),
    ],
)
def test_what_only_looks_like_a_prompt_stays(pasted: str, statements: str) -> None:
    assert strip_prompts(pasted) == statements


@pytest.mark.parametrize("text", ["", "\n\n", "a = 1 >>> 2", "x # >>> y", "f'{x}>>> '", "x >> 1"])
def test_ordinary_code_is_no_transcript(text: str) -> None:
    assert not is_transcript(text)
    assert strip_prompts(text) == text
