"""Dual tensors: values that carry a tangent through operations while a level of forward mode is open."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from gradrepl.engine.grad_mode import INFERENCE, mode, no_grad
from gradrepl.engine.tensor import Tensor

NESTED = "Nested forward mode AD is not supported at the moment"


class Level:
    """One block of forward mode; tangents belong to it and end with it. members: the tensors that have one."""

    def __init__(self) -> None:
        self.members: list[weakref.ref[Tensor]] = []

    def end(self) -> None:
        """Let all tangents go."""
        for member in self.members:
            tensor = member()
            if tensor is not None:
                tensor.__dict__.pop("_dual", None)


class _Forward:
    """The state of forward mode.

    level: the open level, or None. carrying: whether operations carry tangents now; not while they compute one.
    recorded: whether a transform finds tangents by going back twice, through what is recorded.
    """

    level: Level | None = None
    carrying = False
    recorded = False


forward = _Forward()


class Dual(Tensor):
    """A tensor with a tangent; not a plain Tensor, so that no short way of an operation takes it."""

    __slots__ = ()


Dual.__name__ = Dual.__qualname__ = "Tensor"
Dual.__module__ = "torch"


def tangent_of(tensor: Any) -> Tensor | None:
    """Return the tangent that a tensor has at the open level, or None."""
    if forward.level is None or not isinstance(tensor, Tensor) or mode.recording <= INFERENCE:
        return None
    level, tangent = tensor.__dict__.get("_dual", (None, None))
    return tangent if level is forward.level else None


def set_tangent(tensor: Tensor, tangent: Tensor) -> None:
    """Make a tensor a dual one."""
    assert forward.level is not None
    forward.level.members.append(weakref.ref(tensor))
    tensor.__dict__["_dual"] = (forward.level, tangent)
    if type(tensor) is Tensor:
        tensor.__class__ = Dual


def among(args: Sequence[Any]) -> bool:
    """Whether a dual tensor is among arguments, or in a sequence among them, and tangents are to be carried."""
    return any(among(arg) if isinstance(arg, (tuple, list)) else tangent_of(arg) is not None for arg in args)


@contextmanager
def suspended() -> Iterator[None]:
    """Run operations on the values alone."""
    before = forward.carrying
    forward.carrying = False
    try:
        yield
    finally:
        forward.carrying = before


@contextmanager
def set_forward_enabled(enabled: bool) -> Iterator[None]:
    """Take tangents for missing in a block, unless `enabled` (torch.autograd.forward_ad._set_fwd_grad_enabled)."""
    before = forward.level, forward.carrying
    if not enabled:
        forward.level, forward.carrying = None, False
    with no_grad() if forward.recorded and not enabled else nullcontext():
        try:
            yield
        finally:
            forward.level, forward.carrying = before


@contextmanager
def back_twice() -> Iterator[None]:
    """Run a function whose tangents are found by going back twice."""
    before, forward.recorded = forward.recorded, True
    try:
        yield
    finally:
        forward.recorded = before


class DualKept(tuple[Any, ...]):
    """What a node kept of a result that has a tangent."""

    tangent: Tensor


Call = Callable[[Any, tuple[Any, ...]], Any]
calls: list[Call] = []
"""Filled by forward_ad.py: runs an operation on dual tensors."""
writes: list[Callable[[Any, Any, tuple[Any, ...]], Tensor]] = []
"""Filled by forward_ad.py: runs an operation that writes into its first argument."""
