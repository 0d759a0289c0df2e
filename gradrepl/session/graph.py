"""The graph behind a tensor as rows of plain values, the same on every engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gradrepl.session.engine import Engine
from gradrepl.session.numbers import shorten
from gradrepl.session.outcome import Graph, NodeRow, Saved

MOST_ROWS, DEEPEST, MOST_WALKED = 40, 12, 200_000
# PyTorch overflows the stack when it lets go of a deep graph whose nodes Python has looked at.
FEWER_WALKED = {"torch": 2_000}
PREFIX = "_saved_"
VERSIONS = re.compile(r"is at version (\d+); expected version (\d+)")
Child = tuple[Any, tuple[bool, ...]]


class Walk(NamedTuple):
    """Every node in the order of the tree (keys are those of `key`), how often each is used, whether that is all."""

    numbers: Mapping[Any, int]
    nodes: tuple[Any, ...]
    uses: Mapping[Any, int]
    whole: bool


def graph(
    engine: Engine, root: Any, names: Mapping[str, Any], start: int = 1, most: int = MOST_ROWS, deepest: int = DEEPEST
) -> Graph:
    """Return the graph from node `root` on; the rows begin at the node with number `start`.

    names: the learner's. Raises IndexError where there is no node of that number.
    """
    walked = walk(root, FEWER_WALKED.get(engine.name, MOST_WALKED))
    if not 1 <= start <= len(walked.nodes):
        raise IndexError(start)
    called = names_of_nodes(engine, names)
    rows = tuple(describe(walked, called, engine, names, start, most, deepest))
    drawn = {row.number for row in rows}
    more = next((number for number in range(start, len(walked.nodes) + 1) if number not in drawn), None)
    return Graph(rows, len(walked.nodes), walked.whole, len(walked.nodes) - len(drawn), more)


def key(node: Any) -> Any:
    """Return what tells a node from others; the one of a leaf may be made anew whenever it is asked for."""
    leaf = getattr(node, "variable", None)
    return id(node) if leaf is None else ("leaf", id(leaf))


def children(node: Any) -> list[Any]:
    """Return the nodes that get gradients from this one."""
    return [child for child, _ in node.next_functions if child is not None]


def walk(root: Any, most: int = MOST_WALKED) -> Walk:
    """Number all nodes, depth first, without recursion."""
    numbers: dict[Any, int] = {}
    uses: dict[Any, int] = {}
    nodes: list[Any] = []  # keeps them alive: an id may be given away again
    waiting = [root]
    while waiting and len(nodes) < most:
        node = waiting.pop()
        identity = key(node)
        uses[identity] = uses.get(identity, -1 if node is root else 0) + 1
        if identity in numbers:
            continue
        nodes.append(node)
        numbers[identity] = len(nodes)
        waiting.extend(reversed(children(node)))
    return Walk(numbers, tuple(nodes), uses, not waiting)


def names_of_nodes(engine: Engine, names: Mapping[str, Any]) -> dict[Any, tuple[str, ...]]:
    """Return the names of the tensors that each node made, and of leaves."""
    called: dict[Any, tuple[str, ...]] = {}
    for name, value in list(names.items()):
        if isinstance(value, engine.torch.Tensor) and not name.startswith("_"):
            node = value.grad_fn
            identity = ("leaf", id(value)) if node is None else id(node)
            called[identity] = (*called.get(identity, ()), name)
    return called


def describe(
    walked: Walk,
    called: Mapping[Any, tuple[str, ...]],
    engine: Engine,
    names: Mapping[str, Any],
    start: int,
    most: int,
    deepest: int,
) -> Iterator[NodeRow]:
    """Yield the rows of the tree from a node on, at most so many and so deep."""
    waiting: list[Child] = [(walked.nodes[start - 1], ())]
    drawn: set[Any] = set()
    while waiting and most:
        node, branches = waiting.pop()
        identity = key(node)
        if identity not in walked.numbers:
            continue
        again = identity in drawn
        yield row(node, walked, called, engine, names, branches, again)
        most -= 1
        drawn.add(identity)
        if not again and len(branches) < deepest:
            below = children(node)
            waiting.extend((child, (*branches, place > 0)) for place, child in enumerate(reversed(below)))


def row(
    node: Any,
    walked: Walk,
    called: Mapping[Any, tuple[str, ...]],
    engine: Engine,
    names: Mapping[str, Any],
    branches: tuple[bool, ...],
    again: bool,
) -> NodeRow:
    identity = key(node)
    leaf = getattr(node, "variable", None)
    return NodeRow(
        number=walked.numbers[identity],
        name=type(node).__name__,
        names=called.get(identity, ()),
        branches=branches,
        shape=None if leaf is None else tuple(int(side) for side in leaf.shape),
        saved=() if again else tuple(saved(node, engine, names)),
        uses=walked.uses[identity],
        again=again,
    )


def saved(node: Any, engine: Engine, names: Mapping[str, Any]) -> Iterator[Saved]:
    """Yield what a node keeps; asking for it is what PyTorch offers, and changes nothing."""
    for attribute in sorted(name for name in dir(node) if name.startswith(PREFIX)):
        argument = attribute.removeprefix(PREFIX)
        try:
            value = getattr(node, attribute)
        except RuntimeError as error:
            yield lost(argument, str(error))
            continue
        if isinstance(value, engine.torch.Tensor):
            version = None if value.is_inference() else value._version
            yield Saved(argument, tensor_text(value, engine, names), version, version)
        elif value is not None and not argument.endswith(("_sizes", "_options", "_sym_numel")):
            yield Saved(argument, shorten(repr(value)))


def lost(argument: str, message: str) -> Saved:
    """Return what is known of a saved tensor that can't be had: it was freed, or written to since."""
    versions = VERSIONS.search(message)
    if versions is None:
        return Saved(argument, "", freed=True)
    return Saved(argument, "", int(versions[2]), int(versions[1]))


def tensor_text(tensor: Any, engine: Engine, names: Mapping[str, Any]) -> str:
    """Return the name of a saved tensor, or its shape where it has none."""
    for name, value in list(names.items()):
        if name.startswith("_") or not isinstance(value, engine.torch.Tensor):
            continue
        same_output = tensor.grad_fn is not None and value.grad_fn is tensor.grad_fn
        if value is tensor or (same_output and value.output_nr == tensor.output_nr):
            return name
    return str(tuple(int(side) for side in tensor.shape))
