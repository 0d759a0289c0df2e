"""Damage to single characters: invisible ones, mojibake, full-width and typographic signs (D03)."""

from __future__ import annotations

import re
import unicodedata

from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.python import parses
from gradrepl.session.foreign import SIGNS
from gradrepl.session.mask import mask

INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad]")
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
MOJIBAKE = re.compile("[ÂÃÄÅÆáâ][\u0080-\u00bf\u0152-\u0178\u2013-\u2122\u0192\u02c6\u02dc»º]")
QUOTES = str.maketrans("“”„‟‘’‚‛«»＂＇", '""""\'\'\'\'"""\'')


def invisible(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Take out what can't be seen, and make every blank a blank."""
    return [
        Line(SPACES.sub(" ", INVISIBLE.sub("", ESCAPES.sub("", line.text))).replace("\t", "    "), line.number)
        for line in lines
    ]


def mojibake(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Undo UTF-8 that was read as Windows-1252 (vÃ¡»›i for với), line by line, where it can be undone."""
    return [undone(line, notes) if MOJIBAKE.search(line.text) else line for line in lines]


def undone(line: Line, notes: Notes) -> Line:
    for encoding in ("cp1252", "cp1250"):
        try:
            text = b"".join(byte_of(sign, encoding) for sign in line.text).decode("utf-8")
        except UnicodeError:
            continue
        if text != line.text:
            notes.repaired("D03", line.number, line.text, text)
            return Line(text, line.number)
    return line


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
    if sign.isascii():
        return sign
    found = SIGNS.get(sign) or unicodedata.normalize("NFKC", sign)
    return found if found.isascii() and found.isprintable() else sign
