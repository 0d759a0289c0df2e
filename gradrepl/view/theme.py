"""The terminal's sixteen colours for a light or a dark background: which one stands for which."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Yellow and cyan fade on white, plain blue and red on black; "auto" keeps to what can be read on both.
_THEMES: Mapping[str, Mapping[str, str]] = {
    "auto": {},
    "light": {"yellow": "blue", "cyan": "blue", "dim": "bright_black"},
    "dark": {
        "yellow": "bright_yellow",
        "cyan": "bright_cyan",
        "magenta": "bright_magenta",
        "green": "bright_green",
        "red": "bright_red",
        "dim": "white",
        "bright_black": "white",
    },
}
_WORD = re.compile(r"[a-z_]+")


def repainted(style: str, theme: str) -> str:
    """A style's definition ("bold yellow", "ansicyan") in the colours of a theme: auto, light or dark."""
    return _WORD.sub(lambda word: _repainted(word[0], _THEMES[theme]), style)


def _repainted(word: str, colours: Mapping[str, str]) -> str:
    if not word.startswith("ansi"):
        return colours.get(word, word)
    ours = word.removeprefix("ansi").replace("bright", "bright_")
    return "ansi" + colours.get(ours, ours).replace("_", "").replace("white", "gray")
