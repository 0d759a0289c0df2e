"""Anomaly mode: which forward operation a failing or nan-making backward belongs to."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradrepl.engine import autograd, graph, in_place, node, op, quick
from gradrepl.engine.api import functions
from gradrepl.engine.derivatives import function
from gradrepl.engine.dtype import INEXACT
from gradrepl.engine.grad_mode import check_bool
from gradrepl.engine.graph import UNDEFINED, Node, Walk, next_sequence
from gradrepl.engine.tensor import Tensor

ENABLED = (
    "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging."
)
NO_FORWARD = (
    "Error detected in {}. No forward pass information available. Enable detect anomaly during forward pass for more "
    "information."
)
LOOK_ABOVE = (
    "the backtrace further above shows the operation that failed to compute its gradient. The variable in question was "
    "changed in there or anywhere later. Good luck!"
)
DETECTED = "Error detected in {}. Traceback of forward call that caused the error:\n{}"
INDUCED = (
    "\n\nPrevious calculation was induced by {}. Traceback of forward call that induced the previous calculation:\n{}"
)
ENGINE = str(Path(__file__).parents[1])
MOST_TRACES = 100_000


class _State:
    """Whether anomaly mode is on, and what was seen: for each node's number the call that made it, and its cause."""

    def __init__(self) -> None:
        self.enabled = False
        self.check_nan = True
        self.traces: dict[int, tuple[str, Node | None]] = {}
        self.running: list[Node] = []


state = _State()


def traced_sequence() -> int:
    """Number a new node and remember the call that makes it."""
    number = next_sequence()
    frames = [frame for frame in traceback.extract_stack() if not frame.filename.startswith(ENGINE)]
    if len(state.traces) >= MOST_TRACES:
        state.traces.pop(next(iter(state.traces)))
    state.traces[number] = ("".join(traceback.format_list(frames)), state.running[-1] if state.running else None)
    return number


def switch(enabled: bool, check_nan: bool) -> None:
    """Switch anomaly mode on or off: new nodes are numbered with their traces, backward looks at every result."""
    state.enabled, state.check_nan = enabled, check_nan
    number = traced_sequence if enabled else next_sequence
    for module in (node, op, quick, in_place, function):
        module.next_sequence = number  # type: ignore[attr-defined]
    autograd.walks[-1] = CarefulWalk if enabled else Walk
    node.hints[1:] = [LOOK_ABOVE] if enabled else []
    graph.tellers[:] = [metadata]


def metadata(one: Node) -> dict[str, Any]:
    """Return what anomaly mode knows of a node, as its metadata show it."""
    trace, parent = state.traces.get(one.sequence, ("", None))
    known = {"traceback_": trace.splitlines(keepends=True), "parent_": parent}
    return {name: value for name, value in known.items() if value}


class CarefulWalk(Walk):
    """A backward that tells which node failed."""

    quick = False

    def run_node(self, node: Node, gradient: Any) -> Sequence[Any]:
        """Run a node; raises RuntimeError where a gradient of its is nan."""
        state.running.append(node)
        try:
            gradients = super().run_node(node, gradient)
            if state.check_nan:
                check_nan(node, gradients)
        except Exception:
            warn_of(node)
            raise
        finally:
            state.running.pop()
        return gradients


def check_nan(node: Node, gradients: Sequence[Any]) -> None:
    for number, gradient in enumerate(gradients):
        data = gradient._data if isinstance(gradient, Tensor) else gradient
        if (
            data is not None
            and data is not UNDEFINED
            and node.edges[number] is not None
            and data.dtype in INEXACT
            and np.isnan(data).any()
        ):
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {number}th output.")


def warn_of(node: Node) -> None:
    """Warn with the call that made a node, and the calls whose backward made that."""
    trace, parent = state.traces.get(node.sequence, ("", None))
    if not trace:
        warnings.warn(NO_FORWARD.format(node.name()), UserWarning, stacklevel=6)
        return
    warnings.warn(DETECTED.format(node.name(), trace), UserWarning, stacklevel=6)
    while parent is not None:
        trace, next_parent = state.traces.get(parent.sequence, ("", None))
        if trace:
            warnings.warn(INDUCED.format(parent.name(), trace), UserWarning, stacklevel=6)
        parent = next_parent


class detect_anomaly:  # noqa: N801
    """Find the operation whose backward fails or makes nan (torch.autograd.detect_anomaly)."""

    def __init__(self, check_nan: bool = True) -> None:
        self.before = (state.enabled, state.check_nan)
        self.check_nan = check_nan
        warnings.warn(ENABLED, UserWarning, stacklevel=2)

    def __enter__(self) -> None:
        self.before = (state.enabled, state.check_nan)
        switch(True, self.check_nan)

    def __exit__(self, *exception: object) -> None:
        switch(*self.before)


class set_detect_anomaly:  # noqa: N801
    """Switch anomaly mode at once, or for a block (torch.autograd.set_detect_anomaly)."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = (state.enabled, state.check_nan)
        check_bool("set_anomaly_enabled", "enabled", mode)
        switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        switch(*self.before)


def is_anomaly_enabled() -> bool:
    """Return whether anomaly mode is on (torch.is_anomaly_enabled)."""
    return state.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Return whether anomaly mode looks for nan (torch.is_anomaly_check_nan_enabled)."""
    return state.check_nan


for _switch in (detect_anomaly, set_detect_anomaly):
    _switch.__module__ = "torch.autograd.anomaly_mode"
functions("torch.autograd", detect_anomaly=detect_anomaly, set_detect_anomaly=set_detect_anomaly)
functions("torch.autograd.anomaly_mode", detect_anomaly=detect_anomaly, set_detect_anomaly=set_detect_anomaly)
functions(is_anomaly_enabled=is_anomaly_enabled, is_anomaly_check_nan_enabled=is_anomaly_check_nan_enabled)
