"""Operations that PyTorch has no derivative of, and what it says where one is asked for."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.op import Op


def underived(name: str) -> Any:
    """Return a rule that raises what PyTorch raises where a derivative is left out of its formulas."""

    def rule(g: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return rule


def unknown(name: str) -> Any:
    """Return a rule that raises what PyTorch raises for an operation without any formula."""

    def rule(g: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    return rule


def name_of(node: Any) -> str:
    return "torch::autograd::NotImplemented"


def wanted_edges(node: Any) -> tuple[tuple[Any, int], ...]:
    """Return where gradients would go: such a node knows only of inputs that require one."""
    return tuple(edge for edge in super(type(node), node).next_functions if edge[0] is not None)


def without_formula(entry: Op, name: str) -> Op:
    """Let an entry, whose node is called NotImplemented, be an operation without any formula; return it."""
    entry.grad(**{entry.arguments[i]: unknown(name) for i in entry.tensors})
    entry.node.name = name_of
    entry.node.next_functions = property(wanted_edges)
    return entry


def here(entry: Op, node: str) -> Op:
    """Return an entry, still without rules, as it is recorded where it writes into its first operand."""
    return Op(entry.forward, node, broadcasts=entry.broadcasts, promotes=entry.promotes)
