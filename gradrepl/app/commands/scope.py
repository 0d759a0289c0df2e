"""What is in reach at a prompt: the names that code sees, and the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gradrepl.app.commands.table import Command


def no_names() -> Mapping[str, Any]:
    """No names."""
    return {}


class Scope(NamedTuple):
    """What completion and the toolbar look at.

    names: asked for at each look; must not wait. commands: the table of this prompt.
    """

    names: Callable[[], Mapping[str, Any]] = no_names
    commands: Sequence[Command[Any]] = ()
