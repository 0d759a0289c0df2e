"""The event stream of `--json`: a header line, then one line a statement (stated in docs/json.md)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from gradrepl.session.outcome import Failure, Outcome, TensorRow

FORMAT = "gradrepl-events"
VERSION = 1


def header(engine: str, language: str) -> str:
    """The first line: what follows, in which version, from which engine, in which language."""
    return json.dumps({"format": FORMAT, "version": VERSION, "engine": engine, "lang": language})


def event(outcome: Outcome, lesson: str | None = None, step: str | None = None) -> str:
    """One statement as one line of ASCII; lesson and step are ids, None outside lessons."""
    return json.dumps(
        {
            "lesson": lesson,
            "step": step,
            "source": outcome.source,
            "stdout": outcome.stdout,
            "value": outcome.value,
            "warnings": [{"category": w.category, "message": w.message} for w in outcome.warnings],
            "error": _error(outcome.failure),
            "grad_mode": {"enabled": outcome.mode.enabled, "stack": list(outcome.mode.stack)},
            "tensors": [_tensor(row) for row in outcome.rows],
        }
    )


def _error(failure: Failure | None) -> dict[str, str] | None:
    return None if failure is None else {"type": failure.type, "message": failure.message}


def _tensor(row: TensorRow) -> dict[str, Any]:
    names = ("name", "shape", "dtype", "requires_grad", "is_leaf", "grad_fn", "grad", "value", "changed")
    fields = asdict(row)
    return {name: fields[name] for name in names}
