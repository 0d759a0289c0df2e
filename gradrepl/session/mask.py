"""Python text with its strings and comments covered, so that what is left can be searched."""

from __future__ import annotations

import re

_COVERED = re.compile(
    r"""
    (?P<comment> \# [^\n]*? (?= (?<=\S)>>>[ ] | \n | \Z ) )  # a prompt may be glued to its end
  | (?P<triple> \"\"\"|''' ) (?: \\.? | (?!(?P=triple)). )* (?P<triple_end> (?P=triple) )?
  | (?P<single> "|' ) (?: \\.? | (?!(?P=single)|\n). )* (?P<single_end> (?P=single) )?
    """,
    re.VERBOSE | re.DOTALL,
)
_NOT_NEWLINE = re.compile(r"[^\n]")


def mask(text: str) -> str:
    """Return the text, as long as it was, with `"` for the letters of strings and `#` for those of comments."""
    return _COVERED.sub(lambda found: _NOT_NEWLINE.sub("#" if found["comment"] else '"', found[0]), text)


def ends_covered(text: str) -> bool:
    """Whether what would be typed next belongs to a string or a comment."""
    found = list(_COVERED.finditer(text))
    if not found or found[-1].end() < len(text):
        return False
    last = found[-1]
    return last["triple_end"] is None and last["single_end"] is None
