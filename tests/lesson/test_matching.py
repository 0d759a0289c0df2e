"""What a step printed against what its lesson promises."""

from __future__ import annotations

import pytest

from gradrepl.lesson.matching import broken_promises, difference
from gradrepl.lesson.model import Example, WarningPromise
from gradrepl.session.outcome import Failure, GradMode, Outcome, Output, Warned

ON = GradMode(True, ())


def outcome(*outputs: Output, failure: Failure | None = None) -> Outcome:
    return Outcome("x", 1, outputs, (), failure, ON, ON, ON, (), ())


def differs(want: str, *outputs: Output, failure: Failure | None = None) -> str | None:
    message = difference(Example("x\n", want, 1), [outcome(*outputs, failure=failure)])
    return message and str(message)


def echo(text: str) -> Output:
    return Output("echo", text)


def printed(text: str) -> Output:
    return Output("stdout", text)


ERROR = Failure("ValueError", "too\nlong", "Traceback ...", 1)
HEADER = "Traceback (most recent call last):\n    ...\n"


@pytest.mark.parametrize(
    ("want", "outputs"),
    [
        ("", ()),
        ("1\n", (echo("1"),)),
        ("a\n1\n", (printed("a\n"), echo("1"))),
        ("a\n", (printed("a"),)),
        ("<G at 0x...>\n", (echo("<G at 0x7f>"),)),
        ("a\n<BLANKLINE>\nb\n", (printed("a\n\nb\n"),)),
        ("a...z\n", (printed("a\nb\nz\n"),)),
        ("1\n", (Output("stderr", "a warning"), echo("1"))),
    ],
)
def test_as_promised(want: str, outputs: tuple[Output, ...]) -> None:
    assert differs(want, *outputs) is None


@pytest.mark.parametrize(
    ("want", "outputs", "said"),
    [
        ("", (echo("1"),), "expected no more output, got '1'"),
        ("1\n", (), "expected '1', got no more output"),
        ("1\n", (echo("2"),), "expected '1', got '2'"),
        ("1\n2\n", (printed("1\n3\n"),), "expected '2', got '3'"),
        ("0x...\n", (echo("0y7"),), "expected '0x...', got '0y7'"),
        ("1\n", (echo("1 "),), "expected '1', got '1 '"),
        ("a.c\n", (echo("abc"),), "expected 'a.c', got 'abc'"),
    ],
)
def test_first_line_that_differs_is_told(want: str, outputs: tuple[Output, ...], said: str) -> None:
    assert differs(want, *outputs) == said


def test_the_promised_error() -> None:
    assert differs(HEADER + "ValueError: too\nlong\n", failure=ERROR) is None
    assert differs("a\n" + HEADER + "ValueError: too\nlong\n", printed("a\n"), failure=ERROR) is None
    assert differs(HEADER + "ValueError: to...\n", failure=ERROR) is None
    assert differs(HEADER + "KeyError\n", failure=Failure("KeyError", "", "", 1)) is None


@pytest.mark.parametrize(
    ("want", "failure", "said"),
    [
        ("", ERROR, "expected no error"),
        (HEADER + "ValueError: too\nlong\n", None, "got no error"),
        (HEADER + "ValueError: too\n", ERROR, "got 'ValueError: too\\nlong'"),
        (HEADER + "KeyError: too\nlong\n", ERROR, "expected 'KeyError: too\\nlong'"),
        ("a\n" + HEADER + "ValueError: too\nlong\n", ERROR, "expected 'a'"),
    ],
)
def test_another_error(want: str, failure: Failure | None, said: str) -> None:
    assert said in (differs(want, failure=failure) or "")


PROMISE = WarningPromise("UserWarning", "The .grad", 1)


def warned(
    message: str = "The .grad attribute (Triggered internally at a.cpp:1.)", category: str = "UserWarning"
) -> Warned:
    return Warned(category, message, 1)


def test_promised_warnings() -> None:
    assert broken_promises([PROMISE], [warned()]) == []
    assert broken_promises([PROMISE, PROMISE], [warned(), warned()]) == []


def test_broken_promises() -> None:
    (said,) = broken_promises([PROMISE], [])
    assert str(said).startswith("expected the warning UserWarning: 'The .grad'")
    (said,) = broken_promises([], [warned()])
    assert str(said) == "expected no warning, got UserWarning: 'The .grad attribute'"
    assert len(broken_promises([PROMISE], [warned(), warned()])) == 1
    assert len(broken_promises([PROMISE], [warned(category="FutureWarning")])) == 2
    assert len(broken_promises([PROMISE], [warned("Another")])) == 2
