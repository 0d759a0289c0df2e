"""What stands beside or around the code: line numbers, marks of quoted mail, banners of shells (D14)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gradrepl.repair.code import is_statement
from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.prompts import PROMPT
from gradrepl.repair.python import is_header

NUMBERED = re.compile(r"^\s*\d+[.)|:]?\s+(?=>>>|In \[|\.\.\. )")
COUNTED = re.compile(r"^\s*(\d{1,4})(?:[.)|:](?: |$)| |$|(?=[^\W\d]|[@#>]))")
SHORTEST_RUN = 4
LONGEST_SKIP = 2
BANNER = re.compile(
    r"^\s*(?:Microsoft Windows|\(c\) .*(?:Microsoft|[Bb]ảo lưu)|Copyright|Python \d+\.\d+\.\d+.*"
    r"|\[(?:GCC|Clang|MSC)\b.*"
    r"|Type \"help\"|Nhập \"trợ giúp\"|输入[“\"]帮助|IPython \d+\.\d+"
    r"|(?:\(\w+\)\s*)?[A-Z]:[\\/]?[^>]*>\s*(?:conda|python|activate|pip)?.*"
    r"|(?:\([\w.-]+\) )?(?:(?:[\w.-]+@[\w.-]+:[^$#]*|~ ?)[$#%]|\$) ?(?:(?:i?python|conda|pip|source).*)?"
    r"|conda activate .*)$"
)
LEAVES = re.compile(r"(?:exit|quit)\(\)\s*$")
QUOTED = re.compile(r"^\s*> ?(?=>>> ?\S)")


def numbered(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Take off line numbers: of lines of code that count up, and those before prompts."""
    made = [Line(NUMBERED.sub("", line.text), line.number) for line in lines]
    for run in counting(lines):
        rest = {index: COUNTED.sub("", lines[index].text, count=1) for index in run}
        texts = [text for text in rest.values() if text.strip()]
        if len(texts) >= SHORTEST_RUN and 2 * sum(map(is_code, texts)) >= len(texts):
            for index, text in rest.items():
                made[index] = Line(text, lines[index].number)
    note_first(lines, made, notes)
    return made


def counting(lines: Lines) -> Iterator[list[int]]:
    """Yield the indexes of lines that begin with numbers which count up; lines without may be among them."""
    run: list[int] = []
    last = 0
    for index, line in enumerate(lines):
        found = COUNTED.match(line.text)
        if found is None:
            continue
        if run and not 0 < int(found[1]) - last <= LONGEST_SKIP:
            yield run
            run = []
        run.append(index)
        last = int(found[1])
    if run:
        yield run


def is_code(text: str) -> bool:
    return PROMPT.match(text) is not None or is_statement(text) or is_header(text)


def note_first(before: Lines, after: Lines, notes: Notes) -> None:
    """Note the first line that a pass changed, for all that it changed in the same way."""
    pair = next(((old, new) for old, new in zip(before, after, strict=True) if old.text != new.text), None)
    if pair is not None:
        notes.repaired("D14", pair[0].number, pair[0].text, pair[1].text)


def gutters(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Drop columns of line numbers that stand below the code they belong to, one number a line."""
    found = [(start, end) for start, end in columns(lines) if beside(lines, start, end - start)]
    sure = len(found) > 1 or any(end - start >= SURE_COLUMN for start, end in found)
    if not sure:
        return lines
    dropped = {index for start, end in found for index in range(start, end)}
    for start, end in found:
        notes.repaired("D14", lines[start].number, "\n".join(line.text for line in lines[start:end]), "")
    return [line for index, line in enumerate(lines) if index not in dropped]


SURE_COLUMN = 5
"""Numbers of a column that is taken for line numbers even if it is the only one: a loop may print 1, 2, 3."""


def columns(lines: Lines) -> Iterator[tuple[int, int]]:
    """Yield where lines that are just 1, 2, 3 ... begin and end."""
    start = 0
    for index in range(len(lines) + 1):
        text = lines[index].text.strip() if index < len(lines) else ""
        if index > start and text == str(index - start + 1):
            continue
        if index > start:
            yield start, index
        start = index if text == "1" else index + 1


def beside(lines: Lines, start: int, count: int) -> bool:
    """Whether a column of numbers counts just the lines of the block above it, up to prose or the page's start."""
    before = lines[max(start - count, 0) : start]
    outside = lines[start - count - 1].text.strip() if start > count else ""
    return len(before) == count and bool(before[0].text.strip()) and bool(before[-1].text.strip()) and not outside


def quoted(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Take off the `>` of quoted mail from each run of lines that has it and holds prompts."""
    made = list(lines)
    start = 0
    for index in range(len(lines) + 1):
        if index < len(lines) and lines[index].text.startswith(">"):
            continue
        if any(QUOTED.match(line.text) for line in lines[start:index]):
            made[start:index] = [Line(re.sub(r"^> ?", "", line.text), line.number) for line in lines[start:index]]
        start = index + 1
    note_first(lines, made, notes)
    return made


def banners(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Drop what a shell or Python says when it starts, and what makes it end; a prompt glued to it is kept."""
    kept = []
    last = max((index for index, line in enumerate(lines) if PROMPT.match(line.text)), default=0)
    for index, line in enumerate(lines):
        before, prompt, rest = line.text.partition(">>>")
        if not PROMPT.match(line.text) and BANNER.match(before if prompt else line.text):
            notes.repaired("D14", line.number, before, "")
            if not prompt:
                continue
            line = Line(prompt + rest, line.number)
        elif index == last and LEAVES.match(rest.strip()):
            notes.repaired("D14", line.number, line.text, "")
            continue
        kept.append(line)
    return kept
