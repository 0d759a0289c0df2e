"""A change of text as lines: what goes behind minus signs, what comes behind plus signs, both with what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Span = tuple[str, str]
Piece = tuple[str, bool]

GONE, NEW, KEPT, ASKED = "- ", "+ ", "  ", "? "
STYLES = {GONE: "red", NEW: "green", KEPT: "bright_black", ASKED: "yellow"}
PIECE = re.compile(r"\w+|\s+|.", re.DOTALL)
MOST_PIECES = 1500
"""Of a change that is looked through word by word; a longer one is shown without its words marked."""


def change(before: Sequence[str], after: Sequence[str], sign: str = NEW) -> Iterator[list[Span]]:
    """Yield the lines of a change, each a sign and pieces of text with styles; words that differ are underlined.

    sign: of the lines that come.
    """
    gone, come = marked("\n".join(before), "\n".join(after))
    yield from in_lines(gone, GONE)
    yield from in_lines(come, sign)


def kept(lines: Sequence[str]) -> Iterator[list[Span]]:
    """Yield lines that stay as they are."""
    yield from ([(KEPT, ""), (line, STYLES[KEPT])] for line in lines)


def marked(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Return two texts as pieces, each with whether the other text lacks it."""
    one, two = PIECE.findall(before), PIECE.findall(after)
    gone, come = list[Piece](), list[Piece]()
    if len(one) + len(two) > MOST_PIECES or not (one and two):
        return [(before, False)], [(after, False)]
    for kind, i, j, k, m in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        left, right = "".join(one[i:j]), "".join(two[k:m])
        shorter = min(left.rstrip(), right.rstrip(), key=len)
        same = len(shorter) if left.startswith(shorter) and right.startswith(shorter) else 0
        gone += [(left[:same], False), (left[same:], kind != "equal")]
        come += [(right[:same], False), (right[same:], kind != "equal")]
    return gone, come


def in_lines(pieces: Sequence[Piece], sign: str) -> Iterator[list[Span]]:
    """Yield pieces line by line behind a sign; blanks and prompts are never underlined."""
    style = STYLES[sign]
    line: list[Span] = [(sign, style)]
    for text, differs in pieces:
        parts = text.split("\n")
        for index, part in enumerate(parts):
            if index:
                yield line
                line = [(sign, style)]
            if part:
                line.append((part, f"bold underline {style}" if differs and part.strip(" .>") else style))
    if len(line) > 1:
        yield line
