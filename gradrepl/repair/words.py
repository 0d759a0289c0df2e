"""Damage to words of code: keywords translated (D01), names misspelt (D02), parentheses lost (D15)."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from types import GeneratorType

from gradrepl.repair.model import Vocabulary
from gradrepl.repair.python import parses, tree_of
from gradrepl.session.foreign import TRANSLATED
from gradrepl.session.mask import mask

MORE_WORDS = {
    "Không có": "None", "không có": "None", "Không": "None", "đúng": "True", "sai": "False", "Với": "with",
    "Nếu": "if", "Từ": "from", "Nhập": "import", "Cho": "for", "in": "print", "假": "False", "真": "True",
    "无": "None", "对于": "for", "与": "with", "使用": "with", "定义": "def", "类": "class", "否则": "else",
    "当": "while", "尝试": "try",
}  # fmt: skip
WORDS = {**TRANSLATED, **MORE_WORDS}
WORD = re.compile(
    r"(?<![\w.])("
    + "|".join(re.escape(word) for word in sorted(WORDS, key=len, reverse=True) if word != "in")
    + r")(?!\w)"
)
PRINT = re.compile(r"^(\s*)in(?=\s*\()")

KNOWN = {
    "autogard": "autograd", "autogad": "autograd", "autorgad": "autograd", "no_gard": "no_grad", "no_gad": "no_grad",
    "nograd": "no_grad", "Enable_grad": "enable_grad", "enabled_grad": "enable_grad", "enable_gard": "enable_grad",
    "set_grad_enable": "set_grad_enabled", "set_gard_enabled": "set_grad_enabled", "requirements_grad": "requires_grad",
    "require_grad": "requires_grad", "required_grad": "requires_grad", "requi_grad": "requires_grad",
    "requires_gard": "requires_grad", "require_grads": "requires_grad", "tensror": "tensor", "tenxor": "tensor",
    "backwards": "backward", "zeros_": "zero_", "gard": "grad", "gard_fn": "grad_fn", "is_leave": "is_leaf",
    "manual_sed": "manual_seed", "retain_gard": "retain_grad",
}  # fmt: skip
"""Wrong spellings that pages really have."""
CUTOFF = 0.8
SHORTEST = 5


def english(code: str) -> str:
    """Return code that doesn't parse with its keywords in English, where that makes it parse; else as it is."""
    if parses(code):
        return code
    whole, covered = code, mask(code)
    for pattern in (WORD, PRINT):
        pieces, end = [], 0
        for found in pattern.finditer(covered):
            word = found[1] if pattern is WORD else "in"
            start = found.start(1) if pattern is WORD else found.end(1)
            pieces += [code[end:start], WORDS[word]]
            end = start + len(word)
        candidate = "".join(pieces) + code[end:]
        if parses(candidate):
            return candidate
        code, covered = candidate, mask(candidate)
    return whole


def with_call(code: str) -> str:
    """Return the head of a with block that lost its parentheses with them: `with torch.no_grad:`."""
    return re.sub(r"^(\s*with\s+(?:torch\.)?(?:autograd\.)?(?:no_grad|enable_grad|inference_mode))\s*:", r"\1():", code)


def misspelt(source: str, vocabulary: Vocabulary, own: set[str]) -> list[tuple[str, str]]:
    """Return the names of a source that are known wrong spellings or near misses, each with the name that was meant.

    own: names that the page itself defines, which are left alone.
    """
    tree = tree_of(source)
    if tree is None:
        return []
    found: dict[str, str] = {}
    for name, known in asked(tree, vocabulary, own):
        if name in known or name in own or name in ORDINARY or name.startswith("__"):
            continue
        meant = KNOWN.get(name)
        if meant is None and len(name) >= SHORTEST:
            close = [word for word in difflib.get_close_matches(name, known, 3, CUTOFF) if likely(name, word)]
            meant = close[0] if close else None
        if meant is not None and meant in known:
            found[name] = meant
    return list(found.items())


def likely(name: str, word: str) -> bool:
    """Whether a near miss may be the same word: not just its plural, its in-place form or another number."""
    letters = re.compile(r"[\d_s]+")
    return letters.sub("", name) != letters.sub("", word) or name.replace("_", "") == word.replace("_", "")


KINDS: tuple[type, ...] = (str, bytes, list, tuple, dict, set, int, float, complex, GeneratorType, type)
ORDINARY = frozenset(name for kind in KINDS for name in dir(kind)) | frozenset(
    [
        "join",
        "start",
        "is_alive",
        "write",
        "flush",
        "close",
        "send",
        "throw",
        "read",
        "seek",
        "getvalue",
        "perf_counter",
        "time",
        "sleep",
    ]
)
"""Attributes of Python's own objects, which any name may be."""


def asked(tree: ast.Module, vocabulary: Vocabulary, own: set[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the names behind dots and before equal signs of calls, with the names that are known there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            owner = ".".join(KNOWN.get(part, part) for part in owner.split("."))
            yield node.attr, vocabulary.modules.get(owner) or vocabulary.attributes
        elif isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in own):
            root = ast.unparse(node.func).split("(")[0].split(".")[0]
            for keyword in node.keywords:
                if keyword.arg is not None and (root == "torch" or keyword.arg in KNOWN):
                    yield keyword.arg, vocabulary.keywords


def foreign_names(source: str, own: set[str]) -> list[tuple[str, str]]:
    """Return translated words that are Python names as they stand (`打印(x)`, `Đúng`), each with the English one."""
    tree = tree_of(source)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree is not None else set()
    return [(name, WORDS[name]) for name in sorted(names - own) if WORDS.get(name) in VALUES]


VALUES = ("True", "False", "None", "print")


def respelt(source: str, pairs: list[tuple[str, str]]) -> str:
    """Return the source with names exchanged, outside of strings and comments."""
    for wrong, right in pairs:
        covered = mask(source)
        spots = [found.start() for found in re.finditer(rf"(?<!\w){re.escape(wrong)}(?!\w)", covered)]
        for start in reversed(spots):
            source = source[:start] + right + source[start + len(wrong) :]
    return source
