"""A damaged page pasted in a real pseudo-terminal: at the prompt, on a plain screen, and from a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.app.test_terminal import Open, terminal  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
PAGE = ">>> x = torch.ones(2, requirements_grad=True)>>> y = x * 2\n>>> y.requires_gradTrue"
PASTED = f"\x1b[200~{PAGE}\x1b[201~"


def test_a_paste_is_offered_then_kept_or_run(terminal: Open) -> None:  # noqa: F811
    screen = terminal()
    screen.wait(">>>")
    screen.send(PASTED)
    text = screen.wait(r"your answer, 1-4:")
    assert "\n>>>" not in text.partition("What you pasted, repaired")[0]
    assert "+ >>> x = torch.ones(2, requires_grad=True)\n+ >>> y = x * 2\n" in text
    screen.send("4\r")
    screen.wait(r"\n>>> >>> x = torch.ones\(2, requirements_grad=True\)>>> y = x \* 2\n\.\.\. >>> y\.requires_gradTrue")
    screen.send("\x03" + PASTED)
    screen.wait(r"(?s)1-4: 4.*your answer, 1-4:")
    screen.send("1\r")
    screen.wait(r"\+ y +\[2., 2.\] +True +MulBackward0")
    screen.wait(r"(?s)\n>>> y\.requires_grad\nTrue\n>>>")


def test_lines_that_come_together_on_a_plain_screen_are_a_paste(terminal: Open) -> None:  # noqa: F811
    screen = terminal("--plain")
    screen.wait(">>>")
    screen.send(PAGE + "\n")
    text = screen.wait(r"your answer, 1-4:")
    assert "\n+ >>> y = x * 2\n" in text
    screen.send("1\n")
    screen.wait(r"\nx: requires_grad = True; grad_fn = None; grad = None \[new\]\n(.|\n)*\nTrue\n>>>")
    screen.send("n = input()\nseven\nn\n")
    screen.wait(r"'seven'\n")


def test_repair_run_goes_through_a_file_step_by_step(terminal: Open, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "page.txt").write_text(PAGE + "\n>>> w = x 3\n", "utf-8")
    screen = terminal("repair", str(tmp_path / "page.txt"), "--run", NO_COLOR="1")
    screen.wait(r"Something is missing in w = x 3\. What was it\?(.|\n)*your answer, 1-6:")
    screen.send("1\r")
    screen.wait(r"5 statements of the page: Enter runs the next one\.\n>>> import torch")
    screen.send("\r")
    screen.wait(r"\n>>> x = torch.ones\(2, requires_grad=True\)")
    screen.send("\r")
    screen.wait(r"\+ x +\[1., 1.\] +True")
    screen.wait(r"\n>>> y = x \* 2")
    assert b"\x1b[31m" not in screen.raw
    screen.send("\x03\x04")
    assert screen.end() == 0
