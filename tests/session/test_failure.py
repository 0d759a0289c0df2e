"""How a failing statement is told: names, messages and frames as Python prints them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gradrepl.session.core import Session
from gradrepl.session.failure import line_at
from gradrepl.session.outcome import Failure


def failure(session: Session, source: str) -> Failure:
    found = list(session.run(source))[-1].failure
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("source", "type_", "message"),
    [
        ("1 / 0", "ZeroDivisionError", "division by zero"),
        ("raise KeyError('a')", "KeyError", "'a'"),
        ("raise ValueError", "ValueError", ""),
        ("raise ValueError('ValueError: ValueError: x')", "ValueError", "ValueError: ValueError: x"),
        ("raise ValueError('two\\nlines')", "ValueError", "two\nlines"),
        ("import json; json.loads('')", "json.decoder.JSONDecodeError", "Expecting value: line 1 column 1 (char 0)"),
        ("class E(Exception): pass\nraise E('mine')", "E", "mine"),
        ("e = ValueError('x'); e.add_note('a note'); raise e", "ValueError", "x"),
        ("prnt", "NameError", "name 'prnt' is not defined. Did you mean: 'print'?"),
        ("return 1", "SyntaxError", "'return' outside function"),
    ],
)
def test_name_and_message(session: Session, source: str, type_: str, message: str) -> None:
    found = failure(session, source)
    assert (found.type, found.message) == (type_, message)


def test_a_class_that_can_not_speak(session: Session) -> None:
    source = "class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E"
    found = failure(session, source)
    assert (found.type, found.message) == ("E", "")
    assert "exception str() failed" in found.traceback


def test_the_traceback_shows_the_input_that_defined_a_function(session: Session) -> None:
    list(session.run("def f():\n    return 1 / 0\n"))
    found = failure(session, "y = 2\nf()")
    shown = [line for line in found.traceback.splitlines() if not set(line) <= set(" ~^")]
    assert shown == [
        "Traceback (most recent call last):",
        '  File "<stdin>", line 2, in <module>',
        "    f()",
        '  File "<stdin>", line 2, in f',
        "    return 1 / 0",
        "ZeroDivisionError: division by zero",
    ]
    assert found.line == 2


def test_a_forks_inputs_do_not_replace_the_lines_of_the_session(session: Session) -> None:
    list(session.run("def f():\n    return 1 / 0\n"))
    with session.fork() as fork:
        list(fork.run("a = 1\nb = 2"))
    assert "return 1 / 0" in failure(session, "f()").traceback


def test_a_syntax_error_has_a_caret_and_no_header(session: Session) -> None:
    found = failure(session, "với torch.no_grad():\n    pass\n")
    assert found.traceback == (
        '  File "<stdin>", line 1\n    với torch.no_grad():\n        ^^^^^\nSyntaxError: invalid syntax\n'
    )


def test_frames_of_the_event_loop_are_left_out(session: Session) -> None:
    list(session.run("async def f():\n    1 / 0\n"))
    assert "asyncio" not in failure(session, "await f()").traceback


def test_frames_of_other_modules_stay(session: Session) -> None:
    assert "decoder.py" in failure(session, "import json\njson.loads('')").traceback


def test_an_endless_recursion_is_told(session: Session) -> None:
    found = failure(session, "def f():\n    f()\nf()")
    assert found.type == "RecursionError"
    assert len(found.traceback) < 2000


def test_a_place_between_two_lines_has_its_functions_first_line() -> None:
    code = SimpleNamespace(co_firstlineno=7)
    frame = SimpleNamespace(f_code=code)
    assert line_at(SimpleNamespace(tb_lineno=None, tb_frame=frame)) == 7  # type: ignore[arg-type]
    assert line_at(SimpleNamespace(tb_lineno=9, tb_frame=frame)) == 9  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["y = len(3)", "y = len(3)\n", "'\u2028'; y = len(3)", "if True:\n    y = len(3)"])
def test_carets_stand_below_what_failed(session: Session, source: str) -> None:
    *_rest, line, carets, _message = failure(session, source).traceback.rstrip().split("\n")
    assert carets.index("^") == line.index("len(3)")
    assert carets.count("^") == len("len(3)")
