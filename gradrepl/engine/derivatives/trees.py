"""Nested tuples, lists and dicts of tensors, and their structure as PyTorch's messages show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradrepl.engine.tensor import Tensor


def mapped(tree: Any, change: Callable[[Tensor], Any]) -> Any:
    """Return nested tuples, lists and dicts with every tensor changed."""
    return mapped_leaves(tree, lambda leaf: change(leaf) if isinstance(leaf, Tensor) else leaf)


def mapped_leaves(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Return nested tuples, lists and dicts with everything changed that they hold."""
    if isinstance(tree, dict):
        return {key: mapped_leaves(value, change) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        values = [mapped_leaves(value, change) for value in tree]
        return type(tree)(*values) if hasattr(tree, "_fields") else type(tree)(values)
    return change(tree)


def leaves(tree: Any) -> list[Any]:
    """Return what nested tuples, lists and dicts hold."""
    found: list[Any] = []
    mapped_leaves(tree, found.append)
    return found


def flat(tree: Any) -> list[Tensor]:
    """Return the tensors of nested tuples, lists and dicts."""
    return [leaf for leaf in leaves(tree) if isinstance(leaf, Tensor)]


def rebuilt(tree: Any, values: Sequence[Any]) -> Any:
    """Return the nested tuples, lists and dicts with other things in the places of their tensors."""
    rest = iter(values)
    return mapped(tree, lambda tensor: next(rest))


def children(tree: Any) -> list[Any] | None:
    """Return what a tuple, list or dict holds, None for anything else."""
    if isinstance(tree, dict):
        return list(tree.values())
    return list(tree) if isinstance(tree, (tuple, list)) else None


def kind_of(tree: Any) -> tuple[Any, ...]:
    """Return what must be the same of two trees of one structure, at their root."""
    parts = children(tree)
    return (None,) if parts is None else (type(tree), len(parts), tuple(tree) if isinstance(tree, dict) else None)


def same_structure(one: Any, other: Any) -> bool:
    """Whether two trees differ in nothing but what they hold."""
    if kind_of(one) != kind_of(other):
        return False
    return all(map(same_structure, children(one) or (), children(other) or ()))


def broadcast(tree: Any, like: Any) -> list[Any] | None:
    """Return for each leaf of `like` what stands for it in a tree that may end sooner; None where it can't."""
    parts = children(tree)
    if parts is None:
        return [tree] * len(leaves(like))
    if kind_of(tree) != kind_of(like):
        return None
    found = [broadcast(part, other) for part, other in zip(parts, children(like) or (), strict=True)]
    return None if any(one is None for one in found) else [leaf for one in found if one is not None for leaf in one]


def structure(tree: Any, indent: int = 0) -> str:
    """Return the structure of a tree as PyTorch's messages draw it: TreeSpec(tuple, None, [*])."""
    parts = children(tree)
    if parts is None:
        return "*"
    drawn = [structure(part, indent + 2) for part in parts]
    keys = list(tree) if isinstance(tree, dict) else None
    between = ",\n" + " " * (indent + 2)
    return f"TreeSpec({type(tree).__name__}, {keys}, [{between.join(drawn)}])"


def outline(tree: Any) -> str:
    """Return the structure of a tree in short: (*, {'a': *})."""

    class Star:
        def __repr__(self) -> str:
            return "*"

    return repr(mapped_leaves(tree, lambda leaf: Star()))
