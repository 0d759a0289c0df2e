"""The colours of code that is being typed."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from gradrepl.view.highlight import pieces

STYLES = {
    "code.keyword": "ansimagenta",
    "code.constant": "ansimagenta",
    "code.builtin": "ansicyan",
    "code.string": "ansigreen",
    "code.number": "ansicyan",
    "code.comment": "ansibrightblack",
    "code.decorator": "ansiyellow",
}


class CodeLexer(Lexer):
    """Colours Python; a command is left as it is."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        lines = [[("", line)] for line in document.lines] if document.text.startswith(":") else _lines(document.text)
        return lambda number: list(lines[number]) if number < len(lines) else []


def _lines(source: str) -> list[list[tuple[str, str]]]:
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, text in pieces(source):
        first, *others = text.split("\n")
        style = f"class:code.{kind}" if kind else ""
        lines[-1].append((style, first))
        lines.extend([(style, other)] for other in others)
    return lines
