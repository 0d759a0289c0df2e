"""Shown code: Python's prompts and, where a screen is to show it, colours."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rich.text import Text

from gradrepl.view.safe import visible

if TYPE_CHECKING:
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

# By the first word of pygments' token names; colours that are readable on light and on dark.
_STYLES = {
    "Keyword": "magenta",
    "Literal.String": "green",
    "Literal.Number": "cyan",
    "Comment": "bright_black",
    "Operator.Word": "magenta",
    "Name.Decorator": "yellow",
    "Name.Builtin": "cyan",
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
    text = Text(no_wrap=False)
    for kind, value in _lexer().get_tokens(source):
        name = str(kind).removeprefix("Token.")
        text.append(value, next((style for key, style in _STYLES.items() if name.startswith(key)), ""))
    text.right_crop(1)
    return text


@cache
def _lexer() -> PythonLexer:
    from pygments.lexers.python import PythonLexer

    return PythonLexer(stripnl=False, ensurenl=True)
