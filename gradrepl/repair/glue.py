"""Damage that glues a statement to its output (D07) or to the next statement (D04)."""

from __future__ import annotations

import re
from functools import lru_cache

from gradrepl.repair.code import mended
from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.prompts import DOTS, PROMPT
from gradrepl.repair.python import ATOM, LONGEST, VALUE, bare, names_in, parses
from gradrepl.repair.words import KNOWN
from gradrepl.session.mask import mask

ERROR = re.compile(r"(?:Traceback \(|\w*(?:Error|Warning): )")
GAP = re.compile(r"(?<=[\w)\]}'\"]) +(?=[^\W\d]|#)")
MOST_GAPS = 60


def outputs(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Give the output that is glued to a statement a line of its own."""
    own: set[str] = set()
    made: Lines = []
    for line in lines:
        prompt = PROMPT.match(line.text) or DOTS.match(line.text)
        if prompt is None:
            made.append(line)
            continue
        code = line.text[prompt.end() :]
        found = boundary(code, vocabulary, own)
        own |= names_in(mended(code if found is None else code[:found]))
        if found is None:
            made.append(line)
            continue
        pieces = [line.text[: prompt.end()] + code[:found].rstrip(), code[found:].lstrip()]
        notes.repaired("D07", line.number, line.text, "\n".join(pieces))
        made += [Line(piece, line.number) for piece in pieces]
    return made


def boundary(code: str, vocabulary: Vocabulary, own: set[str]) -> int | None:
    """Return where output begins within a line of code, None where there is none."""
    text = code.rstrip()
    if len(text) > LONGEST or (parses(mended(text)) and not swallowed(mended(text), vocabulary, own)):
        return None
    for found in VALUE.finditer(text):
        start = found.start()
        left = mended(text[:start])
        if left and ATOM.search(left) and parses(left) and stands(left, text, start, vocabulary, own):
            return start
    return None


def swallowed(code: str, vocabulary: Vocabulary, own: set[str]) -> bool:
    """Whether a name that parses has swallowed a value: requires_gradTrue, aNone, btensor(...)."""
    found = re.fullmatch(r"(?P<left>.*?[^\W\d]\w*?)(?:True|False|None|tensor\(.*)", code, re.DOTALL)
    name = re.fullmatch(r"(?:.*[.\s(\[=])?([^\W\d]\w*?)", code.partition("(")[0])
    return found is not None and name is not None and name[1] not in own and name[1] not in vocabulary.everything


def stands(left: str, text: str, start: int, vocabulary: Vocabulary, own: set[str]) -> bool:
    """Whether what stands left of a value is a statement of its own that may have printed it."""
    blank = text[start - 1] in " \t"
    last = re.search(r"(\.?)([^\W\d]\w*)$", left)
    if last is None:
        return left[-1] in ")]" and (blank or text[start] not in "[(") and not bare(left)
    dotted, name = last.groups()
    if name in ("True", "False", "None"):
        return not bare(left)
    known = vocabulary.everything | KNOWN.keys() if dotted else own
    if "=" in mask(left).replace("==", "") and not re.search(r"\([^()]*$", mask(left)):
        return False
    return name in known


def statements(lines: Lines, vocabulary: Vocabulary, notes: Notes) -> Lines:
    """Give statements that stand side by side in one line a line each."""
    made: Lines = []
    for line in lines:
        prompt = PROMPT.match(line.text)
        code = line.text[prompt.end() :] if prompt else ""
        parts = apart(code) if prompt else ()
        if len(parts) < 2:
            made.append(line)
            continue
        notes.repaired("D04", line.number, line.text, "\n".join(f">>> {part}" for part in parts))
        made += [Line(f">>> {part}", line.number) for part in parts]
    return made


@lru_cache(maxsize=4096)
def apart(code: str) -> tuple[str, ...]:
    """Return the statements of a line in which only blanks are between them; one where it parses or can't be told."""
    text = code.strip()
    if not text or len(text) > LONGEST or parses(mended(text)):
        return (text,)
    covered = mask(text)
    open_brackets = end = 0
    for gap in list(GAP.finditer(covered))[:MOST_GAPS]:
        open_brackets += depth(covered[end : gap.start()])
        end = gap.start()
        left, right = text[: gap.start()], text[gap.end() :]
        if open_brackets or not parses(mended(left)) or left.rstrip().endswith(":") or bare(mended(left)):
            continue
        rest = apart(right)
        if all(parses(mended(part)) for part in rest) and not bare(mended(rest[0])):
            return (left, *rest)
    return (text,)


def depth(covered: str) -> int:
    return sum((sign in "([{") - (sign in ")]}") for sign in covered)
