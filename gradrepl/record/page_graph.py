"""The graph behind a tensor as nodes and edges, read while a session is live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.graph import Walk, children, key, walk
from gradrepl.session.outcome import Outcome

MOST_NODES, MOST_WALKED = 30, 500


@dataclass(frozen=True, slots=True)
class Node:
    """A node; number: from 1 at the root, in the order of the tree; shape: of a leaf, else None."""

    number: int
    name: str
    names: tuple[str, ...]
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Edge:
    """From a node to one that gets gradients from it; count: how many times."""

    start: int
    end: int
    count: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn of the graph behind the tensor `name`; hidden: whether there are more nodes."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    hidden: bool


def picture(session: Session, outcomes: Sequence[Outcome]) -> Picture | None:
    """Return the graph of the newest tensor that statements changed just now and that has one, or None."""
    changed = [row for outcome in outcomes for row in outcome.changed_rows if row.grad_fn]
    if not changed:
        return None
    engine, names = session.engine, session.names
    made = _made(engine, names)
    name = next((row.name for row in reversed(changed) if row.name in made), None)
    if name is None:
        return None
    walked = walk(made[name], MOST_WALKED)
    shown = walked.nodes[:MOST_NODES]
    called = _called(engine, names, made)
    nodes = tuple(_node(number, node, called) for number, node in enumerate(shown, 1))
    return Picture(name, nodes, _edges(walked, shown), len(shown) < len(walked.nodes) or not walked.whole)


def _made(engine: Engine, names: Mapping[str, Any]) -> dict[str, Any]:
    """The learner's tensors that have a grad_fn, and it."""
    made = {}
    for name, value in _tensors(engine, names):
        with suppress(RuntimeError):  # a view that was made and written to under different modes has none to show
            if value.grad_fn is not None:
                made[name] = value.grad_fn
    return made


def _called(engine: Engine, names: Mapping[str, Any], made: Mapping[str, Any]) -> dict[Any, tuple[str, ...]]:
    """The names of the tensors that each node made, and of leaves."""
    called: dict[Any, tuple[str, ...]] = {}
    for name, value in _tensors(engine, names):
        identity = key(made[name]) if name in made else ("leaf", id(value))
        called[identity] = (*called.get(identity, ()), name)
    return called


def _tensors(engine: Engine, names: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = list(names.items())
    return [(name, value) for name, value in found if isinstance(value, engine.torch.Tensor) and name[:1] != "_"]


def _node(number: int, node: Any, called: Mapping[Any, tuple[str, ...]]) -> Node:
    leaf = getattr(node, "variable", None)
    shape = None if leaf is None else tuple(int(side) for side in leaf.shape)
    return Node(number, type(node).__name__, called.get(key(node), ()), shape)


def _edges(walked: Walk, shown: tuple[Any, ...]) -> tuple[Edge, ...]:
    # Saved tensors are not asked for: that would call a learner's unpack hooks.
    found: Counter[tuple[int, int]] = Counter()
    for number, node in enumerate(shown, 1):
        found.update((number, walked.numbers[key(child)]) for child in children(node) if key(child) in walked.numbers)
    return tuple(Edge(start, end, count) for (start, end), count in found.items() if end <= len(shown))
