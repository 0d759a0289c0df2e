"""Damage to words of code: keywords translated (D01), names misspelt (D02), parentheses lost (D15)."""

from __future__ import annotations

import ast
import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from types import GeneratorType

from gradrepl.repair.model import Vocabulary
from gradrepl.repair.python import parses, tree_of
from gradrepl.session.foreign import TRANSLATED
from gradrepl.session.mask import mask

MORE_WORDS = {
    "Không có": "None", "không có": "None", "Không": "None", "đúng": "True", "sai": "False", "in": "print",
    "không phải là": "is not", "là": "is", "xác định": "def", "trả lại": "return", "trở lại": "return",
    "trở về": "return", "nhập khẩu": "import", "dưới dạng": "as", "cuối cùng": "finally", "ngắt": "break",
    "vượt qua": "pass", "khẳng định": "assert", "loại trừ": "except", "đèn pin": "torch", "ngọn đuốc": "torch",
    "đuốc": "torch", "tenxơ": "tensor", "phạm vi": "range", "độ dài": "len", "bản thân": "self",
}  # fmt: skip
CHINESE = {
    "假": "False", "真": "True", "无": "None", "对于": "for", "与": "with", "使用": "with", "定义": "def",
    "类": "class", "否则如果": "elif", "否则": "else", "当": "while", "尝试": "try", "进口": "import", "引入": "import",
    "火炬": "torch", "手电筒": "torch", "继续": "continue", "中断": "break", "不是": "is not", "是": "is", "在": "in",
    "作为": "as", "除了": "except", "最后": "finally", "通过": "pass", "断言": "assert", "并且": "and", "或者": "or",
    "不": "not", "打印": "print", "导入": "import", "从": "from", "返回": "return", "如果": "if", "范围": "range",
    "长度": "len", "自身": "self", "自我": "self",
}  # fmt: skip
ENGLISH = (
    *("import", "from", "with", "for", "if", "else", "elif", "def", "class", "return", "try", "except", "while"),
    *("and", "or", "not", "print", "torch"),
)
CAPITALS = {
    **{word.capitalize(): word for word in ENGLISH},
    **{form: value for value in ("True", "False", "None") for form in (value.lower(), value.upper())},
}
LOWER = {**TRANSLATED, **MORE_WORDS, **CHINESE}
WORDS = {**{word.capitalize(): word_of for word, word_of in LOWER.items()}, **CAPITALS, **LOWER}


def longest_first(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


WORD = re.compile(rf"(?<![\w.])({longest_first(word for word in WORDS if word.lower() != 'in')})(?!\w)")
WITHIN = re.compile(rf"({longest_first(CHINESE)})")
"""Chinese words, which no blank sets apart: 从torch导入nn."""
PRINT = re.compile(r"^(\s*)(in)(?=\s*\()")

KNOWN = {
    "autogard": "autograd", "autogad": "autograd", "autorgad": "autograd", "no_gard": "no_grad", "no_gad": "no_grad",
    "nograd": "no_grad", "Enable_grad": "enable_grad", "enabled_grad": "enable_grad", "enable_gard": "enable_grad",
    "set_grad_enable": "set_grad_enabled", "set_gard_enabled": "set_grad_enabled", "requirements_grad": "requires_grad",
    "require_grad": "requires_grad", "required_grad": "requires_grad", "requi_grad": "requires_grad",
    "requires_gard": "requires_grad", "require_grads": "requires_grad", "tensror": "tensor", "tenxor": "tensor",
    "backwards": "backward", "zeros_": "zero_", "gard": "grad", "gard_fn": "grad_fn", "is_leave": "is_leaf",
    "manual_sed": "manual_seed", "retain_gard": "retain_grad",
    "ngược": "backward", "lùi": "backward", "反向": "backward", "向后": "backward", "tổng": "sum", "求和": "sum",
    "trung_bình": "mean", "平均": "mean", "梯度": "grad", "độ_dốc": "grad", "tenxơ": "tensor", "张量": "tensor",
    "không_grad": "no_grad", "yêu_cầu_grad": "requires_grad", "需要_grad": "requires_grad", "形状": "shape",
}  # fmt: skip
"""Wrong spellings that pages really have."""
CUTOFF = 0.84
SHORTEST = 5


def english(code: str) -> str:
    """Return code that doesn't parse with its keywords in English, where that makes it parse; else as it is."""
    if parses(code):
        return code
    candidate = code
    for pattern in (WORD, PRINT, WITHIN):
        candidate = exchanged(pattern, candidate)
        if parses(candidate):
            return candidate
    return code


def exchanged(pattern: re.Pattern[str], code: str) -> str:
    """Return code with the words that a pattern finds outside of strings in English, set apart by blanks."""
    pieces, end, spot = [], 0, pattern.groups
    for found in pattern.finditer(mask(code)):
        before, after = code[found.start(spot) - 1 : found.start(spot)], code[found.end(spot) : found.end(spot) + 1]
        word = " " * is_letter(before) + WORDS[found[spot]] + " " * is_letter(after)
        pieces += [code[end : found.start(spot)], word]
        end = found.end(spot)
    return "".join(pieces) + code[end:]


def is_letter(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def with_call(code: str) -> str:
    """Return the head of a with block that lost its parentheses with them: `with torch.no_grad:`."""
    return re.sub(r"^(\s*with\s+(?:torch\.)?(?:autograd\.)?(?:no_grad|enable_grad|inference_mode))\s*:", r"\1():", code)


def misspelt(source: str, vocabulary: Vocabulary, own: set[str], near: bool = True) -> list[tuple[str, str]]:
    """Return the names of a source that are known wrong spellings or near misses, each with the name that was meant.

    own: names that the page itself defines, which are left alone; near: take near misses, not just known spellings.
    """
    tree = tree_of(source)
    if tree is None:
        return []
    found: dict[str, str] = {}
    for name, known in asked(tree, vocabulary, own):
        if name in known or name in own or name in ORDINARY or name.startswith("__"):
            continue
        meant = KNOWN.get(name)
        if meant is None and near and len(name) >= SHORTEST:
            closest = difflib.get_close_matches(name, known, 1, CUTOFF)
            meant = next((word for word in closest if likely(name, word)), None)
        if meant is not None and meant in known:
            found[name] = meant
    return list(found.items())


def likely(name: str, word: str) -> bool:
    """Whether a near miss may be the same word: not just its plural, its in-place form or another number."""
    letters = re.compile(r"[\d_s]+")
    if name[0] != word[0] or name.rstrip("_") == word.rstrip("_"):
        return False
    return letters.sub("", name) != letters.sub("", word) or name.replace("_", "") == word.replace("_", "")


MODULE = re.compile(r"torch(?:\.[a-z_]\w*)+|(?:nn|F|optim)\.[a-z_]\w*")
"""A module whose names the vocabulary may lack: torch.nn.init."""


def first_name(node: ast.expr) -> str:
    """Return the name that an expression begins with, "" for none."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def is_torch(name: str, own: set[str]) -> bool:
    """Whether a name may be something of PyTorch's, and is no other module, imported by the page or commonly known."""
    return f"{name}." not in own and (name in own or name not in OTHERS)


OTHERS = {"np", "numpy", "plt", "matplotlib", "pd", "sns", "tf", "cv2", "jax", "jnp"} | sys.stdlib_module_names


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
            if (owner not in vocabulary.modules and MODULE.fullmatch(owner)) or not is_torch(first_name(node), own):
                continue
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
    if tree is not None and len(tree.body) == 1 and len(names) == 1:
        (name,) = names - own or {""}
        words = exchanged(WITHIN, name).strip()
        if source.strip() == name and words.startswith(("import ", "from ")) and parses(words):
            return [(name, words)]
    alone = {ast.unparse(node) for node in ast.walk(tree or ast.Module([], [])) if isinstance(node, ast.Expr)}
    return [
        (name, WORDS[name])
        for name in sorted(names - own)
        if WORDS.get(name) in VALUES or (name in alone and WORDS.get(name) in ("continue", "break", "pass"))
    ]


VALUES = ("True", "False", "None", "print", "torch", "range", "len", "self")


def respelt(source: str, pairs: list[tuple[str, str]]) -> str:
    """Return the source with names exchanged, outside of strings and comments."""
    for wrong, right in pairs:
        covered = mask(source)
        spots = [found.start() for found in re.finditer(rf"(?<!\w){re.escape(wrong)}(?!\w)", covered)]
        for start in reversed(spots):
            source = source[:start] + right + source[start + len(wrong) :]
    return source
