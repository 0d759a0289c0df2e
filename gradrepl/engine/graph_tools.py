"""Tools for the graph itself: hooks on several tensors, edges to differentiate by (torch.autograd.graph)."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import GradientEdge
from gradrepl.engine.graph import RemovableHandle, as_node, reachable
from gradrepl.engine.hooks import current_walk
from gradrepl.engine.op import edge_of
from gradrepl.engine.tensor import Tensor

NO_EDGE = "It is not possible to get the gradient edge for a Tensor that does not require gradients"


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return the place in the graph that the gradient of a tensor flows through."""
    if not tensor.requires_grad:
        raise RuntimeError(NO_EDGE)
    return GradientEdge(as_node(edge_of(tensor)), tensor._output_nr)


class MultiHandle(RemovableHandle):
    """Takes several hooks off at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        super().__init__({})
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call fn once a backward: with all gradients when all are there, or with the first of any."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "all":
        return MultiHandle(hooks_for_all(tensors, fn))
    return MultiHandle(hooks_for_any(tensors, fn))


def hooks_for_all(tensors: Sequence[Tensor], fn: Callable[..., None]) -> list[RemovableHandle]:
    states: dict[Any, tuple[int, list[Tensor | None]]] = {}
    edges = [edge_of(tensor) for tensor in tensors]

    def hook(gradient: Tensor, position: int) -> None:
        walk = current_walk()
        if walk not in states:
            states.clear()
            states[walk] = (will_run(walk, edges), [None] * len(tensors))
        left, gradients = states[walk]
        gradients[position] = gradient
        states[walk] = (left - 1, gradients)
        if left == 1:
            del states[walk]
            fn(gradients)

    return [tensor.register_hook(functools.partial(hook, position=i)) for i, tensor in enumerate(tensors)]


def will_run(walk: Any, edges: Sequence[Any]) -> int:
    """Return how many of the edges a backward comes to."""
    nodes = reachable(walk.roots)
    found = {id(node) for node in nodes} | {id(edge) for node in nodes for edge in node.edges if edge is not None}
    found |= {id(root) for root in walk.roots}
    return sum(id(edge) in found for edge in edges)


def hooks_for_any(tensors: Sequence[Tensor], fn: Callable[..., None]) -> list[RemovableHandle]:
    lock = threading.Lock()
    seen: set[int] = set()

    def hook(gradient: Tensor) -> None:
        walk = id(current_walk())
        with lock:
            first = walk not in seen
            seen.clear()
            seen.add(walk)
        if first:
            fn(gradient)

    return [tensor.register_hook(hook) for tensor in tensors if tensor.requires_grad]


def increment_version(tensor: Any) -> None:
    """Count a write to a tensor, or to each of several, that nobody else counts."""
    for one in (tensor,) if isinstance(tensor, Tensor) else tensor:
        if one._counter is not None:
            one._counter[0] += 1


class _unsafe_preserve_version_counter:  # noqa: N801
    """Set a tensor's count of writes back at the end of a block (torch.autograd._unsafe_preserve_version_counter)."""

    def __init__(self, tensors: Any) -> None:
        self.tensors = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)
        self.versions = tuple(tensor._version for tensor in self.tensors)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        for tensor, version in zip(self.tensors, self.versions, strict=True):
            if tensor._counter is not None:
                tensor._counter[0] = version


functions("torch.autograd", _unsafe_preserve_version_counter=_unsafe_preserve_version_counter)
functions(
    "torch.autograd.graph",
    increment_version=increment_version,
    GradientEdge=GradientEdge,
    get_gradient_edge=get_gradient_edge,
    register_multi_grad_hook=register_multi_grad_hook,
)
