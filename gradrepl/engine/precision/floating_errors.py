"""Silence where numpy would warn of log(0) and the like: PyTorch gives inf and nan without a word."""

from __future__ import annotations

import sys
import warnings

import numpy as np


def report(kind: str, flag: int) -> None:
    """Warn of a floating-point error as numpy does, unless it happened inside the engine."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("numpy."):
        frame, level = frame.f_back, level + 1
    if not frame.f_globals.get("__name__", "").startswith("gradrepl.engine"):
        warnings.warn(f"{kind} encountered", RuntimeWarning, stacklevel=level)


def be_silent() -> None:
    """Let numpy call `report` for floating-point errors, in this thread's context."""
    np.seterrcall(report)
    np.seterr(divide="call", over="call", invalid="call")
