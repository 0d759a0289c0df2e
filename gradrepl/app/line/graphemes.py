"""Where one letter as a reader sees it ends and the next begins: marks belong to the letter before them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

import wcwidth

# wcwidth before 0.2.14 knows widths only.
_iter_graphemes: Callable[[str], Iterable[str]] | None = getattr(wcwidth, "iter_graphemes", None)


def width_before(text: str) -> int:
    """How many code points the last letter of a text has; 0 for an empty text."""
    return len(_letters(text[_line_start(text) :])[-1]) if text else 0


def width_after(text: str) -> int:
    """How many code points the first letter of a text has; 0 for an empty text."""
    return len(_letters(text.partition("\n")[0] or text[:1])[0]) if text else 0


def _line_start(text: str) -> int:
    return text.rfind("\n", 0, len(text) - 1) + 1


def _letters(text: str) -> list[str]:
    if text.isascii():
        return list(text)
    return list(_iter_graphemes(text)) if _iter_graphemes else _with_marks(text)


def _with_marks(text: str) -> list[str]:
    letters: list[str] = []
    for letter in text:
        if letters and unicodedata.combining(letter):
            letters[-1] += letter
        else:
            letters.append(letter)
    return letters
