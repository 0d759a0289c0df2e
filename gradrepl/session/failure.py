"""Exceptions as Python prints them, without frames of gradrepl or of the engine."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path
from types import TracebackType

from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Failure

HOUSE = str(Path(__file__).resolve().parent.parent)


def own_frames(error: BaseException, engine: Engine) -> TracebackType | None:
    """Return the traceback without the frames that the learner did not write.

    Frames of gradrepl and of the engine go; if nothing else is left, none is shown.
    """
    hidden = (HOUSE, *engine.roots)
    kept = []
    current = error.__traceback__
    while current is not None:
        name = current.tb_frame.f_code.co_filename
        if not any(name.startswith(root) for root in hidden):
            kept.append(current)
        current = current.tb_next
    result: TracebackType | None = None
    for frame in reversed(kept):
        result = TracebackType(result, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return result


def printed(error: BaseException) -> str:
    """Return what Python prints for an exception, with source lines and its suggestion of another name.

    Before Python 3.12 only the interpreter's own hook makes the suggestion, and only the traceback module
    knows the source of typed code: the text is put together from both.
    """
    text = "".join(traceback.format_exception(error))
    before, sys.stderr = sys.stderr, io.StringIO()
    try:
        sys.__excepthook__(type(error), error, None)
        spoken = sys.stderr.getvalue()
    finally:
        sys.stderr = before
    body, _, last = text.rstrip("\n").rpartition("\n")
    suggested = spoken.rstrip("\n").rpartition("\n")[2]
    if suggested != last and suggested.startswith(last):
        text = f"{body}\n{suggested}\n" if body else f"{suggested}\n"
    return text


def message_of(error: BaseException, text: str) -> str:
    """Return what Python prints behind the exception's name."""
    if isinstance(error, SyntaxError):
        return error.msg or ""
    start = text.rfind(f"{type(error).__name__}: ")
    return text[start:].partition(": ")[2].rstrip("\n") if start >= 0 else ""


def describe(error: BaseException, engine: Engine, filename: str) -> Failure:
    """Return an exception as a frozen value; chained exceptions are cleaned like the last one."""
    seen: BaseException | None = error
    while seen is not None:
        seen.__traceback__ = own_frames(seen, engine)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    if isinstance(error, KeyboardInterrupt):
        return Failure("KeyboardInterrupt", "", "KeyboardInterrupt\n", line_in(error, filename))
    text = printed(error)
    return Failure(type(error).__name__, message_of(error, text), text, line_in(error, filename))


def line_in(error: BaseException, filename: str) -> int | None:
    """Return the line of the statement that an exception points at."""
    if isinstance(error, SyntaxError) and error.filename == filename:
        return error.lineno
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == filename:
            line = number
    return line
