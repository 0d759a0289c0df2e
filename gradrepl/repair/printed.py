"""What a page printed against what the engine prints (D09 to D12, D17): numbers to the page's digits, wildcards."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from gradrepl.repair.model import Notes, Verdict
from gradrepl.repair.words import KNOWN
from gradrepl.session.outcome import Outcome

DECIMAL_COMMA = re.compile(r"(?P<size>Size\(\[[^\]]*\])|(?<=\d),(?P<digits>\d+)")
USUAL_DIGITS = 4  # of a number in a tensor
WORD = re.compile(r"[^\W\d_]{2,}")
MOST_WORDS = 3  # beside a number that a program prints; a sentence has more
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
    "真": "True",
    "假": "False",
    "无": "None",
}
SPELT = re.compile(r"\b(" + "|".join(KNOWN) + r")\b(?==)")


def canonical(printed: str, line: int, notes: Notes) -> str:
    """Return what a page printed with its damage undone where that is certain; wildcards are left as they are."""
    text = printed
    for damage, change in (("D12", in_english), ("D09", with_points), ("D10", with_wildcards)):
        mended = "\n".join(map(change, text.split("\n")))
        if mended != text:
            notes.repaired(damage, line, text, mended)
            text = mended
    return text


def in_english(line: str) -> str:
    """Return a line of output with Python's words in English; prose that holds them is left as it is."""
    text = SPELT.sub(lambda found: KNOWN[found[1]], line)
    for word, english in WORDS.items():
        text = re.sub(rf"(?<!\w){word}(?!\w)", english, text)
    plain = unicodedata.normalize("NFKC", text)
    return text if plain.isascii() or SPELT.search(line) else line


def with_points(line: str) -> str:
    """Return a line of output with decimal points for decimal commas; lists without blanks and sizes stay."""
    if not looks_printed(line) and len(WORD.findall(line)) > MOST_WORDS:
        return line
    lists = "[" in line and ", " not in line
    return DECIMAL_COMMA.sub(
        lambda found: (
            found[0] if found["size"] or (lists and len(found["digits"]) < USUAL_DIGITS) else "." + found["digits"]
        ),
        line,
    )


def with_wildcards(line: str) -> str:
    return EATEN.sub("grad_fn=<?>", line)


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
    if any(begins_with(text, form) for text in forms(printed) for form in (got, shown(outcomes, echo=False)) if form):
        return "agree"
    if OLD_TENSOR.search(printed) and same_numbers(printed, got):
        return "agree"
    return "differs" if looks_printed(printed) or unlabelled(printed) != printed else "lost"


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


LABEL = re.compile(
    r"\s*(?:(?:登录后)?复制(?:代码)?|代码运行|(?:输出|运行)?(?:结果|输出)(?:如下|为)?|Out(?:put)?|Result|Copy(?: code)?"
    r"|Kết quả|Đầu ra|Sao chép(?: mã)?)\s*[:：]?\s*",
    re.IGNORECASE,
)
MOST_PROSE = 5


def unlabelled(printed: str) -> str:
    """Return what a page printed without the labels above it, such as `Output:` or 登录后复制."""
    lines = printed.split("\n")
    start = next((n for n, line in enumerate(lines) if line.strip() and not LABEL.fullmatch(line)), len(lines))
    return "\n".join(lines[start:]) if any(line.strip() for line in lines[:start]) else printed


def forms(printed: str) -> Iterator[str]:
    """Yield what a page printed, and without what it may have put before it: labels, prose, signs of comments."""
    for text in (printed, unlabelled(printed), behind_prose(printed), COMMENT.sub("", printed)):
        if text.strip():
            yield text


COMMENT = re.compile(r"^#+ *(?:=>|->|>)? *(?:[^\W\d]+ ?[:：] *)?", re.MULTILINE)


def behind_prose(printed: str) -> str:
    """Return what a page printed from the first line that Python may have printed, "" if that is far."""
    lines = printed.split("\n")[:MOST_LINES]
    start = next((n for n, line in enumerate(lines[:MOST_PROSE]) if looks_printed(line)), None)
    return "" if start is None else "\n".join(lines[start:])


OLD_TENSOR = re.compile(r"\[torch\.\w*Tensor of size [^\]]*\]")


def same_numbers(printed: str, got: str) -> bool:
    """Whether the numbers of a tensor as PyTorch printed it before 0.4 are those of a tensor (D17)."""
    page, ours = NUMBER.findall(OLD_TENSOR.split(printed)[0]), NUMBER.findall(got)
    return len(page) == len(ours) > 0 and all(map(same_number, page, ours))


def shown(outcomes: Sequence[Outcome], echo: bool = True) -> str:
    """Return what a prompt shows of outcomes, without warnings and tracebacks; a program that is run echoes nothing."""
    unseen = ("stderr",) if echo else ("stderr", "echo")
    pieces = [piece for outcome in outcomes for piece in outcome.outputs if piece.kind not in unseen]
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


TYPOGRAPHIC = str.maketrans("−–‑“”‘’", "---\"\"''")


def squeezed(text: str) -> str:
    """Return text without blanks, addresses and the numbers of node names, so that lost line breaks don't count."""
    text = ADDRESS.sub("0x", unicodedata.normalize("NFKC", text.translate(TYPOGRAPHIC)))
    text = re.sub(r"<(\w+Backward)\d*>", r"<\1>", text)
    return re.sub(r"\s+", "", text)
