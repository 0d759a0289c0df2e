"""Damage to single characters: invisible ones, mojibake, full-width and typographic signs (D03)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import partial
from html import unescape
from itertools import accumulate

from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.python import parses
from gradrepl.session.foreign import SIGNS
from gradrepl.session.mask import mask

INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad]")
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
MOJIBAKE = re.compile("[ÂÃÄÅÆĂĐáâãäåæçèéïð][\u0080-\u00bf\u0152-\u0178\u2013-\u2122\u0192\u02c6\u02dc»º]")
DASHES = re.compile("[\u2010-\u2015]")
QUOTES = str.maketrans("“”„‟‘’‚‛«»＂＇", '""""\'\'\'\'"""\'')


def invisible(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Take out what can't be seen, and make every blank outside of quotes and comments a blank."""
    made = [Line(outside(seen, ESCAPES.sub("", line.text)), line.number) for line in lines]
    pair = next(((old, new) for old, new in zip(lines, made, strict=True) if old.text != new.text), None)
    if pair is not None:
        notes.repaired("D03", pair[0].number, pair[0].text, pair[1].text)
    return made


def outside(change: Callable[[str], str], text: str) -> str:
    """Return a text with the pieces changed that are no part of a string or a comment."""
    if text.isascii() and "\t" not in text:
        return text
    pieces = re.split('(["#]+)', mask(text))
    spots = accumulate((len(piece) for piece in pieces), initial=0)
    return "".join(
        text[spot : spot + len(piece)] if piece[:1] in ('"', "#") else change(text[spot : spot + len(piece)])
        for spot, piece in zip(spots, pieces, strict=False)
    )


def seen(text: str) -> str:
    return SPACES.sub(" ", INVISIBLE.sub("", text)).replace("\t", "    ")


def entities(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Make the signs of HTML entities that a page shows as such: `&gt;&gt;&gt;`, `&amp;lt;`."""
    made = []
    for line in lines:
        text = line.text
        for _ in range(MOST_ESCAPED if "&" in text else 0):
            covered = mask(text.replace("&#", "&_"))
            text = ENTITY.sub(partial(unescaped, covered), text)
        if text != line.text:
            notes.repaired("D10", line.number, line.text, text)
        made.append(Line(text, line.number))
    return made


def unescaped(covered: str, found: re.Match[str]) -> str:
    return unescape(found[0]) if covered[found.start()] == "&" else found[0]


MOST_ESCAPED = 3
ENTITY = re.compile(r"&(?:gt|lt|quot|amp|nbsp|apos|#39|#x27|#34|#62|#60);")


def mojibake(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Undo UTF-8 that was read as another encoding (vÃ¡»›i for với), line by line, where it can be undone."""
    return [undone(line, notes) for line in lines]


def undone(line: Line, notes: Notes) -> Line:
    for pattern, encodings in MISREAD:
        for encoding in encodings if pattern.search(line.text) else ():
            text = read_again(line.text, encoding)
            if text != line.text and not text.isascii():
                notes.repaired("D03", line.number, line.text, text)
                return Line(text, line.number)
    return line


MISREAD = (
    (MOJIBAKE, ("cp1252", "cp1250", "cp1258")),
    (re.compile("(?:[\u3400-\u9fff].*){3}"), ("gb18030",)),
)
"""How misread text looks, and in what it may have been read: three signs of UTF-8 are two of Chinese."""


def read_again(text: str, encoding: str) -> str:
    """Return a text read as UTF-8 that was read as another encoding; as it is where that can't be."""
    try:
        if encoding == "gb18030":
            return text.encode(encoding).decode("utf-8")
        return b"".join(byte_of(sign, encoding) for sign in text).decode("utf-8")
    except UnicodeError:
        return text


def byte_of(sign: str, encoding: str) -> bytes:
    """Return the byte that was read as a sign; what an encoding lacks was read as Latin-1 has it."""
    try:
        return sign.encode(encoding)
    except UnicodeEncodeError:
        return sign.encode("latin-1")


def plain_signs(code: str) -> str:
    """Return code that doesn't parse with its full-width and typographic signs made plain, where that makes it parse.

    Letters within strings stay as long as the code parses without touching them.
    """
    if code.isascii() or parses(code):
        return code
    quoted = code.translate(QUOTES)
    covered = mask(quoted)
    outside = "".join(
        sign if cover in '"#' and sign not in "\"'" else plain(sign)
        for sign, cover in zip(quoted, covered, strict=True)
    )
    return next((text for text in (outside, "".join(map(plain, quoted))) if text != code and parses(text)), outside)


def plain(sign: str) -> str:
    if sign.isascii() or INVISIBLE.match(sign):
        return sign if sign.isascii() else ""
    found = SIGNS.get(sign) or ("-" if DASHES.match(sign) else "") or unicodedata.normalize("NFKC", sign)
    return found if found.isascii() and found.isprintable() else sign
