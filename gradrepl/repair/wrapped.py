"""Code that a page wrapped: its continuation stands in lines without prompts (D08)."""

from __future__ import annotations

from itertools import takewhile

from gradrepl.repair.code import is_statement, mended
from gradrepl.repair.glue import depth
from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.prompts import DOTS, PROMPT, PROMPTS, mended_line
from gradrepl.repair.python import VALUE, parses
from gradrepl.session.mask import mask


def rejoined(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Give code that a page wrapped its continuation back: lines that close its brackets, the rest of a comment."""
    made: Lines = []
    index = 0
    while index < len(lines):
        made.append(lines[index])
        found = PROMPT.match(lines[index].text) or DOTS.match(lines[index].text)
        tail = wrapped(lines, index, lines[index].text[found.end() :]) if found else []
        if tail and "#" in mask(lines[index].text):
            made[-1] = Line(" ".join([lines[index].text, *(line.text.strip() for line in tail)]), lines[index].number)
        else:
            made += [Line(PROMPTS[1] + line.text, line.number) for line in tail]
        if tail:
            before = "\n".join(line.text for line in (lines[index], *tail))
            notes.repaired("D08", lines[index].number, before, "\n".join(line.text for line in made[-1 - len(tail) :]))
        index += 1 + len(tail)
    return made


def wrapped(lines: Lines, index: int, code: str) -> Lines:
    """Return the lines below a line of code that belong to it."""
    below = list(takewhile(lambda line: not is_prompt(line.text), lines[index + 1 : index + 1 + MOST_WRAPPED]))
    if not below or not below[0].text.strip():
        return []
    covered = mask(code)
    if "#" in covered:
        after = lines[index + 1 + len(below)].text if index + 1 + len(below) < len(lines) else ""
        goes = DOTS.match(after) is not None and DOTS.sub("", after).strip() not in ("", ",") and is_prompt(after)
        return below if goes and not any(map(is_code_or_value, below)) else []
    if depth(covered) <= 0:
        return []
    for count in range(1, len(below) + 1):
        if parses("\n".join([mended(code), *(mended_line(line.text) for line in below[:count])])):
            return below[:count]
        if parses(mended("\n".join([code, *(line.text for line in below[:count])]))):
            return below[:count]
    return []


MOST_WRAPPED = 8


def is_prompt(text: str) -> bool:
    return PROMPT.match(text) is not None or (DOTS.match(text) is not None and text.strip() != "...,")


def is_code_or_value(line: Line) -> bool:
    return is_statement(line.text) or VALUE.match(line.text.strip()) is not None
