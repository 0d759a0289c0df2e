"""Python source cut into words, strings, numbers and comments: enough to colour it, and quick to load."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from typing import Literal

Kind = Literal["", "keyword", "constant", "builtin", "string", "number", "comment", "decorator"]

_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<string>(?:\b[rbfuRBFU]{1,2})?(?:
        \"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\Z) | '''(?:[^\\]|\\.)*?(?:'''|\Z)
      | "(?:[^"\\\n]|\\.)*"? | '(?:[^'\\\n]|\\.)*'? ))
  | (?P<decorator>(?:(?<=\n)|\A)[ \t]*@[\w.]+)
  | (?P<number>(?<![\w.])(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?))
  | (?P<word>(?<![\w.])[^\W\d]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_CONSTANTS = frozenset(("True", "False", "None"))
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_")) - _CONSTANTS


def pieces(source: str) -> Iterator[tuple[Kind, str]]:
    """The whole source, piece by piece, each with what it is; "" is anything else."""
    end = 0
    for match in _TOKEN.finditer(source):
        if match.start() > end:
            yield "", source[end : match.start()]
        yield _kind(match), match[0]
        end = match.end()
    if end < len(source):
        yield "", source[end:]


def _kind(match: re.Match[str]) -> Kind:
    word = match[0]
    if match.lastgroup != "word":
        kinds: dict[str | None, Kind] = {k: k for k in ("comment", "string", "decorator", "number")}
        return kinds[match.lastgroup]
    if word in _CONSTANTS:
        return "constant"
    if keyword.iskeyword(word):
        return "keyword"
    return "builtin" if word in _BUILTINS else ""
