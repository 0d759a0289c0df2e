"""The call that is being typed, for the toolbar: its form, with the current argument marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradrepl.session.calls import call_before, current, fitting
from gradrepl.session.signature import Argument, forms

_MUCH = 4000


def hint(text: str, names: Mapping[str, Any], width: int) -> tuple[str, str, str] | None:
    """What stands before the current argument, that argument, and what stands behind it, in `width` columns.

    text: the input up to the cursor. None outside of calls, and where only running code could tell.
    """
    call = call_before(text[-_MUCH:])
    form = fitting(call, forms(call.path, names)) if call else None
    if call is None or form is None:
        return None
    index = current(call, form)
    texts = [_short(argument) for argument in form.arguments]
    first, last = _window(texts, index or 0, width - len(form.name) - len("(…, , …)"))
    pieces = [
        ", ".join(texts[first : index or first]),
        "",
        ", ".join(texts[first if index is None else index + 1 : last]),
    ]
    before = f"{form.name}(" + ("…, " if first else "") + (f"{pieces[0]}, " if pieces[0] else "")
    marked = "" if index is None else texts[index]
    more = (", …" if last < len(texts) else "") + ")"
    behind = (", " if marked and pieces[2] else "") + pieces[2] + more
    return before, marked, behind


def _short(argument: Argument) -> str:
    return argument.text if len(argument.text) <= 30 else f"{argument.text[:29]}…"


def _window(texts: list[str], index: int, width: int) -> tuple[int, int]:
    """The arguments to show: the current one, then as many behind it and before it as there is room for."""
    first, last = index, min(index + 1, len(texts))
    room = width - sum(len(text) + 2 for text in texts[first:last])
    while last < len(texts) and room >= len(texts[last]) + 2:
        room -= len(texts[last]) + 2
        last += 1
    while first > 0 and room >= len(texts[first - 1]) + 2:
        room -= len(texts[first - 1]) + 2
        first -= 1
    return first, last
