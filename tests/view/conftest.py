"""Outcomes to draw, made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gradrepl.session.outcome import GradMode, Outcome, TensorRow

ON = GradMode(True, ())


@pytest.fixture
def off() -> GradMode:
    """The mode inside `with torch.no_grad():`."""
    return GradMode(False, ("no_grad",))


@pytest.fixture
def x() -> TensorRow:
    """A leaf with a gradient."""
    return TensorRow("x", (1,), "torch.float32", True, True, None, "[2.]", "[1.]")


@pytest.fixture
def y() -> TensorRow:
    """A result."""
    return TensorRow("y", (1,), "torch.float32", True, False, "MulBackward0", None, "[2.]")


@pytest.fixture
def outcome() -> Callable[..., Outcome]:
    """Makes the outcome of a statement that left `rows`, ran under `mode` and unbound `gone`."""

    def make(*rows: TensorRow, mode: GradMode = ON, after: GradMode = ON, gone: tuple[str, ...] = ()) -> Outcome:
        return Outcome("y = x * 2\n", 1, (), (), None, mode, ON, after, (), rows, gone)

    return make
