"""Operations that PyTorch has no derivative of or can't map, and what it says where that is asked for."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.grad_mode import mode
from gradrepl.engine.op import Op

DYNAMIC = (
    "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::{}. Please "
    "file an issue at https://github.com/pytorch/pytorch/issues if you need this feature."
)


def check_not_mapped(tensor: Any, text: str) -> None:
    """Raise RuntimeError for a row of what vmap maps over: the size of the result would differ from row to row."""
    if mode.mapping and any(level < 0 for level in tensor._levels):
        raise RuntimeError(text)


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


def here(entry: Op, node: str, rules: dict[str, Any] | None = None) -> Op:
    """Return an entry as it is recorded where it writes into its first operand; its rules may be given later."""
    made = Op(entry.forward, node, broadcasts=entry.broadcasts, promotes=entry.promotes)
    made.grad(**(rules or {}))
    return made
