"""Lessons by name: played, listed and checked from the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from support.typist import Typist

from gradrepl.app.play import play
from gradrepl.app.screens.screen import PlainScreen
from gradrepl.i18n import english
from gradrepl.lesson.load import load
from gradrepl.lesson.shelf import lessons
from gradrepl.record.event import Event, Ran
from gradrepl.session.engine import Engine

Run = Callable[..., CompletedProcess[str]]
torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
LESSON = """+++
id = "small"
title.en = "A small lesson"
title.vi = "Một bài nhỏ"
goal.en = "See it."
goal.vi = "Thấy nó."
+++

## one {predict: y.requires_grad}
<!--vi-->
### Bước một

Đoán `y`.
<!--en-->
### Step one

Guess `y`.
<!--code-->
```pycon
>>> import torch
>>> y = torch.ones(1)
>>> y
tensor([1.])

```
<!--if y.requires_grad == True #requires-grad-always-records-->
- vi: Không ai đặt cờ.
- en: Nobody set the flag.

## two {try}
<!--vi-->
Làm `z`.
<!--en-->
Make `z`.
<!--hint-->
- vi: Một phép gán.
- en: An assignment.
<!--solution-->
```pycon
>>> z = 1

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
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A lesson file of two steps."""
    path = tmp_path / "small.md"
    path.write_text(LESSON, "utf-8")
    return path


STREAMS: dict[tuple[str, ...], str] = {}


def stream(gradrepl: Run, *arguments: str) -> list[dict[str, Any]]:
    if arguments not in STREAMS:
        done = gradrepl("play", "1", "10", "16", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        STREAMS[arguments] = done.stdout
    text = re.sub(r"0x[0-9a-f]+", "0x...", STREAMS[arguments])
    return [json.loads(line) for line in re.sub(r" \(Triggered internally at [^\"]*\)", "", text).splitlines()]


def test_both_languages_give_the_same_events(gradrepl: Run) -> None:
    english, vietnamese = stream(gradrepl, "--lang", "en"), stream(gradrepl, "--lang", "vi")
    assert [english[0].pop("lang"), vietnamese[0].pop("lang")] == ["en", "vi"]
    assert english == vietnamese
    assert len(english) > 100


@torch
def test_both_engines_give_the_same_events(gradrepl: Run) -> None:
    ours, theirs = stream(gradrepl, "--lang", "en"), stream(gradrepl, "--lang", "en", "--engine", "torch")
    assert [ours[0].pop("engine"), theirs[0].pop("engine")] == ["builtin", "torch"]
    for one, other in zip(ours, theirs, strict=True):
        assert one == other


def test_play_shows_a_lesson_as_plain_lines(gradrepl: Run, small: Path) -> None:
    assert gradrepl("play", "--trust", str(small), "--lang", "en").stdout == (
        "A small lesson\nSee it.\n"
        "\n1/2  Step one\nGuess `y`.\n"
        ">>> import torch\n>>> y = torch.ones(1)\ny: requires_grad = False; grad_fn = None; grad = None [new]\n"
        ">>> y\ntensor([1.])\ny.requires_grad -> False\n"
        "\n2/2  two\nMake `z`.\nA solution:\n>>> z = 1\n"
    )


def test_play_in_both_languages_shows_both_texts(gradrepl: Run, small: Path) -> None:
    shown = gradrepl("play", "--trust", str(small), "--lang", "both").stdout
    assert shown.startswith("Một bài nhỏ / A small lesson\nThấy nó.\nSee it.\n")
    assert "\n1/2  Bước một / Step one\nĐoán `y`.\nGuess `y`.\n" in shown


def test_a_broken_promise_is_an_exit_status(gradrepl: Run, small: Path) -> None:
    small.write_text(LESSON.replace("tensor([1.])", "tensor([2.])"), "utf-8")
    assert gradrepl("play", "--trust", str(small)).returncode == 1
    done = gradrepl("check", str(small), "--engine", "builtin")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == f"{small}:22: one: expected 'tensor([2.])', got 'tensor([1.])'\n"


def test_an_error_on_purpose_is_none(gradrepl: Run) -> None:
    done = gradrepl("play", "1", "--plain")
    assert "RuntimeError: Only Tensors of floating point" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["play", "learn", "check"])
@pytest.mark.parametrize(("speech", "words"), [("en", "no-grad"), ("vi", "Ý bạn là")])
def test_a_lesson_that_is_not_there_names_the_closest(gradrepl: Run, command: str, speech: str, words: str) -> None:
    done = gradrepl(command, "no-gard", "--lang", speech)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_a_damaged_lesson_is_one_line_and_status_1(gradrepl: Run, small: Path) -> None:
    small.write_text(LESSON.replace("<!--en-->\nMake `z`.\n", ""), "utf-8")
    for command in ("play", "check", "learn"):
        done = gradrepl(command, str(small), "--engine", "builtin")
        assert done.returncode == 1
        text = done.stdout + done.stderr
        assert text.count("\n") == 1
        assert re.match(rf"{re.escape(str(small))}:\d+: two: ", text)


def test_check_says_ok_of_each_lesson(gradrepl: Run) -> None:
    done = gradrepl("check", "2", "5", "--engine", "builtin")
    assert done.returncode == 0
    assert [line.split(": ")[-1] for line in done.stdout.splitlines()] == ["OK (builtin)"] * 2


def test_lessons_are_listed_with_number_title_id_and_goal(gradrepl: Run) -> None:
    shown = gradrepl("lessons", "--lang", "vi").stdout
    assert "1. Khối with torch.no_grad()\nno-grad\nThấy rằng" in shown
    assert sum(line[:1].isdigit() for line in shown.splitlines()) == len(lessons())


def test_learn_without_a_keyboard_plays(gradrepl: Run, small: Path) -> None:
    assert gradrepl("learn", "--trust", str(small)).stdout == gradrepl("play", "--trust", str(small)).stdout


@pytest.mark.parametrize(("answers", "asked", "played"), [(("", "", ""), 3, True), (("q",), 1, False), ((), 1, False)])
def test_somebody_at_the_keyboard_is_asked_at_questions_and_after_each_step(
    small: Path, capsys: pytest.CaptureFixture[str], answers: tuple[str, ...], asked: int, played: bool
) -> None:
    from gradrepl.app.engines import load as engine

    keyboard = Typist(*answers)
    built: Engine = engine("builtin")
    assert play([load(small)], built, PlainScreen(english), "en", keyboard) == 0
    assert len(keyboard.asked) == asked
    assert ("Make `z`." in capsys.readouterr().out) == played


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (("2", ""), "y.requires_grad = False\n>>> import torch\n"),
        (("2", ""), "Right: y.requires_grad = False"),
        (("1", ""), "y.requires_grad: you said True, it is False.\nNobody set the flag.\n"),
        (("9", ""), "y.requires_grad -> False"),
        (("",), "y.requires_grad -> False"),
    ],
)
def test_a_prediction_is_answered_by_a_number_and_judged(
    small: Path, capsys: pytest.CaptureFixture[str], answers: tuple[str, ...], said: str
) -> None:
    from gradrepl.app.engines import load as engine

    assert play([load(small)], engine("builtin"), PlainScreen(english), "en", Typist(*answers), stop="predict") == 0
    shown = capsys.readouterr().out
    assert "y.requires_grad:  1 True   2 False\n" in shown
    assert said in shown


def test_a_choice_is_answered_until_it_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    from gradrepl.app.engines import load as engine

    keyboard = Typist("2", "1", "", "q")
    lesson, first = load(lessons()[0]), 6
    assert play([lesson], engine("builtin"), PlainScreen(english), "en", keyboard, stop="predict", first=first) == 0
    shown = capsys.readouterr().out
    assert shown.index("No, it isn't 2.") < shown.index("gave `True`.") < shown.index("Right.\nAutograd knows")
    assert "Right is 1." not in shown


def test_a_question_leaves_values_and_random_numbers_as_they_are(small: Path, tmp_path: Path) -> None:
    from gradrepl.app.engines import load as engine

    small.write_text(LESSON.replace(">>> y\n", ">>> y = torch.rand(1)\n>>> y\n"), "utf-8")
    built: Engine = engine("builtin")
    values = []
    for stop in ("never", "predict"):
        events: list[Event] = []
        play([load(small)], built, PlainScreen(english), "en", Typist("1", ""), events.append, stop=stop)  # type: ignore[arg-type]
        values.append([outcome.value for event in events if isinstance(event, Ran) for outcome in event.outcomes])
    assert values[0] == values[1]
    assert any(value and value.startswith("tensor([0.") for value in values[0])


@pytest.mark.parametrize("command", [("play",), ("export", "--format", "txt", "--to", "made/")])
def test_a_prediction_without_an_answer_shows_its_error(gradrepl: Run, small: Path, command: tuple[str, ...]) -> None:
    small.write_text(LESSON.replace("{predict: y.requires_grad}", "{predict: y.requires_grad, nothing}"), "utf-8")
    done = gradrepl(*command, str(small), "--trust", "--lang", "en")
    shown = done.stdout if command == ("play",) else (small.parent / "made" / "small.en.txt").read_text("utf-8")
    assert "y.requires_grad -> False\nnothing -> NameError: name 'nothing' is not defined" in shown
    assert shown.endswith(">>> z = 1\n")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
