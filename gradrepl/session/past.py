"""What a session remembers of its names: which input made a tensor, wrote into it, went backward from it."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gradrepl.session.modes import SWITCHES
from gradrepl.session.outcome import Outcome
from gradrepl.session.snapshot import Seen

KEPT = 200
BACKWARD = ("backward", "grad")


@dataclass(frozen=True, slots=True)
class Deed:
    """What an input did to a name: its number, from 1, and its statement; name is "" where it is no one name's."""

    name: str
    input: int
    source: str


@dataclass(frozen=True, slots=True)
class Origin(Deed):
    """How a tensor came by its name; switch: what recording was off under, as one reads it in code, or None."""

    switch: str | None = None


@dataclass(frozen=True, slots=True)
class Write(Deed):
    """A change of a tensor's numbers in place; shape, and the node that the tensor had before it."""

    shape: tuple[int, ...] = ()
    grad_fn: str | None = None


class Past:
    """The origins of the names that are there, and the last writes and backward passes."""

    def __init__(self) -> None:
        self.input = 0
        self.origins: dict[str, Origin] = {}
        self.writes: deque[Write] = deque(maxlen=KEPT)
        self.backwards: deque[Deed] = deque(maxlen=KEPT)

    def note(
        self, statement: ast.stmt, outcome: Outcome, before: Mapping[str, Seen], after: Mapping[str, Seen]
    ) -> None:
        """Remember what a statement did, from the tensors before and after it."""
        for name, seen in after.items():
            old = before.get(name)
            if old is None or tensor_of(old) is not tensor_of(seen):
                switch = switch_over(statement, name, outcome)
                self.origins[name] = Origin(name, self.input, outcome.source, switch)
            elif old.value.version != seen.value.version:
                row = old.row
                self.writes.append(Write(name, self.input, outcome.source, row.shape, row.grad_fn))
        if outcome.failure is None and any(calls(statement, BACKWARD)):
            self.backwards.append(Deed("", self.input, outcome.source))


def tensor_of(seen: Seen) -> object:
    return None if seen.value.tensor is None else seen.value.tensor()


def calls(tree: ast.AST, names: tuple[str, ...]) -> Iterator[ast.Call]:
    """Yield the calls of an attribute or function that is called one of `names`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) in names:
            yield node


def last_name(node: ast.expr) -> str | None:
    """Return the last name of a dotted one: "no_grad" of `torch.no_grad`, of the function of a call too."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def switch_over(statement: ast.stmt, name: str, outcome: Outcome) -> str | None:
    """Return the switch that kept `name` from being recorded when this statement bound it, or None."""
    row = next((row for row in outcome.rows if row.name == name), None)
    if row is None or row.requires_grad:
        return None
    inner = innermost(statement, name, None)
    if inner is not None:
        return None if "enable_grad" in inner or "True" in inner else inner
    if not outcome.mode_before.enabled:
        return outcome.mode_before.stack[-1] if outcome.mode_before.stack else None
    return outcome.mode.stack[-1] if not outcome.mode.enabled and outcome.mode.stack else None


def innermost(statement: ast.stmt, name: str, switch: str | None) -> str | None:
    """Return the innermost grad switch whose `with` block binds `name`, as it stands in the code."""
    if isinstance(statement, ast.With):
        named = [item.context_expr for item in statement.items if last_name(item.context_expr) in SWITCHES]
        switch = spoken(named[-1]) if named else switch
    inside = [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)]
    found = [innermost(node, name, switch) for node in inside]
    if not inside and any(binds(node, name) for node in ast.walk(statement)):
        return switch
    return next((text for text in reversed(found) if text is not None), None)


def binds(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name


def spoken(node: ast.expr) -> str | None:
    """Return an expression as code; of one too deep to write, its last name."""
    try:
        return ast.unparse(node)
    except RecursionError:
        return last_name(node)
