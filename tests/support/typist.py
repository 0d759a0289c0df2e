"""Somebody at the prompt whose keys are written down beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gradrepl.app.line.reader import never
from gradrepl.app.line.shortcut import Shortcut


class Typist:
    """Types what it is given, then ends; "ENTER" takes what stands at the prompt, "CTRL-C" is that key.

    offered: what stood at the prompts. asked: every prompt and question. toolbars: what the toolbar said at each.
    losses: what the reader complains of, one after each input.
    """

    footer = True

    def __init__(self, *inputs: str, losses: Iterable[str | None] = ()) -> None:
        self.inputs = list(inputs)
        self.toolbar: Callable[[], str] = str
        self.idle: Callable[[], object] = str
        self.damaged: Callable[[str], bool] = never
        self.shortcuts: tuple[Shortcut, ...] = ()
        self.offered: list[str] = []
        self.asked: list[str] = []
        self.toolbars: list[str] = []
        self.losses = iter(losses)

    def code(self, offered: str = "") -> str:
        self.offered.append(offered)
        text = self.line(">>> ")
        return offered if text == "ENTER" else text

    def line(self, prompt: str, offered: str = "") -> str:
        self.asked.append(prompt)
        self.toolbars.append(self.toolbar())
        if not self.inputs:
            raise EOFError
        text = self.inputs.pop(0)
        if text == "CTRL-C":
            raise KeyboardInterrupt
        return text

    def loss(self) -> str | None:
        return next(self.losses, None)
