"""A page's words between its pieces of code: where the code is a file's own part, as in HTML, Markdown, a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from gradrepl.repair import pages

Part = tuple[bool, str]
"""A part of a page: whether it is code, and its text."""


def words_between(page: str, name: str = "") -> tuple[tuple[int, str], ...]:
    """Return the words of a page, each with the line of `text_of(page, name)` before which they stand.

    What stands behind all code has the line behind the last one. Empty for a page whose code is no part of its own:
    its words are among the lines that `recover` is given. Raises UnreadablePageError.
    """
    text = pages.text_of(page, name)
    for read in (of_notebook, of_html, of_markdown):
        try:
            parts = list(read(page))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        code = pages.alike([part for is_code, part in parts if is_code])
        if code and "\n".join(code) == text:
            pieces = iter(code)
            return tuple(placed((is_code, next(pieces) if is_code else part) for is_code, part in parts))
    return ()


def placed(parts: Iterable[Part]) -> Iterator[tuple[int, str]]:
    """Yield the words of parts, each with the line of the joined code before which they stand."""
    line = 1
    for is_code, group in groupby(parts, key=lambda part: part[0]):
        texts = [text for _, text in group]
        if is_code:
            line += sum(text.count("\n") + 1 for text in texts)
            continue
        words = "\n\n".join(filter(None, (re.sub(r"\n\s*\n+", "\n\n", text).strip() for text in texts)))
        if words:
            yield line, words


def of_notebook(page: str) -> Iterator[Part]:
    """Yield a notebook's cells."""
    for cell in json.loads(page)["cells"]:
        if cell["cell_type"] == "code":
            yield True, pages.cell_text(cell)
        elif cell["cell_type"] == "markdown":
            yield False, "\n\n".join(text for is_code, text in of_markdown(pages.joined(cell["source"])) if not is_code)


def of_markdown(page: str) -> Iterator[Part]:
    """Yield a Markdown page's paragraphs and its fences of code; other fences are left out."""
    from markdown_it import MarkdownIt

    for token in MarkdownIt("commonmark").parse(page):
        if token.type == "inline":
            yield False, token.content
        elif token.type in ("fence", "code_block") and pages.is_code(token.info, token.content):
            yield True, token.content


def of_html(page: str) -> Iterator[Part]:
    """Yield an HTML page's pre elements and the text between them."""
    reader = Places()
    reader.feed(page)
    reader.close()
    end = 0
    for (start, stop), block in zip(reader.places, reader.code, strict=True):
        yield False, "".join(reader.text[end:start])
        yield True, "".join(block)
        end = stop
    yield False, "".join(reader.text[end:])


class Places(pages.Reader):
    """Notes where in the text each pre element stands."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[tuple[int, int]] = []

    def put(self, text: str) -> None:
        start = len(self.text)
        super().put(text)
        if self.in_code and len(self.text) > start:
            if len(self.places) < len(self.code):
                self.places.append((start, start))
            self.places[-1] = (self.places[-1][0], len(self.text))
