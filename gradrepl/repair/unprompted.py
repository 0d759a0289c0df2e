"""Pages whose code has no prompts, or lost them: which lines are code, and where blocks end (D04, D08)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from gradrepl.repair.blocks import indented, lead, length
from gradrepl.repair.code import is_statement, is_value, mended
from gradrepl.repair.glue import apart, boundary, depth
from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.prompts import CELL_IN, CELL_OUT, PROMPT, PROMPTS, has_prompts, mended_line
from gradrepl.repair.python import VALUE, is_header, names_in, parses, tree_of
from gradrepl.repair.statements import sources
from gradrepl.session.mask import mask

LONGEST_BLOCK = 80
DEEPEST = 8  # blocks within blocks: more are no program that a person reads
MOST_FAILED = 100
"""Lines of a page that open a statement which never ends, before it is taken for no program."""


def prompted(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Put prompts before the code of a page that has none; other lines are output or prose (D04)."""
    if any(has_prompts(line.text) for line in lines):
        return lines
    made: Lines = []
    own: set[str] = set()
    index = failed = 0
    while index < len(lines):
        if end := traceback_end(lines, index):
            made += lines[index:end]
            index = end
            continue
        block = block_at(lines, index) if failed < MOST_FAILED and not is_orphan(lines, index) else []
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
        if is_orphan(lines, index):
            made.append(Line(PROMPTS[0] + lines[index].text, lines[index].number))
            index += 1
            continue
        for piece in pieces_of(lines[index], vocabulary, own, notes):
            made.append(piece)
            own |= names_in(mended(PROMPT.sub("", piece.text))) if PROMPT.match(piece.text) else set()
        index += 1
    return made


def is_orphan(lines: Lines, index: int) -> bool:
    """Whether a line of code belongs to a block whose damaged head is no code: alone it would mean another thing.

    With its indentation kept it can't run.
    """
    text = lines[index].text
    if text[:1] != " " or not is_statement(text):
        return False
    nearby = takewhile(str.strip, (line.text for line in lines[max(index - LONGEST_BLOCK, 0) : index][::-1]))
    above = next((line for line in nearby if lead(line) < lead(text)), "").rstrip()
    return above.endswith((":", "：")) and "(" in above


def traceback_end(lines: Lines, index: int) -> int:
    """Return where the traceback that begins at an index ends, 0 where none does: the code within it is no program."""
    if not TRACEBACK.match(lines[index].text):
        return 0
    below = range(index + 1, min(index + LONGEST_BLOCK, len(lines)))
    return next((at + 1 for at in below if ERROR_LINE.match(lines[at].text)), 0)


TRACEBACK = re.compile(r"\s*(?:Traceback|Dò ngược|Truy nguyên|回溯)\b")
ERROR_LINE = re.compile(r"\s*[\w.]*(?:Error|Exception|Interrupt|Iteration|Warning)\b *(?:[:：]|$)")


def block_texts(block: Lines, notes: Notes) -> list[str]:
    """Return the lines of a statement, indented where that was lost."""
    texts = [line.text for line in block]
    if tree_of("\n".join(map(mended_line, texts))) is not None:
        return texts
    made = indented(texts)
    notes.repaired("D08", block[0].number, "\n".join(texts), "\n".join(made))
    return made


def block_at(lines: Lines, index: int) -> Lines:
    """Return the lines of the statement that begins at an index; none where no code begins there."""
    first = lines[index].text
    if not first.strip() or is_value(first.strip()) or (not is_statement(first) and not unfinished(first)):
        return []
    if parses(mended(first)) and not is_header(mended(first)) and not first.lstrip().startswith("@"):
        return [Line(first.strip(), lines[index].number)] if tree_of(mended(first)) is not None else []
    if is_flat(lines, index):
        return unindented_block(lines, index)
    found: Lines = []
    block: Lines = []
    mended_lines: list[str] = []
    for line in lines[index : index + LONGEST_BLOCK]:
        if found and not line.text.startswith((" ", ")", "]", "}")) and not goes_on(line.text):
            break
        block.append(line)
        mended_lines.append(mended_line(line.text))
        tree = tree_of("\n".join(mended_lines)) if len(block) > 1 and line.text.strip() else None
        if tree is not None and len(tree.body) == 1:
            found = list(block)
    return found


def goes_on(text: str) -> bool:
    """Whether a line that isn't indented may belong to the block above it: an empty one, or `else` and the like."""
    return not text.strip() or mended(text).startswith(("else", "elif ", "except", "finally"))


def is_flat(lines: Lines, index: int) -> bool:
    """Whether the block that begins at an index has lost its indentation."""
    nearby = range(index, min(index + LONGEST_BLOCK, len(lines)))
    head = next((at for at in nearby if not lines[at].text.lstrip().startswith("@")), index)
    below = lines[head + 1].text if head + 1 < len(lines) else ""
    if reads_as_prose(lines[head].text) or not is_header(mended(lines[head].text)):
        return False
    return bool(below.strip()) and below[:1] != " " and is_statement(below)


def reads_as_prose(text: str) -> bool:
    """Whether the head of a block may be a sentence: `Với torch.no_grad():`, `使用 torch.no_grad()：`."""
    return not text.isascii() and (text.strip()[0].isupper() or text.rstrip().endswith("："))


def unindented_block(lines: Lines, index: int) -> Lines:
    """Return the head of a block and all statements below it, as far as its lost indentation can be told."""
    end, headers = index + 1, 1
    while end < min(len(lines), index + LONGEST_BLOCK) and is_statement(lines[end].text) and headers < DEEPEST:
        headers += is_header(mended(lines[end].text))
        end += 1
    return lines[index : index + length([mended(line.text) for line in lines[index:end]])]


def unfinished(text: str) -> bool:
    """Whether a line opens a bracket, a string or a decorated function that later lines close."""
    stripped = text.strip()
    return stripped.startswith("@") or (
        stripped.endswith(("(", "[", "{", ",", "\\", '"""', "'''")) and any(sign in text for sign in "=(")
    )


def pieces_of(line: Line, vocabulary: Vocabulary, own: set[str], notes: Notes) -> Iterator[Line]:
    """Yield the statements and values that are glued together in a line without prompts; else the line."""
    text = line.text.strip()
    label = LABEL.match(text)
    pieces = split_line(text, vocabulary, own)
    if not pieces and label:
        pieces = split_line(text[label.end() :], vocabulary, own)
        pieces = [label[0].strip(), *pieces] if len(pieces) > 1 or "torch" in "".join(pieces) else []
    if not pieces or (is_header(mended(text)) and reads_as_prose(text)):
        yield Line(PROMPTS[0] + text, line.number) if looks_like_code(text) else line
        return
    if len(pieces) > 1:
        notes.repaired("D04", line.number, line.text, "\n".join(pieces))
    if any(piece.startswith(PROMPTS[1]) for piece in pieces):
        notes.repaired("D08", line.number, line.text, "\n".join(pieces))
    yield from (Line(piece, line.number) for piece in pieces)


LABEL = re.compile(r"[^=()\[\]#]{1,60}?[:：] +")
CODE = re.compile(
    r"(?:[A-Za-z_]\w*(?:\.\w+|\[[^]]*\])* *[-+*/]?= *[^= ]|[A-Za-z_]\w*(?:\.\w+)+ ?\(|@[A-Za-z_][\w.]*\b *(?:\(|$)).*"
)
MOST_PIECES = 60


def looks_like_code(text: str) -> bool:
    """Whether a line is damaged code and no prose: it assigns, calls or decorates, or heads a block."""
    return (
        text.isascii()
        and not is_value(text)
        and (CODE.fullmatch(text) is not None or (is_header(text) and is_statement(text)))
    )


def split_line(text: str, vocabulary: Vocabulary, own: set[str]) -> list[str]:
    """Return a line without prompts as statements behind prompts and values between them; none where it is prose."""
    pieces: list[str] = []
    while text and len(pieces) < MOST_PIECES:
        value = LEADING_VALUE.match(text)
        if value:
            pieces.append(value[0].strip())
            text = text[value.end() :]
            continue
        parts, text = statements_before_value(text, vocabulary, own)
        if not parts:
            return []
        pieces += in_block(parts)
        own |= names_in("\n".join(map(mended, parts)))
        if text and not LEADING_VALUE.match(text):
            return [*pieces, text]
    return pieces if any(piece.startswith(PROMPTS[0]) for piece in pieces) else []


def statements_before_value(text: str, vocabulary: Vocabulary, own: set[str]) -> tuple[Sequence[str], str]:
    """Return the statements that a line begins with and the rest, which begins with what the last of them printed."""
    parts = apart(text)
    if all(map(is_statement, parts)) and boundary(parts[-1], vocabulary, own) is None:
        return parts, ""
    for value in list(VALUE.finditer(text))[:MOST_PIECES]:
        left = text[: value.start()].rstrip()
        *before, last = apart(left, printed=True)
        begin, names = len(left) - len(last), own | names_in("\n".join(map(mended, before)))
        if (
            all(map(is_statement, (*before, last)))
            and boundary(text[begin:], vocabulary, names) == value.start() - begin
        ):
            return [*before, last], text[value.start() :].lstrip()
    return [], text


LEADING_VALUE = re.compile(
    r"(?:True|False|None|-?\d+(?:\.\d+)?|tensor\([^()]*\)|<[^<>]{1,99}>"
    r"|torch\.autograd\.grad_mode\.\w+\(mode=\w+\))(?: +(?=[^\W\d])|$)"
)


def in_block(parts: Sequence[str]) -> list[str]:
    """Return statements behind prompts; those that follow the head of a block in its line are in the block."""
    for index, part in enumerate(parts[:-1]):
        head = ONE_LINE.match(mask(mended(part)))
        if head is not None and not depth(head[0]):
            first = mended(part)
            lines = [first[head.end() :].strip(), *parts[index + 1 :]]
            before = [PROMPTS[0] + earlier for earlier in parts[:index]]
            return [*before, PROMPTS[0] + head[0], *(f"{PROMPTS[1]}    {line}" for line in lines)]
    return [PROMPTS[0] + part for part in parts]


ONE_LINE = re.compile(r"(?:with|for|while|if)\b.*?:(?= )")


def bare_cells(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Put prompts before the code of cells that begin below their `In [n]:` (D06)."""
    made: Lines = []
    index = 0
    while index < len(lines):
        head = CELL_IN.fullmatch(lines[index].text.strip())
        end = index + 1
        while head and end < len(lines) and not (CELL_IN.search(lines[end].text) or CELL_OUT.search(lines[end].text)):
            end += 1
        if head and any(line.text.strip() for line in lines[index + 1 : end]):
            found = prompted(lines[index + 1 : end], vocabulary, notes)
            notes.repaired("D06", lines[index].number, lines[index].text, found[0].text)
            made += found
        else:
            made += lines[index:end]
        index = end
    return made


def as_prompts(source: str) -> str:
    """Return source with the prompts that Python shows before each line."""
    tree = tree_of(source)
    if tree is None:
        return "\n".join(line.text for line in damaged_as_prompts(source))
    return "\n".join(PROMPTS[0] + text.replace("\n", "\n" + PROMPTS[1]) for _, text in sources(source, tree))


def damaged_as_prompts(source: str) -> Iterator[Line]:
    """Yield the lines of source that doesn't parse behind prompts, as far as its blocks can be told."""
    lines = [Line(line, number) for number, line in enumerate(source.splitlines(), 1) if line.strip()]
    index = 0
    while index < len(lines):
        block = block_at(lines, index) or lines[index : index + 1]
        yield from (Line(PROMPTS[i > 0] + line.text, line.number) for i, line in enumerate(block))
        index += len(block)
