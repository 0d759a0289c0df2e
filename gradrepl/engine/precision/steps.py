"""Where PyTorch's code for 16 bits rounds on the way: what a forward, which runs in float32 here, puts down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

Rounding = Callable[[Any], Any]


class _Now(threading.local):
    """How the forward that runs in this thread rounds to the dtype of its operands, where that has 16 bits."""

    rounding: Rounding | None = None


now = _Now()


def put_down(values: Any) -> Any:
    """Return float32 values as PyTorch puts them down between two steps: rounded where operands have 16 bits."""
    return values if now.rounding is None else now.rounding(values)


def run_with(rounding: Rounding, forward: Callable[..., Any], values: Any) -> Any:
    """Run a forward on float32 arrays that stand for others of 16 bits."""
    before, now.rounding = now.rounding, rounding
    try:
        return forward(*values)
    finally:
        now.rounding = before
