"""`gradrepl repair` as a command: kinds of pages, its options and its exit status."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from gradrepl.app.cli import main

FIRST = ">>> x = torch.ones(2, requirements_grad=True)\n"
SECOND = ">>> y = x * 2>>> y.requires_gradTrue\n"
CODE = FIRST + SECOND
CLEAN = ">>> import torch\n>>> torch.ones(2)\ntensor([1., 1.])\n"
WRONG = ">>> import torch\n>>> torch.ones(2)\ntensor([3., 1.])\n"
ESCAPED = [part.replace(">", "&gt;") for part in (FIRST, SECOND)]
PAGES = {
    "page.txt": CODE,
    "page.html": (
        f"<h1>Đầu trang</h1><p>Hai &amp; ba.</p><pre>{ESCAPED[0]}</pre><p>Giữa trang.</p><pre>{ESCAPED[1]}</pre>"
        "<p>Cuối trang.</p>"
    ),
    "page.md": (f"# Đầu trang\n\nHai & ba.\n\n```\n{FIRST}```\n\nGiữa trang.\n\n```\n{SECOND}```\n\nCuối trang.\n"),
    "page.ipynb": json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["# Đầu trang\n", "\n", "Hai & ba."]},
                {"cell_type": "code", "source": "import torch\nx = torch.ones(2，requires_grad=True）", "outputs": []},
                {"cell_type": "markdown", "source": "Giữa trang."},
                {"cell_type": "code", "source": "y = x * 2\ny.requires_grad", "outputs": [{"text": "True\n"}]},
                {"cell_type": "markdown", "source": "Cuối trang."},
            ],
            "nbformat": 4,
        }
    ),
}


class Ran(NamedTuple):
    """How the command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ran]


@pytest.fixture
def gradrepl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `gradrepl ARGUMENTS` in this process, in an empty folder; input: what is on standard input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(*arguments: str, input: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode()), "utf-8"))
        status = main(arguments)
        return Ran(status, *capsys.readouterr())

    return run


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of a page of each kind."""
    (tmp_path / request.param).write_text(PAGES[request.param], "utf-8")
    return str(request.param)


def test_every_kind_of_page_becomes_a_transcript_and_a_lesson(gradrepl: Run, page: str, tmp_path: Path) -> None:
    ran = gradrepl("repair", page, "--to", "draft.md", "--json")
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (0, "draft.md is written. What next:")
    told = json.loads(ran.stdout)
    assert told["transcript"].startswith(">>> import torch\n>>> x = torch.ones(2")
    assert [item["verdict"] for item in told["statements"]][-1] == "agree"
    lesson = (tmp_path / "draft.md").read_text("utf-8")
    if page != "page.txt":
        order = ("Hai & ba.", ">>> x = torch.ones(2", "Giữa trang.", ">>> y = x * 2", "Cuối trang.")
        assert [lesson.count(text) for text in order] == [1] * len(order)
        assert sorted(order, key=lesson.index) == list(order)
    checked = gradrepl("check", "--engine", "builtin", "draft.md")
    assert (checked.returncode, checked.stdout) == (0, "draft.md: OK (builtin)\n")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "there is nothing to run"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), "is no text: byte 8 is 0."),
        ("Chỉ có lời văn.\n".encode(), "there is nothing to run"),
        (b'{"cells": 3, "nbformat": 4}', "expected a notebook (JSON with cells), found TypeError"),
    ],
)
def test_what_holds_no_code_is_told_in_one_line(gradrepl: Run, tmp_path: Path, data: bytes, told: str) -> None:
    (tmp_path / "page").write_bytes(data)
    ran = gradrepl("repair", "page")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("gradrepl: page")
    assert told in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["missing.html", ".", "a\0b", "x" * 5000])
def test_what_cannot_be_read_is_told_in_one_line(gradrepl: Run, name: str) -> None:
    ran = gradrepl("repair", name)
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1)
    assert "Give the path of a page" in ran.stderr


@pytest.mark.parametrize(("text", "status"), [(CODE, 0), (CLEAN, 0), (WRONG, 1), ("", 2)])
def test_the_exit_status_says_whether_the_outputs_agree(gradrepl: Run, text: str, status: int) -> None:
    assert gradrepl("repair", "-", input=text).returncode == status


def test_a_page_in_utf_16_is_text(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_bytes(CLEAN.encode("utf-16"))
    assert gradrepl("repair", "page.txt").stdout == CLEAN


def test_a_clean_page_comes_back_as_it_is(gradrepl: Run) -> None:
    ran = gradrepl("repair", "-", input=CLEAN)
    assert ran.stdout == CLEAN
    assert "Nothing had to be repaired." in ran.stderr


def test_repairs_are_listed_and_explained(gradrepl: Run) -> None:
    ran = gradrepl("--lang", "vi", "repair", "-", "--explain", input=CODE)
    assert "\n  D02 tên viết sai, dòng 1\n- x = torch.ones(2, requirements_grad=True)\n+ x = torch.ones" in ran.stderr
    assert "- tên viết sai: Tên của API bị viết sai" in ran.stderr
    assert ran.stdout.endswith(">>> y.requires_grad\nTrue\n")


def test_run_without_a_keyboard_runs_one_statement_after_the_other(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text(CODE + ">>> = = =\n", "utf-8")
    ran = gradrepl("repair", "page.txt", "--run")
    assert ran.returncode == 0
    assert ran.stdout.startswith("\npage.txt, repaired\n- >>> x = torch.ones(2, requirements_grad=True)\n")
    assert "x: requires_grad = True; grad_fn = None; grad = None [new]\n>>> y = x * 2\n" in ran.stdout
    assert "not Python, left out: = = =\n" in ran.stdout


def test_a_lesson_is_never_written_over(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "draft.md").write_text("mine")
    ran = gradrepl("repair", "-", "--to", "draft.md", input=CODE)
    assert (ran.returncode, (tmp_path / "draft.md").read_text()) == (2, "mine")
    assert "draft.md is there already; nothing was written." in ran.stderr
