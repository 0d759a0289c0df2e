"""Damage that glues a statement to its output (D07) or to the next statement (D04)."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from gradrepl.repair.code import mended
from gradrepl.repair.model import Line, Lines, Notes, Vocabulary
from gradrepl.repair.prompts import DOTS, PROMPT
from gradrepl.repair.python import ATOM, LONGEST, VALUE, bare, names_in, parses, tree_of
from gradrepl.repair.words import KNOWN
from gradrepl.session.mask import mask

ERROR = re.compile(r"(?:Traceback \(|\w*(?:Error|Warning): )")
GAP = re.compile(r"(?:(?<=[\w)\]}）］'\"])|(?<=\d\.)) +(?=[^\W\d]|#)")
LIST = re.compile(r"\(\) +\[")
"""What a call printed: nobody writes a subscript so, but `x.tolist() [1.0]` parses."""
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
    whole = parses(mended(text)) and not swallowed(mended(text), vocabulary, own) and not LIST.search(mask(text))
    if len(text) > LONGEST or whole:
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
        return left[-1] in ")]" and (blank or text[start] not in "([") and not bare(left)
    if text[start] in "([" and not blank:
        return False  # a call, an index
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
def apart(code: str, printed: bool = False) -> tuple[str, ...]:
    """Return the statements of a line in which only blanks are between them; one where it parses or can't be told.

    printed: the last one has printed something, so it is an expression.
    """
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
        rest = apart(right, printed)
        if not all(parses(mended(part)) for part in rest) or bare(mended(rest[0])):
            continue
        if (printed and len(rest) == 1) or are_two(mended(left), mended(rest[0])):
            return (left, *rest)
    return (text,)


def are_two(left: str, right: str) -> bool:
    """Whether two pieces of a line are two statements and have lost no operator: `w -= 0.1 w.grad` may be a product."""
    first, second = last_node(left), last_node(right)
    if not isinstance(second, ast.Expr) or returns_nothing(second.value):
        return True
    if isinstance(first, ast.Assign):  # a new name that is looked at: a = f(2) a.is_leaf
        begun = re.match(r"[^\W\d]\w*", right)
        looked_at = isinstance(first.value, ast.Call) and begun is not None and begun[0] in names_in(left)
        return looked_at or is_no_factor(first.value)
    return not isinstance(first, ast.Expr | ast.AugAssign) or returns_nothing(first.value)


def is_no_factor(value: ast.expr) -> bool:
    """Whether nobody would multiply with a value: None, True, a list."""
    return isinstance(value, ast.List | ast.Dict) or (
        isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool))
    )


def last_node(code: str) -> ast.stmt | None:
    """Return the last simple statement of a line of code, None for the head of a block."""
    tree = tree_of(code)
    node = tree.body[-1] if tree is not None and tree.body else None
    while isinstance(node, ast.With | ast.For | ast.While | ast.If):
        node = node.body[-1]
    return node


def returns_nothing(value: ast.expr) -> bool:
    """Whether a call's value is none that anybody would count with: print(...), y.backward(), x.zero_()."""
    if not isinstance(value, ast.Call):
        return False
    name = value.func.id if isinstance(value.func, ast.Name) else getattr(value.func, "attr", "")
    return name in NOTHING or (name.endswith("_") and not name.endswith("__"))


NOTHING = ("print", "backward", "zero_grad", "step", "set_grad_enabled", "manual_seed", "retain_grad", "append")


def depth(covered: str) -> int:
    return sum((sign in "([{") - (sign in ")]}") for sign in covered)
