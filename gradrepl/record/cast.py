"""asciicast, versions 3 and 2: a terminal's output with the time of each piece, for asciinema and its players."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any, Literal, TextIO

from gradrepl.view.safe import pieces

COLUMNS, ROWS = 100, 30
KEY, HURRY, MOST_SECONDS_TYPING = 40, 0.5, 6.0  # milliseconds a key on average, how much it varies; of one statement
CODE = re.compile(r"\x1b\[[0-9;]*m")
# The prompt of a line with its indentation; a letter with the marks above and below it.
KEYS = re.compile(r"^(?:\x1b\[[0-9;]*m)*(?:>>>|\.\.\.)(?:\x1b\[[0-9;]*m| )*|(?:\x1b\[[0-9;]*m)*.[\u0300-\u036f]*", re.S)


class Cast:
    """Writes a cast; its clock is counted, not measured, so the same calls write the same bytes.

    seed: of the rhythm of typing.
    """

    def __init__(self, out: TextIO, title: str, version: Literal[2, 3], seed: int) -> None:
        self._out = out
        self._version = version
        self._random = Random(seed)
        self._waited = 0  # milliseconds since the last event, of version 2 since the start
        self._line(self._header(title))

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self._waited += round(seconds * 1000)

    def marker(self, label: str) -> None:
        """Mark this moment; players can jump to it and stop at it."""
        self._event("m", label)

    def output(self, text: str) -> None:
        """Show a text at once; "\\n" begins a new line."""
        for piece in pieces(text):
            self._event("o", piece.replace("\n", "\r\n"))

    def typed(self, text: str) -> None:
        """Show a statement, each of its lines behind a prompt, as somebody types it."""
        lines = text.rstrip("\n").split("\n")
        pace = min(KEY, MOST_SECONDS_TYPING * 1000 / max(len(CODE.sub("", text)), 1))
        for line in lines:
            keys = KEYS.findall(line)
            self.output("".join(keys[:1]))
            for key in keys[1:]:
                self._waited += round(pace * (1 - HURRY + 2 * HURRY * self._random.random()))
                self.output(key)
            self.wait(0.1)
            self.output(line[sum(map(len, keys)) :] + "\n")

    def end(self) -> None:
        """The last moment, with exit status 0 where the version has it."""
        if self._version == 3:
            self._event("x", "0")
        else:
            self._event("o", "")

    def _header(self, title: str) -> dict[str, Any]:
        if self._version == 2:
            size: dict[str, Any] = {"width": COLUMNS, "height": ROWS}
            return {"version": 2, **size, "title": title, "env": {"TERM": "xterm-256color"}}
        terminal = {"cols": COLUMNS, "rows": ROWS, "type": "xterm-256color"}
        return {"version": 3, "term": terminal, "title": title}

    def _event(self, code: str, data: str) -> None:
        self._line([self._waited / 1000, code, data])
        if self._version == 3:
            self._waited = 0

    def _line(self, value: object) -> None:
        self._out.write(json.dumps(value, ensure_ascii=False) + "\n")
