"""Typed input kept between runs; a home that can't be written to loses the history and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from prompt_toolkit.history import History

MOST = 10_000
_TAIL = 2_000_000  # bytes: what is older stays in the file, unread


class QuietHistory(History):
    """A history file that only its owner can read, appended to in one write an input: two prompts can share it.

    The file's format is prompt_toolkit's: an empty line, then `+` before each line of an input.
    kept: whether inputs go into the file. failure: the first error that the file gave, None while all is well.
    """

    def __init__(self, path: str | os.PathLike[str], *, kept: bool = True) -> None:
        super().__init__()
        self._path = path
        self.kept = kept
        self._newest: list[str] | None = None
        self.failure: OSError | None = None

    def newest_lines(self) -> Sequence[str]:
        """The lines of all inputs, the newest first, each once."""
        if self._newest is None:
            lines = (line for text in self._loaded_strings for line in reversed(text.split("\n")))
            self._newest = list(dict.fromkeys(line for line in lines if line.strip()))
        return self._newest

    def load_history_strings(self) -> Iterable[str]:
        """The inputs of the file, the newest first."""
        try:
            with open(self._path, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                text = file.read().decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.failure = error
            return []
        self._newest = None
        inputs = ("\n" + text).split("\n\n+")[1:]
        return ["\n".join(lines.rstrip("\n").split("\n+")) for lines in inputs[-MOST:]][::-1]

    def store_string(self, string: str) -> None:
        """Append an input to the file."""
        if self._newest is not None:
            self._newest = [*(line for line in reversed(string.split("\n")) if line.strip()), *self._newest]
        if not self.kept:
            return
        lines = "".join(f"+{line}\n" for line in string.split("\n"))
        try:
            from pathlib import Path

            Path(self._path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, ("\n" + lines).encode("utf-8", "replace"))
            finally:
                os.close(descriptor)
        except OSError as error:
            self.failure = self.failure or error
