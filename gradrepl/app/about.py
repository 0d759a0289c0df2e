"""Answers to `name?`: what a tensor is like, what a function takes and does."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Iterator
from typing import Any

from gradrepl.i18n import Translate
from gradrepl.session.core import Session
from gradrepl.view import plain

_NOTHING = object()


def about(name: str, session: Session, _: Translate) -> Iterator[str]:
    """Lines about what a dotted name stands for in a session; nothing is called and no property is read."""
    row = next((row for row in session.rows() if row.name == name), None)
    if row is not None:
        yield plain.row(row, _)
        yield f"value = {row.value}; shape = {row.shape}; dtype = {row.dtype}; is_leaf = {row.is_leaf}"
        return
    value = _find(name, session)
    if value is _NOTHING:
        yield _("There is nothing named {name}.").format(name=name)
        return
    yield f"{name}{_signature(value)}"
    yield from (inspect.getdoc(value) or "").split("\n\n")[0].splitlines()


def _find(name: str, session: Session) -> Any:
    first, *others = name.split(".")
    value = session.names.get(first, getattr(builtins, first, _NOTHING))
    for other in others:
        try:
            found = inspect.getattr_static(value, other)
        except AttributeError:
            return _NOTHING
        value = getattr(found, "__func__", found)
    return value


def _signature(value: Any) -> str:
    try:
        return str(inspect.signature(value))
    except (TypeError, ValueError):  # not callable, or written in C
        return f": {type(value).__name__}"
