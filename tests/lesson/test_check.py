"""What the check of lessons finds, and that it finds nothing in a good one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gradrepl.lesson.check import check
from gradrepl.lesson.load import load
from gradrepl.lesson.model import Lesson
from gradrepl.session.engine import Engine

Write = Callable[..., Path]


def test_a_good_lesson_has_no_problems(lesson: Lesson, engine: Engine) -> None:
    assert [str(problem) for problem in check(lesson, engine)] == []


# what is replaced, by what, the line and step at which it is told, and words that the problem must have
FAULTS = {
    "a wrong output": (
        ">>> x\ntensor([1.], requires_grad=True)", ">>> x\ntensor([2.], requires_grad=True)", 22, "start", "tensor([2.]"
    ),
    "an output that does not come": (">>> import torch\n", ">>> import torch\n1\n", 20, "start", "1"),
    "an output that is not promised": (">>> z = None\n", ">>> 5\n", 70, "exercise", "5"),
    "an error that is not promised": (">>> z = None\n", ">>> zz\n", 70, "exercise", "NameError"),
    "an error that does not come": (
        ">>> z = None\n", ">>> z = None\nTraceback (most recent call last):\n    ...\nValueError: x\n", 70, "exercise",
        "ValueError",
    ),
    "a warning that does not come": (">>> (x * 2).grad", ">>> x.grad", 61, "warned", "expected the warning"),
    "a warning that is not promised": (
        "<!--warns UserWarning: The .grad attribute of a Tensor that is not a leaf-->\n", "", 51, "warned", "no warning"
    ),
    "feedback to the truth": ("y.requires_grad == True", "y.requires_grad == False", 40, "inside", "is true"),
    "a cell without a value": (
        "y.requires_grad, y.grad_fn}", "y.requires_grad, y.grad_fn, q}", 27, "inside", "NameError"
    ),
    "a solution that fails": (">>> z = x * 2", ">>> z = y * 2", 80, "exercise", "solution"),
    "a check that the untouched state passes": (">>> z = None", ">>> z = x * 3", 80, "exercise", "before anything"),
    "a wrong attempt that passes": (">>> z = y\n", ">>> z = x * 4\n", 84, "exercise", "passes the check"),
    "other code in one language": ("Compute `z` as `x * 2`", "Compute `z` as `x * 3`", 63, "exercise", "`x * 3`"),
    "an id that is not the file's": ('id = "small"', 'id = "tiny"', 1, "", "tiny"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_where_it_is(write: Write, engine: Engine, name: str) -> None:
    old, new, line, step, words = FAULTS[name]
    path = write(old, new)
    told = [str(problem) for problem in check(load(path), engine)]
    place = f"{path}:{line}: {step}: " if step else f"{path}:{line}: "
    assert any(each.startswith(place) and words in each for each in told), told


def test_a_lesson_does_not_change_the_engine_for_the_next(lesson: Lesson, engine: Engine, write: Write) -> None:
    path = write("<!--code-->\n```pycon\n>>> z = None", "<!--code-->\n```pycon\n>>> _ = torch.set_grad_enabled(False)")
    check(load(path), engine)
    assert engine.torch.is_grad_enabled()
    assert check(lesson, engine) == []


def test_a_wrong_attempt_is_run_apart_from_the_others(tmp_path: Path, text: str, engine: Engine) -> None:
    spoiling = "<!--wrong-->\n```pycon\n>>> _ = x.requires_grad_(False)\n>>> z = x * 2\n\n```\n- vi: `x`.\n- en: `x`.\n"
    path = tmp_path / "02-small.md"
    path.write_text(text + spoiling, "utf-8")
    assert [str(problem) for problem in check(load(path), engine)] == []
