"""The TOML between `+++` lines at the top of a lesson file: its id, title and goal."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from gradrepl.lesson.model import Text
from gradrepl.lesson.problem import Report

FENCE = "+++"
KEYS = ("id", "title.vi", "title.en", "goal.vi", "goal.en")
ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A lesson's own fields, and how many lines of the file they take."""

    id: str
    title: Text
    goal: Text
    lines: int


def front_matter(text: str, report: Report) -> FrontMatter:
    """Return what stands between the first two `+++` lines; raises LessonError if it is broken."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        report.add(1, f"expected {FENCE} and the lesson's id, title and goal, found {lines[0][:40]!r}")
        report.stop()
    end = next((number for number, line in enumerate(lines) if number and line.rstrip() == FENCE), None)
    if end is None:
        report.add(1, f"expected a second {FENCE} line behind the lesson's id, title and goal, found none")
        report.stop()
    # An empty line stands for the first +++ so that TOML's line numbers are the file's.
    values = fields("\n".join(["", *lines[1:end]]), report)
    report.stop()
    return FrontMatter(
        id=values["id"],
        title=Text(vi=values["title.vi"], en=values["title.en"]),
        goal=Text(vi=values["goal.vi"], en=values["goal.en"]),
        lines=(end or 0) + 1,
    )


def fields(toml: str, report: Report) -> dict[str, str]:
    """Return the values by dotted key; what is missing, unknown or no text goes to the report."""
    try:
        values = dict(flattened(tomllib.loads(toml)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r"at line (\d+)", str(error))
        report.add(int(place[1]) if place else 1, f"expected TOML between the {FENCE} lines, found an error: {error}")
        return {}
    for key in KEYS:
        value = values.get(key)
        if not isinstance(value, str) or not value.strip():
            found = "none" if value is None else repr(value)[:40]
            report.add(1, f'expected a line such as {key} = "..." between the {FENCE} lines, found {found}')
    for key in values.keys() - set(KEYS):
        report.add(1, f"expected the keys {', '.join(KEYS)}, found also {key!r}")
    if isinstance(values.get("id"), str) and not ID.fullmatch(values["id"]):
        report.add(1, f"expected an id of lower-case words with hyphens, found {values['id']!r}")
    return values


def flattened(table: dict[str, Any], start: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in table.items():
        pairs += flattened(value, f"{start}{key}.") if isinstance(value, dict) else [(start + key, value)]
    return pairs
