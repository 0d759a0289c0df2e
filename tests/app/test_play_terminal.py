"""Playback in a real pseudo-terminal: keys at every moment, and the terminal as it was afterwards."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.app.test_play import LESSON
from tests.app.test_terminal import Open, Screen, terminal  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")


@pytest.fixture
def lesson(tmp_path: Path) -> str:
    """A lesson file: a question, then an exercise."""
    path = tmp_path / "small.md"
    path.write_text(LESSON, "utf-8")
    return str(path)


def echoes(screen: Screen) -> bool:
    import termios

    both = termios.ECHO | termios.ICANON
    return bool(termios.tcgetattr(screen.file)[3] & both == both)


def test_it_stops_at_a_question_and_goes_on_with_space(terminal: Open, lesson: str) -> None:  # noqa: F811
    screen = terminal("play", "--trust", lesson, "--typing", "1", "--max-wait", "0")
    text = screen.wait(r"‖ 1/2")
    assert "What do you expect? y.requires_grad" in text
    assert "-> False" not in text
    assert not echoes(screen)
    screen.send(" ")
    assert screen.end() == 0
    assert re.search(r"y.requires_grad -> False(.|\n)*>>> z = 1", screen.text)
    assert "1/2  \N{BOX DRAWINGS HEAVY HORIZONTAL}" not in screen.text


def test_a_digit_answers_and_the_lesson_replies_and_goes_on(terminal: Open, lesson: str) -> None:  # noqa: F811
    screen = terminal("play", "--trust", lesson, "--typing", "1", "--max-wait", "0")
    text = screen.wait(r"‖ 1/2 .* 1-2 answer  Space go on")
    assert re.search(r">>> y\n.*y.requires_grad\ny.requires_grad:  1 True   2 False", text)
    screen.send("1")
    assert screen.end() == 0
    assert "y.requires_grad = True" in screen.text
    assert re.search(r"you said True, it is False\.\s+Nobody set the flag\.", screen.text)


def test_a_long_output_is_cut_and_keys_work_behind_it(terminal: Open, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "long.py").write_text("print('x' * 10**6)\n\nfor i in range(9_000): print(i)\n", "utf-8")
    screen = terminal("play", "--trust", str(tmp_path / "long.py"), "--max-wait", "0", "--stop", "step")
    screen.wait(r"more is printed than is shown(.|\n)*‖ 1/2")
    screen.send(" ")
    screen.wait(r"\n8999\n.* characters more were printed\n(.|\n)*‖ 2/2")
    screen.send("q")
    assert screen.end() == 0
    assert len(screen.raw) < 200_000


def test_back_and_take_over_keep_the_lessons_values(terminal: Open, lesson: str) -> None:  # noqa: F811
    screen = terminal("play", "--trust", lesson, "--typing", "off", "--max-wait", "0", "--stop", "step")
    screen.wait(r"‖ 1/2")
    screen.send(".")
    screen.wait(r"‖ 2/2|2/2  two")
    screen.send("\t")
    screen.wait(r"Your turn(.|\n)*>>>(.|\n)*Tab: go on")
    screen.send("y = 'mine'\r")
    screen.wait(r"= 'mine'\n(.|\n)*>>>\n")
    screen.send("\t")
    screen.wait(r"The lesson goes on")
    screen.send("\x1b[D")
    screen.wait(r"Back to step 1\.")
    screen.send("q")
    assert screen.end() == 0
    assert "mine" not in screen.text.partition("The lesson goes on")[2]


def test_speed_pause_and_skip_show_in_the_line_at_the_bottom(terminal: Open, lesson: str) -> None:  # noqa: F811
    screen = terminal("play", "--trust", lesson, "--typing", "2000", "--max-wait", "0", "--stop", "never")
    screen.wait(r">>> i(.|\n)*▶ 1/2")
    screen.send(" +")
    screen.wait(r"‖ 1/2.*×1\.5")
    screen.send("\r")
    screen.wait(r">>> import torch")
    screen.send("q")
    assert screen.end() == 0


@pytest.mark.parametrize("way", ["\x03", "SIGTERM"])
def test_the_terminal_is_put_back_however_it_ends(terminal: Open, lesson: str, way: str) -> None:  # noqa: F811
    screen = terminal("play", "--trust", lesson, "--typing", "off", "--max-wait", "0")
    screen.wait(r"‖ 1/2")
    held = os.dup(screen.file)
    assert not echoes(screen)
    if way == "SIGTERM":
        os.kill(screen.process, signal.SIGTERM)
    else:
        screen.send(way)
    assert screen.end() in (130, -signal.SIGTERM)
    assert screen.raw.rstrip().rfind(b"\x1b[?25h") > screen.raw.rfind(b"\x1b[?25l")
    os.close(held)
    assert echoes(screen)
