"""Small questions about a piece of Python: does it parse, what does it define, is it just a value."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from gradrepl.session.core import statements
from gradrepl.session.foreign import parses as parses_line
from gradrepl.session.read import unseen_warnings

LONGEST = 2000
VALUE = re.compile(
    r"True\b|False\b|None\b|tensor\(|torch\.Size\(|torch\.(?:u?int|float|bfloat|bool|complex)\d*\b(?!\()"
    r"|\(?(?:True|False|None)\b"
    r"|Traceback \(|(?:__main__|<stdin>|<ipython-input[^>]*>|[\w./\\:-]+\.py):\d+:|<[\w.]+ (?:object|at)"
    r"|Parameter containing:|<\w+Backward\d*(?: object)?|-?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?\b|\[|'|\""
    r"|\(tensor\(|torch\.autograd\.grad_mode"
)
"""How what a prompt prints may begin."""
TRY = re.compile(r"try\s*:")
ATOM = re.compile(r"[\w.)\]}'\"]$")


def tree_of(source: str) -> ast.Module | None:
    """Return the syntax tree of a source, None where it is no Python or far too long; not to change."""
    if len(source) > LONGEST:
        return None if len(source) > 100 * LONGEST else parsed(source)
    return parsed_once(source)


def parsed(source: str) -> ast.Module | None:
    if "\0" in source:
        return None
    try:
        with unseen_warnings():
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


parsed_once = lru_cache(maxsize=1024)(parsed)  # all passes ask of the same lines


@lru_cache(maxsize=4096)
def parses(source: str) -> bool:
    """Whether a source is Python, or the head of a block."""
    text = source.strip()
    if not text or TRY.fullmatch(text) or tree_of(text) is not None:
        return bool(text)
    return len(text) <= LONGEST and parses_line(text)


def statement_sources(source: str) -> list[str]:
    """Return the sources of a source's statements, none where it is no Python."""
    tree = tree_of(source)
    return [] if tree is None else [text for _, text, _ in statements(source, tree.body)]


def is_header(code: str) -> bool:
    """Whether a line opens a block."""
    return code.rstrip().endswith(":") and not code.lstrip().startswith("#")


@lru_cache(maxsize=4096)
def names_in(source: str) -> frozenset[str]:
    """Return the names that a source binds, as far as it can be told of damaged code.

    A module that is none of PyTorch's stands there twice, the second time with a dot behind it.
    """
    tree = tree_of(source)
    if tree is None:
        return frozenset(re.findall(r"(?<![\w.])([^\W\d]\w*)\s*=(?!=)", source))
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Import):
            names = [((each.asname or each.name).split(".")[0], each.name) for each in node.names]
            found |= {name for name, _ in names} | {f"{name}." for name, path in names if path.split(".")[0] != "torch"}
        elif isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name for each in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return frozenset(found)


def bare(source: str) -> bool:
    """Whether a source is a single name or constant: no statement that anybody would write behind another."""
    tree = tree_of(source.strip())
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return False
    value = tree.body[0].value
    return isinstance(value, (ast.Name, ast.Constant, ast.UnaryOp))
