"""Typed input kept between runs; a home that can't be written to loses the history and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory


class QuietHistory(FileHistory):
    """A history file that only its owner can read, appended to in one write an input.

    failure: the first error that the file gave, None while all is well.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self.failure: OSError | None = None

    def load_history_strings(self) -> Iterable[str]:
        try:
            return list(super().load_history_strings())
        except OSError as error:
            self.failure = error
            return []

    def store_string(self, string: str) -> None:
        lines = "".join(f"+{line}\n" for line in string.split("\n"))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, ("\n" + lines).encode("utf-8", "replace"))
            finally:
                os.close(descriptor)
        except OSError as error:
            self.failure = self.failure or error


def default_path() -> Path:
    """The history's place in the user's state folder."""
    import platformdirs

    return Path(platformdirs.user_state_dir("gradrepl", appauthor=False)) / "history"
