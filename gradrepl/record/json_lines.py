"""The event stream of `--json`: a header line, then one line a statement (stated in docs/json.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from gradrepl.session.outcome import Failure, Outcome, TensorRow
from gradrepl.view.safe import pieces

FORMAT = "gradrepl-events"
VERSION = 1


def header(engine: str, language: str) -> str:
    """The first line: what follows, in which version, from which engine, in which language."""
    return json.dumps({"format": FORMAT, "version": VERSION, "engine": engine, "lang": language})


def event(outcome: Outcome, lesson: str | None = None, step: str | None = None) -> str:
    """One statement as one line of ASCII; lesson and step are ids, None outside lessons."""
    return "".join(parts(outcome, lesson, step))


def parts(outcome: Outcome, lesson: str | None, step: str | None) -> Iterator[str]:
    """The same piece by piece: of a long output no more than a piece is held twice."""
    first = {"lesson": lesson, "step": step, "source": outcome.source}
    last = {
        "warnings": [{"category": w.category, "message": w.message} for w in outcome.warnings],
        "error": _error(outcome.failure),
        "grad_mode": {"enabled": outcome.mode.enabled, "stack": list(outcome.mode.stack)},
        "tensors": [_tensor(row) for row in outcome.rows],
    }
    yield json.dumps(first)[:-1] + ', "stdout": '
    yield from _text(output.text for output in outcome.outputs if output.kind == "stdout")
    yield ', "value": '
    yield from ("null",) if outcome.value is None else _text((outcome.value,))
    yield ", " + json.dumps(last)[1:]


def _text(texts: Iterable[str]) -> Iterator[str]:
    yield '"'
    for text in texts:
        yield from (json.dumps(piece)[1:-1] for piece in pieces(text))
    yield '"'


def _error(failure: Failure | None) -> dict[str, str] | None:
    return None if failure is None else {"type": failure.type, "message": failure.message}


def _tensor(row: TensorRow) -> dict[str, Any]:
    names = ("name", "shape", "dtype", "requires_grad", "is_leaf", "grad_fn", "grad", "value", "changed")
    fields = asdict(row)
    return {name: fields[name] for name in names}
