"""Lines with prompts as statements with what they printed, and code without prompts as lines with them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradrepl.repair.glue import apart, boundary, is_statement, mended
from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.prompts import DOTS, PROMPT, indented
from gradrepl.repair.python import is_header, names_in, parses, tree_of

LONGEST_BLOCK = 80
DEEPEST = 8  # blocks within blocks: more are no program that a person reads
MOST_FAILED = 100
"""Lines of a page that open a statement which never ends, before it is taken for no program."""


def has_prompts(text: str) -> bool:
    """Whether a text shows prompts of Python or IPython."""
    return ">>>" in text or "In [" in text or "In[" in text


def as_prompts(source: str) -> str:
    """Return source with the prompts that Python shows before each line."""
    tree = tree_of(source)
    if tree is None:
        return "\n".join(line.text for line in damaged_as_prompts(source))
    lines, made = source.splitlines(), []
    starts = [first_line(node) for node in tree.body]
    for start, node in zip(starts, tree.body, strict=True):
        body = lines[start - 1 : node.end_lineno]
        made += [(">>> " if index == 0 else "... ") + line for index, line in enumerate(body)]
    return "\n".join(made)


def damaged_as_prompts(source: str) -> Iterator[Line]:
    """Yield the lines of source that doesn't parse behind prompts, as far as its blocks can be told."""
    lines = [Line(line, number) for number, line in enumerate(source.splitlines(), 1) if line.strip()]
    index = 0
    while index < len(lines):
        block = block_at(lines, index) or lines[index : index + 1]
        yield from (Line(PROMPTS[i > 0] + line.text, line.number) for i, line in enumerate(block))
        index += len(block)


def first_line(node: ast.stmt) -> int:
    lines: list[int] = [node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]
    return min(lines)


def prompted(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Put prompts before the code of a page that has none; other lines are output or prose (D04)."""
    if any(has_prompts(line.text) for line in lines):
        return lines
    made: Lines = []
    own: set[str] = set()
    index = failed = 0
    while index < len(lines):
        block = block_at(lines, index) if failed < MOST_FAILED else []
        failed += not block and (unfinished(lines[index].text) or is_header(lines[index].text))
        if block:
            texts = block_texts(block, notes)
            made += [
                Line(PROMPTS[i > 0] + text, line.number)
                for i, (text, line) in enumerate(zip(texts, block, strict=True))
            ]
            own |= names_in("\n".join(texts))
            index += len(block)
            continue
        for piece in pieces_of(lines[index], vocabulary, own, notes):
            made.append(piece)
            own |= names_in(mended(PROMPT.sub("", piece.text))) if PROMPT.match(piece.text) else set()
        index += 1
    return made


PROMPTS = (">>> ", "... ")


def block_texts(block: Lines, notes: Notes) -> list[str]:
    """Return the lines of a statement, indented where that was lost."""
    texts = [line.text for line in block]
    if tree_of("\n".join(map(english_lines, texts))) is not None:
        return texts
    made = indented(texts)
    notes.repaired("D08", block[0].number, "\n".join(texts), "\n".join(made))
    return made


def block_at(lines: Lines, index: int) -> Lines:
    """Return the lines of the statement that begins at an index; none where no code begins there."""
    first = lines[index].text
    if not first.strip() or (not is_statement(first) and not unfinished(first)):
        return []
    if parses(mended(first)) and not is_header(mended(first)) and not first.lstrip().startswith("@"):
        return [Line(first.strip(), lines[index].number)] if tree_of(mended(first)) is not None else []
    found: Lines = []
    block: Lines = []
    mended_lines: list[str] = []
    for line in lines[index : index + LONGEST_BLOCK]:
        if block and not line.text.strip() and found:
            break
        block.append(line)
        mended_lines.append(english_lines(line.text))
        code = "\n".join(mended_lines)
        if len(block) > 1 and tree_of(code) is not None and len(getattr(tree_of(code), "body", ())) == 1:
            found = list(block)
        elif len(block) == 2 and is_header(mended(first)) and not line.text.startswith(" ") and is_statement(line.text):
            return unindented_block(lines, index)
        elif found and not line.text.startswith((" ", ")", "]", "}")):
            break
    return found


def unindented_block(lines: Lines, index: int) -> Lines:
    """Return the head of a block and all statements below it, as far as its lost indentation can be told."""
    end, headers = index + 1, 1
    while end < min(len(lines), index + LONGEST_BLOCK) and is_statement(lines[end].text) and headers < DEEPEST:
        headers += is_header(mended(lines[end].text))
        end += 1
    return lines[index:end]


def english_lines(text: str) -> str:
    lead = text[: len(text) - len(text.lstrip())]
    return lead + mended(text)


def unfinished(text: str) -> bool:
    """Whether a line opens a bracket, a string or a decorated function that later lines close."""
    stripped = text.strip()
    return stripped.startswith("@") or (
        stripped.endswith(("(", "[", "{", ",", "\\", '"""', "'''")) and any(sign in text for sign in "=(")
    )


def pieces_of(line: Line, vocabulary: Vocabulary, own: set[str], notes: Notes) -> Iterator[Line]:
    """Yield the statements and values that are glued together in a line without prompts; else the line."""
    text = line.text.strip()
    while text:
        found = boundary(text, vocabulary, own)
        left = text if found is None else text[:found].rstrip()
        parts = apart(left)
        if not all(is_statement(part) for part in parts) or (
            found is None and len(parts) == 1 and not is_statement(left)
        ):
            yield Line(text, line.number)
            return
        if found is not None or len(parts) > 1:
            notes.repaired("D04", line.number, line.text, left)
        for part in parts:
            yield Line(f">>> {part}", line.number)
            own |= names_in(mended(part))
        text = "" if found is None else text[found:].lstrip()
        if found is not None:
            yield Line(text, line.number)
            return


def grouped(lines: Lines) -> Iterator[tuple[Lines, Lines]]:
    """Yield each statement's lines with the lines below it, up to the next prompt."""
    code: Lines = []
    below: Lines = []
    for line in lines:
        if PROMPT.match(line.text):
            if code:
                yield code, below
            code, below = [line], []
        elif code and not below and DOTS.match(line.text):
            code.append(line)
        elif code:
            below.append(line)
    if code:
        yield code, below
