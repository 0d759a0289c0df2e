"""Damage to prompts: other signs for them, glued ones (D05), cells (D06), continuations (D08)."""

from __future__ import annotations

import re

from gradrepl.repair.blocks import indented
from gradrepl.repair.code import mended
from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.python import VALUE, is_header, parses
from gradrepl.session.mask import ends_covered, mask

PROMPT = re.compile(r"^\s*>>>(?: |(?=\S)|$)")
PROMPTS = (">>> ", "... ")
RUN = re.compile(r"(?<![`>])>{3,} ?")
NUMBER = r"\s*\[\s*\d*\s*\]\s*[:：]"
CELL_IN = re.compile(rf"(?:(?<![`\w])In|^\s*(?:Trong|Vào|Đầu vào|输入|在)){NUMBER}\s?")
CELL_OUT = re.compile(rf"(?:\s*(?<![A-Z])Out|^\s*(?:Ra|Ngoài|Đầu ra|Kết quả|输出|出)){NUMBER}[ \t]*")
SIGNS = re.compile(r"^(\s*)(?:[＞>›❯»]{3}|>( ?)>\2>|»[>›]|[>›]»)(?!>) ?(?=\S|$)")
DOT_SIGNS = re.compile(r"^(\s*)(?:…|\.…|…\.|\. \. \.)(?=\s|$)")
CELL_DOTS = re.compile(r"^\s*\.{3,}:\s?")
DOTS = re.compile(r"^\s*\.\.\.(?: |$|(?=\S))")


def has_prompts(text: str) -> bool:
    """Whether a text shows prompts of Python or IPython."""
    return ">>>" in text or has_cells(text)


def has_cells(text: str) -> bool:
    """Whether a text shows IPython's prompts: `In [1]: x = 2` is Python too, an annotation."""
    return any(CELL_IN.search(line) or CELL_OUT.match(line) for line in mask(text).split("\n"))


def signs(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Make prompts of the signs that look like them: full-width ones, `> > >`, `»>`, and `…` below a prompt."""
    made: Lines = []
    inside = False
    for line in lines:
        text = line.text
        found = SIGNS.match(text)
        if found and not PROMPT.match(text) and (" " not in found[0].strip() or parses(mended(text[found.end() :]))):
            text = f"{found[1]}>>> {text[found.end() :]}"
        dots = DOT_SIGNS.match(text) if inside else None
        if dots:
            text = f"{dots[1]}...{text[dots.end() :]}"
        inside = PROMPT.match(text) is not None or (inside and DOTS.match(text) is not None)
        if text != line.text:
            notes.repaired("D03", line.number, line.text, text)
        made.append(Line(text, line.number))
    return made


def cells(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Make IPython's `In [n]:` a prompt, and give what stands behind `Out[n]:` a line of its own."""
    made: Lines = []
    inside = False
    for line in lines:
        if not (CELL_IN.search(line.text) or CELL_OUT.search(line.text) or CELL_DOTS.match(line.text)):
            made.append(
                Line("... " + line.text, line.number) if inside and line.text[:1] == " " and line.text.strip() else line
            )
            continue
        prompt = PROMPT.match(line.text)
        if prompt and parses(code := line.text[prompt.end() :]) and not CELL_OUT.search(mask(code)):
            made.append(line)
            continue
        text = CELL_DOTS.sub("... ", line.text)
        for piece in re.split(f"(?={CELL_IN.pattern})|(?={CELL_OUT.pattern})", text):
            if not piece.strip():
                continue
            value = CELL_OUT.sub("", piece, count=1)
            shown = CELL_IN.sub(">>> ", piece, count=1) if value == piece else value
            if value != piece or (piece is not text and not CELL_IN.match(line.text.strip())):
                notes.repaired("D06", line.number, line.text, shown)
            made.append(Line(shown, line.number))
            inside = shown.startswith(">>> ") and is_header(shown)
    return made


def split_prompts(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Begin a line at every prompt; runs of five and more signs are empty prompts."""
    made: Lines = []
    for line in lines:
        pieces = pieces_at_prompts(line.text)
        made += [Line(piece, line.number) for piece in pieces]
        if len(pieces) > 1 or (pieces and line.text.lstrip().startswith(">>>>")):
            notes.repaired("D05", line.number, line.text, "\n".join(pieces))
    return made


def pieces_at_prompts(text: str) -> list[str]:
    found = list(RUN.finditer(text))
    if not found or (text.lstrip().startswith(">") and not text.lstrip().startswith(">>>")):
        return [text]
    lead = found[0].end() if not text[: found[0].start()].strip() else 0
    if lead and not RUN.search(mask(text[lead:])) and parses(text[lead:]):
        return [">>> " + text[lead:]]
    covered = text[:lead] + mask(text[lead:])
    if ends_covered(text[lead:]):
        covered = text  # a quote is open: it is a part of the damage
    starts = [behind_bracket(spot, text) for spot in list(RUN.finditer(covered)) or found]
    pieces = [text[: starts[0][0]]] if text[: starts[0][0]].strip() else []
    ends = [start for start, _ in starts[1:]] + [len(text)]
    pieces += [
        ">>> " + text[begin:end].rstrip()
        for (_, begin), end in zip(starts, ends, strict=True)
        if text[begin:end].strip()
    ]
    return pieces


def behind_bracket(spot: re.Match[str], text: str) -> tuple[int, int]:
    """Return where a run of prompts begins and ends; the first sign closes what `<` opened before it."""
    before = text[max(spot.start() - LONGEST_NAME, 0) : spot.start()]
    closes = spot[0].rstrip().count(">") % 3 == 1 and before.rfind("<") > before.rfind(">")
    return spot.start() + closes, spot.end()


LONGEST_NAME = 200


def continuations(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Begin a line at every continuation that is glued to the head of a block or to a decorator; indent the blocks."""
    made: Lines = []
    block: list[Line] = []
    for line in [*lines, Line(">>> ", 0)]:
        if block and DOTS.match(line.text) and not PROMPT.match(line.text):
            block.append(line)
            continue
        if block:
            made += straightened(block, notes)
            block = []
        if PROMPT.match(line.text):
            block = [line]
        else:
            made.append(line)
    return made


def straightened(block: list[Line], notes: Notes) -> Lines:
    """Return a statement's lines, each with a prompt of its own, their blocks indented."""
    first = PROMPT.sub("", block[0].text, count=1)
    codes = [first, *(DOTS.sub("", line.text, count=1) for line in block[1:])]
    whole = parses(first) and not CALLED_DOTS.match(mask(first))
    if len(block) == 1 and (not first.strip() or "..." not in first or whole):
        return [line for line in block if first.strip()]
    if "..." not in first and mended_parses("\n".join(codes)):
        return [block[0], *(line for line in block[1:])]
    pieces = [(piece, line.number) for code, line in zip(codes, block, strict=True) for piece in at_dots(code)]
    printed = (
        [pieces.pop()]
        if len(pieces) > 1 and VALUE.match(pieces[-1][0].strip()) and not parses_alone(pieces[-1][0])
        else []
    )
    texts = indented([piece for piece, _ in pieces])
    made = [
        Line(("... " if index else ">>> ") + text, number)
        for index, (text, (_, number)) in enumerate(zip(texts, pieces, strict=True))
        if text.strip()
    ]
    made += [Line(text.strip(), number) for text, number in printed]
    before, after = "\n".join(line.text for line in block), "\n".join(line.text for line in made)
    if before != after:
        notes.repaired("D08", block[0].number, before, after)
    return made


CALLED_DOTS = re.compile(r"\s*(?:with|for|while|if|def)\b.*: *\.\.\. *[(\[]")
"""Code that parses and can't be meant: `for x in y:... (x * 2).backward()` calls an Ellipsis."""


def parses_alone(text: str) -> bool:
    return parses(text) and not VALUE.fullmatch(text.strip())


def mended_parses(code: str) -> bool:
    """Whether code parses, as it is or with plain signs and English keywords line by line."""
    return parses(code) or parses("\n".join(map(mended_line, code.splitlines())))


def mended_line(line: str) -> str:
    """Return a line repaired, its indentation as it is."""
    return line[: len(line) - len(line.lstrip())] + mended(line)


def at_dots(code: str) -> list[str]:
    """Return the lines that three dots glue together; dots within brackets and strings are Ellipsis."""
    covered, depth, pieces, start, spot = mask(code), 0, list[str](), 0, 0
    while spot < len(code):
        sign = covered[spot]
        depth += (sign in "([{") - (sign in ")]}")
        if depth <= 0 and covered.startswith("...", spot) and opens(code[start:spot], bool(pieces)):
            pieces.append(code[start:spot])
            spot += 3 + code.startswith(" ", spot + 3)
            start = spot
            continue
        spot += 1
    return [*pieces, code[start:]]


def opens(code: str, within: bool) -> bool:
    """Whether a continuation may follow: code that heads a block or decorates, or any line within a block."""
    text = code.strip()
    return within or is_header(mended(text)) or text.startswith("@") or not text
