"""A lesson file's text, once it is known to be text."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from gradrepl.lesson.problem import Report

LIMIT = 1_000_000


def read_text(path: Path, report: Report) -> str:
    """Return a file's text with "\\n" line ends; raises LessonError if it can't be a lesson's."""
    data = read_bytes(path, report)
    report.stop()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        report.add(line, f"expected UTF-8, found the byte 0x{data[error.start]:02x}: save the file as UTF-8")
        report.stop()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    inspect(text, report)
    report.stop()
    return text if text.endswith("\n") else f"{text}\n"


def read_bytes(path: Path, report: Report) -> bytes:
    try:
        if path.is_dir():
            report.add(None, "expected a lesson file, found a folder: name a file in it")
        elif not path.exists():
            report.add(None, "no such file: `gradrepl lessons` lists the lessons that ship with gradrepl")
        elif not path.is_file():
            report.add(None, "expected a file, found something else: a lesson is a Markdown file")
        elif (size := path.stat().st_size) > LIMIT:
            report.add(None, f"expected at most {LIMIT:,} bytes, found {size:,}: split it into lessons")
        else:
            return path.read_bytes()
    except (OSError, ValueError) as error:
        report.add(None, f"the file can't be read: {getattr(error, 'strerror', None) or error}")
    return b""


def inspect(text: str, report: Report) -> None:
    """Note an empty text, NUL characters and lines not in NFC."""
    if not text.strip():
        report.add(1, "expected a lesson, found an empty file: begin with +++ and the lesson's id, title and goal")
    lines = text.split("\n")
    nul = next((number for number, line in enumerate(lines, 1) if "\0" in line), None)
    if nul is not None:
        report.add(nul, "expected text, found a NUL character: is this a lesson file?")
    apart = [number for number, line in enumerate(lines, 1) if not unicodedata.is_normalized("NFC", line)]
    if apart:
        more = f" (and {len(apart) - 1} more lines)" if len(apart) > 1 else ""
        report.add(
            apart[0], f"expected NFC, found letters with separate marks{more}: save the text in Unicode form NFC"
        )
