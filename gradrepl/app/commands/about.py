"""Answers to `name?`: what a tensor is like; how a function is called, what it does, and its derivative."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from gradrepl.i18n import Translate
from gradrepl.session.core import Session
from gradrepl.session.lookup import MISSING, resolve
from gradrepl.session.read import Question
from gradrepl.session.signature import forms
from gradrepl.view import plain

_FEW = 12


def about(question: Question, session: Session, _: Translate) -> Iterator[str]:
    """Lines about what a dotted name stands for in a session; nothing is called and no property is read."""
    name = question.name
    row = next((row for row in session.rows() if row.name == name), None)
    if row is not None:
        yield plain.row(row, _)
        yield f"value = {row.value}; shape = {row.shape}; dtype = {row.dtype}; is_leaf = {row.is_leaf}"
        return
    value = resolve(name, session.names, bring=True)
    if value is MISSING:
        yield _nothing(name, session.names, _)
        return
    found = forms(name, session.names)
    yield from [form.text for form in found] or [f"{name}: {type(value).__name__}"]
    entry = _operation(name, value, session)
    if entry is None or value.__doc__ != entry.doc:
        yield from _help(value, question, _)
    if entry is not None:
        yield from _derivative(entry, name.rpartition(".")[2], _)


def _nothing(name: str, names: Mapping[str, Any], _: Translate) -> str:
    """What to say where there is nothing to look at without running code."""
    owner = resolve(name.rpartition(".")[0], names) if "." in name else MISSING
    stored = MISSING if owner is MISSING else inspect.getattr_static(owner, name.rpartition(".")[2], MISSING)
    if stored is MISSING:
        return _("There is nothing named {name}.").format(name=name)
    text = getattr(stored, "__doc__", None)
    return f"{name}: {inspect.cleandoc(text) if isinstance(text, str) else type(stored).__name__}"


def _help(value: Any, question: Question, _: Translate) -> Iterator[str]:
    """The docstring: its beginning, or all of it where that is asked for."""
    text = getattr(value, "__doc__", None) if callable(value) or inspect.ismodule(value) else None
    lines = inspect.cleandoc(text).splitlines() if isinstance(text, str) else []
    yield from lines if question.whole else lines[:_FEW]
    if len(lines) > _FEW and not question.whole:
        more = _("... {count} more lines: {name}??")
        yield more.format(count=len(lines) - _FEW, name=question.name)


def _operation(path: str, value: Any, session: Session) -> Any:
    """The entry in the table of operations for a function of torch or a method of a tensor; None for others."""
    from gradrepl.app.commands.operation import find
    from gradrepl.app.engines import operations

    owner, _dot, name = path.rpartition(".")
    torch = session.engine.torch
    holder = resolve(owner, session.names) if owner else MISSING
    torch_owns = holder in (torch, torch.Tensor, torch.nn.functional) if not isinstance(holder, torch.Tensor) else True
    return find(operations(), name.rstrip("_")) if torch_owns and callable(value) else None


def _derivative(entry: Any, name: str, _: Translate) -> Iterator[str]:
    from gradrepl.app.commands.operation import rules

    yield f"{name}({', '.join(entry.arguments)}) = {entry.doc.strip()}"
    if not entry.rules:
        return
    yield _("gradient, g is that of the result:")
    for argument, rule in rules(entry).items():
        yield f"    {argument}.grad += {rule}"
