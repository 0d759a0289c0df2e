"""Run a program: `-c`, a file, or standard input."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradrepl.app.program import Program
from gradrepl.app.screens.screen import Screen
from gradrepl.session.core import Session, statements
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Outcome

FAILED, INTERRUPTED = 1, 130


def execute(program: Program, engine: Engine, screen: Screen, *, transcript: bool) -> int:
    """Run a program and show what each statement does; returns the exit status that Python would.

    transcript: show each statement too, behind `>>> `.
    """
    status = 0
    with _as_script(program.filename), Session(engine, screen.output) as session:
        session.names["__file__"] = program.filename
        outcomes = session.run(program.source, program.filename)
        for source in _sources(program.source):
            if transcript:
                screen.source(source)
            outcome = next(outcomes, None)
            if outcome is None:
                break
            screen.result(outcome)
            status = exit_status(outcome)
            if outcome.ends:
                break
    return status


def exit_status(outcome: Outcome) -> int:
    """What Python would exit with if its program ended with this statement."""
    if outcome.exit_status is not None:
        return outcome.exit_status
    if outcome.failure is None:
        return 0
    return INTERRUPTED if outcome.failure.type == "KeyboardInterrupt" else FAILED


def _sources(source: str) -> list[str]:
    """The top-level statements, so that each can be shown before it prints; a broken source is one."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [source]
    return [text for _statement, text, _silent in statements(source, body)]


@contextmanager
def _as_script(filename: str) -> Iterator[None]:
    """`sys.argv` and `sys.path[0]` as Python sets them for a program."""
    argv, path = sys.argv, sys.path[:]
    sys.argv = ["-c" if filename == "<string>" else filename]
    sys.path.insert(0, str(Path(filename).resolve().parent) if Path(filename).is_file() else "")
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
