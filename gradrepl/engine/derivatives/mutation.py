"""Writes to saved tensors that leave gradients right: torch.autograd.graph.allow_mutation_on_saved_tensors."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from gradrepl.engine.api import functions
from gradrepl.engine.derivatives.saved import saved_tensors_hooks
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.in_place import watchers
from gradrepl.engine.ops.shape import clone
from gradrepl.engine.ops.view import owner
from gradrepl.engine.tensor import Tensor
from gradrepl.engine.values.storage import address

OUTSIDE = (
    "Trying to backward outside of the 'allow_mutation_on_saved_tensors' contextin which the graph was originally "
    "recorded."
)
NESTED = "allow_mutation_on_saved_tensors contexts cannot be nested"

Memory = tuple[int, int]
Identity = tuple[int, int, int]


class Handle:
    """What a node keeps in the place of a saved tensor."""

    __slots__ = ("__weakref__",)


class Context:
    """The tensors that were saved in a block: as they are, or as copies once they were written to.

    sid_to_tid: by memory and version, the tensors that were saved from there; tid_to_weakhandle: their handles.
    """

    def __init__(self) -> None:
        self.cloned: MutableMapping[Handle, Tensor] = weakref.WeakKeyDictionary()
        self.original: MutableMapping[Handle, Tensor] = weakref.WeakKeyDictionary()
        self.tid_to_weakhandle: MutableMapping[Identity, Handle] = weakref.WeakValueDictionary()
        self.sid_to_tid: dict[Memory, set[Identity]] = defaultdict(set)

    def clear(self) -> None:
        """Let everything go."""
        for kept in (self.cloned, self.original, self.tid_to_weakhandle, self.sid_to_tid):
            kept.clear()

    def pack(self, tensor: Tensor) -> Handle:
        """Keep a tensor; the same tensor of the same version has one handle."""
        identity = (id(tensor), *memory_of(tensor))
        self.sid_to_tid[memory_of(tensor)].add(identity)
        handle = self.tid_to_weakhandle.get(identity)
        if handle is None:
            handle = self.tid_to_weakhandle[identity] = Handle()
            self.original[handle] = tensor
        return handle

    def unpack(self, handle: Handle) -> Tensor:
        """Return a tensor as it was saved; raises AssertionError where the block has ended."""
        found = self.cloned.get(handle)
        if found is None:
            found = self.original.get(handle)
        if found is None:
            raise AssertionError(OUTSIDE)
        return found

    def copy_before_write(self, tensor: Tensor) -> None:
        """Copy what was saved from the memory that is about to be written to."""
        for identity in self.sid_to_tid.get(memory_of(tensor), ()):
            handle = self.tid_to_weakhandle.get(identity)
            if handle is not None and handle not in self.cloned:
                with no_grad():
                    self.cloned[handle] = clone(self.original.pop(handle))


Context.__name__ = Context.__qualname__ = "_AllowMutationOnSavedContext"
Context.__module__ = "torch.autograd.graph"


def memory_of(tensor: Tensor) -> Memory:
    """Return where a tensor's storage lies, and its version."""
    return address(owner(tensor._data)), 0 if tensor._counter is None else tensor._counter[0]


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[Context]:
    """Let saved tensors be written to in a block: the backward in it uses copies of what they were.

    Raises RuntimeError for a block within such a block.
    """
    if watchers:
        raise RuntimeError(NESTED)
    context = Context()
    with saved_tensors_hooks(context.pack, context.unpack):
        watchers.append(context.copy_before_write)
        try:
            yield context
        finally:
            watchers.clear()
            context.clear()


functions("torch.autograd.graph", allow_mutation_on_saved_tensors=allow_mutation_on_saved_tensors)
