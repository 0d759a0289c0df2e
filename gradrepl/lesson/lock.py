"""The lock file of a folder of lessons: hashes of each step's words, to notice a change in one language only."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from gradrepl.lesson.model import LANGUAGES, Language, Lesson, Text
from gradrepl.lesson.problem import LessonErrors, Message, Problem, Report, mark
from gradrepl.lesson.wording import texts

NAME, ALL = "lock.toml", "all"
DIGITS = 12
HEAD = "# Hashes of the words of each step, Vietnamese and English. Written by `gradrepl check --accept STEP`.\n"

Hashes = tuple[str, ...]  # one a language, in the order of LANGUAGES
Locked = dict[str, dict[str, Hashes]]  # lesson id -> step id -> hashes


def hashes(lesson: Lesson) -> dict[str, Hashes]:
    """Return the hash of each step's words in each language; what the front matter says counts to the first step."""
    front = [lesson.title, lesson.goal]
    found = {}
    for step in lesson.steps:
        words = [*front, *(text for _, text in texts(step))]
        found[step.id] = tuple(digest(words, language) for language in LANGUAGES)
        front = []
    return found


def digest(words: list[Text], language: Language) -> str:
    """Return the hash of words in one language; how their lines are broken makes no difference."""
    joined = "\0".join(" ".join(text.get(language).split()) for text in words)
    return sha256(joined.encode()).hexdigest()[:DIGITS]


def read(path: Path) -> Locked:
    """Return what a lock file holds; an absent one holds nothing. Raises LessonErrors."""
    report = Report(path)
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        report.add(1, mark("the lock file can't be read: {reason}", reason=error))
        raise LessonErrors(report.problems) from None
    return {lesson: dict(steps(table)) for lesson, table in found.items()}


def steps(table: object) -> Iterator[tuple[str, Hashes]]:
    """Yield the hashes of a lesson's steps; what can't be any is left out, as if the step were not locked."""
    for step, pair in table.items() if isinstance(table, Mapping) else ():
        if isinstance(pair, list) and len(pair) == len(LANGUAGES):
            yield step, tuple(map(str, pair))


def problems(lesson: Lesson) -> Iterator[Problem]:
    """Yield the steps that were changed in one language only since they were accepted."""
    try:
        locked = read(lesson.path.parent / NAME).get(lesson.id, {})
    except LessonErrors as error:
        yield from error.problems
        return
    lines = {step.id: step.line for step in lesson.steps}
    for step, now in hashes(lesson).items():
        message = stale(step, locked.get(step, now), now)
        if message:
            yield Problem(lesson.path, lines[step], step, message)


def stale(step: str, then: Hashes, now: Hashes) -> Message | None:
    """Return what to say where one language was changed and the other was not."""
    changed = [language for language, old, new in zip(LANGUAGES, then, now, strict=True) if old != new]
    if changed == ["vi"]:
        return mark(
            "the Vietnamese text was changed, the English was not; change it too, or `gradrepl check --accept {step}`",
            step=step,
        )
    if changed == ["en"]:
        return mark(
            "the English text was changed, the Vietnamese was not; change it too, or `gradrepl check --accept {step}`",
            step=step,
        )
    return None


def accept(folder: Path, lessons: list[Lesson], step: str) -> int:
    """Write the hashes of a step (of every step: ALL) of lessons of a folder; return how many steps were meant.

    Lessons that are gone leave the file when all is accepted. Raises LessonErrors and OSError.
    """
    path = folder / NAME
    locked = read(path)
    count = 0
    for lesson in lessons:
        now = hashes(lesson)
        chosen = {id: pair for id, pair in now.items() if step in (ALL, id)}
        kept = {id: pair for id, pair in locked.get(lesson.id, {}).items() if id in now}
        locked[lesson.id] = {id: {**kept, **chosen}[id] for id in now if id in kept or id in chosen}
        count += len(chosen)
    if count:
        write(path, locked)
    return count


def write(path: Path, locked: Locked) -> None:
    """Put the file in place of the old one at once: half a file is never read. Raises OSError."""
    tables = [
        f"\n[{lesson}]\n" + "".join(map(line, table.items())) for lesson, table in sorted(locked.items()) if table
    ]
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    unfinished.write_text(HEAD + "".join(tables), "utf-8")
    unfinished.replace(path)


def line(entry: tuple[str, Hashes]) -> str:
    """Return a line of the file: a step's id and its hashes."""
    step, pair = entry
    quoted = ", ".join(f'"{hash}"' for hash in pair)
    return f"{step} = [{quoted}]\n"
