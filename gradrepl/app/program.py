"""Programs to run, wherever their text comes from."""

from __future__ import annotations

import os
import sys
import tokenize
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path

from gradrepl.app.errors import UsageError
from gradrepl.i18n import Translate


@dataclass(frozen=True, slots=True)
class Program:
    """Python source and what tracebacks call it: "<string>", "<stdin>" or a file's path."""

    source: str
    filename: str


def from_text(source: str) -> Program:
    """The program of `-c`; its letters are read as UTF-8 in a locale without any encoding too."""
    return Program(os.fsencode(source).decode("utf-8", "surrogateescape"), "<string>")


def from_standard_input(_: Translate) -> Program:
    """The program on standard input; raises UsageError where it isn't text."""
    data = sys.stdin.buffer.read() if sys.stdin is not None else b""
    return Program(_decode(data, "<stdin>", _), "<stdin>")


def from_file(path: str, _: Translate) -> Program:
    """The program in a file; raises UsageError where that can't be read or isn't text."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        text = _("can't read {name}: {reason}. Give the path of a Python file.")
        raise UsageError(text.format(name=path, reason=error.strerror)) from error
    return Program(_decode(data, path, _), path)


def _decode(data: bytes, name: str, _: Translate) -> str:
    """Python source as text, in UTF-8 or what its coding line names."""
    try:
        encoding, _lines = tokenize.detect_encoding(BytesIO(data).readline)
        return StringIO(data.decode(encoding), newline=None).read()
    except (SyntaxError, UnicodeDecodeError) as error:
        text = _("{name} is not text in UTF-8 ({reason}). Save it as UTF-8.")
        raise UsageError(text.format(name=name, reason=error)) from error
