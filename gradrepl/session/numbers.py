"""Numbers as short one-line texts, the same for both engines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

LIMIT = 60
EDGE = 3


def flat(values: Any) -> Iterator[Any]:
    """Go through the numbers of nested lists; None marks what was left out."""
    if isinstance(values, list):
        for item in values:
            yield from flat(item)
    elif values is not None:
        yield values


def style_for(values: Any) -> Callable[[Any], str]:
    """Return how to write the numbers: as PyTorch does, in one style for all of them."""
    numbers = [part for value in flat(values) for part in parts(value)]
    sizes = [abs(value) for value in numbers if math.isfinite(value) and value != 0]
    if sizes and (max(sizes) / min(sizes) > 1000 or max(sizes) > 1e8 or min(sizes) < 1e-4):
        return lambda value: f"{value:.4e}"
    if all(size == int(size) for size in sizes):
        return lambda value: f"{value:.0f}." if math.isfinite(value) else str(value)
    return lambda value: f"{value:.4f}"


def parts(value: Any) -> tuple[float, ...]:
    if isinstance(value, complex):
        return (value.real, value.imag)
    return (value,) if isinstance(value, float) else ()


def write(value: Any, style: Callable[[Any], str]) -> str:
    if isinstance(value, complex):
        imaginary = style(value.imag)
        return f"{style(value.real)}{'' if imaginary[0] == '-' else '+'}{imaginary}j"
    return style(value) if isinstance(value, float) else str(value)


def nested_text(values: Any) -> str:
    """Return nested lists of numbers on one line."""
    style = style_for(values)

    def text(item: Any) -> str:
        if item is None:
            return "..."
        return "[" + ", ".join(map(text, item)) + "]" if isinstance(item, list) else write(item, style)

    return text(values)


def shorten(text: str, limit: int = LIMIT) -> str:
    """Cut a text to at most `limit` characters, behind a comma where there is one, and close its brackets."""
    if len(text) <= limit:
        return text
    head = text[: limit - 8]
    head = head[: head.rfind(",") + 1] if "," in head else head
    return f"{head} ..." + "]" * (head.count("[") - head.count("]"))
