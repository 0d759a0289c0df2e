"""Keys as they are pressed, without echo and without Enter; the terminal is always put back."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = {
    " ": "space",
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x1b[C": "right",
    "\x1bOC": "right",
    "\x1b[D": "left",
    "\x1bOD": "left",
    "\x1b[5~": "left",
    "\x1b[6~": "right",
    "\x04": "q",
}
WINDOWS = {"\xe0M": "right", "\xe0K": "left", "\x00M": "right", "\x00K": "left"}
ESCAPE, LONGEST, NAP = "\x1b", 8, 0.02
SHOW_CURSOR = b"\x1b[?25h"


def names(text: str) -> Iterator[str]:
    """The keys in what a terminal sent; an unknown sequence is none."""
    while text:
        size = 1
        if text.startswith(ESCAPE):
            size = next((end for end in range(3, min(LONGEST, len(text)) + 1) if _ends(text[:end])), len(text))
        piece, text = text[:size], text[size:]
        if not piece.startswith(ESCAPE) or piece in NAMES:
            yield NAMES.get(piece, piece.lower())


def _ends(sequence: str) -> bool:
    return len(sequence) >= 3 and (sequence[-1].isalpha() or sequence[-1] == "~") and sequence[1:2] in "[O"


class Keyboard:
    """The keys of a terminal, standard input unless another file descriptor is given."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = sys.stdin.fileno() if descriptor is None else descriptor
        self._waiting: list[str] = []

    def key(self, timeout: float | None) -> str | None:
        """The next key; None if none came in that many seconds (None waits for one). Raises EOFError."""
        if not self._waiting:
            self._waiting += names(self._read(timeout))
        return self._waiting.pop(0) if self._waiting else None

    def _read(self, timeout: float | None) -> str:
        if os.name == "nt":
            return _read_windows(timeout)
        import select

        if not select.select([self._descriptor], [], [], timeout)[0]:
            return ""
        data = os.read(self._descriptor, 1024)
        if not data:
            raise EOFError
        return data.decode("utf-8", "replace")

    @contextmanager
    def raw(self) -> Iterator[None]:
        """Keys come one by one within; Ctrl-C is Ctrl-C still."""
        if os.name == "nt":
            yield
            return
        import termios

        before = termios.tcgetattr(self._descriptor)
        mine = termios.tcgetattr(self._descriptor)
        mine[3] &= ~(termios.ICANON | termios.ECHO)
        mine[6][termios.VMIN], mine[6][termios.VTIME] = 1, 0

        def put_back() -> None:
            termios.tcsetattr(self._descriptor, termios.TCSANOW, before)
            os.write(self._descriptor, SHOW_CURSOR)

        with _put_back_before(put_back):
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, mine)
            try:
                yield
            finally:
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, before)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Lines come as ever within: for code that asks, and for a prompt."""
        if os.name == "nt":
            yield
            return
        import termios

        mine = termios.tcgetattr(self._descriptor)
        usual = termios.tcgetattr(self._descriptor)
        usual[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, usual)
        try:
            yield
        finally:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, mine)


@contextmanager
def _put_back_before(death: Callable[[], object]) -> Iterator[None]:
    """Where SIGTERM or SIGHUP ends the process, call that first; code that runs can't keep it from that."""

    def end(number: int, frame: FrameType | None) -> None:
        death()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    deaths = {signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
    numbers = sorted(deaths) if threading.current_thread() is threading.main_thread() else []
    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _read_windows(timeout: float | None) -> str:
    import msvcrt

    end = None if timeout is None else time.monotonic() + timeout
    while not msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
        if end is not None and time.monotonic() >= end:
            return ""
        time.sleep(NAP)
    first: str = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
    if first not in ("\x00", "\xe0"):
        return first
    name = WINDOWS.get(first + msvcrt.getwch(), "")  # type: ignore[attr-defined,unused-ignore]
    return {"left": "\x1b[D", "right": "\x1b[C"}.get(name, "")
