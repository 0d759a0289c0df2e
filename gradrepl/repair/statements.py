"""Statements behind prompts, and what stands below each."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradrepl.repair.model import Lines
from gradrepl.repair.prompts import DOTS, PROMPT


def sources(source: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the lines of a program's statements, each with its number; statements that share a line stay together."""
    lines, end, start = source.split("\n"), 0, 0
    for node in tree.body:
        first = first_line(node)
        if first > end:
            if end:
                yield start, "\n".join(lines[start - 1 : end])
            start = first
        end = max(end, node.end_lineno or first)
    if end:
        yield start, "\n".join(lines[start - 1 : end])


def first_line(node: ast.stmt) -> int:
    lines: list[int] = [node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]
    return min(lines)


def grouped(lines: Lines) -> Iterator[tuple[Lines, Lines]]:
    """Yield each statement's lines with the lines below it, up to the next prompt."""
    code: Lines = []
    below: Lines = []
    for line in lines:
        if PROMPT.match(line.text):
            if code:
                yield code, below
            code, below = [line], []
        elif code and not below and DOTS.match(line.text):
            code.append(line)
        elif code:
            below.append(line)
    if code:
        yield code, below
