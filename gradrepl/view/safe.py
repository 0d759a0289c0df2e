"""Text from outside, made harmless for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator

PIECE = 65_536  # letters that are looked at once: a long text is never held twice
# Marks that reorder what is read, and line separators.
REORDERING = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# C0 but tab and newline, DEL, C1, marks that reorder what is read, line separators, lone surrogates.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with control characters written as escapes ("\\x1b"); newlines and tabs stay."""
    return _CONTROLS.sub(_escape, text.replace("\r\n", "\n"))


def pieces(text: str, size: int = PIECE) -> Iterator[str]:
    """A text in pieces of at most `size` letters, which end with a line where they can; an empty text is none."""
    start = 0
    while len(text) - start > size:
        end = text.rfind("\n", start, start + size) + 1 or start + size
        end -= text[end - 1] == "\r"  # "\r\n" stays together
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:] if start else text


def one_line(text: str) -> str:
    """As `visible`, with newlines and tabs as escapes too."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def as_json(value: object) -> str:
    """A value as readable JSON on one line; control characters are JSON's own escapes."""
    import json  # most programs need none

    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
