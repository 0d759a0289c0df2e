"""Where lessons are, and which one a word means."""

from __future__ import annotations

import re
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
NAME = re.compile(r"(?P<number>\d+)-(?P<id>.+)\.md")


class LessonNotFoundError(LookupError):
    """No lesson, or more than one, has that name; `close` holds the ids that were perhaps meant."""

    def __init__(self, name: str, message: str, close: tuple[str, ...]) -> None:
        super().__init__(message)
        self.name = name
        self.close = close


def folder() -> Path:
    """Return the folder of the lessons that come with gradrepl: installed, or in a source checkout."""
    installed = HOUSE / "lessons"
    return installed if installed.is_dir() else HOUSE.parent / "lessons"


def lessons(where: Path | None = None) -> tuple[Path, ...]:
    """Return the lesson files of a folder (of gradrepl's own, unless given), by number."""
    found = [path for path in (where or folder()).glob("*.md") if NAME.fullmatch(path.name)]
    return tuple(sorted(found, key=lambda path: (number_of(path), path.name)))


def number_of(path: Path) -> int:
    """Return the number that a lesson's file name begins with."""
    found = NAME.fullmatch(path.name)
    return int(found["number"]) if found else 0


def id_of(path: Path) -> str:
    """Return the id that a lesson's file name ends with."""
    found = NAME.fullmatch(path.name)
    return found["id"] if found else path.stem


def find(name: str) -> Path:
    """Return the lesson file that a number, an id, the start of one id alone, or a path names.

    Raises LessonNotFoundError.
    """
    shipped = lessons()
    word = name.strip().casefold()
    exact = [path for path in shipped if word == id_of(path) or (word.isdecimal() and int(word) == number_of(path))]
    starting = [path for path in shipped if word and id_of(path).startswith(word)]
    found = exact or starting
    if len(found) == 1:
        return found[0]
    if not found and exists(name):
        return Path(name)
    close = tuple(id_of(path) for path in found) or near(word, shipped)
    raise LessonNotFoundError(name, message(name, close, several=bool(found)), close)


def exists(name: str) -> bool:
    """Whether a name is a path to something; a name that can't be a path is none."""
    try:
        return bool(name.strip()) and Path(name).exists()
    except (OSError, ValueError):
        return False


def expand(name: str) -> tuple[Path, ...]:
    """Return the lesson files that a name means, of a folder all its Markdown files. Raises LessonNotFoundError."""
    if not (exists(name) and Path(name).is_dir()):
        return (find(name),)
    found = tuple(sorted(Path(name).glob("*.md")))
    if not found:
        raise LessonNotFoundError(name, f"there is no lesson (no file *.md) in the folder {name}", ())
    return found


def near(word: str, shipped: tuple[Path, ...]) -> tuple[str, ...]:
    from difflib import get_close_matches  # slow to import, and needed for a miss only

    return tuple(get_close_matches(word, [id_of(path) for path in shipped], 3, 0.5))


def message(name: str, close: tuple[str, ...], *, several: bool) -> str:
    """Return what to say of a name that doesn't name one lesson."""
    if several:
        return f"more than one lesson starts with {name!r}: {', '.join(close)}"
    meant = f"did you mean {' or '.join(close)}?" if close else "`gradrepl lessons` lists them"
    return f"there is no lesson {name!r}; {meant}"
