"""Exceptions as Python prints them, without frames of gradrepl or of the engine."""

from __future__ import annotations

import io
import re
import sys
import traceback
from pathlib import Path
from types import TracebackType

from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Failure

HOUSE = Path(__file__).resolve().parent.parent
INPUT = "<stdin {}>"
NUMBERED = re.compile(r'(?<=File ")<stdin \d+>(?=")')


def line_at(place: TracebackType) -> int:
    """Return the line of a place in a traceback; the function's first line where an interrupt fell between lines."""
    line: int | None = place.tb_lineno
    return place.tb_frame.f_code.co_firstlineno if line is None else line


def own_frames(error: BaseException, engine: Engine, filename: str) -> TracebackType | None:
    """Return the traceback without the frames that the learner did not write.

    Frames of gradrepl and of the engine go, and all that precede the first one of `filename` (the event
    loop of a top-level `await`); if nothing else is left, none is shown.
    """
    hidden = [str(HOUSE), *engine.roots]
    frames = list(chain(error.__traceback__))
    names = [frame.tb_frame.f_code.co_filename for frame in frames]
    first = names.index(filename) if filename in names else 0
    result: TracebackType | None = None
    for frame, name in reversed(list(zip(frames, names, strict=True))[first:]):
        if not any(Path(name).is_relative_to(root) for root in hidden):
            result = TracebackType(result, frame.tb_frame, frame.tb_lasti, line_at(frame))
    return result


def chain(frame: TracebackType | None) -> list[TracebackType]:
    """Return a traceback's frames, the outermost first."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.tb_next
    return frames


def printed(error: BaseException) -> str:
    """Return what Python prints for an exception, with source lines and its suggestion of another name.

    Before Python 3.12 only the interpreter's own hook makes the suggestion, and only the traceback module
    knows the source of typed code: the text is put together from both.
    """
    text = "".join(traceback.format_exception(error))
    before, sys.stderr = sys.stderr, io.StringIO()
    try:
        sys.__excepthook__(type(error), error, error.__traceback__)
        spoken = sys.stderr.getvalue()
    finally:
        sys.stderr = before
    body, _, last = text.rstrip("\n").rpartition("\n")
    suggested = spoken.rstrip("\n").rpartition("\n")[2]
    if suggested != last and suggested.startswith(last):
        text = f"{body}\n{suggested}\n" if body else f"{suggested}\n"
    return NUMBERED.sub("<stdin>", text)


def name_of(error: BaseException) -> str:
    """Return the class's name as a traceback shows it: with its module, unless that is builtins or __main__."""
    kind = type(error)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def message_of(error: BaseException, text: str) -> str:
    """Return an exception's message, and behind it Python's suggestion where the printed text has one."""
    if isinstance(error, SyntaxError):
        return error.msg or ""
    try:
        message = str(error)
    except Exception:  # the learner's own class may fail to speak; the traceback says so
        return ""
    start = f"{name_of(error)}: {message}"
    _, found, behind = text.rpartition(start)
    return message + (behind.partition("\n")[0] if message and found else "")


def describe(error: BaseException, engine: Engine, filename: str) -> Failure:
    """Return an exception as a frozen value; the exceptions that led to it lose the same frames."""
    seen: BaseException | None = error
    while seen is not None:
        seen.__traceback__ = own_frames(seen, engine, filename)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    if isinstance(error, KeyboardInterrupt):
        return Failure("KeyboardInterrupt", "", "KeyboardInterrupt\n", line_in(error, filename))
    text = printed(error)
    return Failure(name_of(error), message_of(error, text), text, line_in(error, filename))


def line_in(error: BaseException, filename: str) -> int | None:
    """Return the line of the statement that an exception points at."""
    if isinstance(error, SyntaxError) and error.filename == filename:
        return error.lineno
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == filename]
    return lines[0] if lines else None
