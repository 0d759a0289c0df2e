"""A damaged text at the prompt: shown as a change, run, stepped through, edited or left as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.typist import Typist

from gradrepl.app import engines
from gradrepl.app.learning.course import learn
from gradrepl.app.learning.remembering import Forgetful
from gradrepl.app.line.reader import REPAIR, LineReader
from gradrepl.app.options import Options, Terminal
from gradrepl.app.repairing import offer
from gradrepl.app.repairing.proposal import LONGEST, propose
from gradrepl.app.repairing.vocabulary import names_of, vocabulary
from gradrepl.app.repl import Repl
from gradrepl.app.screens.drawn import DrawnScreen
from gradrepl.i18n import translator
from gradrepl.lesson.load import load
from gradrepl.session.engine import Engine
from gradrepl.view.change import change
from tests.app.test_learn import LESSON

GLUED = (
    ">>> x = torch.ones(2, requirements_grad=True)>>> y = x * 2>>> y.requires_gradTrue"
    ">>> với torch.no_grad():... z = x * 3"
)
LOST = ">>> x = torch.ones(2)\n>>> w = x 2\n"


class Hand(Typist):
    """Types and pastes: a paste is text behind "PASTE "; Enter on what is offered is an empty text."""

    def code(self, offered: str = "") -> str:
        text = super().code(offered)
        if text.startswith("PASTE "):
            pasted = text.removeprefix("PASTE ")
            return REPAIR if self.damaged(pasted) else pasted
        return text or offered


class Seen:
    """What a session showed, and what stood at its prompts."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *inputs: str, speech: str = "en") -> None:
        hand = Hand(*inputs)
        self.repl = Repl(Options(speech=speech, plain=True), Terminal(False, False, True), hand)  # type: ignore[arg-type]
        self.repl.loop()
        self.offered = list(filter(None, hand.offered))
        self.shown = capsys.readouterr().out


Type = Callable[..., Seen]


@pytest.fixture
def type_in(capsys: pytest.CaptureFixture[str]) -> Type:
    return lambda *inputs, speech="en": Seen(capsys, *inputs, speech=speech)


def test_a_damaged_paste_is_shown_as_a_change_and_nothing_runs(type_in: Type) -> None:
    seen = type_in(f"PASTE {GLUED}", "CTRL-C")
    assert f"\n- {GLUED}\n+ >>> x = torch.ones(2, requires_grad=True)\n+ >>> y = x * 2\n" in seen.shown
    assert "+ >>> with torch.no_grad():\n+ ...     z = x * 3\n" in seen.shown
    assert "prompts run together" in seen.shown
    assert "name misspelt: Names of the API" in seen.shown
    assert "x: requires_grad" not in seen.shown
    assert seen.offered == [GLUED]


def test_the_change_is_told_in_vietnamese(type_in: Type) -> None:
    seen = type_in(f"PASTE {GLUED}", "CTRL-C", speech="vi").shown
    assert "Đoạn vừa dán, sau khi sửa" in seen
    assert "từ khoá bị dịch: Máy đã dịch cả từ khoá của Python" in seen


def test_what_is_accepted_runs_statement_by_statement(type_in: Type) -> None:
    shown = type_in(f"PASTE {GLUED}", "1", ":history").shown
    ran = shown.partition("4  leave it as it was\n")[2]
    assert ">>> y = x * 2\ny: requires_grad = True; grad_fn = MulBackward0; grad = None [new]\n>>> y.req" in ran
    assert "4  with torch.no_grad():" in ran


def test_step_by_step_each_statement_stands_at_the_prompt(type_in: Type) -> None:
    seen = type_in(f"PASTE {GLUED}", "2", "", "", "CTRL-C", "1 + 1")
    assert [text.splitlines()[0] for text in seen.offered] == [
        "x = torch.ones(2, requires_grad=True)",
        "y = x * 2",
        "y.requires_grad",
    ]
    assert seen.shown.endswith("grad = None [new]\n2\n")


def test_an_edit_begins_with_the_repaired_text(type_in: Type) -> None:
    seen = type_in(f"PASTE {GLUED}", "3", "1")
    assert seen.offered[0].startswith("x = torch.ones(2, requires_grad=True)\ny = x * 2\ny.requires_grad\nwith torch")
    assert seen.shown.endswith("\n1\n")


@pytest.mark.parametrize("answer", ["4", "CTRL-C"])
def test_what_is_declined_stands_at_the_prompt_as_it_was_pasted(type_in: Type, answer: str) -> None:
    pasted = "  với torch.no_grad():\n      y = 2\n"
    seen = type_in(f"PASTE {pasted}", answer, "")
    assert "\n+ with torch.no_grad():\n+     y = 2\n" in seen.shown
    assert seen.offered == [pasted]
    assert "IndentationError" in seen.shown


def test_an_answer_that_is_none_is_asked_for_again(type_in: Type) -> None:
    seen = type_in(f"PASTE {GLUED}", "", "9", "yes", "3", "1")
    assert seen.shown.count("Type a number from 1 to 4; Ctrl-C leaves all as it is.") == 3
    assert len(seen.offered) == 1


def test_a_lost_operator_is_asked_for_never_guessed(type_in: Type) -> None:
    shown = type_in(f"PASTE {LOST}", "1", "2", "w.sum() + 1").shown
    assert "\n? >>> w = x 2\n" in shown
    assert "Something is missing in `w = x 2`. What was it?\n1  w = x * 2\n2  w = x ** 2\n" in shown
    assert ">>> w = x ** 2\n" in shown
    assert shown.endswith("tensor(3.)\n")


def test_a_statement_that_stays_damaged_is_left_out_and_said(type_in: Type) -> None:
    shown = type_in(f"PASTE {LOST}", "1", "6", "w").shown
    assert "not Python, left out: w = x 2\n" in shown
    assert "NameError" in shown


def test_words_and_outputs_between_code_are_shown_as_left_out(type_in: Type) -> None:
    page = "First a tensor:\nx = torch.ones(2)\nprint(x)\ntensor([1., 1.])\nThat was all."
    shown = type_in(f"PASTE {page}", "1").shown
    assert "\n- First a tensor:\n  output or words, not run\n  x = torch.ones(2)\n  print(x)\n" in shown
    assert "\n- tensor([1., 1.])\n- That was all.\n  output or words, not run\n1  run" in shown
    assert shown.endswith(">>> print(x)\ntensor([1., 1.])\n")


def test_words_before_prompts_are_left_out(type_in: Type) -> None:
    shown = type_in("PASTE Some words.\n\n>>> n = 40 + 1\n>>> n + 1\n42\n", "1").shown
    assert "\n  >>> n = 40 + 1\n  >>> n + 1\nlines of output and words, which don't run: 2\n" in shown
    assert shown.endswith(">>> n + 1\n42\n")


def test_where_a_block_ends_is_asked_for(type_in: Type) -> None:
    shown = type_in("PASTE if 1 > 2:\nprint(3)\nprint(4)\n", "1", "2").shown
    assert "Where a block ended was lost. Which of these was it?" in shown
    assert "2  >>> if 1 > 2:\n   ...     print(3)\n   ... print(4)\n" in shown
    assert shown.endswith("... print(4)\n4\n")


@pytest.mark.parametrize(
    "pasted",
    [
        "x = 1\ny = 2\n",
        ">>> x = torch.ones(2)\n>>> x.sum()\ntensor(2.)\n",
        ">>> a = 20 + 1>>> a * 2",
        "In [1]: x = 1\n\nIn [2]: x\nOut[2]: 1\n",
        "with torch.no_grad():\n",
        "x = = 1\ny = 2\n",
        "def f(x):\n    return x +\n\nprint(f(2))\n",
        "Chúng ta với torch.no_grad() tính nhanh hơn.\n",
        ":t x",
        "? torch.add",
        "s = '''>>> x = 1\n>>> với y:'''\n",
        "require_grad = 3\nprint(require_grad)\n",
        "x = 1\ny = = 2\nz = 3\n",
        "x = 1\nfor i in range(3)\n    print(i)\nz = 3\n",
    ],
)
def test_what_runs_or_cannot_be_repaired_is_never_offered(pasted: str) -> None:
    hand = Hand()
    repl = Repl(Options(plain=True), Terminal(False, False, True), hand)  # type: ignore[arg-type]
    assert not hand.damaged(pasted)
    repl.close()


def test_a_paste_too_long_to_be_looked_at_is_pasted_as_it_is() -> None:
    names = vocabulary(engines.load("builtin"))
    assert propose(GLUED, names) is not None
    assert propose(GLUED + "\n" * LONGEST, names) is None


def test_the_last_input_is_repaired_by_a_command(type_in: Type) -> None:
    seen = type_in("x = torch.ones(2，requires_grad=True）", ":sua", "1")
    assert "Your last input, repaired" in seen.shown
    assert "\n- x = torch.ones(2，requires_grad=True）\n+ x = torch.ones(2,requires_grad=True)\n" in seen.shown
    assert seen.shown.endswith("x: requires_grad = True; grad_fn = None; grad = None [new]\n")


def test_an_error_that_damage_made_points_to_the_command(type_in: Type) -> None:
    assert type_in("x = torch.ones(2，3）").shown.endswith("\n:repair shows it repaired.\n")
    assert ":repair" not in type_in("x = = 1").shown


def test_what_has_run_of_the_last_input_is_not_repaired(type_in: Type) -> None:
    shown = type_in("n = 1", "n += 1; x = torch.ones(n)\nx.requires_gard", ":repair", "1", "n").shown
    assert "\n- x.requires_gard\n+ x.requires_grad\n" in shown
    assert shown.endswith("False\n2\n")


def test_there_is_nothing_to_repair_in_what_ran_or_is_not_known(type_in: Type) -> None:
    assert "there is nothing to repair" in type_in(":repair").shown
    assert "there is nothing to repair" in type_in("x = 1", ":repair").shown
    assert "Nothing in it looks like damage" in type_in("x = = 1", ":repair").shown


def test_a_lesson_and_its_free_play_offer_it_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "small.md"
    path.write_text(LESSON, "utf-8")
    hand = Hand(":free", f"PASTE {GLUED}", "2", "", "", "CTRL-C", ":done", f"PASTE {GLUED}", "3", "CTRL-C")
    options, terminal = Options(speech="vi", plain=True), Terminal(False, False, True)
    learn(load(path), engines.load("builtin"), hand, options, terminal, Forgetful())  # type: ignore[arg-type]
    shown = capsys.readouterr().out
    assert shown.count("Đoạn vừa dán, sau khi sửa") == 2
    assert shown.count("x: requires_grad = True; grad_fn = None; grad = None [mới]") == 1
    own, *free, again, edited = filter(None, hand.offered)
    assert own == again == "import torch\n"
    assert free == ["import torch\n", "x = torch.ones(2, requires_grad=True)\n", "y = x * 2\n"]
    assert edited.startswith("import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 2\ny.requires_grad\nwith")


def test_ctrl_c_stops_the_run_of_all(type_in: Type) -> None:
    stopping = "PASTE >>> raise KeyboardInterrupt>>> với torch.no_grad():... print('inside')"
    assert "inside\n" not in type_in(stopping, "1").shown.rpartition(">>> raise")[2]


def test_nothing_is_looked_for_in_a_paste_that_is_python(monkeypatch: pytest.MonkeyPatch) -> None:
    hand, looked = Hand(), list[str]()
    repl = Repl(Options(plain=True), Terminal(False, False, True), hand)  # type: ignore[arg-type]
    monkeypatch.setattr(offer, "proposed", lambda state, text: looked.append(text))
    assert not any(
        map(hand.damaged, ["x = 1\nprint(x)\n", "with torch.no_grad():\n", "x = (1,\n", ":t x", "x?", "= 1"])
    )
    assert looked == ["= 1"]
    repl.close()


def test_escapes_of_a_page_reach_no_drawn_screen(capsys: pytest.CaptureFixture[str]) -> None:
    DrawnScreen(translator("en"), colored=False).hanging([[("- ", "red"), ("\x1b[31m[red]", "red")]])
    assert capsys.readouterr().out == "- \\x1b[31m[red]\n"


def test_escapes_of_a_page_reach_no_screen(type_in: Type) -> None:
    shown = type_in("PASTE >>> x = torch.ones(2, requirements_grad=True)  # \x1b[31m[red]\n", "CTRL-C").shown
    assert "\x1b" not in shown


def test_words_that_differ_are_underlined_and_what_a_glued_word_keeps_is_not() -> None:
    lines = list(change([">>> x.requires_gradTrue"], [">>> x.requires_grad"]))
    assert [[text for text, style in line if "underline" in style] for line in lines] == [["True"], []]
    lines = list(change(["requirements_grad=1"], ["requires_grad=1"]))
    assert [line[1] for line in lines] == [
        ("requirements_grad", "bold underline red"),
        ("requires_grad", "bold underline green"),
    ]


def test_a_line_reader_takes_the_lines_that_came_together() -> None:
    coming = ["x = 1", "với torch.no_grad():", "    y = 2", "", "z = = 3", "w = 4"]
    asked: list[str] = []

    def damaged(text: str) -> bool:
        asked.append(text)
        return text.startswith("với")

    reader = LineReader(lambda prompt: coming.pop(0), lambda: len(coming) not in (0, 2))
    reader.damaged = damaged
    assert [reader.code() for _ in range(4)] == ["x = 1", REPAIR, "z = = 3", "w = 4"]
    assert asked == ["với torch.no_grad():\n    y = 2\n", "z = = 3\nw = 4"]


def test_what_a_page_has_everywhere_is_shown_line_by_line_and_named_once(type_in: Type) -> None:
    shown = type_in("PASTE 1 >>> n = 1\n2 >>> n + 1\n3 2\n4 >>> n + 2\n", "CTRL-C").shown
    assert "- 1 >>> n = 1\n+ >>> n = 1\n  not Python\n- 2 >>> n + 1\n+ >>> n + 1\n- 4 >>> n + 2\n+ >>> n + 2\n" in shown


@pytest.mark.parametrize("inference", [False, True])
def test_names_are_looked_up_in_any_mode_and_draw_no_number(engine: Engine, inference: bool) -> None:
    torch: Any = engine.torch
    before = torch.get_rng_state()
    with torch.no_grad(), torch.inference_mode(inference):
        found = names_of.__wrapped__(torch)
    assert {"next_functions", "weight", "remove"} <= found.attributes
    assert torch.equal(torch.get_rng_state(), before)
