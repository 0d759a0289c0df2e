"""Which known name a misspelt one was perhaps meant to be, with the Vietnamese keyboard left on too."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

CUTOFF = 0.7
LONGEST = 60
# What a Vietnamese keyboard (Telex) makes of these keys, by the mark that is left on the letter.
KEYS = {"\u0301": "s", "\u0300": "f", "\u0309": "r", "\u0303": "x", "\u0323": "j", "\u031b": "w", "\u0306": "w"}
CIRCUMFLEX = "\u0302"


def closest(name: str, known: Iterable[str]) -> tuple[str, bool] | None:
    """Return the known name that `name` most likely means, or None.

    The second value says that a Vietnamese keyboard has changed letters: "ténor" is what typing "tensor" gives.
    Names known earlier win.
    """
    if len(name) > LONGEST:
        return None
    names = list(dict.fromkeys(word for word in known if word != name))
    if not name.isascii():
        for fits in (typed_as, marked_as):
            found = next((word for word in names if fits(word, name)), None)
            if found is not None:
                return found, True
    near = nearest(plain(name), names)
    return None if near is None else (near, not name.isascii())


def nearest(name: str, names: list[str]) -> str | None:
    from difflib import get_close_matches  # slow to import, and needed for a miss only

    lower: dict[str, str] = {}
    for word in names:
        lower.setdefault(word.lower(), word)
    cutoff = CUTOFF if len(name) > 3 else 0.8
    found = get_close_matches(name.lower(), lower, 1, cutoff)
    return lower[found[0]] if found else None


def plain(word: str) -> str:
    """Return a word without Vietnamese marks, đ as d."""
    letters = unicodedata.normalize("NFD", word.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def typed_as(word: str, name: str) -> bool:
    """Whether typing `word` on a Vietnamese keyboard gives `name`."""
    return any(keys_give(word, text) for text in (name, name.replace("ư", "w")))


def marked_as(word: str, name: str) -> bool:
    """Whether `name` is `word` with marks added."""
    return word == plain(name)


def keys_give(word: str, name: str) -> bool:
    base = plain(name)
    left = Counter(word)
    left.subtract(base)
    letters = iter(word)
    return left == pressed(name) and all(letter in letters for letter in base)


def pressed(name: str) -> Counter[str]:
    """Count the keys that became marks."""
    keys: Counter[str] = Counter()
    letter = ""
    for sign in unicodedata.normalize("NFD", name):
        if sign == CIRCUMFLEX:
            keys[letter] += 1
        elif sign in KEYS:
            keys[KEYS[sign]] += 1
        elif sign in "đĐ":
            keys["d"] += 1
        letter = letter if unicodedata.combining(sign) else sign
    return keys
