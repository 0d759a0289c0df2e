"""The command `check`: each lesson on each engine, one line a difference."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from gradrepl.app.errors import UsageError
from gradrepl.app.lessons import not_found
from gradrepl.i18n import Translate
from gradrepl.lesson import lock, shelf
from gradrepl.lesson.check import check as differences
from gradrepl.lesson.load import LessonErrors, load
from gradrepl.lesson.model import Lesson
from gradrepl.lesson.problem import Problem
from gradrepl.session.engine import Engine
from gradrepl.view.safe import visible

FAILED = 1
SECONDS_BETWEEN_LOOKS = 0.3


def check(names: Sequence[str], engines: Sequence[Engine], _: Translate) -> int:
    """Check files, folders or lessons by name (all that are shipped, unless given); returns the exit status.

    Raises UsageError for a name that names no lesson.
    """
    return FAILED if [path for path in chosen(names, _) if not _good(path, engines, _)] else 0


def chosen(names: Sequence[str], _: Translate) -> list[Path]:
    """The lesson files that names mean. Raises UsageError."""
    try:
        return [path for name in names for path in shelf.expand(name)] if names else list(shelf.lessons())
    except shelf.LessonNotFoundError as error:
        raise UsageError(not_found(error, _)) from error


def _good(path: Path, engines: Sequence[Engine], _: Translate) -> bool:
    """Check a file and say what was found; returns whether it is good."""
    lines = [_line(problem, on, engines, _) for problem, on in _problems(path, engines).items()]
    known = ", ".join(engine.name for engine in engines)
    _say(lines or [_("{path}: OK ({engine})").format(path=path, engine=known)])
    return not lines


def _problems(path: Path, engines: Sequence[Engine]) -> Mapping[Problem, list[str]]:
    """What is wrong with a lesson, in the order of its lines, and on which engines; on none where it can't be read."""
    try:
        lesson = load(path)
    except LessonErrors as error:
        return {problem: [] for problem in error.problems}
    found: dict[Problem, list[str]] = {}
    for engine in engines:
        for problem in differences(lesson, engine):
            found.setdefault(problem, []).append(engine.name)
    return dict(sorted(found.items(), key=lambda item: item[0].line))


def _line(problem: Problem, on: Sequence[str], engines: Sequence[Engine], _: Translate) -> str:
    """A problem as one line; a problem of one engine alone names it."""
    return problem.said(_) + (f" [{', '.join(on)}]" if 0 < len(on) < len(engines) else "")


def accept(names: Sequence[str], step: str, _: Translate) -> None:
    """Note that a step's words (every step's: "all") say the same in both languages, in the folder's lock file.

    Raises UsageError where no lesson has such a step or the file can't be written.
    """
    count = 0
    try:
        lessons = [load(path) for path in chosen(names, _)]
        for folder, together in groupby(lessons, key=_folder):
            count += lock.accept(folder, list(together), step)
    except LessonErrors as error:
        raise UsageError("\n".join(problem.said(_) for problem in error.problems)) from error
    except OSError as error:
        raise UsageError(_("The lock file can't be written: {reason}").format(reason=error.strerror)) from error
    if not count:
        raise UsageError(_("No lesson here has a step {step}.").format(step=repr(step)))
    _say([_("Accepted in lock.toml; steps: {count}").format(count=count)])


def _folder(lesson: Lesson) -> Path:
    return lesson.path.parent


def watch(
    names: Sequence[str], engines: Sequence[Engine], _: Translate, wait: Callable[[float], None] = time.sleep
) -> int:
    """Check, and check again what was saved since, until Ctrl-C; wait: lets some seconds pass."""
    seen: dict[Path, tuple[int, int]] = {}
    _say([_("Watching; Ctrl-C ends.")])
    try:
        while True:
            now = _stamps(names)
            changed = [path for path in now if seen.get(path) != now[path] and path.suffix == ".md"]
            locks = [path.parent for path in now if seen.get(path, now[path]) != now[path] and path.name == lock.NAME]
            again = [path for path in now if path.suffix == ".md" and (path in changed or path.parent in locks)]
            seen = now
            if again:
                _say([f"--- {time.strftime('%H:%M:%S')}"])
            for path in again:
                _good(path, engines, _)
            wait(SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:
        _say([""])
        return 0


def _stamps(names: Sequence[str]) -> dict[Path, tuple[int, int]]:
    """When each file was saved, and its size; a file that is just being replaced is missing."""
    try:
        paths = [path for name in names for path in shelf.expand(name)] if names else list(shelf.lessons())
    except shelf.LessonNotFoundError:
        paths = [Path(name) for name in names]
    found = {}
    for path in [*paths, *{path.parent / lock.NAME for path in paths}]:
        try:
            stat = path.stat()
        except OSError:
            continue
        found[path] = (stat.st_mtime_ns, stat.st_size)
    return found


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{visible(line)}\n")
    sys.stdout.flush()
