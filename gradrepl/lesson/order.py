"""Options and lines to choose from, in an order that says nothing and is the same each time."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from gradrepl.lesson.model import Distractor, Option, Step
from gradrepl.session.read import wants_more

SALTS = 8


class ChoiceError(ValueError):
    """A number that can't be taken as an answer.

    number: the one it is about, None where there was none; count: how many there are to choose from;
    reason: "none" (no number given), "unknown" (not from 1 to count) or "twice".
    """

    def __init__(self, reason: Literal["none", "unknown", "twice"], number: int | None, count: int) -> None:
        found = {"none": "found none", "unknown": f"found {number}", "twice": f"found {number} twice"}[reason]
        super().__init__(f"expected numbers from 1 to {count}, each at most once; {found}")
        self.reason = reason
        self.number = number
        self.count = count


def options(step: Step) -> tuple[Option, ...]:
    """Return a choice's options in the order in which they are numbered, from 1."""
    return tuple(step.options[index] for index in shuffled(len(step.options), step.id))


def choose(step: Step, number: int) -> Option:
    """Return the option of that number, from 1. Raises ChoiceError."""
    found = options(step)
    if not 1 <= number <= len(found):
        raise ChoiceError("unknown", number, len(found))
    return found[number - 1]


def lines(step: Step) -> tuple[str, ...]:
    """Return the lines to put in order, distractors among them, without ends; numbered from 1."""
    found = all_lines(step)
    return tuple(found[index] for index in order_of_lines(step))


def arranged(step: Step, numbers: Sequence[int]) -> str:
    """Return the program that lines make in that order, each line ending in a newline. Raises ChoiceError."""
    found = lines(step)
    if not numbers:
        raise ChoiceError("none", None, len(found))
    for place, number in enumerate(numbers):
        if not 1 <= number <= len(found):
            raise ChoiceError("unknown", number, len(found))
        if number in numbers[:place]:
            raise ChoiceError("twice", number, len(found))
    return "".join(f"{found[number - 1]}\n" for number in numbers)


def right_order(step: Step) -> tuple[int, ...]:
    """Return the numbers that make the solution."""
    order = order_of_lines(step)
    return tuple(order.index(index) + 1 for index in range(len(solution_lines(step))))


def distracted(step: Step, numbers: Sequence[int]) -> Distractor | None:
    """Return the first distractor among the lines of these numbers, if there is one."""
    order, own = order_of_lines(step), len(solution_lines(step))
    taken = (order[number - 1] - own for number in numbers if 1 <= number <= len(order))
    return next((step.distractors[index] for index in taken if index >= 0), None)


def misplaced(step: Step, numbers: Sequence[int]) -> int | None:
    """Return the place, from 0, of the first line that can't follow those before it; len(numbers) where more lines
    must follow the last one, None where the lines make a program. Raises ChoiceError.
    """
    source = arranged(step, numbers).splitlines(keepends=True)
    starts = ("".join(source[: place + 1]) for place in range(len(source)))
    wrong = next((place for place, start in enumerate(starts) if not (is_whole(start) or wants_more(start))), None)
    return wrong if wrong is not None or is_whole("".join(source)) else len(source)


def is_whole(source: str) -> bool:
    """Whether Python can read a source to its end."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def solution_lines(step: Step) -> list[str]:
    """Return the lines of a solution, without empty ones."""
    return [line for example in step.solution for line in example.source.split("\n") if line.strip()]


def all_lines(step: Step) -> list[str]:
    return [*solution_lines(step), *(distractor.source for distractor in step.distractors)]


def order_of_lines(step: Step) -> tuple[int, ...]:
    """Return the indexes of all lines as they are shown: never with the solution's lines in their order."""
    own, count = len(solution_lines(step)), len(all_lines(step))
    orders = (shuffled(count, f"{step.id} {salt}") for salt in range(SALTS))
    mixed = (order for order in orders if [index for index in order if index < own] != list(range(own)))
    return next(mixed, tuple(reversed(range(count))))


def shuffled(count: int, key: str) -> tuple[int, ...]:
    """Return the numbers from 0 in an order that depends on the key alone, on every system and version."""
    return tuple(sorted(range(count), key=lambda index: sha256(f"{key} {index}".encode()).digest()))
