"""Code that appears letter by letter, with a line below it that moves along."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gradrepl.view.code import code

CLEAR_LINE, CLEAR_BELOW, UP = "\r\x1b[2K", "\x1b[J", "\x1b[A\r"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
PROMPT = 4  # columns


class Pen:
    """Writes on a console, below which a footer stands; no alternate screen, and nothing above is touched.

    The footer is on the line where the next text goes, or below the line that is being typed.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._footer: str | None = None
        self._source = ""
        self._text = Text()
        self._typed = -1  # letters of the text; -1 while no line is open
        self._column = 0

    def footer(self, text: str) -> None:
        """Let this line stand at the bottom."""
        if text == self._footer:
            return
        self.clear()
        self._footer = text
        shown = Text(text, style="reverse")
        if self._typed < 0:
            self._write(HIDE_CURSOR)
            self._console.print(shown, end="\r", soft_wrap=True)
            return
        self._write("\n")
        self._console.print(shown, end="", soft_wrap=True)
        self._write(UP + (f"\x1b[{self._column}C" if self._column else ""))

    def clear(self) -> None:
        """Take the footer away: what comes next stands where it was."""
        if self._footer is not None:
            self._write(CLEAR_LINE + SHOW_CURSOR if self._typed < 0 else CLEAR_BELOW)
        self._footer = None

    def type(self, source: str, count: int) -> None:
        """Let a statement stand there as far as its first `count` letters."""
        if self._typed < 0 or source != self._source:
            self.close()
            self.clear()
            self._source, self._text = source, code(source.expandtabs(PROMPT))
            self._typed = self._column = 0
        lines = source[:count].count("\n") + 1
        whole = count >= len(source.rstrip("\n"))
        self._type_up_to(len(self._text) if whole else count + PROMPT * lines)

    def close(self) -> None:
        """End the line that is open."""
        if self._typed >= 0:
            self.clear()
            self._typed = -1
            self._write("\n")

    def _type_up_to(self, end: int) -> None:
        for letter in self._text[self._typed : end].divide(range(1, end - self._typed)):
            width = cell_len(letter.plain)
            if letter.plain == "\n" or self._column + width >= self._console.width:
                self.clear()
                self._write("\n")
                self._column = 0
            if letter.plain != "\n":
                self._console.print(letter, end="", soft_wrap=True)
                self._column += width
        self._typed = end

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()
