"""Python written with translated keywords, full-width signs or decimal commas, as copied pages have it."""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Iterator

from gradrepl.session.case import Case
from gradrepl.session.outcome import Fact
from gradrepl.session.read import unseen_warnings

# Longer ones first: "trong khi" is not "trong".
TRANSLATED = {
    "trong khi": "while",
    "nếu không thì nếu": "elif",
    "nếu không": "else",
    "ngược lại": "else",
    "ngoại trừ": "except",
    "trả về": "return",
    "trả_về": "return",
    "in ra": "print",
    "định nghĩa": "def",
    "tiếp tục": "continue",
    "bỏ qua": "pass",
    "với": "with",
    "cho": "for",
    "nếu": "if",
    "khác": "else",
    "nhập": "import",
    "từ": "from",
    "trong": "in",
    "như": "as",
    "lớp": "class",
    "hàm": "def",
    "khi": "while",
    "thử": "try",
    "và": "and",
    "hoặc": "or",
    "không": "not",
    "Đúng": "True",
    "Sai": "False",
    "dừng": "break",
    "导入": "import",
    "从": "from",
    "打印": "print",
    "返回": "return",
    "如果": "if",
}
WORDS = re.compile(rf"(?<!\w)({'|'.join(TRANSLATED)})(?!\w)")
PRINT = re.compile(r"((?:^|[:;])\s*)in(?=\s*\()")
SIDE_BY_SIDE = re.compile(r"(?<![\w.])(?P<left>[^\W\d]\w*|\d[\d.]*) +(?P<right>\d[\d.]*)(?!\w)")
LONGEST_LINE, MOST_SPACES = 200, 30
BEFORE = ("", "if 1:\n pass\n", "try:\n pass\n")
ENDS = ("", " pass")
SIGNS = {
    "−": "-",
    "–": "-",
    "—": "-",
    "×": "*",
    "÷": "/",
    "。": ".",
    "、": ",",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
}


MAGIC = re.compile(r"\s*(?P<name>%%?[a-z_]+|![a-z]+)")
COMMANDS = {
    **dict.fromkeys(("timeit", "time"), ":time"),
    **dict.fromkeys(("history", "hist"), ":history"),
    **dict.fromkeys(("load", "run"), ":load"),
    **dict.fromkeys(("who", "whos"), ":t"),
    "save": ":save",
}


def line_of(case: Case) -> str:
    """Return the line of the source that a SyntaxError points at."""
    lines = case.outcome.source.splitlines()
    return lines[case.line - 1] if case.line is not None and 0 < case.line <= len(lines) else ""


def translated(case: Case) -> Iterator[Fact]:
    """Tell which keywords are written in another language, if the line is Python with the English ones."""
    line = unicodedata.normalize("NFC", line_of(case))
    words = dict.fromkeys(WORDS.findall(line))
    mended = PRINT.sub(r"\1print", WORDS.sub(lambda found: TRANSLATED[found[0]], line))
    pairs = [(word, TRANSLATED[word]) for word in words] + [("in", "print")] * bool(PRINT.search(line))
    if mended != line and parses(mended) and not parses(line):
        for word, english in pairs:
            yield Fact("translated", {"word": word, "keyword": english})


def parses(line: str) -> bool:
    """Whether a line alone, or as the head of a block, is Python."""
    text = line.strip()
    ends = ENDS if text.endswith(":") else ENDS[:1]
    return any(is_python(before + text + end) for before in BEFORE for end in ends)


def is_python(text: str) -> bool:
    try:
        with unseen_warnings():
            ast.parse(f"def f():\n{indented(text)}\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def sign(case: Case) -> Iterator[Fact]:
    """Tell which ASCII sign a look-alike stands for."""
    found = case.match["sign"]
    plain = SIGNS.get(found) or unicodedata.normalize("NFKC", found)
    if plain.isascii() and plain.isprintable() and plain != found:
        yield Fact("sign", {"sign": found, "plain": plain})


def decimal_comma(case: Case) -> Iterator[Fact]:
    """Tell which number is written with a decimal comma."""
    for number in re.findall(r"(?<![\w.])\d+,\d+(?![\w.])", line_of(case) or case.outcome.source):
        yield Fact("number", {"wrong": number, "right": number.replace(",", ".")})


def magic(case: Case) -> Iterator[Fact]:
    """Tell which command of IPython's the line is, and what does the same here."""
    found = MAGIC.match(line_of(case))
    name = found["name"] if found is not None else ""
    command = COMMANDS.get(name.lstrip("%!"))
    if command is not None:
        yield Fact("magic-here", {"name": name, "command": command})
    elif name:
        yield Fact("magic", {"name": name})


def side_by_side(case: Case) -> Iterator[Fact]:
    """Tell which two values stand side by side."""
    found = SIDE_BY_SIDE.search(line_of(case))
    if found is not None and not keyword.iskeyword(found["left"]):
        yield Fact("between", {"left": found["left"], "right": found["right"]})


def glued(case: Case) -> Iterator[Fact]:
    """Tell which two statements ran into one line, as on a page that lost its line breaks."""
    line = line_of(case).strip()
    for space in list(re.finditer(r"(?<=[\w)\]'\"]) +(?=\w)", line[:LONGEST_LINE]))[:MOST_SPACES]:
        left, right = line[: space.start()], line[space.end() :]
        if parses(left) and parses(right) and len(line) < LONGEST_LINE:
            yield Fact("two-statements", {"left": left, "right": right})
            return
