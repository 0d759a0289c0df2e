"""The call that is being typed: what is called, and which of its arguments comes next."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gradrepl.session.mask import mask
from gradrepl.session.signature import Form

_CALLED = re.compile(r"(?<![\w.)\]}\"])(?:[^\W\d]\w*\.)*[^\W\d]\w*$")
_DEFINED = re.compile(r"\b(?:def|class)\s+$")
_KEYWORD = re.compile(r"^\s*([^\W\d]\w*)\s*=(?!=)")
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call up to the cursor: dotted name, arguments before this one, keywords given, keyword of this one."""

    path: str
    position: int
    given: tuple[str, ...]
    keyword: str | None


def call_before(text: str) -> Call | None:
    """Return the innermost call of a dotted name that is open at the end of a text."""
    covered = mask(text)
    depth: list[str] = []
    start, pieces = len(covered), list[str]()
    for place in range(len(covered) - 1, -1, -1):
        letter = covered[place]
        if letter in _PAIRS:
            depth.append(_PAIRS[letter])
        elif letter in "([{" and depth:
            depth.pop()
        elif letter == "," and not depth:
            pieces.append(covered[place + 1 : start])
            start = place
        elif letter in "([{":
            pieces.append(covered[place + 1 : start])
            called = _CALLED.search(covered[:place])
            if letter == "(" and called and not _DEFINED.search(covered[: called.start()]):
                return _call(called[0], pieces[::-1])
            start, pieces = place, []
    return None


def _call(path: str, pieces: list[str]) -> Call:
    keywords = [found[1] if (found := _KEYWORD.match(piece)) else None for piece in pieces]
    given = tuple(keyword for keyword in keywords[:-1] if keyword)
    return Call(path, len(pieces) - 1, given, keywords[-1])


def fitting(call: Call, forms: tuple[Form, ...]) -> Form | None:
    """Return the first form that takes what is given so far, or the first of all."""
    for form in forms:
        if set(call.given) | ({call.keyword} - {None}) <= set(form.keywords) and current(call, form) is not None:
            return form
    return forms[0] if forms else None


def current(call: Call, form: Form) -> int | None:
    """Return the index of the argument that is being typed."""
    if call.keyword is not None:
        named = [i for i, argument in enumerate(form.arguments) if argument.name == call.keyword and argument.by_name]
        return named[0] if named else None
    places = [i for i, argument in enumerate(form.arguments) if argument.by_position and argument.name]
    if call.position < len(places):
        return places[call.position]
    return places[-1] if places and form.arguments[places[-1]].text.startswith("*") else None
