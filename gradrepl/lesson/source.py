"""A lesson file as text: bytes that can't be one are refused before anything is parsed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from gradrepl.lesson.problem import Report, mark

LARGEST = 1_000_000


def read_source(path: Path, report: Report) -> str:
    """Return the file's text with "\\n" at the ends of lines. Raises LessonErrors."""
    data = read_bytes(path, report)
    report.stop_if_any()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = f"0x{data[error.start]:02x}"
        report.add(line, mark("not UTF-8: found byte {byte}; save the file as UTF-8", byte=byte))
        report.stop_if_any()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    look_at_letters(text, report)
    report.stop_if_any()
    return text


def read_bytes(path: Path, report: Report) -> bytes:
    """Return the file's bytes, at most LARGEST; what prevents reading it goes to the report."""
    if path.is_dir():
        report.add(1, mark("is a folder; name a lesson file"))
        return b""
    if path.exists() and not path.is_file():  # opening a pipe would wait for somebody to write
        report.add(1, mark("is no ordinary file; name a lesson file"))
        return b""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        report.add(1, mark("can't be read: {reason}", reason=error.strerror))
        return b""
    if len(data) > LARGEST:
        report.add(1, mark("larger than {most} bytes; a lesson is a short text", most=f"{LARGEST:,}"))
    elif not data.strip():
        report.add(1, mark("is empty; a lesson begins with +++ and its id"))
    return data


def look_at_letters(text: str, report: Report) -> None:
    """Report zero bytes, and letters that are written in pieces."""
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        report.add(line, mark("has a zero byte; a lesson is text, save it as UTF-8"))
    if unicodedata.is_normalized("NFC", text):
        return
    pieces = [n for n, line in enumerate(text.split("\n"), 1) if not unicodedata.is_normalized("NFC", line)]
    message = mark(
        "not NFC: letters and their marks stand apart (lines: {count}); normalize the file", count=len(pieces)
    )
    report.add(pieces[0] if pieces else 1, message)
