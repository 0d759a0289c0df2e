"""Backwards that can't be differentiated themselves: torch.autograd.function.once_differentiable."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from gradrepl.engine.api import functions
from gradrepl.engine.grad_mode import is_grad_enabled, no_grad
from gradrepl.engine.graph import Node, next_sequence
from gradrepl.engine.tensor import Tensor, make, make_leaf

TWICE = "trying to differentiate twice a function that was marked with @once_differentiable"


class Error(Node):
    """The end of what can be differentiated: raises when a gradient comes to it."""

    __slots__ = ("_outputs",)

    def __init__(self, fakes: Sequence[Any]) -> None:
        self.edges = tuple(fakes)
        self._outputs = len(fakes)
        self.numbers, self.extra, self.sequence = None, None, next_sequence()

    def arrays(self, gradient: Any) -> Sequence[Any]:
        raise RuntimeError(TWICE)

    tensors = arrays


Error.__module__ = "builtins"


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that can't itself be differentiated (torch.autograd.function.once_differentiable)."""

    @functools.wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *args)
        needed = any(isinstance(arg, Tensor) and arg.requires_grad for arg in args)
        if not is_grad_enabled() or not needed:
            return outputs
        ends = refusing(outputs if isinstance(outputs, tuple) else (outputs,))
        return ends if isinstance(outputs, tuple) else ends[0]

    return wrapper


def refusing(outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return tensors whose gradient can't be computed."""
    fakes = [None if out is None else make_leaf(out._data) for out in outputs]
    node = Error(fakes)
    ends = [None if out is None else make(out._data) for out in outputs]
    for number, end in enumerate(ends):
        if end is not None:
            end._requires_grad, end._grad_fn, end._output_nr = True, node, number
    return tuple(ends)


functions("torch.autograd.function", once_differentiable=once_differentiable)
