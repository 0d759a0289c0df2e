"""Messages in the learner's language: English is the key, one catalog holds the Vietnamese."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Literal

Translate = Callable[[str], str]
Speech = Literal["en", "vi", "both"]
CATALOG = f"{os.path.dirname(__file__)}/locale/vi/LC_MESSAGES/gradrepl.po"
SPEECHES: tuple[Speech, ...] = ("en", "vi", "both")


def mark(message: str) -> str:
    """The message unchanged: marks a text in a table that is translated where it is shown."""
    return message


def english(message: str) -> str:
    """The message itself."""
    return message


def vietnamese(message: str) -> str:
    """The Vietnamese of a message, or the message where the catalog has none."""
    return _catalog().get(message, message)


def translator(speech: Speech) -> Translate:
    """The function that says a message in `speech`; "both" is for lesson texts, the rest is Vietnamese then."""
    return english if speech == "en" else vietnamese


def from_environment(environment: Mapping[str, str]) -> Speech:
    """The language that the locale variables ask for: Vietnamese if they name it, else English.

    LANGUAGE counts only where a locale other than C is set, as gettext has it.
    """
    locale = next((environment[k] for k in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(k)), "")
    if locale.split(".")[0] in ("C", "POSIX"):
        return "en"
    wanted = environment.get("LANGUAGE", "").split(":")[0] or locale
    return "vi" if wanted.replace("-", "_").split("_")[0].split(".")[0].lower() == "vi" else "en"


@cache
def _catalog() -> Mapping[str, str]:
    import polib  # type: ignore[import-untyped]

    return {entry.msgid: entry.msgstr for entry in polib.pofile(CATALOG, encoding="utf-8") if entry.msgstr}
