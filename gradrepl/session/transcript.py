"""Pasted transcripts: the statements without prompts and without what was printed."""

from __future__ import annotations

import re

from gradrepl.session.mask import mask

PROMPT = re.compile(r"^[ \t]*(>>> ?|In \[\d+\]: ?)")
_CONTINUATION = re.compile(r"^[ \t]*(\.{3,}: ?|\.\.\. ?)")
# Outside of strings Python knows no `>>>`; three dots are a prompt only where Ellipsis makes no sense.
_GLUED = re.compile(r">>> |(?<=[^\s\[(,])In \[\d+\]: |(?<=\S)\.\.\. (?= {2,}\S)|(?<=[^\s\[(,])\.\.\. ?(?=>>> )")
_FIRST_PROMPT_LOST = re.compile(r"(^|\S)>>> ", re.MULTILINE)


def is_transcript(text: str) -> bool:
    """Whether a text has prompts: at its start, or where no Python could stand."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if PROMPT.match(first):
        return True
    return ">>> " in text and bool(first.strip()) and bool(_FIRST_PROMPT_LOST.search(mask(text)))


def strip_prompts(text: str) -> str:
    """Return a pasted transcript's statements without prompts and output; other text as it is.

    Lines that came glued together, as copied from a page, are taken apart. Strings that hold prompts survive.
    """
    if not is_transcript(text):
        return text
    kept: list[str] = []
    statement = ""  # the lines since the last prompt; empty behind the first line that was printed
    lines = text.lstrip("\n").splitlines()
    if not PROMPT.match(next(line for line in lines if line.strip())):
        lines[0] = ">>> " + lines[0]
    for line in lines:
        code = _code(line, statement)
        if code is None:
            statement = ""
            continue
        statement = code + "\n" if PROMPT.match(line) or not statement else f"{statement}{code}\n"
        kept += _apart(code, statement)
    return "\n".join(kept) + "\n"


def _code(line: str, statement: str) -> str | None:
    """The code of a line behind its prompt; None for a line that was printed."""
    if PROMPT.match(line):
        return PROMPT.sub("", line, count=1)
    if statement and _CONTINUATION.match(line):
        return _CONTINUATION.sub("", line, count=1)
    prompt = mask(line).find(">>> ")
    return None if prompt < 0 else line[prompt + 4 :]


def _apart(code: str, statement: str) -> list[str]:
    """The lines that are glued together in the last line of a statement."""
    covered = mask(statement)[-len(code) - 1 : -1] if code else ""
    pieces, start = [], 0
    for found in _GLUED.finditer(covered):
        pieces.append(code[start : found.start()])
        start = found.end()
    return [*pieces, code[start:]]
