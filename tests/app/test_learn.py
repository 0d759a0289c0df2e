"""Going through a lesson: each input of a scripted learner, and what the screen says to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gradrepl.app import engines
from gradrepl.app.learn import Learner
from gradrepl.app.options import Options, Terminal
from gradrepl.lesson.load import load

LESSON = """+++
id = "small"
title.en = "A small lesson"
title.vi = "Một bài nhỏ"
goal.en = "See it."
goal.vi = "Thấy nó."
+++

## one
<!--vi-->
Bước một.
<!--en-->
Step one.
<!--code-->
```pycon
>>> import torch
>>> x = torch.ones(1, requires_grad=True)

```

## two {predict: x.requires_grad, y.grad_fn}
<!--vi-->
Đoán đi.
<!--en-->
Guess.
<!--code-->
```pycon
>>> y = x * 2

```
<!--if x.requires_grad == False #flag-is-switched-off-->
- vi: Cờ còn nguyên.
- en: The flag stays.

## three {try}
<!--vi-->
Làm `z`.
<!--en-->
Make `z`.
<!--code-->
```pycon
>>> given = 3

```
<!--hint-->
- vi: Gợi ý một.
- en: Hint one.
<!--solution-->
```pycon
>>> z = given - 2

```
<!--check-->
```pycon
>>> z == 1
True

```
<!--wrong #result-comes-back-later-->
```pycon
>>> z = 2

```
- vi: Đó là 2.
- en: That is 2.

## four
<!--vi-->
Hết.
<!--en-->
Nearly over.
<!--code-->
```pycon
>>> z
1

```
"""
Go = Callable[..., str]


class Script:
    """Types what it is given, then ends; notes what was offered at the prompt."""

    def __init__(self, *inputs: str) -> None:
        self.inputs = list(inputs)
        self.offered: list[str] = []
        self.toolbar: Callable[[], str] = str
        self.idle: Callable[[], object] = str
        self.toolbars: list[str] = []

    def code(self, offered: str = "") -> str:
        self.offered.append(offered)
        text = self.line(">>> ")
        return offered if text == "ENTER" else text

    def line(self, prompt: str) -> str:
        self.toolbars.append(self.toolbar())
        if not self.inputs:
            raise EOFError
        if self.inputs[0] == "CTRL-C":
            self.inputs.pop(0)
            raise KeyboardInterrupt
        return self.inputs.pop(0)

    def loss(self) -> str | None:
        return None


@pytest.fixture
def go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Go:
    """Goes through the lesson with these inputs; returns what was shown."""
    path = tmp_path / "small.md"
    path.write_text(LESSON, "utf-8")

    def run(*inputs: str, speech: str = "en", script: Script | None = None) -> str:
        options = Options(speech=speech, plain=True)  # type: ignore[arg-type]
        reader = script or Script(*inputs)
        Learner(load(path), engines.load("builtin"), reader, options, Terminal(False, False, True)).loop()
        return capsys.readouterr().out

    return run


TO_TWO = ("ENTER", "ENTER", "")
TO_THREE = (*TO_TWO, "True", "MulBackward0", "")
TO_FOUR = (*TO_THREE, "z = 1", "")


def test_the_next_statement_stands_at_the_prompt(go: Go) -> None:
    script = Script("ENTER", "ENTER", "CTRL-C")
    shown = go(script=script)
    assert script.offered == ["import torch\n", "x = torch.ones(1, requires_grad=True)\n", "", ""]
    assert "x: requires_grad = True; grad_fn = None; grad = None [new]" in shown


def test_enter_leads_through_the_whole_lesson(go: Go) -> None:
    shown = go(*TO_FOUR, "ENTER", "")
    assert [part in shown for part in ("1/4", "2/4", "3/4", "4/4")] == [True] * 4
    assert shown.endswith("\nEnd of the lesson\n")


def test_ctrl_c_empties_the_prompt_and_enter_still_goes_on(go: Go) -> None:
    script = Script("CTRL-C", "", "ENTER")
    assert "x: requires_grad" in go(script=script)
    assert script.offered[:3] == ["import torch\n", "", "x = torch.ones(1, requires_grad=True)\n"]


def test_predictions_are_judged_and_answered(go: Go) -> None:
    shown = go(*TO_TWO, "False", "<MulBackward0>")
    assert "x.requires_grad: you said False, it is True.\nThe flag stays.\n" in shown
    assert "y.grad_fn: MulBackward0. Right.\n" in shown


def test_no_prediction_is_no_error(go: Go) -> None:
    shown = go(*TO_TWO, "", "")
    assert "x.requires_grad: it is True.\n" in shown
    assert "The flag stays." not in shown


def test_an_exercise_is_solved_before_enter_goes_on(go: Go) -> None:
    shown = go(*TO_THREE, "", "z = 2", "z = 1", "")
    assert "Not solved yet" in shown
    assert "That is 2." in shown
    assert shown.index("That is 2.") < shown.index("Solved. Enter goes on.") < shown.index("4/4")


def test_hint_solution_and_skip(go: Go) -> None:
    shown = go(*TO_THREE, ":hint", ":hint", ":solution", ":skip", "ENTER")
    assert "Hint one.\nNo more hints here.\n>>> z = given - 2\n" in shown
    assert shown.endswith("\n1\n")


def test_back_makes_names_as_they_were(go: Go) -> None:
    shown = go(*TO_FOUR, ":back", "'z' in globals()", "given, x.requires_grad")
    assert "\nFalse\n(3, True)\n" in shown


def test_what_is_tried_in_a_step_is_gone_in_the_next(go: Go) -> None:
    assert "NameError: name 'mine' is not defined" in go("mine = 1", *TO_THREE, "mine")
    assert "NameError" not in go("mine = 1", "mine")


def test_an_edited_statement_runs_and_the_lessons_own_is_offered_again(go: Go) -> None:
    script = Script("import math", "ENTER")
    go(script=script)
    assert script.offered[:3] == ["import torch\n", "import torch\n", "x = torch.ones(1, requires_grad=True)\n"]


def test_the_list_says_where_one_is(go: Go) -> None:
    shown = go(*TO_TWO, "1", "1", ":list")
    assert "  1  one  done\n  2  two  here\n  3  three\n  4  four\n" in shown


def test_the_language_changes_in_place(go: Go) -> None:
    shown = go(":lang vi", ":hint", ":lang xx")
    assert "1/4  one\nBước một.\nBước này không có gợi ý.\nHãy chọn một ngôn ngữ: en, vi, both.\n" in shown


def test_unknown_commands_help_and_quit(go: Go) -> None:
    shown = go(":bcak", ":help", ":quit", "print('never')")
    assert "Did you mean :back?" in shown
    assert ":solution" in shown
    assert "never" not in shown


def test_the_toolbar_says_where_one_is_and_the_mode(go: Go) -> None:
    script = Script("torch = __import__('torch'); torch.set_grad_enabled(False)", "1")
    go(script=script)
    assert script.toolbars[0] == "small 1/4 | grad mode: on | Enter: go on | :help"
    assert "grad mode: off (set_grad_enabled(False))" in script.toolbars[1]


def test_the_mode_is_put_back_behind_the_lesson(go: Go) -> None:
    torch = engines.load("builtin").torch
    go("ENTER", "torch.set_grad_enabled(False)")
    assert torch.is_grad_enabled()


def test_commands_are_obeyed_where_a_prediction_is_asked_for(go: Go) -> None:
    shown = go(*TO_TWO, ":hint", ":next", "True", ":list", "MulBackward0")
    assert "This step has no hints." in shown
    assert "Your prediction first" in shown
    assert shown.count("Right.") == 2


def test_a_prediction_can_be_left_by_command(go: Go) -> None:
    assert "1/4" in go(*TO_TWO, "True", ":back").split("2/4")[1]
    assert "3/4" in go(*TO_TWO, ":skip")
    assert go(*TO_TWO, ":quit", "print('never')").count("never") == 0
    assert "y: requires_grad" not in go(*TO_TWO, "True", ":quit")


def test_ctrl_c_at_a_prediction_leaves_the_question(go: Go) -> None:
    shown = go(*TO_TWO, "CTRL-C", "1 + 1", "")
    assert "\n2\n" in shown
    assert "y: requires_grad = True" in shown
