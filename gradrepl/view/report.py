"""What a statement showed, as rich texts: printed text, echo, warnings, traceback."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from gradrepl.session.outcome import Failure, Output, Warned
from gradrepl.view import plain
from gradrepl.view.safe import pieces, visible


def output(output: Output) -> Iterator[Text]:
    """A piece of output, as it was printed, in texts that follow one another; an echo gets its newline."""
    style = "yellow" if output.kind == "stderr" else ""
    for piece in pieces(output.text + ("\n" if output.kind == "echo" else "")):
        yield Text(visible(piece), style=style)


def warning(warned: Warned) -> Text:
    """A warning's category and message."""
    text = Text(plain.warning(warned), style="yellow")
    text.stylize("bold", 0, len(warned.category))
    return text


def failure(failure: Failure) -> Text:
    """The traceback as Python prints it, the exception's own words brightest."""
    trace = visible(failure.traceback).rstrip("\n")
    text = Text(trace, style="red")
    text.stylize("bold", _last_words(trace, failure), len(trace))
    return text


def _last_words(trace: str, failure: Failure) -> int:
    return max(trace.rfind("\n" + failure.type) + 1, 0)
