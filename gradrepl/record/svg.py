"""A terminal as an SVG picture that needs nothing from elsewhere; its colours follow the theme of who looks."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from html import escape
from itertools import accumulate, pairwise
from typing import Literal, TextIO

from rich.ansi import AnsiDecoder
from rich.cells import cell_len, chop_cells
from rich.style import Style
from rich.text import Text

COLUMNS = 100
WIDTH, HEIGHT, MARGIN, BAR, FONT = 8.4, 19, 16, 38, 14  # pixels: of a letter, a line, the edge, the title bar
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
DARK = {
    "black": "#484f58",
    "red": "#ff7b72",
    "green": "#56d364",
    "yellow": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#56d4dd",
    "white": "#c9d1d9",
    "bright": "#8b949e",
    "front": "#e6edf3",
    "back": "#0d1117",
}
LIGHT = {
    "black": "#24292f",
    "red": "#b3211f",
    "green": "#116329",
    "yellow": "#7d4e00",
    "blue": "#0550ae",
    "magenta": "#7a3ab8",
    "cyan": "#0b6170",
    "white": "#57606a",
    "bright": "#59636e",
    "front": "#1f2328",
    "back": "#ffffff",
}
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Theme = Literal["auto", "light", "dark"]


class Picture:
    """Draws lines one below the other; the picture is written at the end, when its height is known.

    title: what the bar on top says, and what a screen reader says first.
    """

    def __init__(self, out: TextIO, title: str, theme: Theme) -> None:
        self._out, self._title, self._theme = out, title, theme
        self._decoder = AnsiDecoder()
        self._count = 0
        self._open = Text()
        # Closed by end(), or with the picture: a temporary file has no name that could stay behind.
        self._body = tempfile.TemporaryFile(  # noqa: SIM115
            "w+", encoding="utf-8", newline="\n", errors="backslashreplace"
        )

    def draw(self, text: str) -> None:
        """Draw a text with the escape sequences of colours and styles; a line that is open goes on in the next one."""
        *ended, rest = text.split("\n")
        for line in ended:
            self._add(line)
            self._end_line()
        self._add(rest)

    def end(self) -> None:
        """Write the picture."""
        if self._open:
            self._end_line()
        self._body.seek(0)
        self._out.write(head(self._title, self._count, self._theme))
        shutil.copyfileobj(self._body, self._out)
        self._out.write("</g>\n</svg>\n")
        self._body.close()

    def _add(self, text: str) -> None:
        self._open.append_text(self._decoder.decode_line(text))
        if len(self._open) > COLUMNS:
            *full, self._open = wrapped(self._open)
            for part in full:
                self._draw_line(part)

    def _end_line(self) -> None:
        self._draw_line(self._open)
        self._open = Text()

    def _draw_line(self, line: Text) -> None:
        self._body.write(self._line(line))
        self._count += 1

    def _line(self, line: Text) -> str:
        y = BAR + MARGIN + HEIGHT * self._count
        return "".join(_piece(text, style, column, y) for column, text, style in pieces(line))


def wrapped(line: Text) -> Iterator[Text]:
    """A line in parts that fit in COLUMNS; at least one."""
    line.expand_tabs(8)
    ends = list(accumulate(len(part) for part in chop_cells(line.plain, COLUMNS)))
    yield from line.divide(ends[:-1])


def pieces(line: Text) -> Iterator[tuple[int, str, Style]]:
    """The pieces of one style each, with the column where each begins; spaces without a background are none."""
    column = 0
    bounds = sorted({0, len(line), *(edge for span in line.spans for edge in (span.start, span.end))})
    for start, end in pairwise(bounds):
        text = line.plain[start:end]
        styles = [span.style for span in line.spans if span.start <= start and end <= span.end]
        style = Style.combine([Style.null(), *(one for one in styles if isinstance(one, Style))])
        if text.strip() or style.reverse:
            yield column, text, style
        column += cell_len(text)


def head(title: str, lines: int, theme: Theme) -> str:
    """The beginning of the file: size, title, colours, the empty terminal."""
    width, height = round(COLUMNS * WIDTH + 2 * MARGIN), BAR + 2 * MARGIN + HEIGHT * max(lines, 1)
    name = _xml(title)
    dots = "".join(f'<circle class="bright" cx="{MARGIN + 6 + 18 * n}" cy="{BAR // 2}" r="5"/>' for n in range(3))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="title">\n<title id="title">{name}</title>\n<style>\n{_colours(theme)}</style>\n'
        f'<rect class="back" width="{width}" height="{height}" rx="8"/>\n{dots}\n'
        f'<text class="front" x="{width // 2}" y="{BAR // 2 + 5}" text-anchor="middle">{name}</text>\n<g>\n'
    )


def _colours(theme: Theme) -> str:
    family = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
    font = f"text {{ font: {FONT}px {family}; white-space: pre; }}\n"
    extra = ".bold { font-weight: bold; }\n.italic { font-style: italic; }\n.under { text-decoration: underline; }\n"
    if theme != "auto":
        return font + extra + _classes(DARK if theme == "dark" else LIGHT)
    # Programs that draw SVG but know no media queries take what stands first.
    return f"{font}{extra}{_classes(LIGHT)}@media (prefers-color-scheme: dark) {{\n{_classes(DARK)}}}\n"


def _classes(colours: dict[str, str]) -> str:
    return "".join(f".{name} {{ fill: {colour}; }}\n" for name, colour in colours.items())


def _piece(text: str, style: Style, column: int, y: int) -> str:
    words, blanks = text.strip(" "), len(text) - len(text.lstrip(" "))
    x, length = MARGIN + WIDTH * column, WIDTH * cell_len(text)
    drawn = ""
    if style.reverse:
        drawn = f'<rect class="front" x="{x:.1f}" y="{y}" width="{length:.1f}" height="{HEIGHT}"/>'
    x, length = x + WIDTH * blanks, WIDTH * cell_len(words)
    place = f'x="{x:.1f}" y="{y + FONT}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"'
    return f'{drawn}<text class="{_class(style)}" {place}>{_xml(words)}</text>\n'


def _class(style: Style) -> str:
    number = style.color.number if style.color is not None else None
    colour = "front" if number is None or number > 15 else "bright" if number == 8 else NAMES[number % 8]
    extra = {"bold": style.bold, "italic": style.italic, "under": style.underline}
    words = ["back" if style.reverse else "bright" if style.dim else colour]
    return " ".join(words + [name for name, wanted in extra.items() if wanted])


def _xml(text: str) -> str:
    return escape(NOT_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", text))
