"""The prompt's loop, fed by a script instead of a keyboard."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from support.typist import Typist

from gradrepl.app import engines
from gradrepl.app.line.reader import LineReader
from gradrepl.app.options import Options, Terminal
from gradrepl.app.repl import Repl
from gradrepl.session import core


class Session:
    """What a scripted session at the prompt showed, and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str], script: Typist, speech: str = "en") -> None:
        options = Options(speech=speech, plain=True)  # type: ignore[arg-type]
        self.script = script
        self.status = Repl(options, Terminal(False, False, True), script).loop()
        self.shown = capsys.readouterr().out.split("\n", 2)[2]


@pytest.fixture
def type_in(capsys: pytest.CaptureFixture[str]) -> Callable[..., Session]:
    """Types inputs at a new prompt."""
    return lambda *inputs, speech="en": Session(capsys, Typist(*inputs), speech)


Type = Callable[..., Session]


def test_an_input_shows_its_output_and_what_it_changed(type_in: Type) -> None:
    assert type_in("x = torch.ones(1, requires_grad=True)", "x.requires_grad").shown == (
        "x: requires_grad = True; grad_fn = None; grad = None [new]\nTrue\n"
    )


def test_a_pasted_transcript_is_one_input_with_one_table(type_in: Type) -> None:
    pasted = ">>> x = torch.ones(1, requires_grad=True)\n>>> y = x * 2\n>>> y.backward()\n>>> del y\n"
    assert type_in(pasted).shown == "x: requires_grad = True; grad_fn = None; grad = [2.] [new]\n"


def test_an_error_does_not_end_the_prompt(type_in: Type) -> None:
    session = type_in("1/0", "2")
    assert "\nZeroDivisionError: division by zero\n=> " in session.shown
    assert session.shown.endswith("\n2\n")
    assert session.status == 0


def test_the_mode_stays_from_input_to_input_and_stands_in_the_toolbar(type_in: Type) -> None:
    session = type_in("_ = torch.set_grad_enabled(False)", "torch.is_grad_enabled()")
    assert session.shown == "grad mode: off (set_grad_enabled(False))\nFalse\n"
    assert session.script.toolbars == [
        "grad mode: on | builtin | en | :help",
        "grad mode: off (set_grad_enabled(False)) | builtin | en | :help",
        "grad mode: off (set_grad_enabled(False)) | builtin | en | :help",
    ]
    assert engines.load("builtin").torch.is_grad_enabled()


@pytest.mark.parametrize(("code", "status"), [("exit()", 0), ("exit(3)", 3), ("import sys; sys.exit('no')", 1)])
def test_exit_leaves_with_its_status(type_in: Type, code: str, status: int) -> None:
    session = type_in(code, "print('never')")
    assert session.status == status
    assert "never" not in session.shown


def test_ctrl_c_drops_the_line_only(type_in: Type) -> None:
    assert type_in("CTRL-C", "1").shown == "1\n"


def test_ctrl_c_in_a_running_statement_is_one_line(type_in: Type) -> None:
    assert type_in("raise KeyboardInterrupt", "1").shown == "KeyboardInterrupt\n1\n"


def test_ctrl_c_between_two_statements_is_seen_too(type_in: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def interrupted(session: core.Session) -> None:
        ran.append("statement")
        if len(ran) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(core.Session, "take_back_mode", interrupted)
    shown = type_in("x = 1; y = 2", "x", ":history").shown
    assert shown.startswith("KeyboardInterrupt\n1\n")
    assert "x = 1; y = 2" in shown


def test_quit_and_unknown_commands(type_in: Type) -> None:
    session = type_in(":hlep", ":quit", "print('never')")
    assert session.shown == "There is no command :hlep. Did you mean :help?\n"


def test_the_language_changes_from_the_next_line_on(type_in: Type) -> None:
    session = type_in(":lang vi", "x = torch.ones(1)", ":lang", ":lang fr")
    assert session.shown == (
        "ngôn ngữ: vi\nx: requires_grad = False; grad_fn = None; grad = None [mới]\n"
        "Hãy chọn một ngôn ngữ: en, vi, both.\nHãy chọn một ngôn ngữ: en, vi, both.\n"
    )
    assert session.script.toolbars[-1] == "chế độ gradient: bật | builtin | vi | :help"


def test_a_question_is_answered_without_running_anything(type_in: Type) -> None:
    session = type_in(
        "x = torch.ones(1)", "x?", "def f(a, b=2):\n    'Add.\\n\\nMore.'\n", "?f", "nope?", "torch.no_grad?"
    )
    shown = session.shown.splitlines()[1:]
    assert shown[0] == "x: requires_grad = False; grad_fn = None; grad = None"
    assert shown[1] == "value = [1.]; shape = (1,); dtype = float32; is_leaf = True"
    assert shown[2:7] == ["f(a, b=2)", "Add.", "", "More.", "There is nothing named nope."]
    assert shown[7].startswith("no_grad(")


def test_a_question_reads_no_property_of_a_tensor(type_in: Type) -> None:
    shown = type_in("x = torch.ones(1, requires_grad=True)", "y = x * 2", "y.grad?").shown
    assert "UserWarning" not in shown
    assert shown.splitlines()[2].startswith("y.grad")


def test_lessons_are_listed(type_in: Type) -> None:
    assert "7. Example 2" in type_in(":lessons").shown


def test_a_lesson_is_learned_at_the_prompt_and_left_again(type_in: Type) -> None:
    session = type_in("x = 5", ":learn 1", ":lang vi", ":quit", "x", ":learn nonsense")
    assert "1. no_grad as a with-block" in session.shown
    assert "\n5\n" in session.shown
    assert session.shown.endswith("Không có bài nonsense. `gradrepl lessons` liệt kê các bài.\n")
    assert session.script.toolbars[-1] == "chế độ gradient: bật | builtin | vi | :help"


def test_another_engine_starts_afresh(type_in: Type) -> None:
    session = type_in("x = 1", ":engine builtin", "'x' in globals()", ":engine jax")
    assert session.shown == (
        "engine: builtin; your names are gone, torch is imported.\nFalse\nChoose an engine: builtin, torch.\n"
    )


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_pytorch_is_an_engine(type_in: Type) -> None:
    session = type_in(":engine torch", "torch.__name__, torch.__version__ > '2'")
    assert session.shown.endswith("\n('torch', True)\n")
    assert session.script.toolbars[-1] == "grad mode: on | torch | en | :help"


def test_a_missing_pytorch_leaves_all_as_it_is() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from gradrepl.app.cli import main\n"
        "from gradrepl.app import dispatch, repl\n"
        "from gradrepl.app.options import Options, Terminal\n"
        "repl.start(Options(plain=True), Terminal(False, False, True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="x = 5\n:engine torch\nx\n",
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "PyTorch is not installed" in done.stdout
    assert done.stdout.rstrip().endswith("5\n>>>")


def test_a_history_that_is_lost_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    script = Typist("1", "2", losses=["Read-only file system"])
    session = Session(capsys, script)
    assert session.shown == "1\nWhat you type is not kept for next time: Read-only file system.\n2\n"


def test_lines_are_asked_for_until_the_input_is_whole() -> None:
    answers = iter(["with a:", "    b", "", ":help", "f(", ")"])
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    reader = LineReader(ask)
    assert [reader.code(), reader.code(), reader.code()] == ["with a:\n    b\n", ":help", "f(\n)"]
    assert prompts == [">>> ", "... ", "... ", ">>> ", ">>> ", "... "]


def test_what_is_offered_is_shown_and_taken_with_enter(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter(["", "y"])
    reader = LineReader(lambda prompt: next(answers))
    assert reader.code("x = 1\n") == "x = 1\n"
    assert reader.code("x = 1\n") == "y"
    assert capsys.readouterr().out == ">>> x = 1\n" * 2
