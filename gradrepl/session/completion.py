"""What may follow the text before the cursor: names, attributes, keyword arguments; looked up, never run."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradrepl.session.calls import call_before
from gradrepl.session.lookup import MISSING, attribute_names, resolve, visible
from gradrepl.session.mask import ends_covered, mask
from gradrepl.session.signature import forms

_TAIL = re.compile(r"(?P<before>\.?)(?P<path>(?:[^\W\d]\w*\.)*)(?P<word>[^\W\d]\w*)?$")
_MUCH = 4000


@dataclass(frozen=True, slots=True)
class Completions:
    """Texts that may stand in place of the last `length` letters."""

    length: int
    texts: tuple[str, ...]


def complete(text: str, names: Mapping[str, Any]) -> Completions:
    """Return what may follow `text`, the input up to the cursor; `names` are those of the session."""
    text = text if len(text) < _MUCH else text[text.find("\n", len(text) - _MUCH) + 1 :]
    if ends_covered(text):
        return Completions(0, ())
    tail = _TAIL.search(mask(text))
    if tail is None or tail["before"] or text[: tail.start()][-1:].isalnum():
        return Completions(0, ())
    word = tail["word"] or ""
    if tail["path"]:
        return Completions(len(word), _attributes(tail["path"][:-1], word, names))
    return Completions(len(word), (*_keywords(text, word, names), *_names(word, names)))


def _attributes(path: str, word: str, names: Mapping[str, Any]) -> tuple[str, ...]:
    owner = resolve(path, names)
    return () if owner is MISSING else tuple(visible(attribute_names(owner), word))


def _keywords(text: str, word: str, names: Mapping[str, Any]) -> list[str]:
    """The keyword arguments of the call around the cursor, as `name=`."""
    call = call_before(text)
    if call is None or call.keyword is not None:
        return []
    known = {name for form in forms(call.path, names, bring=True) for name in form.keywords}
    return [f"{name}=" for name in visible(known - set(call.given), word)]


def _names(word: str, names: Mapping[str, Any]) -> list[str]:
    """The session's own names first, then Python's; none before a letter is typed."""
    if not word:
        return []
    own = visible(names, word)
    others = visible({*vars(builtins), *keyword.kwlist} - set(names), word)
    return [*own, *others]
