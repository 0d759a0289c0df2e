"""Table cells: a gutter for the sign of change, long values broken between the rows of their matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

MOST_LINES, MORE = 3, " ..."


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of text, drawn behind a gutter that holds the sign, if any.

    style: of sign and text, a rich style definition; gutter: in columns; most: lines, of which the last one then ends
    in dots.
    """

    text: str
    sign: str = ""
    style: str = ""
    gutter: int = 2
    most: int = MOST_LINES

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        narrow = max(len(part) for part in _matrix_rows(self.text))
        return Measurement(self.gutter + narrow, self.gutter + len(self.text)).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - self.gutter, 1)
        style = console.get_style(self.style)
        for number, line in enumerate(_shortened(list(_lines(self.text, width)), width, self.most)):
            sign = f"{self.sign if number == 0 else '':<2}"
            yield Segment(f"{sign:>{self.gutter}}{line}", style)
            yield Segment.line()


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's name over a rule as wide as the column: rules of neighbours join."""

    text: str
    gutter: int = 2

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = min(self.gutter + len(self.text), options.max_width)
        return Measurement(width, width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(" " * self.gutter + self.text, console.get_style("bold"))
        yield Segment.line()
        yield Segment(("-" if options.ascii_only else "─") * options.max_width, console.get_style("bright_black"))


def _shortened(lines: list[str], width: int, most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    room, last = max(width - len(MORE), 0), lines[most - 1].rstrip()
    if len(last) > room:  # a number isn't cut: it would be another one
        last = last[:room].rpartition(" ")[0] or last[:room]
    return [*lines[: most - 1], last + MORE]


def _lines(text: str, width: int) -> Iterator[str]:
    for part in [text] if len(text) <= width else _matrix_rows(text):
        while len(part) > width:
            end = part.rfind(" ", 1, width + 1)
            end = width if end <= 0 or part[:end].isspace() else end
            yield part[:end]
            part = part[end:]
        yield part


def _matrix_rows(text: str) -> list[str]:
    rows = text.split("], ")
    return [(" " if n else "") + row + ("]," if n < len(rows) - 1 else "") for n, row in enumerate(rows)]
