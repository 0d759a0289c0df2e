"""A question with a few answers, of which one is chosen by its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradrepl.app.commands.state import PromptState


def number_of(state: PromptState, choices: Sequence[str]) -> int | None:
    """Return the index of the choice that is taken; None after Ctrl-C, or at the end of input."""
    _, screen = state._, state.screen
    state.reader.shortcuts = ()  # a key stands for no command here
    for number, choice in enumerate(choices, 1):
        first, *rest = choice.split("\n")
        lead = f"{number}  "
        screen.hanging([[(lead, "bold cyan"), (first, "")], *([(" " * len(lead), ""), (line, "")] for line in rest)])
    while True:
        try:
            answer = state.reader.line(_("your answer, 1-{count}:").format(count=len(choices)) + " ")
        except (EOFError, KeyboardInterrupt):
            return None
        typed = answer.strip().rstrip(".)")
        if typed.isdecimal() and 1 <= int(typed) <= len(choices):
            return int(typed) - 1
        screen.note(_("Type a number from 1 to {count}; Ctrl-C leaves all as it is.").format(count=len(choices)))
