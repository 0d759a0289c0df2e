"""What a program prints, caught in the order in which it came."""

from __future__ import annotations

import io
import math
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from gradrepl.session.outcome import Output

Kind = Literal["stdout", "stderr", "echo"]
PIECE = 64  # what a piece takes beside its letters


class Pieces:
    """The output of one statement; `sink`, where given, hears of every piece at once.

    most: about how many bytes are kept, of the beginning and of the end half each; all of it if None.
    """

    def __init__(self, sink: Callable[[Output], None] | None, most: int | None = None) -> None:
        self.first: list[tuple[Kind, io.StringIO]] = []
        self.last: deque[tuple[Kind, str]] = deque()
        self.sink = sink
        self.room = math.inf if most is None else most // 2
        self.half = 0 if most is None else most // 2
        self.taken = 0
        self.dropped = 0

    def add(self, kind: Kind, text: str) -> None:
        """Add a piece."""
        if self.sink is not None:
            self.sink(Output(kind, text))
        if self.room > 0:
            kept = text if len(text) <= self.room else text[: int(self.room)]
            self._add_first(kind, kept)
            self.room -= len(kept) + PIECE
            text = text[len(kept) :]
        if text:
            self._add_last(kind, text)

    def _add_first(self, kind: Kind, text: str) -> None:
        # A buffer holds many small pieces in little more than their letters.
        if kind == "echo" or not self.first or self.first[-1][0] != kind:
            self.first.append((kind, io.StringIO(newline="")))
        self.first[-1][1].write(text)

    def _add_last(self, kind: Kind, text: str) -> None:
        over = max(len(text) - self.half, 0)
        self.dropped += over
        self.last.append((kind, text[over:]))
        self.taken += len(text) - over + PIECE
        while self.taken > self.half and len(self.last) > 1:
            _kind, old = self.last.popleft()
            self.dropped += len(old)
            self.taken -= len(old) + PIECE

    def outputs(self) -> tuple[Output, ...]:
        """Return the pieces, what went to one stream without anything between as one; a gap says how much is gone."""
        gap: list[tuple[Kind, str]] = [("stdout", f"\n[... {self.dropped} ...]\n")] if self.dropped else []
        joined: list[tuple[Kind, list[str]]] = []
        beginning = ((kind, buffer.getvalue()) for kind, buffer in self.first)
        for kind, text in (*beginning, *gap, *self.last):
            if joined and kind != "echo" and joined[-1][0] == kind:
                joined[-1][1].append(text)
            else:
                joined.append((kind, [text]))
        return tuple(Output(kind, "".join(texts)) for kind, texts in joined)


class Stream(io.TextIOBase):
    """A text stream that adds to the pieces; asked what it is, it answers as the real stream."""

    def __init__(self, kind: Literal["stdout", "stderr"], pieces: Pieces, real: object) -> None:
        super().__init__()
        self.kind: Literal["stdout", "stderr"] = kind
        self.pieces = pieces
        self.real = real

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self.real, "encoding", None) or "utf-8"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(getattr(self.real, "isatty", lambda: False)())

    def fileno(self) -> int:
        return int(self.real.fileno())  # type: ignore[attr-defined]

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self.pieces.add(self.kind, text)
        return len(text)


@contextmanager
def captured(pieces: Pieces) -> Iterator[None]:
    """Send what is printed inside the block to `pieces`."""
    before = sys.stdout, sys.stderr
    sys.stdout = Stream("stdout", pieces, before[0])
    sys.stderr = Stream("stderr", pieces, before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
