"""Running code: what each statement showed, how it failed, and that the process is as before afterwards."""

from __future__ import annotations

import builtins
import sys
import warnings
from pathlib import Path

import pytest

import gradrepl
from gradrepl.session.core import Session
from gradrepl.session.outcome import Outcome, Output

HOUSE = str(Path(gradrepl.__file__).parent)


def run(session: Session, *sources: str) -> list[Outcome]:
    return [outcome for source in sources for outcome in session.run(source)]


def last(session: Session, *sources: str) -> Outcome:
    return run(session, *sources)[-1]


def test_one_outcome_a_statement(session: Session) -> None:
    outcomes = run(session, "x = 1\nif x:\n    y = 2\nx + y")
    assert [outcome.source for outcome in outcomes] == ["x = 1\n", "if x:\n    y = 2\n", "x + y"]
    assert [outcome.value for outcome in outcomes] == [None, None, "3"]
    assert [outcome.number for outcome in outcomes] == [2, 3, 4]  # the fixture's import is number 1


def test_decorators_belong_to_their_statement(session: Session) -> None:
    outcome = last(session, "@torch.no_grad()\ndef f():\n    pass\n")
    assert outcome.source.startswith("@torch.no_grad()\n")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1", "1"),
        ("None", None),
        ("'a'", "'a'"),
        ("for i in range(2):\n    i\n", "0\n1"),
        ("1;", None),
        ("1; 2", "2"),
        ("x = 1", None),
    ],
)
def test_echo_is_that_of_pythons_prompt(session: Session, source: str, value: str | None) -> None:
    assert last(session, source).value == value


def test_underscore_is_the_last_value(session: Session) -> None:
    assert last(session, "20 + 1", "None", "_ * 2").value == "42"


def test_a_name_of_the_learners_own_underscore_stays(session: Session) -> None:
    assert last(session, "_ = 7", "x = 1", "_").value == "7"


def test_output_and_echo_come_in_order(session: Session) -> None:
    source = "for i in [1]:\n    print('a')\n    i\n    print('b', file=sys.stderr)\n    print('c')\n"
    outcome = last(session, "import sys", source)
    assert outcome.outputs == (
        Output("stdout", "a\n"),
        Output("echo", "1"),
        Output("stderr", "b\n"),
        Output("stdout", "c\n"),
    )
    assert outcome.stdout == "a\nc\n"


def test_the_sink_hears_at_once(session: Session) -> None:
    heard: list[Output] = []
    session.sink = heard.append
    last(session, "print('a'); print('b')")
    assert "".join(output.text for output in heard) == "a\nb\n"


def test_nothing_runs_behind_a_failure(session: Session) -> None:
    outcomes = run(session, "x = 1\n1 / 0\nx = 2")
    assert len(outcomes) == 2
    failure = outcomes[-1].failure
    assert failure is not None
    assert (failure.type, failure.message, failure.line) == ("ZeroDivisionError", "division by zero", 2)
    assert last(session, "x").value == "1"


def test_a_syntax_error_is_an_outcome(session: Session) -> None:
    outcome = last(session, "với torch.no_grad():")
    assert outcome.failure is not None
    assert (outcome.failure.type, outcome.failure.message) == ("SyntaxError", "invalid syntax")
    assert "với torch.no_grad():" in outcome.failure.traceback
    assert "Traceback" not in outcome.failure.traceback


@pytest.mark.parametrize("source", ["x = 1\nx = = 2", "print('ran')\n)"])
def test_nothing_of_a_source_with_a_syntax_error_runs(session: Session, source: str) -> None:
    (outcome,) = run(session, source)
    assert outcome.failure is not None
    assert outcome.stdout == ""
    assert "x" not in session.names


def test_a_null_byte_is_a_syntax_error(session: Session) -> None:
    failure = last(session, "x = '\0'").failure
    assert failure is not None
    assert failure.type in ("SyntaxError", "ValueError")


def test_a_traceback_has_the_learners_frames_and_lines_only(session: Session) -> None:
    outcome = last(session, "def f(x):\n    return x.view(7)\n", "f(torch.zeros(2))")
    assert outcome.failure is not None
    lines = outcome.failure.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    places = [line.partition(", ")[2] for line in lines if line.lstrip().startswith("File ")]
    assert places == ["line 1, in <module>", "line 2, in f"]
    assert any(line.strip() == "return x.view(7)" for line in lines)
    assert HOUSE not in outcome.failure.traceback


def test_a_chained_exception_is_cleaned_too(session: Session) -> None:
    source = (
        "try:\n    torch.zeros(2).view(7)\nexcept RuntimeError as error:\n    raise ValueError('mine') from error\n"
    )
    failure = last(session, source).failure
    assert failure is not None
    assert failure.type == "ValueError"
    assert "direct cause" in failure.traceback
    assert failure.traceback.count("File ") == 2
    assert HOUSE not in failure.traceback


def test_the_suggestion_of_another_name_is_part_of_the_message(session: Session) -> None:
    failure = last(session, "torch.autograd.no_gard").failure
    assert failure is not None
    assert failure.message == "module 'torch.autograd' has no attribute 'no_gard'. Did you mean: 'no_grad'?"
    assert failure.traceback.endswith(f"{failure.type}: {failure.message}\n")


@pytest.mark.parametrize(
    ("source", "status", "printed"),
    [
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('bye')", 1, "bye\n"),
        ("import sys; sys.exit(2)", 2, ""),
    ],
)
def test_exit_is_not_a_failure(session: Session, source: str, status: int, printed: str) -> None:
    outcome = last(session, source)
    assert (outcome.exit_status, outcome.failure) == (status, None)
    assert "".join(output.text for output in outcome.outputs) == printed
    assert last(session, "1 + 1").value == "2"


def test_an_interrupt_ends_the_statement_only(session: Session) -> None:
    outcome = last(session, "x = 1\nraise KeyboardInterrupt\nx = 2")
    assert outcome.failure is not None
    assert (outcome.failure.type, outcome.failure.traceback) == ("KeyboardInterrupt", "KeyboardInterrupt\n")
    assert last(session, "x").value == "1"


def test_await_works_at_the_prompt(session: Session) -> None:
    source = "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 5\n"
    assert last(session, source, "x = await f()", "x").value == "5"


def test_a_warning_has_category_message_and_line(session: Session) -> None:
    source = "import warnings\nx = 1\nwarnings.warn('careful', FutureWarning)"
    (warned,) = last(session, source).warnings
    assert (warned.category, warned.message, warned.line) == ("FutureWarning", "careful", 3)


def test_a_warning_shows_once_a_line_as_at_pythons_prompt(session: Session) -> None:
    run(session, "b = torch.ones(2, requires_grad=True) * 2")
    (first,) = last(session, "b.grad").warnings
    assert first.category == "UserWarning"
    assert first.message.startswith("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed")
    assert last(session, "print(b.grad)").warnings == ()


def test_a_fresh_session_warns_afresh(session: Session) -> None:
    source = "(torch.ones(2, requires_grad=True) * 2).grad"
    assert len(last(session, source).warnings) == 1
    with Session(session.engine) as other:
        assert len(last(other, "import torch", source).warnings) == 1


def test_warnings_raised_by_the_reading_of_code_are_dropped(session: Session) -> None:
    before = list(warnings.filters)
    run(session, "1 is 1")
    assert list(warnings.filters) == before


FORMS = {
    "import torch": "torch",
    "import torch.autograd": "torch.autograd",
    "import torch.autograd as autograd": "torch.autograd",
    "from torch.autograd import grad": "torch.autograd",
    "import torch.nn": "torch.nn",
    "import torch.nn as nn": "torch.nn",
    "from torch import nn": "torch.nn",
    "import torch.nn.functional as F": "torch.nn.functional",
    "from torch.nn import functional": "torch.nn.functional",
    "import torch.optim": "torch.optim",
}


def torch_modules() -> dict[str, object]:
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torch"}


@pytest.mark.parametrize("form", FORMS)
def test_import_gives_the_engine_and_leaves_no_trace(session: Session, form: str) -> None:
    engine = session.engine
    if engine.modules and FORMS[form] not in engine.modules:
        pytest.skip(f"the {engine.name} engine has no {FORMS[form]}")
    run(session, form)  # real PyTorch may load a part of itself on first use
    before = torch_modules()
    assert last(session, form).failure is None
    assert torch_modules() == before
    assert last(session, "import torch", "torch.__name__").value == "'torch'"
    assert session.names["torch"] is engine.torch


def test_the_process_is_as_before_afterwards(session: Session) -> None:
    def state() -> tuple[object, ...]:
        streams = sys.stdout, sys.stderr, sys.displayhook, sys.modules["__main__"]
        return (*streams, warnings.showwarning, getattr(builtins, "_", None))

    before = state()
    run(session, "1", "print(2)", "1 / 0", "import warnings; warnings.warn('w')", "raise SystemExit")
    assert state() == before


def test_code_is_module_main(session: Session) -> None:
    assert last(session, "__name__").value == "'__main__'"
    assert last(session, "class A: pass", "import sys", "sys.modules['__main__'].A is A").value == "True"


def test_a_fork_keeps_the_names_apart(session: Session) -> None:
    run(session, "x = torch.ones(1)", "_ = torch.set_grad_enabled(False)")
    with session.fork() as fork:
        assert last(fork, "torch.is_grad_enabled()").value == "False"
        run(fork, "x = 2", "y = 3", "_ = torch.set_grad_enabled(True)")
    assert last(session, "x").value == "tensor([1.])"
    assert "y" not in session.names
    assert last(session, "torch.is_grad_enabled()").value == "False"
    run(session, "_ = torch.set_grad_enabled(True)")


def test_echo_can_be_off(session: Session) -> None:
    (outcome,) = session.run("1", echo=False)
    assert outcome.value is None


def test_a_source_can_have_a_file_name(session: Session) -> None:
    (outcome,) = session.run("1 / 0", filename="program.py")
    assert outcome.failure is not None
    assert 'File "program.py", line 1' in outcome.failure.traceback
