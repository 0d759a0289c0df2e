"""A source cut into statements, and what holds between them."""

from __future__ import annotations

import pytest

from gradrepl.session.core import Session


def sources(session: Session, source: str) -> list[str]:
    return [outcome.source for outcome in session.run(source)]


@pytest.mark.parametrize(
    ("source", "statements"),
    [
        ("a = 1\nb = 2\n", ["a = 1\n", "b = 2\n"]),
        ("a = 1  # one\n\n# two\nb = 2", ["a = 1  # one\n", "b = 2"]),
        ("a = 1; b = 2", ["a = 1", "b = 2"]),
        ("a = '''\nx'''; b = 2\nc = 3", ["a = '''\nx'''", "b = 2", "c = 3"]),
        ("a = 'ệ'; b = 2", ["a = 'ệ'", "b = 2"]),
        ("@staticmethod\ndef f():\n    pass\nb = 2", ["@staticmethod\ndef f():\n    pass\n", "b = 2"]),
    ],
)
def test_each_statement_has_its_own_source(session: Session, source: str, statements: list[str]) -> None:
    assert sources(session, source) == statements


@pytest.mark.parametrize(
    ("source", "value"), [("1;", None), ("1 ;  # why", None), ("1  # not a;", "1"), ("'ệ';", None), ("1;\n2", "2")]
)
def test_a_semicolon_silences_the_last_echo(session: Session, source: str, value: str | None) -> None:
    assert list(session.run(source))[-1].value == value


def test_a_future_import_holds_for_what_follows(session: Session) -> None:
    list(session.run("from __future__ import annotations"))
    *_, last = session.run("def f(x: no_such_name): pass\nf.__annotations__")
    assert last.value == "{'x': 'no_such_name'}"


def test_a_session_takes_no_future_from_the_house(session: Session) -> None:
    *_, last = session.run("def f(x: no_such_name): pass")
    assert last.failure is not None


@pytest.mark.parametrize("enabled", [True, False])
def test_a_fork_runs_under_the_mode_of_its_session(session: Session, enabled: bool) -> None:
    list(session.run(f"_ = torch.set_grad_enabled({enabled})"))
    with session.fork() as fork:
        *_, last = fork.run("torch.is_grad_enabled()")
        list(fork.run("_ = torch.set_grad_enabled(True)"))
    assert last.value == str(enabled)
    assert session.grad_mode().enabled is enabled


def test_closing_leaves_an_inference_mode_that_was_left_open(session: Session) -> None:
    with session.fork() as fork:
        list(fork.run("mode = torch.inference_mode(); mode.__enter__()"))
        assert fork.engine.torch.is_inference_mode_enabled()
    assert not session.engine.torch.is_inference_mode_enabled()
    assert session.grad_mode().enabled


def test_many_prints_are_one_piece(session: Session) -> None:
    *_, last = session.run("for i in range(20000): print(i)")
    assert len(last.outputs) == 1
    assert last.stdout.count("\n") == 20000
