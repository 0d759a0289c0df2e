"""Lesson files: what their Markdown becomes, and what is said of damaged ones."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from gradrepl.lesson.load import LessonErrors, load
from gradrepl.lesson.model import Example, Lesson, Text, WarningPromise

Write = Callable[..., Path]


def problems(path: Path) -> list[str]:
    """What is wrong with a file, each as `line: step: message`; that it is said as one line is checked."""
    with pytest.raises(LessonErrors) as raised:
        load(path)
    said = [str(problem) for problem in raised.value.problems]
    assert said
    assert all(line.startswith(f"{path}:") and "\n" not in line for line in said)
    return [line.removeprefix(f"{path}:") for line in said]


def test_the_lesson_itself(lesson: Lesson) -> None:
    assert (lesson.id, lesson.number) == ("small", 1)
    assert lesson.title == Text(vi="Nhỏ", en="Small")
    assert lesson.goal == Text(vi="Thấy một điều.", en="See one thing.")
    assert [(step.id, step.kind) for step in lesson.steps] == [
        ("start", "run"),
        ("inside", "predict"),
        ("warned", "run"),
        ("exercise", "try"),
    ]


def test_prose_is_kept_as_written(lesson: Lesson) -> None:
    assert lesson.steps[0].prose == Text(vi="### Bắt đầu\n\nTa tạo `x`.", en="### Begin\n\nWe make `x`.")


def test_examples_have_source_want_and_line(lesson: Lesson, text: str) -> None:
    lines = text.split("\n")
    examples = lesson.steps[0].examples
    assert [(example.source, example.want) for example in examples] == [
        ("import torch\n", ""),
        ("x = torch.tensor([1.], requires_grad=True)\n", ""),
        ("x\n", "tensor([1.], requires_grad=True)\n"),
    ]
    assert [lines[example.line - 1] for example in examples] == [f">>> {e.source}".rstrip("\n") for e in examples]
    block = lesson.steps[1].examples[0]
    assert block.source == "with torch.no_grad():\n    y = x * 2\n"


def test_a_prediction(lesson: Lesson, text: str) -> None:
    step = lesson.steps[1]
    assert step.cells == ("y.requires_grad", "y.grad_fn")
    first, second = step.feedback
    assert (first.cell, first.value, first.misconception) == ("y.requires_grad", "True", "requires-grad-always-records")
    assert (second.cell, second.value, second.misconception) == ("y.grad_fn", "MulBackward0", None)
    assert " ".join(second.text.en.split()) == "The multiplication is not recorded."
    assert text.split("\n")[first.line - 1].startswith("<!--if y.requires_grad")
    assert step.hints == (Text(vi="Cái gì bị tắt?", en="What is off?"),)


def test_a_promised_warning(lesson: Lesson) -> None:
    (promise,) = lesson.steps[2].promises
    message = "The .grad attribute of a Tensor that is not a leaf"
    assert promise == WarningPromise("UserWarning", message, promise.line)


def test_an_exercise(lesson: Lesson) -> None:
    step = lesson.steps[3]
    assert [example.source for example in step.solution] == ["z = x * 2\n"]
    assert [example.want for example in step.check] == ["(True, True)\n"]
    (wrong,) = step.wrong
    assert (wrong.misconception, wrong.text.en) == ("result-comes-back-later", "`y` was not recorded.")
    assert [example.source for example in wrong.examples] == ["z = y\n"]


def test_a_traceback_is_what_an_example_wants(tmp_path: Path, text: str) -> None:
    raising = ">>> 1 / 0\nTraceback (most recent call last):\n    ...\nZeroDivisionError: division by zero\n\n"
    path = tmp_path / "raising.md"
    path.write_text(text.replace(">>> x\ntensor([1.], requires_grad=True)\n\n", raising), "utf-8")
    found = load(path)
    assert found.number is None
    example = found.steps[0].examples[-1]
    assert (example.source, example.want) == ("1 / 0\n", raising.partition("\n")[2].removesuffix("\n"))


def test_cells_may_hold_commas(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cells.md"
    heading = "y.requires_grad, f(x, 1), a.grad is None"
    cut = text.replace("y.requires_grad, y.grad_fn", heading).replace("<!--if y.grad_fn", "<!--if y.requires_grad")
    path.write_text(cut, "utf-8")
    assert load(path).steps[1].cells == ("y.requires_grad", "f(x, 1)", "a.grad is None")


@pytest.mark.parametrize("change", [("\n", "\r\n"), ("+++\nid", "\ufeff+++\nid")], ids=["CRLF", "BOM"])
def test_files_of_other_editors_read_the_same(
    tmp_path: Path, lesson: Lesson, text: str, change: tuple[str, str]
) -> None:
    path = tmp_path / "02-small.md"
    path.write_bytes(text.replace(*change).encode())
    assert load(path).steps == lesson.steps


def test_a_comment_alone_is_an_example(tmp_path: Path, text: str) -> None:
    path = tmp_path / "comment.md"
    path.write_text(text.replace(">>> import torch\n", ">>> import torch\n>>> # chú thích\n"), "utf-8")
    assert Example("# chú thích\n", "", 21) in load(path).steps[0].examples


# what is replaced, by what, the line at which a problem must be told, and words that it must have
DAMAGED = {
    "no Vietnamese": ("<!--vi-->\nSau khối, `y` ra sao?\n", "", 27, "inside", "<!--vi-->"),
    "no English": ("<!--en-->\nHow is `y` after the block?\n", "", 27, "inside", "<!--en-->"),
    "empty prose": ("How is `y` after the block?\n", "", 30, "inside", "expected text"),
    "prose twice": ("<!--en-->\nHow is", "<!--vi-->\nHow is", 30, "inside", "already"),
    "unknown directive": ("<!--hint-->", "<!--hnit-->", 47, "inside", "did you mean <!--hint-->"),
    "a directive of another kind": ("<!--hint-->", "<!--solution-->", 47, "inside", "no place in a step"),
    "duplicate step": ("## warned", "## start", 51, "start", "line 9"),
    "a step id in capitals": ("## warned", "## Warned Step", 51, "", "Warned Step"),
    "unknown kind": ("{try}", "{tyr}", 63, "exercise", "tyr"),
    "a prediction of nothing": ("{predict: y.requires_grad, y.grad_fn}", "{predict}", 27, "inside", "EXPRESSION"),
    "a prediction that is no Python": ("y.requires_grad, y.grad_fn}", "y..grad}", 27, "inside", "EXPRESSION"),
    "feedback on another cell": ("<!--if y.grad_fn ==", "<!--if y.grad ==", 43, "inside", "y.grad"),
    "feedback without a value": ("y.grad_fn == MulBackward0", "y.grad_fn", 43, "inside", "CELL == VALUE"),
    "feedback in one language": ("- vi: Việc ghi đang tắt.\n", "", 40, "inside", "- vi:"),
    "hint in one language": ("- en: What is off?\n", "", 47, "inside", "- en:"),
    "a promise without a message": ("UserWarning: The .grad", "UserWarning The .grad", 61, "warned", "CATEGORY"),
    "no check": ("<!--check-->\n```pycon\n>>> z.requires_grad, z.grad_fn is not None\n(True, True)\n\n```\n", "",
                 63, "exercise", "<!--check-->"),
    "a fence of another language": ("```pycon\n>>> z = None", "```python\n>>> z = None", 68, "exercise", "pycon"),
    "no prompt": (">>> z = None", "z = None", 70, "exercise", ">>>"),
    "no space behind the prompt": (">>> z = None", ">>>z = None", 70, "exercise", "z = None"),
    "output behind an empty line": ("(True, True)\n\n", "(True, True)\n\nmore\n\n", 83, "exercise", "more"),
    "an unclosed fence": ("(True, True)\n\n```\n", "(True, True)\n\n", 79, "exercise", "no end"),
    "text before any step": ("+++\n\n## start", "+++\n\nHello.\n\n## start", 9, "", "heading such as"),
    "no front matter": ("+++\nid", "id", 1, "", "+++"),
    "unclosed front matter": ('goal.en = "See one thing."\n+++\n', "", 1, "", "+++"),
    "front matter that is no TOML": ('id = "small"', "id = small", 2, "", "TOML"),
    "no id": ('id = "small"\n', "", 1, "", "id"),
    "an id of two words": ('id = "small"', 'id = "Small one"', 1, "", "Small one"),
    "a title in one language": ('title.vi = "Nhỏ"\n', "", 1, "", "title.vi"),
    "a title that is no text": ('title.vi = "Nhỏ"', "title.vi = 5", 1, "", "title.vi"),
    "an unknown key": ('id = "small"', 'id = "small"\nauthor = "x"', 1, "", "author"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_lesson_is_told_in_clear_lines(write: Write, name: str) -> None:
    old, new, line, step, words = DAMAGED[name]
    told = problems(write(old, new))
    place = f"{line}: {step}: " if step else f"{line}: "
    assert any(each.startswith(place) and words in each for each in told), told


def test_all_problems_are_told_in_the_order_of_lines(tmp_path: Path, text: str) -> None:
    path = tmp_path / "several.md"
    path.write_text(text.replace("<!--hint-->", "<!--hnit-->").replace("## warned", "## start"), "utf-8")
    lines = [int(each.partition(":")[0]) for each in problems(path)]
    assert {47, 51} <= set(lines)
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\0" * 100, "zero byte"),
        (b"+++\nid = \"a\"\n+++\n\xff\xfe", "UTF-8"),
        (b"+++ \n" * 300_000, "larger than 1,000,000 bytes"),
        (b"x" * 10_000_000, "larger than 1,000,000 bytes"),
        (unicodedata.normalize("NFD", "Bài học").encode(), "NFC"),
        (b'+++\nid="a"\ntitle.vi="a"\ntitle.en="a"\ngoal.vi="a"\ngoal.en="a"\n+++\n', "no step"),
        (b"\x1b[31m", "+++"),
        (b"[[" * 200_000, "+++"),
        (b"+++\na = " + b"[" * 100_000 + b"\n+++\n", "TOML"),
        (b'+++\nid="a"\ntitle.vi="a"\ntitle.en="a"\ngoal.vi="a"\ngoal.en="a"\n+++\n' + b"> " * 100_000, "no step"),
    ],
)  # fmt: skip
def test_what_is_no_lesson_at_all(write: Write, data: bytes, words: str) -> None:
    (told, *_) = problems(write(data=data))
    assert words in told


def test_not_utf8_is_told_with_its_line(write: Write, text: str) -> None:
    data = text.encode().replace("Ta tạo".encode(), b"Ta t\xe1o")
    (told,) = problems(write(data=data))
    assert told.startswith("13: ")


def test_not_nfc_is_told_with_its_line(write: Write) -> None:
    (told,) = problems(write("Ta tạo", unicodedata.normalize("NFD", "Ta tạo")))
    assert told.startswith("13: ")
    assert "NFC" in told


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    assert "folder" in problems(tmp_path)[0]
    assert "No such file" in problems(tmp_path / "none.md")[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
@pytest.mark.timeout(20, method="signal")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.md"
    os.mkfifo(path)
    assert "file" in problems(path)[0]


def test_the_values_alone_need_no_markdown_parser() -> None:
    code = "import gradrepl.lesson.model, sys; print('markdown_it' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
