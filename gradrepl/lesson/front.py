"""The front matter of a lesson file: TOML between two lines of +++."""

from __future__ import annotations

import re
import tomllib
from typing import Any, NamedTuple

from gradrepl.lesson.model import LANGUAGES, Text
from gradrepl.lesson.problem import Report, mark

FENCE = "+++"
KEYS = ("id", "title", "goal", "seed")
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Front(NamedTuple):
    """What the front matter says; body: the text with empty lines in its place, so that lines keep their numbers."""

    id: str
    title: Text
    goal: Text
    seed: int
    body: str


def read_front(text: str, report: Report) -> Front:
    """Return the front matter and the body. Raises LessonErrors where there is no front matter to speak of."""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if line.rstrip() == FENCE][:2]
    if fences[:1] != [0]:
        message = mark(
            "expected +++ in the first line (front matter with id, title and goal), found {found!r}", found=lines[0]
        )
        report.add(1, message)
    elif len(fences) < 2:
        report.add(1, mark("the front matter has no end; put a line +++ behind it"))
    report.stop_if_any()
    start, end = fences
    values = parse_toml("\n".join(lines[start + 1 : end]), report)
    for key in values.keys() - set(KEYS):
        report.add(
            1, mark("unknown key {key!r} in the front matter; known are {known}", key=key, known=", ".join(KEYS))
        )
    body = "\n" * (end + 1) + "\n".join(lines[end + 1 :])
    return Front(
        id=lesson_id(values, report),
        title=text_of(values, "title", report),
        goal=text_of(values, "goal", report),
        seed=seed_of(values, report),
        body=body,
    )


def parse_toml(text: str, report: Report) -> dict[str, Any]:
    """Return the values; raises LessonErrors for what is no TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        report.add(2, mark("the front matter is no TOML that one could read: its brackets are too deep"))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at (?:line (\d+).*|end of document)\)$", str(error))
        line = int(place[1]) + 1 if place and place[1] else text.count("\n") + 2
        reason = str(error)[: place.start()] if place else str(error)
        report.add(line, mark("the front matter is no TOML: {reason}", reason=reason))
    report.stop_if_any()
    return {}


def lesson_id(values: dict[str, Any], report: Report) -> str:
    found = values.get("id")
    if isinstance(found, str) and ID.fullmatch(found):
        return found
    report.add(1, mark('expected an id such as id = "no-grad" in the front matter, found {found!r}', found=found))
    return ""


def text_of(values: dict[str, Any], key: str, report: Report) -> Text:
    found = values.get(key)
    texts = found if isinstance(found, dict) else {}
    for language in LANGUAGES:
        text = texts.get(language)
        if not (isinstance(text, str) and text.strip()):
            report.add(1, mark("the front matter has no {key}", key=f"{key}.{language}"))
    return Text(str(texts.get("vi", "")), str(texts.get("en", "")))


def seed_of(values: dict[str, Any], report: Report) -> int:
    found = values.get("seed", 0)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    report.add(1, mark("expected a whole number as seed, found {found!r}", found=found))
    return 0
