"""What it costs to run something, told without a clock: a busy machine is slow, yet does no more than an idle one."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def with_calls(run: Callable[[], Result]) -> tuple[Result, int]:
    """Run something; return its result, and how many functions, Python's and C's, it called."""
    calls = 0

    def look(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(look)
    try:
        result = run()
    finally:
        sys.setprofile(None)
    return result, calls


def with_peak(run: Callable[[], Result]) -> tuple[Result, int]:
    """Run something; return its result, and the bytes it took at most: Python's and numpy's, not PyTorch's own."""
    tracemalloc.start()
    try:
        return run(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
