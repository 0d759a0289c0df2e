"""The wrong ideas that lessons answer to, each with its short name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from gradrepl.lesson.model import Text

FILE = Path(__file__).resolve().parent.parent / "misconceptions.toml"


@cache
def names() -> Mapping[str, Text]:
    """Return the name of every misconception by its id."""
    with FILE.open("rb") as file:
        return {id: Text(entry["vi"], entry["en"]) for id, entry in tomllib.load(file).items()}
