"""One error or warning with all that can be asked about it: the code around it, the tensors, the past."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gradrepl.session.outcome import Outcome, TensorRow
from gradrepl.session.past import Past


@dataclass(frozen=True, slots=True)
class Case:
    """One error or warning.

    match: of the pattern with the message; tree: the statement, None where the source is no Python; line: where
    it happened, as in the tree. names and torch: what the learner's code can refer to.
    """

    match: re.Match[str]
    outcome: Outcome
    tree: ast.stmt | None
    line: int | None
    past: Past
    names: Mapping[str, Any]
    torch: ModuleType

    @property
    def code(self) -> ast.AST:
        """The innermost statement that holds the line; of a compound one (`with`, `for`) its head alone."""
        found: ast.stmt | None = self.tree
        inside = [node for node in ast.walk(self.tree or ast.Module([], [])) if isinstance(node, ast.stmt)]
        for node in inside:
            if self.line is not None and node.lineno <= self.line <= (node.end_lineno or node.lineno):
                found = node  # ast.walk goes from the outside in
        return head(found) if found is not None else ast.Module([], [])

    @property
    def rows(self) -> dict[str, TensorRow]:
        """The named tensors."""
        return {row.name: row for row in self.outcome.rows}

    def tensors_in(self, tree: ast.AST) -> Iterator[TensorRow]:
        """Yield the named tensors that a piece of code reads, each once, as they stand in it."""
        rows, read = self.rows, dict[str, None]()
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in rows:
                read[node.id] = None
        yield from (rows[name] for name in read)

    def known_names(self) -> list[str]:
        """Return the names that code may refer to, the learner's own first."""
        own = [name for name in self.names if not name.startswith("__")]
        return [*own, *dir(builtins), *keyword.kwlist]


def head(statement: ast.stmt) -> ast.AST:
    """Return a statement without the blocks below it."""
    if not isinstance(getattr(statement, "body", None), list):
        return statement
    fields = [value for name, value in ast.iter_fields(statement) if name not in ("body", "orelse", "finalbody")]
    parts = [part for value in fields for part in (value if isinstance(value, list) else [value])]
    return ast.Module([part for part in parts if isinstance(part, ast.AST)], [])  # type: ignore[misc]
