"""Keys that stand for commands while nothing is typed, and the line that names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

BETWEEN = "  "


class Shortcut(NamedTuple):
    """A key that gives a command on an empty prompt.

    key: its name for prompt_toolkit, "" where the prompt knows it anyhow (Enter); label: as it stands on the keyboard,
    "" to work unnamed; command: what the key gives; text: what that does, translated.
    offered: works, too, while code that was offered stands at the prompt untouched.
    """

    key: str
    label: str
    command: str
    text: str
    offered: bool = False


def footer(state: str, shortcuts: Iterable[Shortcut], columns: int) -> list[str]:
    """The state and the keys on one line, or on two where one is too short."""
    keys = BETWEEN.join(f"{each.label}: {each.text}" for each in shortcuts if each.label)
    whole = f"{state} | {keys}" if keys else state
    return [whole] if len(whole) + 2 <= columns or not keys else [state, keys]
