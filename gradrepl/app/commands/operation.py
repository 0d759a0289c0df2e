"""The card of an operation: its formula, its forward and its gradient rules, as they stand in the engine's table."""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gradrepl.app.engines import operations
from gradrepl.i18n import Translate
from gradrepl.session.core import Session

Span = tuple[str, str]
SYMBOLS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow", "@": "matmul", "<": "lt", ">": "gt", "==": "eq"}

_PARTS = {"matmul": "mm"}  # functions that record others' nodes
_NODE = re.compile(r"(\w+?)Backward\d+")
_HUMP = re.compile(r"(?<=[a-zD])(?=[A-Z][a-z])")


def card(asked: str, session: Session, _: Translate) -> Iterator[Sequence[Span]]:
    """The lines about an operation; asked: its name, symbol or node, or the name of a tensor that it made."""
    table = operations()
    tensor = session.names.get(asked)
    node = (
        type(tensor.grad_fn).__name__ if isinstance(tensor, session.engine.torch.Tensor) and tensor.grad_fn else asked
    )
    entry = find(table, node)
    if entry is None:
        yield [(_unknown(asked, table, _), "cyan")]
        return
    yield [(entry.name, "bold"), (f"({', '.join(entry.arguments)})", ""), (f"   {_formula(entry)}", "cyan")]
    yield [(_("grad_fn: {node}").format(node=entry.node.__name__ if entry.node else None), "")]
    yield [(_("forward, on arrays:"), "bold")]
    yield from _code(_body(entry))
    if not entry.rules:
        yield [(_("It has no gradient: nothing is recorded."), "cyan")]
        return
    yield [(_("gradient, g is that of the result:"), "bold")]
    for argument, rule in rules(entry).items():
        yield from _code(f"{argument}.grad += {rule}")
    yield [(_kept(entry, _), "")]
    if session.engine.name != "builtin":
        yield [
            (
                _("So gradrepl's own engine does it; PyTorch's rule is in C++ and gives the same numbers."),
                "bright_black",
            )
        ]


def find(table: Mapping[str, Any], asked: str) -> Any:
    """The entry of that name, symbol or node; None where there is none."""
    name = SYMBOLS.get(asked, asked.removeprefix("torch.").removesuffix("()"))
    named = by_name(table)
    if name in named:
        return named[name]
    return next((entry for entry in table.values() if entry.node is not None and entry.node.__name__ == name), None)


def by_name(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entries by their own names and by those of the functions that record them: sum is SumBackward0's."""
    named: dict[str, Any] = {}
    recorded = [entry for entry in table.values() if entry.node is not None]
    for entry in sorted(recorded, key=lambda entry: str(entry.node.__name__)):
        node = _NODE.fullmatch(entry.node.__name__)
        if node is not None and "Backward" not in node[1]:
            named.setdefault(_HUMP.sub("_", node[1]).lower(), entry)
    return {**named, **{name: table[part] for name, part in _PARTS.items() if part in table}, **table}


def rules(entry: Any) -> dict[str, str]:
    """The gradient of each tensor argument as an expression of Python."""
    source = inspect.getsource(inspect.getmodule(entry.forward))  # type: ignore[arg-type]
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr == "grad" and _name(function.value) == entry.name:
            return {part.arg: _rule(part.value, source, entry.rules[part.arg]) for part in call.keywords if part.arg}
    return {argument: _rule_of(rule) for argument, rule in entry.rules.items()}


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _rule(node: ast.expr, source: str, rule: Any) -> str:
    if not isinstance(node, ast.Lambda):
        return _rule_of(rule)
    return " ".join((ast.get_source_segment(source, node.body) or "").split())


def _rule_of(rule: Any) -> str:
    return f"{rule.__name__}({', '.join(inspect.signature(rule).parameters)})"


def _body(entry: Any) -> str:
    """The forward without decorator and docstring."""
    source = textwrap.dedent(inspect.getsource(entry.forward))
    function = ast.parse(source).body[0]
    if not isinstance(function, ast.FunctionDef):
        return source
    parts = [
        part for part in function.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
    ]
    return "\n".join(ast.get_source_segment(source, part) or "" for part in parts)


def _formula(entry: Any) -> str:
    return str(entry.doc).strip().partition("\n")[0]


def _code(source: str) -> Iterator[Sequence[Span]]:
    for line in source.split("\n"):
        yield [(f"    {line}", "green")]


def _kept(entry: Any, _: Translate) -> str:
    needed = [name for rule in entry.rules.values() for name in list(inspect.signature(rule).parameters)[1:]]
    kept = ", ".join(dict.fromkeys(needed))
    return _("kept for backward: {names}").format(names=kept) if kept else _("Nothing is kept for backward.")


def _unknown(asked: str, table: Mapping[str, Any], _: Translate) -> str:
    nodes = [entry.node.__name__ for entry in table.values() if entry.node is not None]
    close = difflib.get_close_matches(asked, [*table, *nodes], cutoff=0.5)
    text = _("The table has no operation {name}. Such names are: {names}")
    return text.format(name=asked or "?", names=", ".join(close or ["mul", "+", "MulBackward0", "sum", "relu"]))
