"""Blocks that lost their indentation (D08): how deep each line stands, as far as Python's own rules tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gradrepl.repair.code import mended
from gradrepl.repair.python import is_header, parses

STEP = 4
HEADS = {
    "else": ("if", "elif", "for", "while", "except"),
    "elif": ("if", "elif"),
    "except": ("try", "except"),
    "finally": ("try", "except", "else"),
}
"""Which open block each of the words that go on with a block belongs to."""
FIRST_WORD = re.compile(r"(?:async\s+)?(@|[^\W\d]\w*)")
LEAVES = re.compile(r"(?:return|raise|break|continue|pass)\b")
METHOD = re.compile(r"(?:async\s+)?def\s+\w+\s*\(\s*(?:self|cls|ctx)\b|@\s*(?:staticmethod|classmethod|property)\b")


@dataclass(slots=True)
class Depth:
    """The blocks that are open, the first word of each, while lines go by.

    least: how many stay open; with prompts it is known that all lines are of one statement.
    """

    least: int = 0
    open: list[str] = field(default_factory=list)
    left: bool = False
    """Whether the line before left its block: what stood behind `return` in it would never run."""

    def of(self, text: str, following: str) -> int:
        """Return how deep the next line stands; following: the first line behind it that is no decorator."""
        found = FIRST_WORD.match(text)
        word = found[1] if found else ""
        if word in HEADS:
            self.close_to(word)
        elif self.left and len(self.open) > self.least:
            self.open.pop()
        if METHOD.match(text) or (word == "@" and METHOD.match(following)):
            self.close_class()
        level = len(self.open)
        self.left = LEAVES.match(text) is not None
        if is_header(text):
            self.open.append(word)
        return level

    def close_to(self, word: str) -> None:
        """Close the innermost block that a word such as `else` goes on with, and all within it."""
        at = next((at for at in reversed(range(len(self.open))) if self.open[at] in HEADS[word]), None)
        if at is not None:
            del self.open[at:]

    def close_class(self) -> None:
        """Close the function of the innermost class: a method begins."""
        if "class" in self.open:
            del self.open[len(self.open) - self.open[::-1].index("class") :]


def indented(codes: Sequence[str]) -> list[str]:
    """Return the lines of a statement with their blocks indented; as they are where they parse or are indented."""
    if parses("\n".join(codes)) or len({lead(code) for code in codes[1:] if code.strip()}) > 1 < max(map(lead, codes)):
        return list(codes)
    depth = Depth(least=1)
    texts = [mended(code) for code in codes]
    return [
        " " * STEP * depth.of(text, decorated(texts, index)) + code.strip() if text else ""
        for index, (text, code) in enumerate(zip(texts, codes, strict=True))
    ]


def lead(code: str) -> int:
    return len(code) - len(code.lstrip())


def decorated(texts: Sequence[str], index: int) -> str:
    """Return the first line behind an index that is no decorator."""
    return next((text for text in texts[index + 1 : index + 4] if text and text[0] != "@"), "")


def length(texts: Sequence[str]) -> int:
    """Return how many lines of code without indentation belong to the block that the first one opens."""
    depth = Depth()
    for index, text in enumerate(texts):
        if depth.of(text, decorated(texts, index)) == 0 and index and not goes_on(texts, index):
            return index
    return len(texts)


def goes_on(texts: Sequence[str], index: int) -> bool:
    """Whether a line at the outer level belongs to what is above it: `else`, or what a decorator stands before."""
    word = FIRST_WORD.match(texts[index])
    return (word is not None and word[1] in HEADS) or texts[index - 1].startswith("@")
