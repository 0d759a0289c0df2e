"""What a step printed against what its lesson promises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from gradrepl.lesson.model import Example, WarningPromise
from gradrepl.lesson.problem import Message, mark
from gradrepl.session.outcome import Failure, Outcome, Warned

TRACEBACK = re.compile(r"(?:\A|(?<=\n))Traceback \(most recent call last\):\n(?:[ \t].*\n)*(?P<error>\S[\s\S]*)\Z")
TRIGGERED = re.compile(r" \(Triggered internally at .*\)\s*\Z", re.DOTALL)
BLANK = "<BLANKLINE>"


def difference(example: Example, outcomes: Sequence[Outcome]) -> Message | None:
    """Return how the outcomes of an example differ from what it wants; None if they don't.

    "..." in the wanted text stands for anything, as with doctest's ELLIPSIS. A wanted traceback is compared
    by exception and whole message; what stands above it must have been printed.
    """
    failure = next((outcome.failure for outcome in outcomes if outcome.failure), None)
    wanted = TRACEBACK.search(example.want)
    want = example.want[: wanted.start()] if wanted else example.want
    got = shown(outcomes)
    if not same(want, got):
        return line_that_differs(want, got)
    error = error_text(failure) if failure else None
    if wanted is None:
        return mark("expected no error, got {got!r}", got=error) if error else None
    want_error = wanted["error"].rstrip("\n")
    if error is None:
        return mark("expected {want!r}, got no error", want=want_error)
    return None if same(want_error, error) else mark("expected {want!r}, got {got!r}", want=want_error, got=error)


def shown(outcomes: Iterable[Outcome]) -> str:
    """Return what a prompt shows of outcomes: prints and echoes, in their order."""
    pieces = [piece for outcome in outcomes for piece in outcome.outputs if piece.kind != "stderr"]
    text = "".join(piece.text + "\n" * (piece.kind == "echo") for piece in pieces)
    return text if not text or text.endswith("\n") else text + "\n"


def error_text(failure: Failure) -> str:
    """Return a failure as the last lines of its traceback say it."""
    return f"{failure.type}: {failure.message}" if failure.message else failure.type


def same(want: str, got: str) -> bool:
    """Whether a text is what is wanted, "..." standing for anything."""
    if want == got:
        return True
    want = re.sub(f"^{BLANK}$", "", want, flags=re.MULTILINE)
    got = re.sub(r"^[ \t]+$", "", got, flags=re.MULTILINE)
    pattern = r"[\s\S]*?".join(map(re.escape, want.split("...")))
    return re.fullmatch(pattern, got) is not None


def line_that_differs(want: str, got: str) -> Message:
    """Return what to say of the first line that is not as wanted."""
    wants, gots = want.splitlines(), got.splitlines()
    for one, other in zip_longest(wants, gots):
        if other is None:
            return mark("expected {want!r}, got no more output", want=one)
        if one is None:
            return mark("expected no more output, got {got!r}", got=other)
        if not same(one, other):
            return mark("expected {want!r}, got {got!r}", want=one, got=other)
    return mark("expected {want!r}, got {got!r}", want=want, got=got)


def plain(warned: Warned) -> str:
    """Return a warning's message without the place in PyTorch's own source."""
    return TRIGGERED.sub("", warned.message)


def broken_promises(promises: Sequence[WarningPromise], warnings: Sequence[Warned]) -> list[Message]:
    """Return what differs between the warnings that a step promises and those that came."""
    left = list(warnings)
    missing = []
    for promise in promises:
        kept = next((w for w in left if w.category == promise.category and w.message.startswith(promise.message)), None)
        if kept is None:
            wanted = {"category": promise.category, "message": promise.message}
            missing.append(mark("expected the warning {category}: {message!r}, got none such", **wanted))
        else:
            left.remove(kept)
    return missing + [
        mark("expected no warning, got {category}: {message!r}", category=w.category, message=plain(w)) for w in left
    ]
