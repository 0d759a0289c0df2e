"""Lines of code: each kind of damage within one, and whether what comes of it is meant as a statement."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import lru_cache

from gradrepl.repair.characters import plain_signs
from gradrepl.repair.python import parses, tree_of
from gradrepl.repair.words import english, with_call
from gradrepl.session.mask import mask

DUNDERS = (
    "init|name|main|class|doc|len|getitem|setitem|call|repr|str|enter|exit|version|dict|file|all|next|iter|add|mul|"
    "sub|eq|new|del|module|torch_function"
)
SPACED_DUNDER = re.compile(rf"(?<!\w)_ ?_ ?({DUNDERS}) ?_ ?_(?!\w)")
BOLD_DUNDER = re.compile(rf"(?:(?<=\.)|(?<=\bdef )|(?<=\bif )|^)\*\*({DUNDERS})\*\*")
ANY_BOLD = re.compile(rf"\*\*({DUNDERS})\*\*")
BOLD_MAIN = re.compile(r"""(?<=__name__ == )(["'])\*\*main\*\*\1""")
OLD_PRINT = re.compile(r"^(\s*)print +(?![=(])(.+?)( *,)?$")
ONE_WORD = re.compile(r"\s*print +[^\W\d]\w{2,}$")
"""Prose as well: "print gradients"."""
HEAD = re.compile(r"\s*(?:with|for|if|while|def|class|try|else|elif|except|finally|async|@)(?!\w)")


def dunders(code: str) -> str:
    """Return code with the underscores that Markdown made bold, or that were set apart (`_ _init_ _`)."""
    for pattern in (SPACED_DUNDER, BOLD_DUNDER if parses(code) else ANY_BOLD):
        for found in reversed(list(pattern.finditer(mask(code)))):
            code = f"{code[: found.start()]}__{found[1]}__{code[found.end() :]}"
    return BOLD_MAIN.sub(r"\1__main__\1", code)


def initializers(source: str) -> str:
    """Return the source of a class whose `__init__` lost its underscores, where it also calls super().init()."""
    if DEF_INIT.search(source) is None or SUPER_INIT.search(source) is None:
        return source
    return SUPER_INIT.sub(r"\1.__init__(", DEF_INIT.sub(r"\1__init__(self", source))


DEF_INIT = re.compile(r"(?m)^(\s+def )init\(self\b")
SUPER_INIT = re.compile(r"(?m)^(\s+super\([^()]*\))\.init\(")


def print_function(code: str) -> str:
    """Return the print statement of Python 2 as a call of print, where that makes the code parse."""
    found = OLD_PRINT.match(code)
    if found is None or parses(code):
        return code
    end = ', end=" "' if found[3] else ""
    call = f"{found[1]}print({found[2]}{end})"
    return call if parses(call) else code


LINE_REPAIRS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("D03", plain_signs),
    ("D15", dunders),
    ("D17", print_function),
    ("D01", english),
    ("D15", with_call),
)
"""Line of code to line of code; each leaves alone what parses, but for D15."""


@lru_cache(maxsize=4096)
def mended(code: str) -> str:
    """Return a line of code with all repairs that need nothing but the line."""
    text = code.strip()
    for _, repair in LINE_REPAIRS:
        text = repair(text)
    return text


@lru_cache(maxsize=4096)
def is_statement(code: str) -> bool:
    """Whether a line without a prompt is meant as code: an assignment, a call, an import, a block or an attribute."""
    text = mended(code)
    tree = tree_of(text)
    if tree is None:
        return parses(text) and HEAD.match(text) is not None
    if text != code.strip() and (ONE_WORD.match(code) or is_sentence(code.strip(), text)):
        return False
    return bool(tree.body) and not all(
        isinstance(node, ast.AnnAssign)
        or (isinstance(node, ast.Expr) and (is_value(text) or is_plain(node.value, code.strip())))
        for node in tree.body
    )


def is_sentence(written: str, english: str) -> bool:
    """Whether what became Python with English words is rather prose: `Nhập môn` is not `import môn`."""
    outside = re.sub('["#]+', "", mask(english))
    return not outside.isascii() or (written[0].isupper() and not written.split()[0].isascii())


PLAIN = (ast.Name, ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.List, ast.Compare, ast.BoolOp, ast.Set)


def is_plain(value: ast.expr, written: str) -> bool:
    """Whether an expression may as well be prose or printed: names and values that call and ask for nothing."""
    asks = any(isinstance(node, ast.Attribute | ast.Call) for node in ast.walk(value))
    return isinstance(value, PLAIN) and not (asks and written[0] not in "([{" and tree_of(written) is not None)


def is_value(text: str) -> bool:
    """Whether a text is rather what Python printed: a tensor, a module, a switch of the grad mode."""
    return VALUE.match(text) is not None


VALUE = re.compile(
    r"(?:tensor|array|torch\.Size|Parameter|Size|Traceback|torch\.autograd\.grad_mode)\b"
    r"|(?!Print\b|In\b)[A-Z]\w*\([^()]*\)$"
)
