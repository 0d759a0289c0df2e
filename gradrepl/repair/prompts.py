"""Damage to line breaks around prompts: banners (D14), glued prompts (D05), cells (D06), continuations (D08)."""

from __future__ import annotations

import re
from itertools import pairwise

from gradrepl.repair.characters import plain_signs
from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.python import VALUE, is_header, parses
from gradrepl.repair.words import english
from gradrepl.session.mask import ends_covered, mask

PROMPT = re.compile(r"^\s*>>>(?: |(?=\S)|$)")
PROMPTS = re.compile(r"(?<![`>])>{3,} ?")
CELL_IN = re.compile(r"\bIn\s*\[\s*\d*\s*\]\s*:\s?")
CELL_OUT = re.compile(r"\s*(?<![A-Z])Out\s*\[\s*\d*\s*\]\s*:[ \t]*")
CELL_DOTS = re.compile(r"^\s*\.{3,}:\s?")
DOTS = re.compile(r"^\s*\.\.\.(?: |$|(?=\S))")
NUMBERED = re.compile(r"^\s*\d+[.)|:]?\s+(?=>>>|In \[|\.\.\. )")
BANNER = re.compile(
    r"^\s*(?:Microsoft Windows|\(c\) .*Microsoft|Copyright|Python \d+\.\d+\.\d+.*|Type \"help\"|Nhập \"trợ giúp\"|"
    r"IPython \d+\.\d+|(?:\(\w+\)\s*)?[A-Z]:[\\/]?[^>]*>\s*(?:conda|python|activate|pip)?.*|"
    r"(?:\(\w+\) )?\$ (?:python|ipython|conda).*|conda activate .*)$"
)
ENDS_BLOCK = re.compile(r"^(?:else|elif|except|finally)\b")


def numbered(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Take off line numbers: of every line where they count up through the page, else those before prompts."""
    found = [(line, COUNTED.match(line.text)) for line in lines if line.text.strip()]
    counts = [int(match[1]) if match else -1 for _, match in found]
    steps = sum(0 < after - before <= 2 for before, after in pairwise(counts))
    pattern = COUNTED if len(counts) > 3 and steps >= MOSTLY * (len(counts) - 1) else NUMBERED
    made = [Line(pattern.sub("", line.text), line.number) for line in lines]
    first = next((pair for pair in zip(lines, made, strict=True) if pair[0] != pair[1]), None)
    if first is not None:
        notes.repaired("D14", first[0].number, first[0].text, first[1].text)
    return made


COUNTED = re.compile(r"^\s*(\d{1,4})[.)|:]?(?: |$)")
MOSTLY = 0.9


def banners(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Drop what a shell or Python says when it starts; a prompt glued to it is kept."""
    kept = []
    for line in lines:
        before, prompt, rest = line.text.partition(">>>")
        if not PROMPT.match(line.text) and BANNER.match(before if prompt else line.text):
            notes.repaired("D14", line.number, before, "")
            if not prompt:
                continue
            line = Line(prompt + rest, line.number)
        kept.append(line)
    return kept


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
    found = list(PROMPTS.finditer(text))
    if not found or (text.lstrip().startswith(">") and not text.lstrip().startswith(">>>")):
        return [text]
    lead = found[0].end() if not text[: found[0].start()].strip() else 0
    if lead and parses(text[lead:]):
        return [">>> " + text[lead:]]
    covered = text[:lead] + mask(text[lead:])
    if ends_covered(text[lead:]):
        covered = text  # a quote is open: it is a part of the damage
    starts = [behind_bracket(spot, text) for spot in list(PROMPTS.finditer(covered)) or found]
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
    if len(block) == 1 and (not first.strip() or "..." not in first or parses(first)):
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


def parses_alone(text: str) -> bool:
    return parses(text) and not VALUE.fullmatch(text.strip())


def mended_parses(code: str) -> bool:
    """Whether code parses, as it is or with plain signs and English keywords line by line."""
    return parses(code) or parses("\n".join(english(plain_signs(line)) for line in code.splitlines()))


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
    return within or is_header(text) or text.startswith("@") or not text


def indented(codes: list[str]) -> list[str]:
    """Return the lines of a statement with blocks indented by four; only else and the like move a line out."""
    if parses("\n".join(codes)):
        return codes
    level, made = 0, []
    for index, code in enumerate(codes):
        text = english(plain_signs(code.strip()))
        if not text:
            made.append("")
            continue
        if ENDS_BLOCK.match(text):
            level = max(level - 1, 0)
        made.append("    " * level + code.strip())
        level += is_header(text)
        if index == 0 and text.startswith("@"):
            level = 0
    return made
