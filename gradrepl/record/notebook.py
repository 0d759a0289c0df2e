"""A lesson that has run, as a Jupyter notebook (nbformat 4.5): each statement is a cell that runs there as it is."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, TextIO

from gradrepl.record.event import Event, LessonBegins, Ran, StepBegins
from gradrepl.record.markdown import seen, told
from gradrepl.record.writer import Setting
from gradrepl.session.outcome import Outcome
from gradrepl.view import plain
from gradrepl.view.safe import pieces, visible

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Each lesson is a session of its own; a mode that the one before left behind must not reach into the next.
FRESH = "import torch\n_ = torch.set_grad_enabled(True)\n_ = torch.manual_seed({seed})"
WITH_TABLES = "try:\n    %load_ext gradrepl\nexcept ImportError:\n    pass  # without gradrepl: PyTorch, and no tables"
RAISES = "raises-exception"


class NotebookWriter:
    """Writes a notebook; of long outputs only a piece at a time is in memory."""

    def __init__(self, out: TextIO, setting: Setting) -> None:
        self._out, self._setting = out, setting
        self._lesson, self._step = "", ""
        self._lessons, self._count, self._runs = 0, 0, 0
        self._first = True
        self._out.write('{"cells": [')

    def add(self, event: Event) -> None:
        match event:
            case LessonBegins():
                self._lessons += 1
                self._enter(f"{self._lessons}/{event.lesson.id}", "")
                self._words(event)
                if self._runs == 0:
                    self._code(WITH_TABLES, ())
                self._code(FRESH.format(seed=event.lesson.seed), ())
            case StepBegins():
                self._enter(self._lesson, event.step.id)
                self._words(event)
            case Ran():
                self._code(event.example.source.rstrip("\n"), event.outcomes)
            case _:
                self._words(event)

    def end(self) -> None:
        """The notebook's own facts."""
        self._out.write(f'\n], "metadata": {json.dumps(METADATA)}, "nbformat": 4, "nbformat_minor": 5}}\n')

    def _enter(self, lesson: str, step: str) -> None:
        self._lesson, self._step, self._count = lesson, step, 0

    def _words(self, event: Event) -> None:
        text = "\n\n".join(told(event, self._setting))
        if text:
            self._cell({"cell_type": "markdown", "metadata": {}, "source": text})

    def _code(self, source: str, outcomes: tuple[Outcome, ...]) -> None:
        self._runs += 1
        tags = [RAISES] if any(outcome.failure for outcome in outcomes) else []
        cell = {
            "cell_type": "code",
            "execution_count": self._runs,
            "metadata": {"tags": tags} if tags else {},
            "source": source,
        }
        self._cell(cell, outcomes)

    def _cell(self, fields: dict[str, Any], outcomes: tuple[Outcome, ...] | None = None) -> None:
        self._count += 1
        name = f"{self._lesson}/{self._step}/{self._count}"
        cell = {"id": sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16], **fields}
        self._out.write(f"{'' if self._first else ','}\n{_json(cell)[:-1]}")
        if outcomes is not None:
            self._out.write(', "outputs": [')
            self._outputs(outcomes)
            self._out.write("]")
        self._out.write("}")
        self._first = False

    def _outputs(self, outcomes: tuple[Outcome, ...]) -> None:
        comma = ""
        for outcome in outcomes:
            for parts in self._of(outcome, is_result=outcome is outcomes[-1] and _is_expression(outcome.source)):
                self._out.write(comma)
                self._out.writelines(parts)
                comma = ", "

    def _of(self, outcome: Outcome, *, is_result: bool) -> Iterator[Iterator[str]]:
        """One output after the other, each in pieces of JSON."""
        for output in outcome.outputs:
            if output.kind == "echo":
                count = f'"output_type": "execute_result", "execution_count": {self._runs}'
                head = count if is_result else '"output_type": "display_data"'
                yield _long(f'{{{head}, "metadata": {{}}, "data": {{"text/plain": [', output.text, "]}}")
            else:
                yield _long(f'{{"output_type": "stream", "name": "{output.kind}", "text": [', output.text, "]}")
        for warned in outcome.warnings:
            yield iter([_json({"output_type": "stream", "name": "stderr", "text": plain.warning(warned) + "\n"})])
        if outcome.failure is not None:
            yield iter([_json(_error(outcome))])
        words = "\n\n".join(seen(outcome, self._setting))
        if words:
            data = {"text/markdown": words, "text/plain": "\n".join(plain.state(outcome, self._setting._))}
            yield iter([_json({"output_type": "display_data", "metadata": {}, "data": data})])


def _is_expression(source: str) -> bool:
    """Whether Jupyter shows the value of that statement; it shows none from within a block, as Python's prompt does."""
    try:
        return isinstance(ast.parse(source).body[-1], ast.Expr)
    except (SyntaxError, ValueError, RecursionError, MemoryError, IndexError):
        return False


def _error(outcome: Outcome) -> dict[str, Any]:
    failure = outcome.failure
    assert failure is not None
    trace = visible(failure.traceback).rstrip("\n").split("\n")
    return {
        "output_type": "error",
        "ename": failure.type,
        "evalue": visible(failure.message),
        "traceback": trace,
    }


def _long(head: str, text: str, tail: str) -> Iterator[str]:
    """JSON with a list of the pieces of a text, which nbformat joins."""
    yield head
    for number, piece in enumerate(pieces(text)):
        yield (", " if number else "") + _json(visible(piece))
    yield tail


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
