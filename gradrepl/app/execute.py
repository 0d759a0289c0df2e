"""Run a program: `-c`, a file, or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradrepl.app.program import Program
from gradrepl.app.screen import Screen
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Outcome

FAILED, INTERRUPTED = 1, 130


def execute(program: Program, engine: Engine, screen: Screen, *, transcript: bool) -> int:
    """Run a program and show what each statement does; returns the exit status that Python would.

    transcript: show each statement too, behind `>>> `.
    """
    status = 0
    with _as_script(program.filename), Session(engine) as session:
        for outcome in session.run(program.source, program.filename):
            _show(outcome, screen, transcript=transcript)
            status = exit_status(outcome)
    return status


def exit_status(outcome: Outcome) -> int:
    """What Python would exit with if its program ended with this statement."""
    if outcome.exit_status is not None:
        return outcome.exit_status
    if outcome.failure is None:
        return 0
    return INTERRUPTED if outcome.failure.type == "KeyboardInterrupt" else FAILED


def _show(outcome: Outcome, screen: Screen, *, transcript: bool) -> None:
    if transcript:
        screen.source(outcome.source)
    for output in outcome.outputs:
        screen.output(output)
    screen.result(outcome)


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
