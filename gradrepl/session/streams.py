"""What a program prints, caught in the order in which it came."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from gradrepl.session.outcome import Output

Kind = Literal["stdout", "stderr", "echo"]


class Pieces:
    """The output of one statement; `sink`, where given, hears of every piece at once."""

    def __init__(self, sink: Callable[[Output], None] | None) -> None:
        self.items: list[tuple[Kind, list[str]]] = []
        self.sink = sink

    def add(self, kind: Kind, text: str) -> None:
        """Add a piece. All is kept until the statement ends: a bound on what endless printing takes belongs here."""
        if self.sink is not None:
            self.sink(Output(kind, text))
        if self.items and kind != "echo" and self.items[-1][0] == kind:
            self.items[-1][1].append(text)
        else:
            self.items.append((kind, [text]))

    def outputs(self) -> tuple[Output, ...]:
        """Return the pieces, what went to one stream without anything between as one."""
        return tuple(Output(kind, "".join(texts)) for kind, texts in self.items)


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
