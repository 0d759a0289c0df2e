"""Questions that stand alone: with other numbers, and with the code that they need before them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gradrepl.lesson import fresh, shelf
from gradrepl.lesson.load import load
from gradrepl.lesson.model import Example, Feedback, Lesson, Step, Text
from gradrepl.lesson.needed import needed
from gradrepl.lesson.player import Place
from gradrepl.session.engine import Engine

WORDS = Text("Đoán đi.", "Guess.")
SETUP = Step("setup", "run", 1, WORDS, examples=(Example("import torch\n", "", 2),))
DATA = "x = torch.tensor([2., 3.], requires_grad=True)\n"


def lesson(*sources: str, cells: tuple[str, ...] = ("y.sum().item()",), prose: Text = WORDS, **more: object) -> Lesson:
    examples = tuple(Example(source, "", 9) for source in sources)
    step = Step("asked", "predict", 8, prose, cells=cells, examples=examples, **more)  # type: ignore[arg-type]
    return Lesson("small", None, Path("small.md"), WORDS, WORDS, (SETUP, step))


def sources(step: Step) -> list[str]:
    return [example.source for example in step.examples]


def test_numbers_of_tensors_and_factors_change_and_the_key_with_them(engine: Engine) -> None:
    asked = lesson(DATA, "y = 3 * x\n")
    place, step = fresh.question(asked, 1, "any", engine)
    data, use = sources(step)
    two, three = data[18], data[22]
    assert data == f"x = torch.tensor([{two}., {three}.], requires_grad=True)\n"
    assert use == f"y = {three} * x\n"
    assert len({two, three, "2", "3"}) == 4
    wanted = float(three) * (float(two) + float(three))
    assert fresh.answers(place, step, engine) == (["", ""], (str(wanted),))


def test_the_same_key_gives_the_same_numbers_and_another_one_others(engine: Engine) -> None:
    asked = lesson(DATA, "y = x * 3\n")
    seen = [sources(fresh.question(asked, 1, key, engine)[1])[0] for key in ("a", "a", "b", "c", "d")]
    assert seen[0] == seen[1]
    assert len(set(seen)) > 2


@pytest.mark.parametrize(
    "prose",
    [
        Text("Nhân với 3 thì sao?", "Multiply by 3."),
        Text("Ba lần.", "Guess."),
        Text("Đoán.", "Three times."),
        Text("Số 3,0.", "Guess."),
    ],
)
def test_a_number_that_the_words_name_stays(prose: Text, engine: Engine) -> None:
    changed = sources(fresh.question(lesson(DATA, "y = x * 3\n", prose=prose), 1, "any", engine)[1])
    assert changed[1] == "y = x * 3\n"
    assert changed[0] != DATA
    assert ", 3.]" in changed[0]


def test_words_that_name_a_result_keep_all_numbers(engine: Engine) -> None:
    asked = lesson(DATA, "y = x * 3\n", prose=Text("Không phải 15.", "Not 15."))
    assert fresh.question(asked, 1, "any", engine)[1] == asked.steps[1]


@pytest.mark.parametrize(
    ("source", "cell"),
    [
        ("y = torch.tensor([1.]) ** 4\n", "y.item()"),  # longer
        ("y = 0\nassert x.sum() == 5\n", "y"),  # an error afterwards
        ("y = x - torch.tensor([2., 3.])\ny = y.sum() if x.sum() == 5 else 1 / 0\n", "y.item()"),  # an error
        ("y = (torch.tensor([2.]) - x).sqrt()\n", "y[1:].sum().item() if (x[0] == 2) else 0"),  # nan or other words
        ("y = x[int(x[0])  - 2]\n", "y.item() == 2"),  # another answer in words
    ],
)
def test_where_the_answer_would_be_of_another_kind_the_numbers_stay(source: str, cell: str, engine: Engine) -> None:
    asked = lesson(DATA, source, cells=(cell,))
    assert fresh.question(asked, 1, "any", engine)[1] == asked.steps[1]


@pytest.mark.parametrize(
    "source",
    [
        "y = torch.zeros(3)\n",
        "y = torch.tensor([0, 2])\n",
        "y = [1] * 3\n",
        "w = w - 0.1 * w.grad\n",
        "y = x ** 2 + 3\n",
        "y = '=' * 20\n",
        "y = torch.tensor([0.])\n",
        "y = torch.tensor([1e-3]) *\n",
    ],
)
def test_shapes_indexes_exponents_and_learning_steps_are_no_data(source: str) -> None:
    mapping = dict.fromkeys("123", "8")
    assert fresh.changed(source, mapping) == source


def test_signs_points_zeros_and_letters_around_a_number_stay() -> None:
    mapping = {"3": "7", "15": "92", "1.5": "4.6"}
    source = "ơ = torch.tensor([-3., 0.3, 30.0, 1.5]) * 15; ơ *= 3  # 3\n"
    assert fresh.changed(source, mapping) == "ơ = torch.tensor([-7., 0.7, 70.0, 4.6]) * 92; ơ *= 7  # 3\n"


def test_feedback_that_speaks_of_numbers_is_left_out(engine: Engine) -> None:
    kept = Feedback("y.requires_grad", "False", None, WORDS, 1)
    dropped = replace(kept, cell="y.sum().item()", value="15")
    asked = lesson(DATA, "y = x * 3\n", cells=("y.sum().item()", "y.requires_grad"), feedback=(kept, dropped))
    assert fresh.question(asked, 1, "any", engine)[1].feedback == (kept,)


def test_every_question_of_the_course_can_be_asked_alone(engine: Engine) -> None:
    if engine.name != "builtin":
        pytest.skip("once is enough: lessons are the same on both engines")
    changed = 0
    for path in shelf.lessons():
        found = load(path)
        for index, step in enumerate(found.steps):
            if step.kind == "predict":
                place, other = fresh.question(found, index, "any", engine)
                changed += other != step
                was, now = fresh.answers(before(found, index), step, engine), fresh.answers(place, other, engine)
                assert fresh.alike(was, now), f"{found.id} {step.id}"
    assert changed > 50


def before(found: Lesson, index: int) -> Place:
    done = tuple(tuple(item.source for item in (*step.examples, *step.solution)) for step in found.steps[:index])
    return Place(found, index, done)


IMPORT = "import torch\n"


@pytest.mark.parametrize(
    ("earlier", "asked", "kept"),
    [
        (["x = 1\n", "y = 2\n"], "z = x\n", [0]),
        (["x = 1\n", "x = 2\n"], "z = x\n", [1]),
        (["a = [1]\n", "b = a\n", "b.append(2)\n", "c = [3]\n", "c.append(4)\n"], "a\n", [0, 1, 2]),
        (["x = t()\n", "y = x * 2\n", "x\n", "print(y)\n", "y.backward()\n"], "x.grad\n", [0, 1, 4]),
        (["x = t()\n", "x.grad = None\n", "x += 1\n", "y = t()\n", "y[0] = 3\n"], "x\n", [0, 1, 2]),
        ([IMPORT, "torch.set_grad_enabled(False)\n", "a = torch.ones(1)\n"], "torch.is_grad_enabled()\n", [0, 1]),
        (["x = 1\n", "def f(x):\n    return x\n", "y = [x for x in (1,)]\n"], "f(2), y\n", [1, 2]),
        (["x = 1\n", "def f():\n    return x\n"], "f()\n", [0, 1]),
        (["v = 1\n", "w = 2\n"], "v = w\n", [1]),
        (["x = t()\n", "a = []\n", "a.append(x)\n", "x.add_(1)\n", "b = []\n"], "a\n", [0, 1, 2, 3]),
        (["x = (\n", "y = 1\n"], "y\n", [1]),
    ],
)
def test_what_a_question_depends_on_comes_before_it(earlier: list[str], asked: str, kept: list[int]) -> None:
    assert needed(earlier, [asked]) == [earlier[number] for number in kept]
