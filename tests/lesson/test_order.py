"""Options and lines: a fixed order that gives nothing away, and the answers to them."""

from __future__ import annotations

import pytest

from gradrepl.lesson import misconceptions, player, shelf, wording
from gradrepl.lesson.load import load
from gradrepl.lesson.model import Distractor, Example, Option, Step, Text

WORDS = Text("Vì sao?", "Why?")


def lines_step(id: str) -> Step:
    source = "with torch.no_grad():\n    y = x * 2\n"
    return Step(
        id,
        "parsons",
        1,
        WORDS,
        solution=(Example(source, "", 1), Example("z = y\n", "", 3)),
        distractors=(Distractor("z = x", "reuse", WORDS, 5),),
    )


@pytest.mark.parametrize("id", [f"step-{number}" for number in range(20)])
def test_lines_are_never_shown_in_their_order_and_can_be_put_into_it(id: str) -> None:
    step = lines_step(id)
    own = [line for line in player.lines(step) if line != "z = x"]
    assert sorted(own) == sorted(["with torch.no_grad():", "    y = x * 2", "z = y"])
    assert own != ["with torch.no_grad():", "    y = x * 2", "z = y"]
    right = player.right_order(step)
    assert player.arranged(step, right) == "with torch.no_grad():\n    y = x * 2\nz = y\n"
    assert player.distracted(step, right) is None
    other = player.lines(step).index("z = x") + 1
    assert player.distracted(step, [*right, other]) == step.distractors[0]


@pytest.mark.parametrize(
    ("numbers", "reason"), [([], "none"), ([1, 5], "unknown"), ([0], "unknown"), ([2, 2], "twice")]
)
def test_numbers_that_are_no_answer(numbers: list[int], reason: str) -> None:
    with pytest.raises(player.ChoiceError) as raised:
        player.arranged(lines_step("a"), numbers)
    assert (raised.value.reason, raised.value.count) == (reason, 4)


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        (["with torch.no_grad():", "    y = x * 2"], None),
        (["z = y"], None),
        (["with torch.no_grad():"], 1),
        (["with torch.no_grad():", "z = y", "    y = x * 2"], 1),
        (["    y = x * 2", "with torch.no_grad():"], 0),
        (["z = y", "    y = x * 2"], 1),
    ],
)
def test_the_first_line_out_of_place(chosen: list[str], place: int | None) -> None:
    step = lines_step("a")
    assert player.misplaced(step, [player.lines(step).index(line) + 1 for line in chosen]) == place


def test_no_line_is_out_of_place_in_a_shipped_solution() -> None:
    steps = [step for path in shelf.lessons() for step in load(path).steps if step.kind == "parsons"]
    assert steps
    assert [player.misplaced(step, player.right_order(step)) for step in steps] == [None] * len(steps)


def test_the_right_option_stands_now_first_now_last() -> None:
    options = tuple(Option(Text(f"{n}", f"{n}"), n == 0, None, WORDS, n) for n in range(3))
    steps = [Step(f"step-{number}", "choice", 1, WORDS, options=options) for number in range(20)]
    places = {next(n for n in (1, 2, 3) if player.choose(step, n).right) for step in steps}
    assert places == {1, 2, 3}
    assert all(set(player.options(step)) == set(options) for step in steps)
    with pytest.raises(player.ChoiceError):
        player.choose(steps[0], 4)


def test_every_misconception_has_a_name_and_every_name_is_used() -> None:
    steps = [step for path in shelf.lessons() for step in load(path).steps]
    used = {id for step in steps for _line, id in wording.misconceptions(step)}
    assert used == set(misconceptions.names())
