"""The rest of a line as it was typed last time, offered behind the cursor."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.auto_suggest import AutoSuggest, Suggestion
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

from gradrepl.app.line.history import QuietHistory


class LineSuggest(AutoSuggest):
    """Suggests the newest line of the history that starts as the one before the cursor.

    A longer start is looked for from where the shorter one was found: a whole line costs one pass
    through the history, however long that is.
    """

    def __init__(self, history: QuietHistory, wanted: Callable[[], bool]) -> None:
        self._history = history
        self._wanted = wanted
        self._last: tuple[str, int, int] = ("", 0, 0)

    def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
        start = document.current_line_before_cursor
        if not self._wanted() or not start.strip() or document.current_line_after_cursor:
            return None
        lines = self._history.newest_lines()
        before, count, place = self._last
        if count != len(lines) or not before or not start.startswith(before):
            place = 0
        while place < len(lines) and not (lines[place].startswith(start) and len(lines[place]) > len(start)):
            place += 1
        self._last = (start, len(lines), place)
        return Suggestion(lines[place][len(start) :]) if place < len(lines) else None
