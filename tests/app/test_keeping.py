"""The commands about the inputs so far, typed at a scripted prompt, on both engines."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cost import with_calls
from support.typist import Typist

from gradrepl.app.commands.keeping import KEYS
from gradrepl.app.commands.timing import repeatable, said
from gradrepl.app.commands.transcript import code_of
from gradrepl.app.options import Options, Terminal
from gradrepl.app.repl import Repl
from gradrepl.app.screens.limited import Limited
from gradrepl.i18n import english

X = "x = torch.tensor([1., 2.], requires_grad=True)"
Y = "y = x * 3"
NO_GRAD = "with torch.no_grad():\n    z = x * 2\n"
OFF = "_ = torch.set_grad_enabled(False)"
Type = Callable[..., list[str]]


def test_history_lists_inputs_with_their_numbers_and_marks_failures(shown: Type) -> None:
    lines = shown(X, "1/0", NO_GRAD, ":history")
    assert lines[:4] == [f"1  {X}", "2! 1/0", "3  with torch.no_grad():", "       z = x * 2"]
    assert shown(X, Y, ":history 1") == ["3  print('=' * 9)"]


def test_undo_brings_names_and_tensors_back(shown: Type) -> None:
    s = "s = (x * x).sum()"
    assert shown(X, s, "s.backward()", ":undo", ":undo", "x.grad is None, 's' in globals()") == ["(True, False)"]


def test_undo_of_a_write_in_place_gives_the_old_numbers(shown: Type) -> None:
    write = "with torch.no_grad():\n    _ = x.mul_(5)\n"
    session = [X, write, "n = 1"]
    assert shown(*session, ":undo", "x.tolist(), x._version") == ["([5.0, 10.0], 1)"]
    assert shown(*session, ":undo 2", "x.tolist(), x._version") == ["([1.0, 2.0], 0)"]


def test_undo_keeps_random_numbers(shown: Type) -> None:
    draw = "import random; a = torch.rand(2); k = random.random(); first = a.clone()"
    lines = shown(draw, "b = torch.rand(2)", ":undo", "bool((a == first).all())")
    assert lines == ["True"]


NUMPY = """
import sys
from gradrepl.app.options import Options, Terminal
from gradrepl.app.line.reader import LineReader
from gradrepl.app.repl import Repl

looked = "import sys; print(any(name.endswith('mtrand') for name in sys.modules))"
typed = iter([looked, "import numpy as np; a = np.random.rand()", "n = 1", ":undo"])
Repl(Options(plain=True), Terminal(False, False, True), LineReader(lambda prompt: next(typed, ":q"))).loop()
"""


def test_undo_keeps_numpys_random_numbers_which_come_when_they_are_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", NUMPY], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[2:] == ["False", "undone: n = 1"]


def test_undo_gives_the_grad_mode_back(shown: Type) -> None:
    assert shown(OFF, "m = 2", ":undo", "torch.is_grad_enabled()") == ["False"]
    assert shown(OFF, "m = 2", ":undo 2", "torch.is_grad_enabled()") == ["True"]


def test_undo_refuses_what_it_cannot_do_exactly(shown: Type, tmp_path: Path) -> None:
    path = tmp_path / "n.txt"
    path.write_text("one")
    lines = shown(f"text = open({str(path)!r}).read()", Y.replace("x", "2"), ":undo")
    assert lines == ["Input 1 reaches outside of the session (`open`): running it again is not exact."]
    clock = "import time as t; clock = t.perf_counter()"
    assert "(clock)" in shown(clock, "n = 1", ":undo")[0]
    assert shown(clock, "n = 1", ":undo", "n") == ["1"]


def test_undo_says_what_stays(shown: Type) -> None:
    lines = shown(X, "n = 1", ":undo 9")
    assert lines == ["Only 3 inputs can be undone."]


@pytest.mark.parametrize("kind", ["py", "md", "txt"])
def test_what_is_saved_can_be_loaded(shown: Type, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"lesson.{kind}"
    said = shown(X, "1/0", NO_GRAD, Y, f":save {path}")
    assert said == [f"saved: 5 inputs in {path}"]
    lines = shown(f":load {path}", ":t")
    assert "x: requires_grad = True; grad_fn = None; grad = None" in lines
    # a transcript stops where the session failed
    assert any(line.startswith("y: ") for line in lines) == (kind == "py")


def test_a_saved_program_comments_out_what_failed(shown: Type, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    shown(X, "1/0", Y, f":save {path}")
    assert path.read_text("utf-8") == (
        f"import torch\n{X}\n# 1/0\n# ZeroDivisionError: division by zero\n{Y}\nprint('=' * 9)\n"
    )


def test_saved_markdown_has_results_and_tables(shown: Type, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    shown(X, "x.sum().item()", f":save {path}")
    text = path.read_text("utf-8")
    assert "```pycon\n>>> x.sum().item()\n3.0\n```" in text
    assert "| x | [1., 2.] | True | None | None | True |" in text


def test_a_file_is_not_written_over_unless_that_is_said(shown: Type, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("mine")
    assert "is there already" in shown(X, f":save {path}")[0]
    assert path.read_text() == "mine"
    assert shown(X, f":save -f {path}")[0].startswith("saved")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (":save", "Save as what? A name that ends in .py, .md, .txt."),
        (":save a.doc", "Save as what? A name that ends in .py, .md, .txt."),
        (":save /nowhere/at/all.py", "can't write /nowhere/at/all.py: No such file or directory."),
        (":load", "Load which file? Such as :load lesson.py"),
        (":load /nowhere.py", "can't read /nowhere.py: No such file or directory."),
        (":time", "Which code? Such as :time x @ x.T"),
        (":undo 0", "Only 1 inputs can be undone."),
        (":time 1/0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_mistake_gets_one_line(shown: Type, typed: str, said: str) -> None:
    assert shown(typed) == [said]


def test_loading_what_is_no_text_or_no_code_says_so(shown: Type, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = '\xff'")
    (tmp_path / "a.md").write_text("no code")
    assert "no UTF-8 text (byte 5)" in shown(f":load {tmp_path}/a.py")[0]
    assert shown(f":load {tmp_path}/a.md") == [f"{tmp_path}/a.md holds no code."]


def test_code_of_a_transcript_leaves_out_what_was_shown() -> None:
    assert code_of(".txt", ">>> x = 1\n>>> x\n1\n").split() == ["x", "=", "1", "x"]
    assert code_of(".md", "words\n```python\nx = 1\n```\nmore\n```text\nno\n```\n").strip() == "x = 1"


def test_time_of_an_expression_and_of_a_statement(shown: Type) -> None:
    assert re.fullmatch(r"[\d.e+]+ (ns|µs|ms) a run \(the best of 5 times \d+ runs\)", shown(X, ":time x * 2")[0])
    lines = shown(X, ":time x.sum().backward()")
    assert lines[-1].startswith("one run: ")
    assert "grad = [1., 1.]" in lines[0]


def test_what_writes_is_timed_once() -> None:
    assert repeatable("x * 2")
    assert not any(map(repeatable, ("x.mul_(2)", "x.backward()", "x = 1", "print(1)", "(y := 2)", "x.", "l.append(1)")))
    assert [said(s) for s in (2.0, 0.0123, 1.5e-6, 3e-9)] == ["2 s", "12.3 ms", "1.5 µs", "3 ns"]


def test_a_long_print_is_shown_in_part_and_not_looked_at_letter_by_letter(shown: Type) -> None:
    shown("'the engine is loaded'")
    lines, calls = with_calls(lambda: shown("print('a' * 10_000_000 + 'end')"))
    assert calls < 100_000
    assert sum(map(len, lines)) < 30_000
    assert lines[-2].endswith("end")
    assert lines[-1].endswith("characters more were printed; :out shows what is kept")


def test_out_shows_what_was_kept(shown: Type) -> None:
    code = "for i in range(2000): print('line', i)"
    assert "line 1000" not in shown(code)
    assert shown(code, ":out 3") == ["========="]  # of the last input


class Paper:
    """A screen that only counts."""

    def __init__(self) -> None:
        self.letters = 0
        self.notes: list[str] = []

    def output(self, output: object) -> None:
        self.letters += len(getattr(output, "text", ""))

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_endless_printing_takes_bounded_memory_and_can_be_stopped() -> None:
    from gradrepl.app.engines import load
    from gradrepl.app.screens.limited import KEPT
    from gradrepl.session.core import Session

    paper, session = Paper(), Session(load("builtin"))
    session.sink, session.most = Limited(paper, english), KEPT  # type: ignore[arg-type]
    endless = "n = 0\nwhile True:\n    print('x' * 50)\n    n += 1\n    if n > 200_000: raise KeyboardInterrupt\n"
    (_first, outcome) = session.run(endless)
    assert outcome.failure is not None
    assert outcome.failure.type == "KeyboardInterrupt"
    kept = outcome.stdout
    assert 500_000 < len(kept) < KEPT
    assert re.search(r"\n\[\.\.\. \d+ \.\.\.\]\n", kept)
    assert kept.endswith("x\n")
    assert paper.letters < 25_000
    assert paper.notes == ["... more is printed than is shown; Ctrl-C stops it"]


def test_keys_are_listed_and_changed(shown: Type) -> None:
    assert len(shown(":keys")) == len(KEYS)


@pytest.mark.parametrize("theme", ["light", "dark", "none"])
def test_themes(shown: Type, theme: str) -> None:
    lines = shown(f":theme {theme}")
    assert lines
    assert not any("can't" in line for line in lines)


def test_what_hundreds_of_names_cost_is_bounded() -> None:
    from gradrepl.app.engines import load
    from gradrepl.session.chronicle import MOST_KEPT, Chronicle
    from gradrepl.session.core import Session

    session, chronicle = Session(load("builtin")), Chronicle()
    session.names["torch"] = session.engine.torch
    for source in ("for i in range(500): globals()[f't{i}'] = torch.ones(3)", "n = 1"):
        chronicle.note(source, tuple(session.run(source)), session.names)
    for number in range(20):
        source = f"n = {number}"
        chronicle.note(source, tuple(session.run(source)), session.names)
    _noted, calls = with_calls(lambda: chronicle.note("n = 20", tuple(session.run("n = 20")), session.names))
    assert calls < 500 * 500
    assert len(chronicle.inputs) < MOST_KEPT
    assert all(not outcome.rows for entry in chronicle.inputs[1:] for outcome in entry.outcomes)


def test_without_pytorch_a_command_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    options = Options(engine="torch", plain=True)
    Repl(options, Terminal(False, False, True), Typist(":t", ":why x", ":time 1")).loop()  # type: ignore[arg-type]
    assert capsys.readouterr().out.count("PyTorch is not installed") == 3
