"""How long code takes."""

from __future__ import annotations

import ast

from gradrepl.i18n import Translate
from gradrepl.session.core import Session
from gradrepl.session.outcome import Outcome

TRIAL, LONG, ROUNDS, MOST = 0.2, 0.5, 5, 1_000_000
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def repeatable(code: str) -> bool:
    """Whether code is one expression that writes into nothing, as far as can be seen."""
    try:
        tree = ast.parse(code.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        writes = name.endswith("_") and not name.endswith("__")
        if writes or name in ("backward", "step", "print", "input", "exit", "quit", "pop", "append", "zero_grad"):
            return False
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield):
            return False
    return True


def many(session: Session, code: str, _: Translate) -> str:
    """Time an expression by running it many times on a fork; an exception is told in one line."""
    once = run(session, code, 1, 1)
    if once.failure is not None:
        return f"{once.failure.type}: {once.failure.message}"
    first = min(times(once))
    if first > LONG:
        return _("one run: {time}").format(time=said(first))
    count = max(1, min(MOST, int(TRIAL / ROUNDS / max(first, 1e-8))))
    again = run(session, code, count, ROUNDS)
    if again.failure is not None:
        return f"{again.failure.type}: {again.failure.message}"
    best = min(times(again)) / count
    return _("{time} a run (the best of {rounds} times {count} runs)").format(
        time=said(best), rounds=ROUNDS, count=count
    )


def run(session: Session, code: str, count: int, rounds: int) -> Outcome:
    """Run an expression `count` times in each round; the outcome's value is the list of the rounds' seconds."""
    fork = session.fork()
    fork.sink = None
    source = f"__import__('timeit').repeat({code.strip()!r}, globals=globals(), number={count}, repeat={rounds})"
    return list(fork.run(source))[-1]


def times(outcome: Outcome) -> list[float]:
    """The seconds of each round."""
    return [float(word) for word in (outcome.value or "[0]").strip("[]").split(",")]


def said(seconds: float) -> str:
    """Such as "12.3 µs"."""
    size, unit = next((entry for entry in UNITS if seconds >= entry[0]), UNITS[-1])
    return f"{seconds / size:.3g} {unit}"
