"""The graph of recorded operations and the walk that carries gradients back through it."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set
from heapq import heappop, heappush
from operator import attrgetter
from sys import getrefcount
from types import MappingProxyType
from typing import Any

next_sequence = itertools.count().__next__

SECOND_TIME = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have "
    "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
    "you need to access saved tensors after calling backward."
)


class Extra:
    """What few nodes have: hooks, metadata and the tensors that retain their gradient."""

    __slots__ = ("metadata", "post", "pre", "retained", "tensor_pre")

    def __init__(self) -> None:
        self.tensor_pre: dict[int, dict[int, Callable[..., Any]]] = {}
        self.pre: dict[int, Callable[..., Any]] = {}
        self.post: dict[int, Callable[..., Any]] = {}
        self.retained: dict[int, weakref.ref[Any]] = {}
        self.metadata: dict[Any, Any] = {}


NAMESPACED = frozenset(("AccumulateGrad", "CopyBackwards", "CopySlices", "Error"))
"""The nodes whose names PyTorch gives with their C++ namespace."""


class Undefined:
    """A gradient that is missing: it adds nothing, and what lies behind it still runs, as it does in PyTorch."""

    __slots__ = ()
    __array_ufunc__ = None

    def __add__(self, other: Any) -> Any:
        return other

    __radd__ = __add__


UNDEFINED = Undefined()


class HookCounter:
    """Whether any hook was ever registered: only then the exact order of leaves is worth its cost."""

    in_play = False


class RemovableHandle:
    """What register_hook returns; remove() takes the hook off (torch.utils.hooks.RemovableHandle)."""

    next_id = 0

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self._hooks = hooks

    def remove(self) -> None:
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


RemovableHandle.__module__ = "torch.utils.hooks"


def add_hook(hooks: dict[int, Any], hook: Callable[..., Any]) -> RemovableHandle:
    """Register a hook at the end of an ordered dict of hooks."""
    HookCounter.in_play = True
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def read_only(getter: Callable[[Any], Any]) -> property:
    """Return a property of nodes with PyTorch's words for writing to it."""

    def refuse(self: Any, value: Any = None) -> None:
        owner = type(self).__name__
        raise AttributeError(f"attribute '{getter.__name__}' of '{owner}' objects is not writable")

    return property(getter, refuse, refuse, getter.__doc__)


class Node:
    """One recorded operation (torch.autograd.graph.Node).

    edges: for each input the node that made it, the tensor itself where it is a leaf, or None
    where no gradient is wanted. numbers: which output of that node it was; None when all are 0.
    sequence: nodes made later have higher numbers, so users come before what they use.
    """

    __slots__ = ("__weakref__", "edges", "extra", "numbers", "sequence")

    _outputs = 1

    hidden = False
    """Whether the tensors of the node show no grad_fn."""

    runs_on_nothing = False
    """Whether the node runs where no gradient came to it: custom Functions do, with zeros."""

    plan: Any = None
    """How the node of an entry of the table runs its rules; other nodes have none."""

    edges: tuple[Any, ...]
    numbers: tuple[int, ...] | None
    sequence: int
    extra: Extra | None

    def arrays(self, gradient: Any) -> Sequence[Any]:
        """Return the gradient of each edge, as arrays; `gradient` is a list where there are several outputs."""
        raise NotImplementedError

    def tensors(self, gradient: Any) -> Sequence[Any]:
        """Return the gradient of each edge, as tensors whose making is recorded."""
        raise NotImplementedError

    def free(self) -> None:
        """Let go of the saved tensors."""

    def output_shape(self, number: int) -> tuple[int, ...] | None:
        """Return the shape of an output where the node knows it."""
        return None

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"cannot pickle '{type(self).__name__}' object")

    def extras(self) -> Extra:
        if self.extra is None:
            self.extra = Extra()
        return self.extra

    def name(self) -> str:
        """Return the node's name, as PyTorch gives it."""
        shown = type(self).__name__
        return f"torch::autograd::{shown}" if shown in NAMESPACED else shown

    @read_only
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that the gradient goes to next, each with the number of its output."""
        numbers = self.numbers or (0,) * len(self.edges)
        return tuple((as_node(edge), number) for edge, number in zip(self.edges, numbers, strict=True))

    @read_only
    def metadata(self) -> dict[Any, Any]:
        """A dict to keep things in."""
        found = self.extras().metadata
        for tell in tellers:
            found.update(tell(self))
        return found

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call fn(grad_inputs, grad_outputs) after this node ran; its result replaces grad_inputs."""
        return add_hook(self.extras().post, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call fn(grad_outputs) before this node runs; its result replaces grad_outputs."""
        return add_hook(self.extras().pre, fn)

    @read_only
    def requires_grad(self) -> bool:
        """Whether the node takes part in backward: always."""
        return True

    def _sequence_nr(self) -> int:
        return self.sequence

    def _set_sequence_nr(self, number: int) -> None:
        self.sequence = number


Node.__module__ = "torch.autograd.graph"


tellers: list[Callable[[Node], dict[str, Any]]] = []
"""Filled by anomaly.py: what belongs into the metadata of a node."""


class AccumulateGrad(Node):
    """The end of every path: adds the gradient to a leaf's `.grad`.

    Made only when somebody looks at it; the walk uses the leaf itself.
    """

    __slots__ = ("variable",)

    def __init__(self, variable: Any) -> None:
        self.variable = variable
        self.edges, self.numbers, self.sequence, self.extra = (), None, 2**64 - 1, None

    def extras(self) -> Extra:
        """Return what hangs on this node; from then on the leaf holds on to it."""
        self.variable._hold_accumulator(self)
        return super().extras()


AccumulateGrad.__module__ = "builtins"


def as_node(edge: Any) -> Any:
    """Return the node behind an edge; a leaf tensor shows its AccumulateGrad."""
    return edge if edge is None or isinstance(edge, Node) else edge._accumulator()


def put(slots: list[Any], number: int, gradient: Any) -> list[Any]:
    """Add a gradient to one output of a node that has several."""
    slots[number] = gradient if slots[number] is None else slots[number] + gradient
    return slots


class Walk:
    """One run of the backward pass.

    exact: count the users of each leaf beforehand, so that hooks on leaves fire in PyTorch's order.
    captures: maps an edge (node, number) or a leaf to the slots of the result to fill, instead of
    accumulating into `.grad`; None for backward() into all leaves.
    current: the node that is being visited. careful: whether a missing gradient is on its way.
    wanted, through: the nodes to visit, and those to run, where only some inputs are asked for; watched:
    whether an inner node is one of them.
    outer, depth: the walk that waits for this one, and how many do. number, callbacks: see task.py.
    """

    users: dict[Any, int] | None = None
    wanted: set[Any] | None = None
    through: frozenset[Any] = frozenset()
    watched: bool = False
    quick: bool = True
    careful: bool = False
    roots: Sequence[Any] = ()
    into: Set[int] | None = None
    captures: Mapping[tuple[int, int], int] = MappingProxyType({})
    current: Any = None
    outer: Any = None
    depth: int = 0
    number: int | None = None
    callbacks: Sequence[Any] = ()

    def __init__(self, ops: Any, create_graph: bool, retain_graph: bool) -> None:
        self.ops = ops
        self.create_graph = create_graph
        self.retain_graph = retain_graph
        self.buffers: dict[Any, Any] = {}
        self.leaves: dict[Any, Any] = {}
        self.heap: list[tuple[int, Node]] = []
        self.captured: dict[int, Any] = {}

    def give(self, edge: Any, number: int, gradient: Any) -> None:
        """Add a gradient to what an edge has got so far."""
        outputs = edge._outputs
        if not outputs:
            before = self.leaves.get(edge)
            self.leaves[edge] = gradient if before is None else before + gradient
            return
        if self.wanted is not None and edge not in self.wanted:
            return
        before = self.buffers.get(edge)
        if before is None:
            self.buffers[edge] = gradient if outputs == 1 else put([None] * outputs, number, gradient)
            heappush(self.heap, (-edge.sequence, edge))
        elif outputs == 1:
            self.buffers[edge] = before + gradient
        else:
            put(before, number, gradient)

    def run(self) -> None:
        """Visit the nodes, newest first; then put what the leaves got into them."""
        try:
            self.visit_all()
        except BaseException:
            self.flush(self.finished_leaves(self.current))
            raise
        self.flush(list(self.leaves))

    def visit_all(self) -> None:
        heap = self.heap
        visit = self.follow if self.quick and not self.watched and self.users is None else self.visit_exactly
        while heap:
            visit(heappop(heap)[1])
            if self.careful:
                visit = self.visit_exactly

    def follow(self, node: Any) -> None:
        """Visit a node and, while nothing else waits, the one that it leads to. The busiest lines of a backward."""
        heap, leaves, wanted, create_graph = self.heap, self.leaves, self.wanted, self.create_graph
        free = not self.retain_graph
        gradient = self.buffers.pop(node)
        while node.extra is None and node.numbers is None:
            self.current = node
            plan = node.plan
            if create_graph or plan is None:
                gradients = self.run_node(node, gradient)
                if free:
                    node.free()
                if self.careful:
                    self.give_all(node, gradients)
                    return
            elif node.saved is None:
                raise RuntimeError(SECOND_TIME)
            else:
                gradients = plan.run(node, gradient)
                if free and plan.tensors:
                    node.saved = None
            edges = node.edges
            if len(gradients) == 1 and not heap and wanted is None:
                (gradient,), edge = gradients, edges[0]
                if edge is not None and edge._outputs == 1 and gradient is not None:
                    node = edge
                    continue
            following = carried = None
            for edge, gradient in zip(edges, gradients):  # noqa: B905 (a keyword costs time, and both are of one length or end in None)
                if edge is None or gradient is None:
                    continue
                outputs = edge._outputs
                if not outputs:
                    before = leaves.get(edge)
                    leaves[edge] = gradient if before is None else before + gradient
                elif edge is following:
                    carried = carried + gradient
                elif following is None and not heap and outputs == 1 and (wanted is None or edge in wanted):
                    following, carried = edge, gradient
                else:
                    self.give(edge, 0, gradient)
            if following is None:
                return
            if heap:
                self.give(following, 0, carried)
                return
            node, gradient = following, carried
        self.buffers[node] = gradient
        self.visit_exactly(node)

    def visit_exactly(self, node: Node) -> None:
        """Run one node with everything that may hang on it: hooks, captures, the count of users."""
        self.current = node
        slots = self.before(node, self.buffers.pop(node))
        if slots is None:
            return
        gradient = slots if node._outputs > 1 else slots[0]
        if node.runs_on_nothing or any(slot is not None for slot in slots):
            gradients = self.run_node(node, gradient)
        else:
            self.careful = True
            gradients = [None if edge is None else UNDEFINED for edge in node.edges]
        if node.extra is not None and node.extra.post:
            gradients = self.after(node, gradients, slots)
        if not self.retain_graph:
            node.free()
        self.give_all(node, gradients)

    def give_all(self, node: Node, gradients: Sequence[Any]) -> None:
        """Give each edge of a node its gradient."""
        numbers = node.numbers
        for index, (edge, gradient) in enumerate(zip(node.edges, gradients, strict=False)):
            if edge is None:
                continue
            if gradient is not None:
                self.give(edge, 0 if numbers is None else numbers[index], gradient)
            if self.users is not None:
                self.count_down(edge)

    def run_node(self, node: Node, gradient: Any) -> Sequence[Any]:
        gradients = node.tensors(gradient) if self.create_graph else node.arrays(gradient)
        if node.runs_on_nothing and any(found is UNDEFINED for found in gradients):
            self.careful = True
        return gradients

    def count_users(self, roots: Iterable[Any]) -> None:
        """Count for each leaf how many visited nodes will give it a gradient."""
        users: dict[Any, int] = {}
        for node in reachable(roots):
            for edge in node.edges:
                if edge is not None and not isinstance(edge, Node):
                    users[edge] = users.get(edge, 0) + 1
        self.users = users

    def count_down(self, edge: Any) -> None:
        assert self.users is not None
        left = self.users.get(edge, 0) - 1
        if left >= 0:
            self.users[edge] = left
        if left == 0 and edge in self.leaves:
            self.flush([edge])

    def finished_leaves(self, failed: Any) -> list[Any]:
        """Return the leaves that no unvisited node can reach any more."""
        waiting = {id(edge) for node in reachable([failed, *(n for _, n in self.heap)]) for edge in node.edges}
        return [leaf for leaf in self.leaves if id(leaf) not in waiting]

    def flush(self, leaves: Iterable[Any]) -> None:
        plain, accumulate = self.into is None and not self.captures, self.ops.accumulate
        for leaf in leaves:
            gradient = self.leaves.pop(leaf)
            if gradient is UNDEFINED:
                gradient = None
            elif plain and leaf._extra is None:
                ours = getrefcount(gradient) == ALONE
                accumulate(leaf, gradient, self.create_graph, ours)
                continue
            if self.into is not None and id(leaf) not in self.into and (id(leaf), 0) not in self.captures:
                continue
            gradient = self.ops.leaf_hooks(leaf, gradient, self.create_graph)
            if (slot := self.captures.get((id(leaf), 0))) is not None:
                self.captured[slot] = gradient
            elif gradient is not None and (self.into is None or id(leaf) in self.into):
                extra = leaf._extra
                if extra is None or extra.held is None:
                    self.ops.accumulate(leaf, gradient, self.create_graph)
                else:
                    self.accumulate_exactly(leaf, extra.held.extras(), gradient)

    def accumulate_exactly(self, leaf: Any, extra: Extra, gradient: Any) -> None:
        """Accumulate into a leaf whose AccumulateGrad has hooks."""
        if extra.pre:
            (gradient,) = self.ops.run_pre_hooks(extra.pre, [gradient], self.create_graph)
        self.ops.accumulate(leaf, gradient, self.create_graph)
        if extra.post:
            self.ops.run_post_hooks(extra.post, (), [gradient], self.create_graph)

    def before(self, node: Node, gradient: Any) -> Any:
        """Run tensor hooks, keep retained and captured gradients, run the node's own pre-hooks.

        Returns the gradient of each output, or None where the node is not to be run.
        """
        slots = gradient if node._outputs > 1 else [gradient]
        if self.careful:
            slots = [None if slot is UNDEFINED else slot for slot in slots]
        extra, runs = node.extra, self.wanted is None or node in self.through
        if runs:
            self.capture(node, slots)
        for number in range(node._outputs):
            if extra is not None and number in extra.tensor_pre:
                slots[number] = self.ops.run_tensor_hooks(extra.tensor_pre[number], slots[number], self.create_graph)
            if extra is not None and number in extra.retained:
                self.ops.retain(extra.retained[number], slots[number], self.create_graph)
        if not runs:
            self.capture(node, slots)
            return None
        if extra is not None and extra.pre:
            slots = self.ops.run_pre_hooks(extra.pre, slots, self.create_graph)
        return slots

    def capture(self, node: Node, slots: Sequence[Any]) -> None:
        """Keep the gradients that were asked for: of a node that is run as they come, else as hooks left them."""
        for number in range(node._outputs) if self.captures else ():
            if (slot := self.captures.get((id(node), number))) is not None:
                self.captured[slot] = slots[number]

    def goes_on(self, edge: Any) -> bool:
        """Whether a walk to some places only goes along an edge."""
        if edge is None or edge._outputs:
            return edge is not None and (self.wanted is None or edge in self.wanted)
        return (id(edge), 0) in self.captures or (self.into is not None and id(edge) in self.into)

    def after(self, node: Node, gradients: Sequence[Any], slots: Sequence[Any]) -> Sequence[Any]:
        assert node.extra is not None
        padded = (*gradients, *(None,) * (len(node.edges) - len(gradients)))
        if self.into is not None and self.wanted is not None and node.plan is not None:
            padded = tuple(
                [found if self.goes_on(edge) else None for found, edge in zip(padded, node.edges, strict=True)]
            )
        shown = [None if found is UNDEFINED else found for found in padded]
        results = self.ops.run_post_hooks(node.extra.post, shown, slots, self.create_graph)
        missing = [found is None and before is not None for before, found in zip(padded, results, strict=True)]
        self.careful = self.careful or any(missing)
        return [UNDEFINED if gone else found for gone, found in zip(missing, results, strict=True)]

    def only_towards(self, roots: Sequence[Any], inputs: Sequence[tuple[Any, int]]) -> None:
        """Visit only nodes on a path to one of `inputs` (edges): what else hangs on the graph stays untouched."""
        targets = {edge for edge, _ in inputs}
        leaves_alone = not any(target._outputs for target in targets) and all(root._outputs for root in roots)
        if leaves_alone and all_ways_lead_to(targets, *roots):
            return
        through: set[Any] = set()
        for node in sorted(reachable(roots), key=attrgetter("sequence")):
            for edge in node.edges:
                if edge is not None and (edge in targets or edge in through):
                    through.add(node)
                    break
        nodes = {edge for edge in targets if isinstance(edge, Node)}
        self.through = frozenset(through)
        self.wanted = through | nodes
        self.watched = bool(nodes)


def references_when_alone() -> int:
    """Return what Python counts for a thing that a walk took out of its gradients and nothing else holds."""
    kept = {0: object()}
    for key in list(kept):
        gradient = kept.pop(key)
    return getrefcount(gradient)


ALONE = references_when_alone()


def all_ways_lead_to(leaves: Container[Any], *roots: Any) -> bool:
    """Whether every way from `roots` (nodes) ends in one of `leaves` (tensors that are leaves)."""
    seen, stack = set(roots), list(roots)
    while stack:
        for edge in stack.pop().edges:
            if edge is None or edge in seen:
                continue
            if edge._outputs:
                seen.add(edge)
                stack.append(edge)
            elif edge in leaves:
                seen.add(edge)
            else:
                return False
    return True


def reachable(roots: Iterable[Any]) -> list[Node]:
    """Return every node that can be reached from `roots`, without recursion."""
    found: list[Node] = []
    seen: set[int] = set()
    stack = [root for root in roots if isinstance(root, Node)]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        found.append(node)
        stack.extend([edge for edge in node.edges if edge is not None and edge._outputs])
    return found
