"""Shown code: Python's prompts, and colours that are readable on light and on dark."""

from __future__ import annotations

from rich.text import Text

from gradrepl.view.highlight import pieces
from gradrepl.view.safe import visible

_STYLES = {
    "": "",
    "keyword": "magenta",
    "constant": "magenta",
    "builtin": "cyan",
    "string": "green",
    "number": "cyan",
    "comment": "bright_black",
    "decorator": "yellow",
}


def code(source: str) -> Text:
    """A statement with the prompts of Python's interactive mode, highlighted."""
    lines = highlighted(visible(source).rstrip("\n")).split("\n", allow_blank=True)
    prompts = [">>> "] + ["... "] * (len(lines) - 1)
    return Text("\n").join(
        Text.assemble((prompt, "bright_black"), line) for prompt, line in zip(prompts, lines, strict=True)
    )


def highlighted(source: str) -> Text:
    """Python source in colours."""
    return Text.assemble(*((text, _STYLES[kind]) for kind, text in pieces(source)))
