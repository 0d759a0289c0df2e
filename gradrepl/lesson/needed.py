"""What of a lesson one must have seen to answer a question that stands alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LOOKS = (
    "print",
    "repr",
    "type",
    "len",
    "isinstance",
    "is_grad_enabled",
    "item",
    "tolist",
    "numpy",
    "sum",
    "any",
    "all",
)
SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Version = tuple[str, int]  # a name, and the number of the statement that gave it its value


class Ran(NamedTuple):
    """A statement that ran. made: the values that it bound; reached: those that it could get at; acts: on them."""

    source: str
    made: frozenset[Version]
    reached: frozenset[Version]
    acts: bool


def needed(before: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Return those of the statements before a question that its own code and its cells depend on, in their order.

    Kept is what gave a name its value that the question reaches, and what acted on such a value, or on the grad
    mode. Left out are looks at values and what belongs to other values, those that had the same name before too.
    """
    ran = followed([*before, "\n".join(asked)])
    wanted = set(ran[-1].reached)
    kept = []
    for statement in reversed(ran[:-1]):
        if statement.made & wanted or (statement.acts and (statement.reached & wanted or not statement.reached)):
            kept.append(statement.source)
            wanted |= statement.reached
    return kept[::-1]


def followed(sources: Sequence[str]) -> list[Ran]:
    """Return each statement with what it made and reached; modules are in no set, for everything reaches them."""
    current: dict[str, Version] = {}
    reach: dict[Version, set[Version]] = {}
    ran = []
    for number, source in enumerate(sources):
        tree = parsed(source)
        seen = {current[name] for name in read_by(tree) if name in current}
        reached = {version for one in seen for version in reach[one]}
        changing = acts(tree)
        for one in seen if changing else ():
            reach[one] |= reached
        made = {name: (name, number) for name in bound(tree)}
        reach |= {version: {version, *reached} for version in made.values()}
        current = {name: version for name, version in {**current, **made}.items() if name not in imported(tree)}
        ran.append(Ran(source, frozenset(made.values()), frozenset(reached), changing or bool(imported(tree))))
    return ran


def parsed(source: str) -> ast.Module:
    """Return a source's tree; an empty one where it has none."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def read_by(tree: ast.AST) -> set[str]:
    """Return the names that a tree reads, or adds something to, but for those that its own functions keep inside."""
    found = {tree.id} if isinstance(tree, ast.Name) and not isinstance(tree.ctx, ast.Store) else set()
    if isinstance(tree, ast.AugAssign):
        found |= {node.id for node in ast.walk(tree.target) if isinstance(node, ast.Name)}
    for node in ast.iter_child_nodes(tree):
        found |= read_by(node)
    return found - own(tree) if isinstance(tree, SCOPES) else found


def own(scope: ast.AST) -> set[str]:
    """Return the parameters and variables of a function or a comprehension."""
    stored = {node.id for node in ast.walk(scope) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in ast.walk(scope) if isinstance(node, ast.arg)}


def outside(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree that are not inside a function or a class."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, (*SCOPES, ast.ClassDef)):
            yield from outside(node)


def bound(tree: ast.AST) -> set[str]:
    """Return the names that a statement gives a value."""
    names = {node.id for node in outside(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.name for node in outside(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return names | imported(tree)


def imported(tree: ast.AST) -> set[str]:
    """Return the names that a statement imports."""
    aliases = [node for node in ast.walk(tree) if isinstance(node, ast.alias)]
    return {(alias.asname or alias.name).split(".")[0] for alias in aliases}


def acts(tree: ast.AST) -> bool:
    """Whether a statement changes values that are there, or the grad mode, rather than only making or showing some."""
    for node in outside(tree):
        if isinstance(node, ast.AugAssign | ast.Delete):
            return True
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Expr) and any(name not in LOOKS for name in called(node.value)):
            return True
        if isinstance(node, ast.Call) and any(changes(name) for name in called(node)):
            return True
    return False


def changes(name: str) -> bool:
    """Whether a function's name says that it works in place."""
    return (name.endswith("_") and not name.endswith("__")) or name.startswith("register")


def called(node: ast.AST) -> Iterator[str]:
    """Yield the names of the functions that are called in an expression."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            yield part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
