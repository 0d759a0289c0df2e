"""Tools for the graph itself: hooks on several tensors, edges to differentiate by (torch.autograd.graph)."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import GradientEdge, outputs_of
from gradrepl.engine.grad_mode import mode as state
from gradrepl.engine.graph import AccumulateGrad, Node, RemovableHandle, as_node, reachable
from gradrepl.engine.op import edge_of
from gradrepl.engine.ops.view import np_strided
from gradrepl.engine.task import current_task_id, current_walk
from gradrepl.engine.tensor import Tensor

NO_EDGE = "It is not possible to get the gradient edge for a Tensor that does not require gradients"


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return the place in the graph that the gradient of a tensor flows through."""
    if not tensor.requires_grad:
        raise RuntimeError(NO_EDGE)
    node, number = as_node(edge_of(tensor)), tensor._output_nr
    data = tensor._data
    outputs_of.setdefault(node, {})[number] = np_strided(np.empty(1, data.dtype), data.shape, (0,) * data.ndim)
    return GradientEdge(node, number)


class _MultiHandle(RemovableHandle):
    """Takes several hooks off at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        super().__init__({})
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


_MultiHandle.__module__ = "torch.autograd.graph"


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call fn once a backward: with all gradients when all are there, or with the first of any."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "all":
        return _MultiHandle(hooks_for_all(tensors, fn))
    return _MultiHandle(hooks_for_any(tensors, fn))


def hooks_for_all(tensors: Sequence[Tensor], fn: Callable[..., None]) -> list[RemovableHandle]:
    states: dict[int, tuple[int, list[Tensor | None]]] = {}
    for tensor in tensors:
        if not tensor.requires_grad:
            raise AssertionError("Expected gradient function to be set")
    nodes, count = [as_node(edge_of(tensor)) for tensor in tensors], len(tensors)

    def hook(gradient: Tensor, position: int) -> None:
        task = current_task_id()
        if task not in states:
            states[task] = (sum(map(will_execute, nodes)), [None] * count)
        left, gradients = states[task]
        gradients[position] = gradient
        states[task] = (left - 1, gradients)
        if left == 1:
            fn(gradients)
            del states[task]

    return [tensor.register_hook(functools.partial(hook, position=i)) for i, tensor in enumerate(tensors)]


IN_GRAD = (
    "A leaf node was passed to _will_engine_execute_node but we are currently running autograd.grad(). This is "
    "currently not supported."
)


def will_execute(node: Node) -> bool:
    """Return whether the backward that is running comes to a node (torch._C._will_engine_execute_node).

    Raises RuntimeError outside of a backward, and for the node of a leaf whose gradient is only given back.
    """
    walk = current_walk("_get_should_execute_nodes")
    leaf = node.variable if isinstance(node, AccumulateGrad) else None
    if leaf is None and walk.wanted is not None:
        return node in walk.wanted
    if walk.roots == [node if leaf is None else leaf]:
        return False
    nodes = reachable(walk.roots)
    if leaf is None:
        return node in nodes
    if not any(edge is leaf for one in nodes for edge in one.edges):
        return False
    if (id(leaf), 0) in walk.captures:
        raise RuntimeError(IN_GRAD)
    return walk.into is None or id(leaf) in walk.into


SEVERAL_THREADS = (
    "get_current_graph_task_execution_order expects the current backward to be executed with multithreading disabled, "
    "e.g. by running:\n\n>>> with torch.autograd.set_multithreading_enabled(False):\n...     torch.autograd.grad(...)\n"
)


def execution_order() -> list[Node]:
    """Return the nodes that the backward that is running visits, in their order; of a leaf, its AccumulateGrad."""
    walk = current_walk("_current_graph_task_execution_order")
    if state.multithreading:
        raise RuntimeError(SEVERAL_THREADS)
    nodes = sorted(reachable(walk.roots), key=attrgetter("sequence"), reverse=True)
    users = Counter(id(edge) for node in nodes for edge in node.edges if edge is not None)
    order: list[Node] = []
    for node in nodes:
        order.append(node)
        for edge in node.edges:
            if edge is not None and not edge._outputs:
                users[id(edge)] -= 1
                if not users[id(edge)]:
                    order.append(as_node(edge))
    return [node for node in order if is_wanted(walk, node)]


def is_wanted(walk: Any, node: Node) -> bool:
    """Whether a walk visits a node, or only looks at it because nothing that was asked for lies behind it."""
    if not isinstance(node, AccumulateGrad):
        return walk.wanted is None or node in walk.through
    leaf = id(node.variable)
    return walk.into is None or leaf in walk.into or (leaf, 0) in walk.captures


def hooks_for_any(tensors: Sequence[Tensor], fn: Callable[..., None]) -> list[RemovableHandle]:
    lock = threading.Lock()
    seen: set[int] = set()

    def hook(gradient: Tensor) -> None:
        task = current_task_id()
        with lock:
            first = task not in seen
            seen.clear()
            seen.add(task)
        if first:
            fn(gradient)

    return [tensor.register_hook(hook) for tensor in tensors if tensor.requires_grad]


def increment_version(tensor: Any) -> None:
    """Count a write to a tensor, or to each of several, that nobody else counts."""
    if not isinstance(tensor, Iterable):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    for one in (tensor,) if isinstance(tensor, Tensor) else tensor:
        if not isinstance(one, Tensor):
            raise RuntimeError("increment_version expects each element of the iterable to be a tensor")
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


for _space in ("torch.autograd", "torch.autograd.grad_mode"):
    functions(_space, _unsafe_preserve_version_counter=_unsafe_preserve_version_counter)
_unsafe_preserve_version_counter.__module__ = "torch.autograd.grad_mode"
functions(
    "torch.autograd.graph",
    increment_version=increment_version,
    GradientEdge=GradientEdge,
    get_gradient_edge=get_gradient_edge,
    register_multi_grad_hook=register_multi_grad_hook,
    set_warn_on_accumulate_grad_stream_mismatch=lambda enabled: None,
)
