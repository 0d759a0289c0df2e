"""Every shipped lesson keeps its promises, and both engines tell the same story."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from gradrepl.app import engines
from gradrepl.lesson import player, shelf
from gradrepl.lesson.check import check
from gradrepl.lesson.load import load
from gradrepl.lesson.matching import plain
from gradrepl.lesson.model import EXERCISES, Kind, Lesson
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Outcome, Output, Warned

SHIPPED = shelf.lessons()
ADDRESS = re.compile(r"0x[0-9a-f]+")
every_lesson = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


def test_sixteen_lessons_are_shipped() -> None:
    assert len(SHIPPED) == 16


def test_ids_are_unique() -> None:
    ids = [load(path).id for path in SHIPPED]
    assert len(set(ids)) == len(ids)


@every_lesson
def test_a_lesson_keeps_its_promises(path: Path, engine: Engine) -> None:
    assert [str(problem) for problem in check(load(path), engine)] == []


@every_lesson
def test_a_lesson_asks_what_and_why_and_leaves_more_and_more_to_the_learner(path: Path) -> None:
    kinds = [step.kind for step in load(path).steps]
    assert "predict" in kinds
    assert "choice" in kinds
    assert kinds[-1] in ("try", "make")
    assert kinds.index("run") < kinds.index("fill") < len(kinds) - 1


@every_lesson
def test_exercises_have_hints_in_order_and_a_wrong_attempt_with_its_reason(path: Path) -> None:
    for step in load(path).steps:
        if step.kind in EXERCISES:
            assert len(step.hints) >= 2, step.id
            assert step.wrong or step.distractors, step.id


@every_lesson
def test_the_opposite_of_each_truth_has_its_feedback(path: Path) -> None:
    lesson = load(path)
    with player.begin(lesson, engines.load("builtin")) as session:
        for step in lesson.steps:
            player.run(step.examples, session)
            for cell, truth in zip(step.cells, player.truths(step, session), strict=True):
                opposite = {"True": "False", "False": "True"}.get(truth)
                answered = [item.value for item in step.feedback if item.cell == cell]
                assert answered, (step.id, cell)
                assert opposite is None or opposite in answered, (step.id, cell)
            player.run(step.solution, session)


def test_the_course_has_steps_of_every_kind() -> None:
    assert {step.kind for path in SHIPPED for step in load(path).steps} == set(get_args(Kind))


def same_everywhere(outcome: Outcome) -> dict[str, Any]:
    """An outcome without what differs from run to run: time, addresses, places in PyTorch's own source."""
    warnings = tuple(Warned(warned.category, plain(warned), warned.line) for warned in outcome.warnings)
    outputs = tuple(Output(output.kind, ADDRESS.sub("0x...", output.text)) for output in outcome.outputs)
    return dataclasses.asdict(dataclasses.replace(outcome, outputs=outputs, warnings=warnings, seconds=0.0))


def events(lesson: Lesson, engine: Engine) -> list[tuple[str, dict[str, Any]]]:
    """What happens in a lesson, statement by statement, with the step's id."""
    with player.begin(lesson, engine) as session:
        return [(step.id, same_everywhere(outcome)) for step, _, outcome in player.replay(lesson, session)]


@pytest.fixture(scope="module")
def both() -> tuple[Engine, Engine]:
    try:
        return engines.load("builtin"), engines.load("torch")
    except engines.EngineUnavailableError as error:
        pytest.skip(f"torch is not available: {error}")


@every_lesson
def test_both_engines_give_the_same_events(path: Path, both: tuple[Engine, Engine]) -> None:
    lesson = load(path)
    ours, theirs = (events(lesson, engine) for engine in both)
    assert len(ours) > 10
    for one, other in zip(ours, theirs, strict=True):
        assert one == other


@every_lesson
def test_both_engines_give_the_same_truths(path: Path, both: tuple[Engine, Engine]) -> None:
    lesson = load(path)
    told = []
    for engine in both:
        with player.begin(lesson, engine) as session:
            told.append(
                [
                    player.truths(step, session)
                    for step in lesson.steps
                    if player.run(step.examples + step.solution, session) and step.kind == "predict"
                ]
            )
    assert told[0] == told[1]
    assert told[0]
