"""Going through a lesson: each input of a scripted learner, and what the screen says to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.typist import Typist

from gradrepl.app import engines
from gradrepl.app.learning.course import learn
from gradrepl.app.learning.remembering import Forgetful
from gradrepl.app.options import Options, Terminal
from gradrepl.lesson import player, shelf
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


@pytest.fixture
def go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Go:
    """Goes through the lesson with these inputs; returns what was shown."""
    path = tmp_path / "small.md"
    path.write_text(LESSON, "utf-8")

    def run(*inputs: str, speech: str = "en", script: Typist | None = None) -> str:
        options = Options(speech=speech, plain=True)  # type: ignore[arg-type]
        reader = script or Typist(*inputs)
        learn(load(path), engines.load("builtin"), reader, options, Terminal(False, False, True), Forgetful())
        return capsys.readouterr().out

    return run


TO_TWO = ("ENTER", "ENTER", "")
TO_THREE = (*TO_TWO, "True", "MulBackward0", "")
TO_FOUR = (*TO_THREE, "z = 1", "")


def test_the_next_statement_stands_at_the_prompt(go: Go) -> None:
    script = Typist("ENTER", "ENTER", "CTRL-C")
    shown = go(script=script)
    assert script.offered == ["import torch\n", "x = torch.ones(1, requires_grad=True)\n", "", ""]
    assert "x: requires_grad = True; grad_fn = None; grad = None [new]" in shown


def test_enter_leads_through_the_whole_lesson(go: Go) -> None:
    shown = go(*TO_FOUR, "ENTER", "")
    assert [part in shown for part in ("1/4", "2/4", "3/4", "4/4")] == [True] * 4
    assert "\nEnd of the lesson\ndone: 4\n" in shown


def test_ctrl_c_empties_the_prompt_and_enter_still_goes_on(go: Go) -> None:
    script = Typist("CTRL-C", "", "ENTER")
    assert "x: requires_grad" in go(script=script)
    assert script.offered[:3] == ["import torch\n", "", "x = torch.ones(1, requires_grad=True)\n"]


def test_predictions_are_judged_and_answered(go: Go) -> None:
    shown = go(*TO_TWO, "False", "<MulBackward0>")
    assert "x.requires_grad: you said False, it is True.\nThe flag stays.\n" in shown
    assert "Right: y.grad_fn = MulBackward0\n" in shown


def test_no_prediction_is_no_error(go: Go) -> None:
    shown = go(*TO_TWO, "", "")
    assert "x.requires_grad: it is True.\n" in shown
    assert "The flag stays." not in shown


def test_an_exercise_is_solved_before_enter_goes_on(go: Go) -> None:
    shown = go(*TO_THREE, "", "z = 2", "z = 1", "")
    assert "Not yet: there is no z.\n" in shown
    assert "That is 2." in shown
    assert shown.index("That is 2.") < shown.index("Right. Enter goes on.") < shown.index("4/4")


def test_hints_come_in_order_and_can_be_read_again(go: Go) -> None:
    shown = go(*TO_THREE, ":hint 3", ":hint", ":hint", ":h 1")
    assert "No more hints here" in shown.split("Hint 1 of 1")[0]
    assert shown.count("Hint 1 of 1\nHint one.\n") == 2


def test_the_solution_stands_at_the_prompt_and_does_not_run(go: Go) -> None:
    script = Typist(*TO_THREE, ":solution", ":t z", "ENTER", ":list")
    shown = go(script=script)
    assert script.offered.count("z = given - 2\n") == 1
    assert "z: " not in shown.split("A solution stands")[1]
    script = Typist(*TO_THREE, ":solution", "ENTER", "", ":list")
    shown = go(script=script)
    assert "  3  three  done, solution shown\n" in shown


def test_skip_runs_the_solution_and_says_what_it_made(go: Go) -> None:
    shown = go(*TO_THREE, ":skip", "ENTER", ":list")
    assert ">>> z = given - 2\nSkipped; it made: given, z\n" in shown
    assert "\n1\n" in shown
    assert "  3  three  skipped\n" in shown


def test_free_play_leaves_the_lesson_as_it_is(go: Go) -> None:
    shown = go(*TO_THREE, ":free", "given = 9", "torch.set_grad_enabled(False)", ":done", "given", ":mode")
    assert "\n3\n" in shown
    assert shown.endswith("grad mode: on\n") or "grad mode: off" not in shown.split("what you tried is gone")[1]


def test_writing_in_place_in_free_play_does_not_reach_the_lesson(go: Go) -> None:
    shown = go(*TO_THREE, ":free", "x.detach().zero_(), 'played'", ":done", "x.item(), 'lesson'")
    assert "(1.0, 'lesson')" in shown


def test_names_from_free_play_are_kept_when_asked(go: Go) -> None:
    shown = go(*TO_THREE, ":free", "mine = 7", ":undo", "mine = 8", ":done keep", "mine", "z = 1", "", "mine + 1")
    assert "Back in the lesson, with: mine\n" in shown
    assert "\n8\n" in shown
    assert "\n9\n" in shown


def test_undo_offers_the_lessons_statement_again(go: Go) -> None:
    script = Typist("ENTER", ":undo", "ENTER")
    go(script=script)
    assert script.offered[:3] == ["import torch\n", "x = torch.ones(1, requires_grad=True)\n", "import torch\n"]


def test_go_makes_what_comes_before_and_goes_back(go: Go) -> None:
    shown = go(":go 4", "z", ":go one", "'z' in globals()", ":go 9")
    assert "\n1\n" in shown
    assert "\nFalse\n" in shown
    assert "A number from 1 to 4" in shown


def test_reset_begins_the_step_anew(go: Go) -> None:
    shown = go(*TO_THREE, "z = 2", ":reset", "'z' in globals()", ":reset all", "y", "'given' in globals()")
    assert shown.count("\nFalse\n") == 2
    assert "1/4" in shown.split("3/4")[-1]


def test_a_check_changes_nothing_of_the_learners(go: Go) -> None:
    shown = go(*TO_THREE, "z = [given - 2, dir()][0]", "x.grad, given")
    assert "(None, 3)" in shown


def test_back_makes_names_as_they_were(go: Go) -> None:
    shown = go(*TO_FOUR, ":back", "'z' in globals()", "given, x.requires_grad")
    assert "\nFalse\n(3, True)\n" in shown


def test_what_is_tried_in_a_step_is_gone_in_the_next(go: Go) -> None:
    assert "NameError: name 'mine' is not defined" in go("mine = 1", *TO_THREE, "mine")
    assert "NameError" not in go("mine = 1", "mine")


def test_an_edited_statement_runs_and_the_lessons_own_is_offered_again(go: Go) -> None:
    script = Typist("import math", "ENTER")
    go(script=script)
    assert script.offered[:3] == ["import torch\n", "import torch\n", "x = torch.ones(1, requires_grad=True)\n"]


def test_the_list_says_where_one_is(go: Go) -> None:
    shown = go(*TO_TWO, "1", "1", ":list")
    assert "  1  one    done\n>  2  two    done, guessed wrong; here\n   3  three\n   4  four\n" in shown


def test_the_language_changes_in_place(go: Go) -> None:
    shown = go(":lang vi", ":hint", ":lang xx")
    assert "1/4  one\nBước một.\nBước này không có gợi ý.\nHãy chọn một ngôn ngữ: en, vi, both.\n" in shown


def test_unknown_commands_help_and_quit(go: Go) -> None:
    shown = go(":bcak", ":help", ":quit", "print('never')")
    assert "Did you mean :back?" in shown
    assert ":solution" in shown
    assert "never" not in shown


def test_the_toolbar_says_where_one_is_and_the_mode(go: Go) -> None:
    script = Typist("torch = __import__('torch'); torch.set_grad_enabled(False)", "1")
    go(script=script)
    assert script.toolbars[0] == "small 1/4 | grad mode: on"
    assert "grad mode: off (set_grad_enabled(False))" in script.toolbars[1]


def test_the_mode_is_put_back_behind_the_lesson(go: Go) -> None:
    torch = engines.load("builtin").torch
    go("ENTER", "torch.set_grad_enabled(False)")
    assert torch.is_grad_enabled()


def test_commands_are_obeyed_where_a_prediction_is_asked_for(go: Go) -> None:
    shown = go(*TO_TWO, ":hint", "True", ":list", "MulBackward0")
    assert "This step has no hints." in shown
    assert "Right: x.requires_grad = True, y.grad_fn = MulBackward0\n" in shown


def test_a_prediction_can_be_left_by_command(go: Go) -> None:
    assert "1/4" in go(*TO_TWO, "True", ":back").split("2/4")[1]
    assert "3/4" in go(*TO_TWO, ":skip")
    assert go(*TO_TWO, ":quit", "print('never')").count("never") == 0
    assert "y: requires_grad" not in go(*TO_TWO, "True", ":quit")


def test_ctrl_c_at_a_prediction_asks_again(go: Go) -> None:
    shown = go(*TO_TWO, "CTRL-C", "True", "MulBackward0")
    assert "Right: x.requires_grad = True, y.grad_fn = MulBackward0\n" in shown


def test_lines_that_make_no_program_get_a_reply_rather_than_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    lesson = load(shelf.find("enable-grad"))
    index = next(index for index, step in enumerate(lesson.steps) if step.kind == "parsons")
    first, second, third, *_rest = player.right_order(lesson.steps[index])
    script = Typist(f"{first} {third} {second}", f"{first}", f"{first} {second} {third}")
    options, terminal = Options(speech="en", plain=True), Terminal(False, False, True)
    learn(lesson, engines.load("builtin"), script, options, terminal, Forgetful(), index)
    shown = capsys.readouterr().out
    assert "Error" not in shown
    assert f"line {second} can't stand there: with torch.enable_grad():\n" in shown
    assert "a line must follow the last one, indented more deeply" in shown


def test_none_is_said_as_none(go: Go) -> None:
    shown = go(*TO_THREE, "class Odd:\n    __eq__ = lambda *both: None\n", "z = Odd()")
    assert "Not yet: z == 1 should be True, and is None.\n" in shown


def test_names_that_were_brought_along_may_take_the_answer_away(go: Go) -> None:
    brought = (*TO_TWO, ":free", "x = None", ":done keep")
    shown = go(*brought, "True", "MulBackward0", ":reset", "True", "MulBackward0")
    assert "there is no answer: x.requires_grad raises AttributeError" in shown
    assert "Right: x.requires_grad = True, y.grad_fn = MulBackward0" in shown
    assert "there is no answer: " in go(*brought, ":again")


def test_lines_that_do_nothing_get_a_reply(capsys: pytest.CaptureFixture[str]) -> None:
    lesson = load(shelf.find("threads-generators"))
    index = next(index for index, step in enumerate(lesson.steps) if step.kind == "parsons")
    script = Typist(str(player.lines(lesson.steps[index]).index("t.join()") + 1))
    options, terminal = Options(speech="en", plain=True), Terminal(False, False, True)
    learn(lesson, engines.load("builtin"), script, options, terminal, Forgetful(), index)
    assert "Not yet: " in capsys.readouterr().out.partition(">>> t.join()")[2]
