"""The kinds of files that tutorials come in: plain text, HTML, Markdown and notebooks, as lines of text."""

from __future__ import annotations

import json
import re
import unicodedata
from html import unescape
from html.parser import HTMLParser
from typing import Any

from gradrepl.repair.code import is_statement, mended
from gradrepl.repair.prompts import has_prompts
from gradrepl.repair.python import parses
from gradrepl.repair.unprompted import as_prompts

BLOCKS = frozenset(
    (
        "p",
        "div",
        "li",
        "tr",
        "pre",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "section",
        "article",
        "table",
        "ul",
        "ol",
        "br",
    )
)
UNSEEN = frozenset(("script", "style", "noscript", "title", "button", "template", "svg", "nav"))
IS_HTML = re.compile(r"\s*(?:<!doctype html|<html|<body|<div|<p\b|<pre\b|<article|<table)", re.IGNORECASE)
LARGEST = 10_000_000
PYTHON = frozenset(("python", "pycon", "py", "ipython", "python3", "py3", "pytorch", "doctest"))


class UnreadablePageError(Exception):
    """A page can't be read; the text says what was expected and what was found."""


def decoded(data: bytes) -> str:
    """Return a page's text: UTF-8, or what its byte order mark says, or what it looks like. Never raises."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    runs = re.findall(rb"[\x80-\xff]+", data)
    paired = sum(map(len, runs)) >= LETTERS_OF_CHINESE * len(runs)
    guesses = (("gb18030", CHINESE), ("cp1258", VIETNAMESE))
    for encoding, looks in (("utf-8", None), *(guesses if paired else guesses[::-1])):
        try:
            text = unicodedata.normalize("NFC", data.decode(encoding)) if looks else data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if looks is None or len(looks.findall(text)) * 2 > sum(not sign.isascii() for sign in text):
            return text
    return data.decode("cp1252", "replace")


LETTERS_OF_CHINESE = 3
"""Bytes that Chinese has in a row, two each; accented letters stand alone."""
CHINESE = re.compile("[\u4e00-\u9fa5\u3000-\u303f\uff00-\uff5e]")
VIETNAMESE = re.compile("[\u1ea0-\u1ef9ăâđêôơưĂÂĐÊÔƠƯàáèéìíòóùúýÀÁÈÉÌÍÒÓÙÚÝ]")


def text_of(page: str, name: str = "") -> str:
    """Return the text of a page that holds its code; `name`: the file's, whose ending tells what it is.

    Raises UnreadablePageError for a notebook that is none.
    """
    ending = name.rpartition(".")[2].lower()
    if ending == "ipynb" or (page.lstrip()[:1] == "{" and '"nbformat"' in page):
        return of_notebook(page)
    if ending in ("html", "htm", "xhtml") or IS_HTML.match(page):
        return of_html(page)
    if ending in ("md", "markdown") or re.search(r"^ {0,3}(?:```|~~~)", page, re.MULTILINE):
        return of_markdown(page)
    return page


def of_notebook(page: str) -> str:
    """Return a notebook's code cells as prompts, with what they printed."""
    try:
        cells = json.loads(page)["cells"]
        pieces = [cell_text(cell) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadablePageError(
            f"expected a notebook (JSON with cells), found {type(error).__name__}: {error}"
        ) from error
    return "\n".join(pieces)


def cell_text(cell: dict[str, Any]) -> str:
    source = joined(cell["source"])
    source = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    printed = []
    for output in cell.get("outputs", ()):
        if "text" in output:
            printed.append(joined(output["text"]))
        elif "data" in output:
            printed.append(joined(output["data"].get("text/plain", "")))
        elif "ename" in output:
            printed.append(f"Traceback (most recent call last):\n{output['ename']}: {output.get('evalue', '')}")
    return "\n".join([as_prompts(source), *(text.rstrip("\n") for text in printed)])


def joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def of_markdown(page: str) -> str:
    """Return the code of a Markdown page's fences; a page without any, or far too long to be parsed, as it is."""
    if len(page) > LONGEST_MARKDOWN:
        return page
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(page)
    found = [token for token in tokens if token.type in ("fence", "code_block") and is_code(token.info, token.content)]
    fenced = any(token.type == "fence" for token in tokens) and ">>>" not in page
    return "\n".join(alike([token.content for token in found])) if found or fenced else page


def alike(pieces: list[str]) -> list[str]:
    """Return pieces of code; where some show prompts, the programs among the others get them too."""
    if not any(map(has_prompts, pieces)):
        return pieces
    return [piece if has_prompts(piece) or not begins_as_code(piece) else as_prompts(piece) for piece in pieces]


def begins_as_code(piece: str) -> bool:
    """Whether the first line is a statement, and not something that a statement printed."""
    return is_statement(next((line for line in piece.splitlines() if line.strip()), ""))


LONGEST_MARKDOWN = 1_000_000


def is_code(info: str, content: str) -> bool:
    """Whether a fence holds Python: it says so, or says nothing and shows prompts, imports torch or is a program."""
    language = (info.split() or [""])[0].lower().strip("{}.")
    return language in PYTHON or (language == "" and (">>>" in content or mostly_python(content)))


def mostly_python(content: str) -> bool:
    """Whether a text names torch and most of its lines are Python, or would be with English words and plain signs."""
    lines = [line for line in content.splitlines()[:MOST_LINES] if line.strip()]
    return "torch" in content and 2 * sum(parses(mended(line)) for line in lines) > len(lines)


MOST_LINES = 200


def of_html(page: str) -> str:
    """Return an HTML page's text: of its code where it has code, else all of it."""
    reader = Reader()
    for start in range(0, len(page), CHUNK):
        reader.feed(page[start : start + CHUNK])
        reader.relieve()
    reader.put(unescape(reader.rawdata))  # close() looks at an unfinished tag again from each of its letters
    code = "\n".join(alike(["".join(block) for block in reader.code]))
    return code if code.strip() and (re.search(">>>|&gt;&gt;&gt;|torch", code)) else "".join(reader.text)


CHUNK = 1 << 16
LONGEST_TAG = 1 << 19  # pictures stand in tags
LONGEST_NAME = 99
GUTTER = re.compile(r"\b(?:gutter|line-?nos?|line-?numbers?|pre-numbering|hljs-ln-numbers|rouge-gutter)\b")
HOLDERS = frozenset(("td", "th", "span", "div", "ul", "ol", "a", "i"))


def is_gutter(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    """Whether an element is the column of line numbers beside code."""
    return tag in HOLDERS and any(name == "class" and GUTTER.search(value or "") for name, value in attrs)


class Reader(HTMLParser):
    """Collects a page's text, and that of its pre elements apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.code: list[list[str]] = []
        self.unseen: list[str] = []
        """The element that isn't read, and those of its name within it."""
        self.in_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.unseen if self.unseen else tag in UNSEEN or is_gutter(tag, attrs):
            self.unseen.append(tag)
        if tag == "pre" and not self.unseen:
            self.in_code += 1
            self.code.append([])
        if tag in BLOCKS:
            self.put("\n")

    def handle_endtag(self, tag: str) -> None:
        if self.unseen:
            del self.unseen[len(self.unseen) - (self.unseen[-1] == tag) :]
            return
        if tag == "pre" and self.in_code:
            self.in_code -= 1
        if tag in BLOCKS and tag != "br":
            self.put("\n")

    def handle_data(self, data: str) -> None:
        self.put(data if self.in_code else re.sub(r"[ \t\r\f\v]*\n[ \t\r\f\v]*", " ", data))

    def relieve(self) -> None:
        """Let go of what is unfinished and too long: a script, a tag that never ends."""
        if self.cdata_elem:
            self.rawdata = self.rawdata[-LONGEST_NAME:]
        elif len(self.rawdata) > LONGEST_TAG:
            self.put(unescape(self.rawdata))
            self.rawdata = ""

    def put(self, text: str) -> None:
        if self.unseen:
            return
        self.text.append(text)
        if self.in_code:
            self.code[-1].append(text)
