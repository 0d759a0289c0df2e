"""Answers to predictions: their meaning counts, not their spelling."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

WORDS = {
    **dict.fromkeys(("true", "đúng", "dung", "yes", "có", "co", "bật", "bat", "on"), True),
    **dict.fromkeys(("false", "sai", "no", "không", "khong", "tắt", "tat", "off"), False),
    **dict.fromkeys(("none", "nothing", "null", "không có", "khong co", "không có gì", "khong co gi"), None),
    **dict.fromkeys(("error", "an error", "raises an error", "raises", "exception"), "error"),
    **dict.fromkeys(("lỗi", "loi", "báo lỗi", "bao loi", "bị lỗi", "bi loi", "có lỗi", "co loi", "ngoại lệ"), "error"),
}
NODE = re.compile(r"(?:grad_fn=)?<?(?P<name>\w+?backward|accumulategrad)\d*(?: object at 0x[0-9a-f]+)?>?")
TENSOR = re.compile(r"tensor\((?P<values>\[.*\]|[^\[\],]+)(?:, ?\w+=.*)?\)")
TOKEN = re.compile(r"[\[\]]|[^\s,\[\]]+")
DIGITS = 4


def text_of(value: Any) -> str:
    """Return the truth of a cell as a learner would write it: a node by its name, all else as Python does."""
    text = repr(value)
    return type(value).__name__ if text.startswith("<") else text


def meaning(text: str) -> Any:
    """Return what two answers have in common that say the same.

    Words of both languages stand for True, False, None and an error; numbers count to four digits, with a decimal
    comma or point; a node's name counts without angle brackets and its final digit; a tensor by its values.
    """
    word = " ".join(unicodedata.normalize("NFC", text).casefold().strip().strip("`").split())
    if word in WORDS:
        return WORDS[word]
    node = NODE.fullmatch(word)
    if node:
        return node["name"]
    tensor = TENSOR.fullmatch(word)
    word = tensor["values"] if tensor else word
    if word.startswith("["):
        return ",".join(map(number, TOKEN.findall(word)))
    return number(word.replace(",", ".") if word.count(",") == 1 else word)


def number(word: str) -> str:
    """Return a number as all of its spellings are compared; any other text without its spaces."""
    try:
        return f"{float(word):.{DIGITS}g}"
    except ValueError:
        return re.sub(r"\s", "", word)


def same_answer(one: str, other: str) -> bool:
    """Whether two answers say the same."""
    first, second = meaning(one), meaning(other)
    return first is second or (isinstance(first, str) and first == second)
