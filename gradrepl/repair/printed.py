"""What a page printed against what the engine prints (D09 to D12, D17): numbers to the page's digits, wildcards."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradrepl.repair.model import Notes, Verdict
from gradrepl.repair.words import KNOWN
from gradrepl.session.outcome import Outcome

DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
EATEN = re.compile(r"grad_fn=(?=[,)\s]|$)")
NODE = re.compile(r"<?(\w+Backward)\d*(?: object at 0x[0-9a-f]+)?>?")
ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
ERROR = re.compile(r"(?<![A-Z])([A-Z][a-z]*(?:[A-Z][a-z]+)*Error|KeyboardInterrupt|StopIteration)(?!\w)")
WARNING = re.compile(r"([A-Z]\w*Warning)|Cảnh báo|警告")
TRACEBACK = re.compile(r"Traceback|Tệp \"|File \"|most recent call last|回溯")
WORDS = {
    "Đúng": "True",
    "Sai": "False",
    "Không có": "None",
    "không có": "None",
    "tenxơ": "tensor",
    "ténor": "tensor",
    "张量": "tensor",
}
SPELT = re.compile(r"\b(" + "|".join(KNOWN) + r")\b(?==)")


def canonical(printed: str, line: int, notes: Notes) -> str:
    """Return what a page printed with its damage undone where that is certain; wildcards are left as they are."""
    text = printed
    for damage, pattern, new in (("D09", DECIMAL_COMMA, "."), ("D10", EATEN, "grad_fn=<?>")):
        mended = pattern.sub(new, text)
        if mended != text:
            notes.repaired(damage, line, text, mended)
            text = mended
    mended = SPELT.sub(lambda found: KNOWN[found[1]], text)
    for word, english in WORDS.items():
        mended = re.sub(rf"(?<!\w){word}(?!\w)", english, mended)
    if mended != text:
        notes.repaired("D12", line, text, mended)
    return mended


def verdict(printed: str, outcomes: Sequence[Outcome]) -> Verdict:
    """Return how a page's output agrees with that of the engine.

    "lost": the engine prints something that the page lacks; "silent": neither prints anything.
    """
    got = shown(outcomes)
    failure = next((outcome.failure for outcome in outcomes if outcome.failure), None)
    warned = any(outcome.warnings for outcome in outcomes)
    if failure is not None:
        return "agree" if failure.type in ERROR.findall(printed) else "differs"
    if ERROR.search(printed) and TRACEBACK.search(printed):
        return "differs"
    if warned and WARNING.search(printed):
        return "agree"
    if not got.strip():
        return "differs" if looks_printed(printed) else "silent"
    if not looks_printed(printed) and not prose_or_nothing(printed, got):
        return "lost"
    return "agree" if begins_with(printed, got) else "differs"


def prose_of(printed: str, outcomes: Sequence[Outcome]) -> str:
    """Return the page's own words below a statement, behind the lines that Python printed."""
    if not looks_printed(printed) and not shown(outcomes).strip():
        return printed.strip()
    lines = printed.strip("\n").split("\n")[:MOST_LINES]
    got = shown(outcomes)
    count = next((n for n in range(len(lines) + 1) if got.strip() and begins_with("\n".join(lines[:n]), got)), 0)
    if not count:
        count = next((n for n, line in enumerate(lines) if not line.strip()), len(lines))
    return "\n".join(lines[count:]).strip()


MOST_LINES = 200


def prose_or_nothing(printed: str, got: str) -> bool:
    return bool(printed.strip()) and begins_with(printed, got)


def shown(outcomes: Sequence[Outcome]) -> str:
    """Return what a prompt shows of outcomes, without warnings and tracebacks."""
    pieces = [piece for outcome in outcomes for piece in outcome.outputs if piece.kind != "stderr"]
    return "".join(piece.text + "\n" * (piece.kind == "echo") for piece in pieces)


PRINTED = re.compile(
    r"\s*(?:True\b|False\b|None\b|tensor\(|torch\.|\(|\[|\{|[-+]?\d|'|\"|<|Traceback|Parameter|\w*Error\b|Size\("
    r"|\S+:\d+: \w*Warning)"
)


def looks_printed(text: str) -> bool:
    """Whether text below a statement may be something that Python printed, and not prose."""
    return PRINTED.match(text) is not None


def begins_with(printed: str, got: str) -> bool:
    """Whether the page's text begins with what the engine prints; what follows is the page's prose."""
    page, spot = squeezed(printed), 0
    for piece in PIECES.split(squeezed(got)):
        end = match_piece(page, spot, piece)
        if end is None:
            return False
        spot = end
    return True


PIECES = re.compile(rf"({NUMBER.pattern}|<\w+Backward>)", re.IGNORECASE)


def match_piece(page: str, spot: int, piece: str) -> int | None:
    """Return where the page goes on behind a piece of the engine's output, None where it differs."""
    if page.startswith(piece, spot):
        whole = NUMBER.match(page, spot) if NUMBER.fullmatch(piece) else None
        if whole is None or whole[0] == piece:
            return spot + len(piece)
    if NUMBER.fullmatch(piece):
        number = NUMBER.match(page, spot)
        return number.end() if number is not None and same_number(number[0], piece) else None
    if NODE.fullmatch(piece):
        return spot + len(LOST) if page.startswith(LOST, spot) else None
    return None


LOST = "<?>"
"""What stands for the name of a node that the page lost."""


def same_number(page: str, got: str) -> bool:
    """Whether a number is the page's, to the digits that the page has."""
    if page == got:
        return True
    if "e" in (page + got).lower() or "." not in page + got:
        try:
            return abs(float(page) - float(got)) <= 1e-4 * max(1.0, abs(float(got))) and ("." in page) == ("." in got)
        except ValueError:
            return False
    digits = len(page.partition(".")[2])
    return abs(float(page) - float(got)) <= 0.5000001 * 10.0**-digits if "." in page else float(page) == float(got)


def squeezed(text: str) -> str:
    """Return text without blanks, addresses and the numbers of node names, so that lost line breaks don't count."""
    text = ADDRESS.sub("0x", text)
    text = re.sub(r"<(\w+Backward)\d*>", r"<\1>", text)
    return re.sub(r"\s+", "", text)
