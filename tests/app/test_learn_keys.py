"""A lesson's keys, pressed at the real prompt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from gradrepl.app import engines
from gradrepl.app.learning.course import learn
from gradrepl.app.learning.remembering import Forgetful
from gradrepl.app.line.history import QuietHistory
from gradrepl.app.line.prompt import PromptReader
from gradrepl.app.options import Options, Terminal
from gradrepl.lesson.load import load

LESSON = """+++
id = "keys"
title.en = "Keys"
title.vi = "Phím"
goal.en = "Press them."
goal.vi = "Nhấn phím."
+++

## one
<!--vi-->
### Bắt đầu

Bước một.
<!--en-->
### Begin

Step one.
<!--code-->
```pycon
>>> import torch
>>> x = torch.ones(1, requires_grad=True)

```

## two {choice}
<!--vi-->
Chọn đi.
<!--en-->
Choose.
<!--option right-->
- vi: Đúng đấy.
- en: This one.
<!--option-->
- vi: Sai đấy.
- en: Not this.
<!--reply-->
- vi: Vì thế.
- en: Because.
<!--hint-->
- vi: Gợi ý của bước hai.
- en: A hint for two.

## three {fill}
<!--vi-->
Điền vào.
<!--en-->
Fill in.
<!--template-->
```pycon
>>> z = ____

```
<!--solution-->
```pycon
>>> z = x * 2

```
<!--check-->
```pycon
>>> z.item()
2.0

```
<!--wrong-->
```pycon
>>> z = x

```
- vi: Đó là x.
- en: That is x.
<!--hint-->
- vi: Gợi ý của bước ba.
- en: A hint for three.
"""

ENTER, CLEAR, END = "\r", "\x03", "\x04"
LEFT, PAGE_UP, TAB, HELP = "\x1b[D", "\x1b[5~", "\t", "\x1bOP"
TO_TWO = (ENTER, ENTER, ENTER)


class Presser(PromptReader):
    """Presses keys at the real prompt, one entry a prompt; Ctrl-D when there are none left."""

    def __init__(self, keys: list[str], pipe: PipeInput, history: Path) -> None:
        super().__init__(QuietHistory(history), input=pipe, output=DummyOutput())
        self.keys = keys
        self.pipe = pipe
        self.footers: list[bool] = []
        self.asked: list[str] = []

    def _press(self, offered: str) -> None:
        self.footers.append(self.footer)
        self.asked.append(offered)
        self.pipe.send_text(self.keys.pop(0) if self.keys else CLEAR + END)

    def code(self, offered: str = "") -> str:
        self._press(offered)
        return super().code(offered)

    def line(self, prompt: str, offered: str = "") -> str:
        self._press(offered)
        return super().line(prompt, offered)


Press = Callable[..., str]


@pytest.fixture
def presser() -> list[Presser]:
    """The one who pressed the keys, last."""
    return []


@pytest.fixture
def press(tmp_path: Path, capsys: pytest.CaptureFixture[str], presser: list[Presser]) -> Press:
    """Presses these keys in the lesson; returns what was shown."""
    path = tmp_path / "keys.md"
    path.write_text(LESSON, "utf-8")
    lesson = load(path)

    def run(*keys: str, speech: str = "en", start: int | None = None) -> str:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            presser.append(Presser(list(keys), pipe, tmp_path / "history"))
            options = Options(speech=speech, plain=True)  # type: ignore[arg-type]
            terminal = Terminal(False, False, True)
            learn(lesson, engines.load("builtin"), presser[-1], options, terminal, Forgetful(), start)
        assert not presser[-1].keys
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("key", [LEFT, PAGE_UP])
def test_one_step_back(key: str, press: Press) -> None:
    assert "1/3" in press(*TO_TWO, key).split("2/3")[1]


@pytest.mark.parametrize("key", [LEFT, PAGE_UP])
def test_back_is_not_offered_at_the_first_step(key: str, press: Press) -> None:
    assert press(CLEAR, key + ENTER).count("1/3") == 1


def test_page_up_goes_back_from_a_program_that_was_offered_and_left_does_not(press: Press) -> None:
    assert "2/3" in press(PAGE_UP, start=2).split("3/3")[1]
    assert "2/3" not in press(LEFT + CLEAR, start=2)


def test_a_question_mark_is_a_hint_where_nothing_is_typed(press: Press) -> None:
    assert "Hint 1 of 1\nA hint for two.\n" in press("?", start=1)
    assert "Hint 1 of 1\nA hint for three.\n" in press(CLEAR, "?", start=2)
    assert "Hint" not in press(CLEAR, "'?'" + ENTER, start=2)


def test_tab_begins_free_play_and_ends_it(press: Press) -> None:
    shown = press(*TO_TWO, TAB, "x = 5" + ENTER, "x" + ENTER, TAB, TAB, "x" + ENTER)
    assert shown.count("Free play:") == 2
    assert "\n5\n" in shown.split("what you tried is gone")[0]
    assert "tensor([1.], requires_grad=True)" in shown.split("what you tried is gone")[1]


def test_names_from_free_play_are_taken_along(press: Press) -> None:
    shown = press(CLEAR, TAB, "mine = 7" + ENTER, ":done keep" + ENTER, CLEAR, "mine + 1" + ENTER)
    assert "Back in the lesson, with: mine\n" in shown
    assert "\n8\n" in shown


def test_f1_helps(press: Press) -> None:
    assert ":solution" in press(HELP)
    assert ":solution" in press(HELP, start=1)


def test_ctrl_c_empties_the_prompt_and_stays(press: Press, presser: list[Presser]) -> None:
    shown = press("nonsense(" + CLEAR, CLEAR, ENTER, ENTER, ENTER)
    assert "2/3" in shown
    assert "nonsense" not in shown
    assert presser[-1].asked[1:3] == ["", ""]


def test_ctrl_d_leaves_an_empty_prompt_only(press: Press) -> None:
    assert press(CLEAR, END).endswith("Step one.\n")
    assert "\n7\n" in press(CLEAR, "78\x1b[D" + END + ENTER)


def test_the_language_changes_and_the_place_stays(press: Press, presser: list[Presser]) -> None:
    shown = press(":lang vi" + ENTER, "?", ":lang both" + ENTER, ":lang en" + ENTER, start=1)
    vietnamese, both = shown.split("2/3")[2:4]
    assert "Chọn đi." in vietnamese
    assert "Gợi ý của bước hai." in vietnamese
    assert "Choose." not in vietnamese
    assert ("Chọn đi." in both, "Choose." in both) == (True, True)
    assert "1/3" not in shown
    shown = press(CLEAR, ":lang vi" + ENTER, CLEAR, "z = x" + ENTER, start=2)
    assert "Đó là x." in shown
    assert presser[-1].asked[-2] == "z = x"


def test_an_input_is_undone(press: Press) -> None:
    shown = press(CLEAR, "kept = 1" + ENTER, CLEAR, ":undo" + ENTER, CLEAR, "'kept' in globals()" + ENTER)
    assert "\nFalse\n" in shown


def test_a_command_below_a_program_is_obeyed_and_the_program_stays(press: Press, presser: list[Presser]) -> None:
    shown = press("\x1b\r:hint" + ENTER, start=2)
    assert "A hint for three." in shown
    assert presser[-1].asked[-2] == "z = ____\n"


@pytest.mark.parametrize("typed", ["?", ":hint" + ENTER])
def test_a_hint_is_had_where_a_program_was_offered(typed: str, press: Press, presser: list[Presser]) -> None:
    assert "A hint for three." in press(typed, start=2)
    assert presser[-1].asked[-2].strip() == "z = ____"


def test_a_colon_behind_what_was_offered_begins_a_command(press: Press, presser: list[Presser]) -> None:
    assert ">  1  " in press(":list" + ENTER)
    assert presser[-1].asked[:2] == ["import torch\n", "import torch\n"]
    press("\x7f" * 4 + "x[1:]" + ENTER, start=2)
    assert presser[-1].asked[-2] == "z = x[1:]"


def test_a_solution_is_had_where_a_program_was_offered(press: Press, presser: list[Presser]) -> None:
    press(":solution" + ENTER, start=2)
    assert presser[-1].asked[-2] == "z = x * 2\n"


def test_a_blank_left_says_what_may_be_done(press: Press) -> None:
    assert "in the place of each ____; :hint and :solution work" in press(ENTER, start=2)


def test_the_footer_is_hidden_in_the_lesson_only(press: Press, presser: list[Presser]) -> None:
    press(":keys off" + ENTER, ":keys on" + ENTER, ":keys off" + ENTER, start=1)
    assert presser[-1].footers[:4] == [True, False, True, False]
    assert presser[-1].footer


def test_starting_over_asks_and_forgets(press: Press) -> None:
    no = press("1" + ENTER, ":reset all" + ENTER, "n" + ENTER, ":list" + ENTER, start=1)
    assert "done, guessed wrong" in no
    yes = press("1" + ENTER, ":reset all" + ENTER, "y" + ENTER, CLEAR, ":list" + ENTER, start=1)
    assert "1/3" in yes
    assert "guessed wrong" not in yes


def test_the_list_names_the_ids_that_go_takes(press: Press) -> None:
    shown = press(":list" + ENTER, ":go thr" + ENTER, start=1)
    assert "\n   1  Begin  one\n>  2  two         here\n   3  three\n" in shown
    assert "3/3" in shown
