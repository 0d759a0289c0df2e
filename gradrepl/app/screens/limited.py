"""A bound on what an input shows while it runs: long prints do not bury the prompt, endless ones can be stopped."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Literal

from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Translate
from gradrepl.session.outcome import Output

MOST_LINES, MOST_LETTERS, LAST_LINES = 500, 20_000, 5
KEPT = 2_000_000


class Limited:
    """Shows output up to a limit, then only says that there is more; `finish` shows how it ended.

    prompt: whether there is one, at which `:out` shows the rest.
    """

    def __init__(self, screen: Screen, _: Translate, *, prompt: bool = True) -> None:
        self._screen, self._prompt = screen, prompt
        self._ = _
        self._begin()

    def _begin(self) -> None:
        self._lines, self._letters = MOST_LINES, MOST_LETTERS
        self._hidden = 0
        self._last: deque[Output] = deque(maxlen=4 * LAST_LINES)

    def __call__(self, output: Output) -> None:
        """Take a piece of output as soon as it comes."""
        if self._hidden:
            self._hide(output)
            return
        end = self._end(output.text)
        if end == len(output.text):
            self._screen.output(output)
        else:
            self._screen.output(replace(output, kind=_stream(output), text=output.text[:end] + "\n"))
            self._screen.note(self._("... more is printed than is shown; Ctrl-C stops it"))
            self._hide(replace(output, text=output.text[end:]))
        self._letters -= end
        self._lines -= output.text.count("\n", 0, end)

    def finish(self) -> None:
        """After the input: the last lines of what wasn't shown, and how to see the rest. A new one may begin."""
        if self._hidden:
            self._end_hidden()
        self._begin()

    def _end_hidden(self) -> None:
        text = "".join(output.text for output in self._last)
        for line in text.rstrip("\n").split("\n")[-LAST_LINES:]:
            self._screen.output(Output("stdout", line[-MOST_LETTERS // 10 :] + "\n"))
        at_prompt = self._("{count} characters more were printed; :out shows what is kept")
        text = at_prompt if self._prompt else self._("{count} characters more were printed")
        self._screen.note(text.format(count=self._hidden))

    def _hide(self, output: Output) -> None:
        self._hidden += len(output.text)
        self._last.append(replace(output, text=output.text[-MOST_LETTERS:]))

    def _end(self, text: str) -> int:
        """How much of a text may be shown."""
        if len(text) <= self._letters and text.count("\n") <= self._lines:
            return len(text)
        place = -1
        for _line in range(self._lines):
            place = text.find("\n", place + 1, self._letters)
            if place < 0:
                return min(len(text), self._letters)
        return place


def _stream(output: Output) -> Literal["stdout", "stderr"]:
    return "stdout" if output.kind == "echo" else output.kind
