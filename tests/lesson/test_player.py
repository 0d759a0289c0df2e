"""Going through a lesson: places, predictions, exercises, and going back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gradrepl.lesson import player
from gradrepl.lesson.model import Lesson, Step
from gradrepl.lesson.player import Place
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Output

INSIDE, EXERCISE = 1, 3


@pytest.fixture
def begun(lesson: Lesson, engine: Engine) -> Iterator[Session]:
    """A session in which the small lesson has just begun, on each engine in turn."""
    with player.begin(lesson, engine) as session:
        yield session


def run(session: Session, source: str) -> None:
    for outcome in session.run(source):
        assert outcome.failure is None, outcome.failure


def at(lesson: Lesson, index: int) -> Place:
    """The place of a step, all before it done as the lesson has it."""
    place = Place(lesson)
    while place.index < index:
        place = player.forward(place)
    return place


def shown(step: Step, session: Session) -> Session:
    """The session, in which a step's own code has run."""
    for example in step.examples:
        run(session, example.source)
    return session


def test_replay_runs_every_example_in_order(lesson: Lesson, begun: Session) -> None:
    played = list(player.replay(lesson, begun))
    assert [(step.id, example.source) for step, example, _ in played] == [
        (step.id, example.source) for step in lesson.steps for example in (*step.examples, *step.solution)
    ]
    assert [outcome.failure for _, _, outcome in played if outcome.failure] == []
    assert played[2][2].value == "tensor([1.], requires_grad=True)"


def test_a_place_goes_forward_and_back(lesson: Lesson) -> None:
    start = Place(lesson)
    assert player.back(start) == start
    second = player.forward(start)
    assert (second.step.id, second.index) == ("inside", 1)
    assert player.back(second) == start
    end = at(lesson, len(lesson.steps))
    assert end.finished
    with pytest.raises(IndexError):
        _ = end.step


def test_a_wrong_answer_stays_and_counts(lesson: Lesson) -> None:
    place = at(lesson, INSIDE)
    stayed = player.submit(place, right=False)
    assert (stayed.index, stayed.attempts) == (INSIDE, 1)
    gone_on = player.submit(stayed, right=True)
    assert (gone_on.index, gone_on.attempts, gone_on.hints) == (INSIDE + 1, 0, 0)


def test_hints_end(lesson: Lesson) -> None:
    place = at(lesson, INSIDE)
    assert [player.next_hint(place).hints, player.next_hint(player.next_hint(place)).hints] == [1, 1]


def test_right_predictions(lesson: Lesson, begun: Session) -> None:
    run(begun, "import torch; x = torch.tensor([1.], requires_grad=True)")
    step = lesson.steps[INSIDE]
    verdicts = player.judge(step, ["false", " NONE "], shown(step, begun))
    assert [(verdict.right, verdict.feedback) for verdict in verdicts] == [(True, None), (True, None)]
    assert [verdict.truth for verdict in verdicts] == ["False", "None"]


def test_wrong_predictions_get_the_feedback_to_their_value(lesson: Lesson, begun: Session) -> None:
    run(begun, "import torch; x = torch.tensor([1.], requires_grad=True)")
    step = lesson.steps[INSIDE]
    first, second = player.judge(step, ["True", "<MulBackward0>"], shown(step, begun))
    assert not first.right
    assert first.feedback == step.feedback[0]
    assert first.feedback is not None
    assert first.feedback.misconception == "requires-grad-always-records"
    assert second.feedback == step.feedback[1]
    (other, _) = player.judge(step, ["5", "None"], begun)
    assert (other.right, other.feedback) == (False, None)


def test_the_truth_is_that_of_the_engine(lesson: Lesson, begun: Session) -> None:
    run(begun, "import torch; y = torch.ones(1, requires_grad=True) * 2")
    assert player.truths(lesson.steps[INSIDE], begun) == ("True", "MulBackward0")
    verdicts = player.judge(lesson.steps[INSIDE], ["True", "MulBackward0"], begun)
    assert [(verdict.right, verdict.feedback) for verdict in verdicts] == [(True, None)] * 2


def test_a_cell_that_has_no_value_is_told(lesson: Lesson, begun: Session) -> None:
    with pytest.raises(player.CellError, match=r"y\.requires_grad raises NameError: name 'y' is not defined"):
        player.judge(lesson.steps[INSIDE], ["True", "None"], begun)


def test_judging_leaves_names_and_mode_alone_and_shows_nothing(lesson: Lesson, begun: Session) -> None:
    heard: list[Output] = []
    run(begun, "import torch; x = torch.tensor([1.], requires_grad=True)")
    shown(lesson.steps[INSIDE], begun)
    run(begun, "_ = 7; _ = torch.set_grad_enabled(False)")
    begun.sink = heard.append
    before, mode, number = dict(begun.names), begun.grad_mode(), begun.number
    player.judge(lesson.steps[INSIDE], ["True", "None"], begun)
    assert begun.names == before
    assert (begun.grad_mode(), begun.number, heard) == (mode, number, [])


def test_an_exercise_is_passed_by_its_solution_only(lesson: Lesson, engine: Engine) -> None:
    place = at(lesson, EXERCISE)
    with player.session_at(place, engine) as session:
        shown(place.step, session)
        assert not player.attempt(place, session).passed
        run(session, "z = x + x")
        assert player.attempt(place, session).passed


def test_a_wrong_attempt_is_recognised_by_what_the_check_finds(lesson: Lesson, engine: Engine) -> None:
    place = at(lesson, EXERCISE)
    with player.session_at(place, engine) as session:
        shown(place.step, session)
        run(session, "z = y + 0")
        attempt = player.attempt(place, session)
        assert attempt.failed == place.step.check[0]
        assert attempt.meant == place.step.wrong[0]
        run(session, "del z")
        assert player.attempt(place, session).meant is None


def test_a_check_leaves_names_alone_and_shows_nothing(lesson: Lesson, engine: Engine) -> None:
    place = at(lesson, EXERCISE)
    heard: list[Output] = []
    with player.session_at(place, engine) as session:
        shown(place.step, session)
        run(session, "z = x * 2")
        session.sink = heard.append
        before = dict(session.names)
        assert player.attempt(place, session).passed
        assert session.names == before
        assert heard == []


def test_a_traceback_shows_the_learners_lines_after_a_check(lesson: Lesson, engine: Engine) -> None:
    place = at(lesson, EXERCISE)
    with player.session_at(place, engine) as session:
        run(session, "def broken():\n    return 1 / 0\n")
        run(session, "z = 1")
        player.attempt(place, session)
        failure = list(session.run("broken()"))[-1].failure
        assert failure is not None
        assert "    return 1 / 0\n" in failure.traceback
        assert "    broken()\n" in failure.traceback


def test_going_back_makes_the_same_names_again(lesson: Lesson, engine: Engine) -> None:
    place = player.forward(at(lesson, INSIDE), ["y = x * 5", "mine = 1"])
    with player.session_at(place, engine) as session:
        assert repr(session.names["y"]) == "tensor([5.], grad_fn=<MulBackward0>)"
        assert session.names["mine"] == 1
    with player.session_at(player.back(place), engine) as session:
        assert "y" not in session.names
        assert [row.name for row in session.rows()] == ["x"]


def test_random_numbers_are_the_same_each_time(lesson: Lesson, engine: Engine) -> None:
    place = player.forward(Place(lesson), ["import torch", "r = torch.rand(3)"])
    drawn = []
    for _ in range(2):
        with player.session_at(place, engine) as session:
            drawn.append(session.names["r"].tolist())
    assert drawn[0] == drawn[1]
