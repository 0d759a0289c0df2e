"""Lesson prose: Markdown -> blocks -> rich texts or plain lines (rich.markdown is slow to import)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from gradrepl.view.safe import visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Style = Literal["", "bold", "italic", "code"]
_OPENING: Mapping[str, Style] = {"strong_open": "bold", "em_open": "italic"}
_BREAKS = {"softbreak": " ", "hardbreak": "\n"}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a paragraph; style is what Markdown asked for."""

    text: str
    style: Style = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a block of code; lead is a list's bullet or number, indent in columns."""

    kind: Literal["heading", "text", "code"]
    spans: tuple[Span, ...]
    indent: int = 0
    lead: str = ""

    @property
    def text(self) -> str:
        """The words alone, code in backticks."""
        return "".join(f"`{s.text}`" if s.style == "code" else s.text for s in self.spans)


def blocks(markdown: str) -> tuple[Block, ...]:
    """The blocks of a prose text, without control characters."""
    return tuple(_blocks(_parser().parse(markdown)))


def plain(block: Block) -> str:
    """A block as plain text: a paragraph is one line, code keeps its own."""
    margin = " " * block.indent
    if block.kind == "code":
        return "\n".join(f"{margin}    {line}".rstrip() for line in block.text.split("\n"))
    return margin + block.lead + block.text.replace("\n", " ")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    lists: list[int | None] = []
    lead, heading = "", False
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(int(token.attrs.get("start", 1)) if token.type[0] == "o" else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            lead = _lead(lists)
        elif token.type in ("heading_open", "heading_close"):
            heading = token.type == "heading_open"
        elif token.type == "inline":
            indent = 2 * len(lists) if not lead else 2 * (len(lists) - 1)
            yield Block("heading" if heading else "text", tuple(_spans(token.children or ())), indent, lead)
            lead = ""
        elif token.type in ("fence", "code_block", "html_block"):
            yield Block("code", (Span(visible(token.content.rstrip("\n"))),), 2 * len(lists))


def _lead(lists: list[int | None]) -> str:
    number = lists[-1]
    if number is None:
        return "- "
    lists[-1] = number + 1
    return f"{number}. "


def _spans(tokens: Sequence[Token]) -> Iterator[Span]:
    style: Style = ""
    target = ""
    for token in tokens:
        if token.type in _OPENING:
            style = _OPENING[token.type]
        elif token.type in ("strong_close", "em_close"):
            style = ""
        elif token.type == "link_open":
            target = str(token.attrs.get("href", ""))
        else:
            text = f" ({target})" if token.type == "link_close" else _BREAKS.get(token.type, token.content)
            # Entities such as &#27; have become characters by now.
            yield Span(visible(text), "code" if token.type == "code_inline" else style)


def split_label(markdown: str) -> tuple[str, str]:
    """The short label that a step's prose may begin with ("### Make a leaf"), and the rest."""
    first, _, rest = markdown.strip().partition("\n")
    return (first.lstrip("# "), rest.strip()) if first.startswith("### ") else ("", markdown.strip())
