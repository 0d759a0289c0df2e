"""The command `new`: a lesson file that passes its check, to start from."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

from gradrepl.app.errors import UsageError
from gradrepl.i18n import Translate
from gradrepl.lesson.front import ID
from gradrepl.lesson.shelf import id_of
from gradrepl.view.safe import visible

SAMPLE = Path(__file__).resolve().parent.parent / "sample-lesson.md"
SUFFIX = ".md"


def new(name: str, title_vi: str | None, title_en: str | None, _: Translate) -> int:
    """Write the lesson `name` (an id, or a path that ends in one); returns the exit status.

    Raises UsageError for a name that can't be an id, and where the file is there already or can't be written.
    """
    path = Path(name if name.endswith(SUFFIX) else name + SUFFIX)
    id = id_of(path)
    if not ID.fullmatch(id):
        text = _("{name} can't be a lesson's name: use small letters, digits and hyphens, such as my-lesson.")
        raise UsageError(text.format(name=repr(name)))
    words = id.replace("-", " ").capitalize()
    text = SAMPLE.read_text("utf-8")
    for key, value in {"ID": id, "TITLE_VI": title_vi or words, "TITLE_EN": title_en or words}.items():
        text = text.replace(f'"{key}"', quoted(value))
    write(path, text, _)
    for line in (_("{path} is written. What next:"), "  gradrepl check --watch {path}", "  gradrepl learn {path}"):
        sys.stdout.write(visible(line.format(path=path)) + "\n")
    return 0


def quoted(text: str) -> str:
    """A text as a TOML string, its letters composed."""
    return json.dumps(unicodedata.normalize("NFC", " ".join(text.split())), ensure_ascii=False).replace("\x7f", "")


def write(path: Path, text: str, _: Translate) -> None:
    """Write a file that isn't there yet. Raises UsageError."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(_("{path} is there already; nothing was written.").format(path=visible(str(path)))) from None
    except OSError as error:
        message = _("{path} can't be written: {reason}").format(path=visible(str(path)), reason=error.strerror)
        raise UsageError(message) from error
