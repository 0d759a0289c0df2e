"""Explanations and other sentences with code in them: wrapped words with the code picked out."""

from __future__ import annotations

import re

from gradrepl.view.paragraph import Paragraph
from gradrepl.view.plain import POINTER
from gradrepl.view.prose import Block, Span
from gradrepl.view.safe import one_line

_CODE = re.compile(r"`([^`]+)`")


def paragraph(text: str, lead: str = POINTER) -> Paragraph:
    """The words on a rich console, behind a lead; pieces in backticks are code."""
    pieces = _CODE.split(one_line(text))
    spans = (Span(piece, "code" if number % 2 else "") for number, piece in enumerate(pieces))
    return Paragraph(Block("text", tuple(spans), lead=lead))
