"""The stack of grad-mode switches that a statement ran under, on both engines."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.modes import SWITCHES
from gradrepl.session.outcome import GradMode, Outcome

ON = GradMode(True, ())


def run(session: Session, *sources: str) -> Outcome:
    """Run sources that must not fail; return what the last statement did."""
    outcomes = [outcome for source in sources for outcome in session.run(source)]
    assert [outcome.failure for outcome in outcomes if outcome.failure] == []
    return outcomes[-1]


def kinds(outcome: Outcome) -> list[tuple[str, str, bool, int | None]]:
    return [(switch.kind, switch.name, switch.enabled, switch.line) for switch in outcome.switches]


def test_a_block_is_seen_while_it_lasts(session: Session) -> None:
    outcome = run(session, "with torch.no_grad():\n    y = 1\n")
    assert outcome.mode == GradMode(False, ("no_grad",))
    assert (outcome.mode_before, outcome.mode_after) == (ON, ON)
    assert kinds(outcome) == [("enter", "no_grad", False, 1), ("exit", "no_grad", True, 1)]


def test_nested_blocks_are_named_outermost_first(session: Session) -> None:
    source = (
        "with torch.no_grad():\n    with torch.enable_grad():\n        with torch.set_grad_enabled(False):\n"
        "            pass\n"
    )
    outcome = run(session, source)
    assert outcome.mode == GradMode(False, ("no_grad", "enable_grad", "set_grad_enabled(False)"))
    entered = [(switch.name, switch.enabled) for switch in outcome.switches if switch.kind == "enter"]
    assert entered == [("no_grad", False), ("enable_grad", True), ("set_grad_enabled(False)", False)]
    assert outcome.mode_after == ON


@pytest.mark.parametrize(
    ("expression", "enabled", "name"),
    [
        ("torch.no_grad()", False, "no_grad"),
        ("torch.enable_grad()", True, "enable_grad"),
        ("torch.set_grad_enabled(True)", True, "set_grad_enabled(True)"),
        ("torch.inference_mode()", False, "inference_mode"),
        ("torch.inference_mode(False)", True, "inference_mode(False)"),
    ],
)
def test_every_switch_has_its_name(session: Session, expression: str, enabled: bool, name: str) -> None:
    outcome = run(session, f"with {expression}:\n    pass\n")
    assert outcome.mode == GradMode(enabled, (name,))


def test_a_decorated_call_is_a_block(session: Session) -> None:
    defined = run(session, "@torch.no_grad()\ndef f():\n    return torch.is_grad_enabled()\n")
    assert (defined.mode, defined.switches) == (ON, ())
    called = run(session, "f()")
    assert called.value == "False"
    assert called.mode == GradMode(False, ("no_grad",))
    assert called.mode_after == ON


def test_set_grad_enabled_as_a_decorator_leaves_no_trace_where_it_is_written(session: Session) -> None:
    defined = run(session, "@torch.set_grad_enabled(False)\ndef f():\n    return torch.is_grad_enabled()\n")
    assert (defined.mode, defined.mode_after, defined.switches) == (ON, ON, ())
    assert run(session, "f()").value == "False"


def test_the_function_form_stays(session: Session) -> None:
    outcome = run(session, "_ = torch.set_grad_enabled(False)")
    off = GradMode(False, ("set_grad_enabled(False)",))
    assert (outcome.mode_before, outcome.mode_after) == (ON, off)
    assert kinds(outcome) == [("call", "set_grad_enabled(False)", False, 1)]
    assert run(session, "1").mode == off
    assert run(session, "_ = torch.set_grad_enabled(True)").mode_after == GradMode(True, ("set_grad_enabled(True)",))


def test_the_function_form_in_a_block_ends_with_the_block(session: Session) -> None:
    outcome = run(session, "with torch.no_grad():\n    torch.set_grad_enabled(True)\n    y = torch.is_grad_enabled()\n")
    assert outcome.mode == GradMode(True, ("no_grad", "set_grad_enabled(True)"))
    assert outcome.mode_after == ON
    assert run(session, "y").value == "True"


def test_a_block_left_by_an_error_is_left(session: Session) -> None:
    outcome = list(session.run("with torch.no_grad():\n    1 / 0\n"))[-1]
    assert outcome.failure is not None
    assert outcome.mode == GradMode(False, ("no_grad",))
    assert outcome.mode_after == ON == session.grad_mode()


def test_a_generator_that_holds_its_block_open_is_shown_so(session: Session) -> None:
    run(session, "def held():\n    with torch.no_grad():\n        yield 1\n", "g = held()")
    opened = run(session, "_ = next(g)")
    assert opened.mode_after == GradMode(False, ("no_grad",))
    closed = run(session, "g.close()")
    assert closed.mode_before == GradMode(False, ("no_grad",))
    assert closed.mode_after == ON


def test_generators_left_out_of_order_leave_the_right_names(session: Session) -> None:
    run(session, "def held(switch):\n    with switch:\n        yield 1\n")
    run(session, "a, b = held(torch.no_grad()), held(torch.enable_grad())", "_ = next(a), next(b)")
    assert session.grad_mode().stack == ("no_grad", "enable_grad")
    run(session, "a.close()")
    assert session.grad_mode().stack == ("enable_grad",)
    run(session, "b.close()")
    assert session.grad_mode().stack == ()


def test_another_thread_is_not_the_learners_mode(session: Session) -> None:
    source = (
        "import threading\n"
        "def work():\n    with torch.no_grad():\n        seen.append(torch.is_grad_enabled())\n"
        "seen = []\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
        "seen"
    )
    outcomes = list(session.run(source))
    assert outcomes[-1].value == "[False]"
    assert [outcome.switches for outcome in outcomes] == [()] * len(outcomes)
    assert {outcome.mode for outcome in outcomes} == {ON}


def methods(torch: Any) -> dict[tuple[str, str], Any]:
    names = ("__init__", "__enter__", "__exit__", "__call__")
    return {(switch, name): getattr(torch, switch).__dict__.get(name) for switch in SWITCHES for name in names}


@pytest.mark.parametrize("source", ["with torch.no_grad():\n    pass\n", "1 / 0", "raise SystemExit", "x ="])
def test_the_engine_is_put_back_exactly(session: Session, source: str) -> None:
    before = methods(session.engine.torch)
    list(session.run(source))
    assert methods(session.engine.torch) == before


def test_a_session_gives_the_mode_back(session: Session) -> None:
    torch = session.engine.torch
    torch.set_grad_enabled(False)
    with Session(session.engine) as inner:
        assert inner.grad_mode() == ON
        run(inner, "import torch; _ = torch.set_grad_enabled(False); _ = torch.set_grad_enabled(True)")
    assert not torch.is_grad_enabled()
    torch.set_grad_enabled(True)


def in_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_session_on_another_thread_starts_with_recording_on(session: Session) -> None:
    session.engine.torch.set_grad_enabled(False)
    modes: list[GradMode] = []

    def work() -> None:
        with Session(session.engine) as other:
            modes.append(other.grad_mode())

    in_thread(work)
    session.engine.torch.set_grad_enabled(True)
    assert modes == [ON]


def test_a_generator_of_another_session_does_not_change_the_mode(engine: Engine) -> None:
    source = "def halves():\n    with torch.no_grad():\n        yield 1\nimport torch\nit = halves()\nnext(it)\n"
    first, second = Session(engine), Session(engine)
    for session in (first, second):
        list(session.run(source))
        assert not session.grad_mode().enabled
    first.names.clear()
    del first
    gc.collect()
    assert not second.grad_mode().enabled
    (outcome,) = second.run("(torch.ones(1, requires_grad=True) * 2).requires_grad")
    assert outcome.outputs[0].text == "False"
    second.names.clear()
    gc.collect()
    engine.torch.set_grad_enabled(True)
