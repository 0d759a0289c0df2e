"""A lesson's Markdown cut at its headings and directives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

DIRECTIVE = re.compile(r"<!--\s*([^\s>]+?)(?:\s+(.*?))?\s*-->", re.DOTALL)
LONGEST_NAME = 30
ITEM = re.compile(r"[-*+]\s+(vi|en):\s*")


class Fence(NamedTuple):
    """A code fence; line: where its content begins; closed: whether it ends where it should."""

    info: str
    content: str
    line: int
    closed: bool


@dataclass(slots=True)
class Part:
    """What a directive begins: everything up to the next directive or step.

    name, argument: of the directive; text: the Markdown below it, verbatim; items: its list items
    `- vi: ...` and `- en: ...`; stray: the first line that is neither fence nor such an item.
    """

    name: str
    argument: str
    line: int
    text: str = ""
    fences: list[Fence] = field(default_factory=list)
    items: list[tuple[str, str]] = field(default_factory=list)
    stray: int | None = None


@dataclass(slots=True)
class Section:
    """A step: its heading and its parts; stray: the first line that belongs to no part."""

    heading: str
    line: int
    parts: list[Part] = field(default_factory=list)
    stray: int | None = None


@cache
def parser() -> MarkdownIt:
    """Return the parser of whole texts, as CommonMark says."""
    return MarkdownIt("commonmark")


@cache
def block_parser() -> MarkdownIt:
    """Return a parser that leaves sentences as they are: twice as quick, and all that cutting needs."""
    return MarkdownIt("commonmark").disable(["inline", "text_join"])


def sections(text: str) -> list[Section]:
    """Return the steps of a Markdown text; the first has no heading if something precedes all headings."""
    lines = text.split("\n")
    parsed = block_parser().parse(text)
    tokens = [token for token in parsed if token.level == 0 and token.map]
    inlines = headings(parsed)
    found: list[Section] = []
    for token in tokens:
        start = first_line(token)
        if token.type == "heading_open" and token.tag == "h2":
            found.append(Section(inlines[start], start + 1))
            continue
        if not found:
            found.append(Section("", start + 1))
        if token.type == "html_block":
            found[-1].parts.append(part_of(token.content.strip(), start + 1))
        else:
            add_block(found[-1], token, lines)
    fill_texts(found, lines)
    return found


def part_of(html: str, line: int) -> Part:
    """Return the part that a directive begins; other HTML makes a part of no known name."""
    directive = DIRECTIVE.fullmatch(html)
    if directive is None or "-->" in directive[1]:
        return Part(html[:LONGEST_NAME], "", line)
    return Part(directive[1], directive[2] or "", line)


def headings(tokens: Sequence[Token]) -> dict[int, str]:
    """Return the words of every heading by its first line, from 0."""
    return {first_line(token): words.content for token, words in pairwise(tokens) if token.type == "heading_open"}


def first_line(token: Token) -> int:
    return token.map[0] if token.map else 0


def add_block(section: Section, token: Token, lines: list[str]) -> None:
    """Put a block into the part that it belongs to."""
    start, end = token.map or (0, 0)
    if not section.parts:
        section.stray = section.stray or start + 1
        return
    part = section.parts[-1]
    if token.type == "fence":
        part.fences.append(Fence(token.info.strip(), token.content, start + 2, is_closed(token, lines[start:end])))
    elif token.type == "bullet_list_open":
        items = list(language_items(lines[start:end]))
        part.items += items
        if not items:
            part.stray = part.stray or start + 1
    else:
        part.stray = part.stray or start + 1


def is_closed(token: Token, lines: list[str]) -> bool:
    """Whether the last line of a fence is its end, and not that of a later one which it swallowed."""
    last = lines[-1].strip()
    swallowed = any(line.startswith(token.markup) for line in lines[1:-1])
    return len(lines) > 1 and len(last) >= len(token.markup) and not last.strip(token.markup[0]) and not swallowed


def language_items(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield language and text of the items of a list."""
    language, kept = "", list[str]()
    for line in lines:
        start = ITEM.match(line)
        if start:
            if language:
                yield language, "\n".join(kept).strip()
            language, kept = start[1], [line[start.end() :]]
        elif language:
            kept.append(line.removeprefix("  "))
    if language:
        yield language, "\n".join(kept).strip()


def fill_texts(found: list[Section], lines: list[str]) -> None:
    """Give every part the lines between its directive and what comes next."""
    ends = [section.line for section in found] + [part.line for section in found for part in section.parts]
    for section in found:
        for part in section.parts:
            end = min((line for line in ends if line > part.line), default=len(lines) + 1)
            part.text = "\n".join(lines[part.line : end - 1]).strip()


def code_spans(text: str) -> frozenset[str]:
    """Return what a text shows as code, within its sentences and between them."""
    tokens = parser().parse(text)
    inline = (child for token in tokens for child in token.children or () if child.type == "code_inline")
    blocks = (token for token in tokens if token.type in ("fence", "code_block"))
    return frozenset(token.content for token in (*inline, *blocks))
