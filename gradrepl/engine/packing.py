"""Saved tensors that go through hooks on their way into the graph and out of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from gradrepl.engine.grad_mode import mode, set_mode
from gradrepl.engine.graph import Node, next_sequence
from gradrepl.engine.tensor import Tensor, make

PACK_WROTE = (
    "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be "
    "modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need to "
    "perform in-place operations on the input to a pack hook."
)


class Packed:
    """A saved tensor that went through a pack hook; origin: the tensor itself where it was an input."""

    __slots__ = ("origin", "packed", "unpack_hook")

    def __init__(self, packed: Any, unpack_hook: Callable[[Any], Any], origin: Tensor | None) -> None:
        self.packed = packed
        self.unpack_hook = unpack_hook
        self.origin = None if origin is None else Origin(origin)

    def unpack(self) -> Tensor:
        """Return what the unpack hook makes of the packed thing."""
        tensor = self.unpack_hook(self.packed)
        if not isinstance(tensor, Tensor):
            kind = type(tensor).__name__
            raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {kind}")
        return tensor


class Origin:
    """The place in the graph of a tensor that was packed."""

    __slots__ = ("leaf", "node", "number")

    def __init__(self, tensor: Tensor) -> None:
        self.node = tensor.grad_fn
        self.leaf = tensor if self.node is None and tensor._requires_grad else None
        self.number = tensor._output_nr

    def given_to(self, tensor: Tensor) -> Tensor:
        """Return a tensor with the same elements at this place."""
        if self.node is None and (self.leaf is None or tensor is self.leaf):
            return tensor
        placed = make(tensor._data)
        node = self.node if self.leaf is None else SameLeaf(self.leaf)
        placed._requires_grad, placed._grad_fn, placed._output_nr = True, node, self.number
        return placed


class SameLeaf(Node):
    """Carries a gradient to a leaf that another tensor stands for, and shows nothing of that."""

    __slots__ = ()

    hidden = True

    def __init__(self, leaf: Tensor) -> None:
        self.edges, self.numbers, self.sequence, self.extra = (leaf,), None, next_sequence(), None

    def arrays(self, gradient: Any) -> Sequence[Any]:
        return (gradient,)

    tensors = arrays


class _Hooks(threading.local):
    """The saved_tensors_hooks that a thread has in force, nearly always none; disabled: why it may have none."""

    stack: tuple[tuple[Callable[[Any], Any], Callable[[Any], Any]], ...] = ()
    disabled: str | None = None


Hooks = _Hooks()


def pack(
    tensor: Tensor, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any], is_input: bool = True
) -> Packed:
    """Send a tensor through a pack hook, with recording off; raises RuntimeError where the hook writes to it."""
    counter = tensor._counter
    version = counter[0] if counter is not None else 0
    before = mode.recording
    set_mode(False, mode.inference)
    try:
        packed = pack_hook(tensor)
    finally:
        mode.recording = before
    if counter is not None and counter[0] != version:
        raise RuntimeError(PACK_WROTE)
    return Packed(packed, unpack_hook, tensor if is_input else None)
