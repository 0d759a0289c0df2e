"""Answers that are only begun: no shipped lesson takes one for a wrong idea."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradrepl.app import engines
from gradrepl.lesson import player, shelf
from gradrepl.lesson.load import load
from gradrepl.lesson.model import EXERCISES
from gradrepl.lesson.player import Attempt, Place

PATHS = shelf.lessons()


def exercises(path: Path) -> Iterator[Place]:
    place = Place(load(path))
    while not place.finished:
        if place.step.kind in EXERCISES:
            yield place
        place = player.forward(place)


def attempted(place: Place, source: str) -> Attempt:
    """What the check says of a program typed at a place."""
    with player.session_at(place, engines.load("builtin")) as session:
        player.run(place.step.examples, session)
        for _ in session.run(source):
            pass
        return player.attempt(place, session, source)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_beginning_of_a_solution_is_not_taken_for_a_wrong_idea(path: Path) -> None:
    for place in exercises(path):
        statements = [ast.unparse(node) for node in ast.parse(player.source_of(place.step.solution)).body]
        wrongs = {player.meaning(player.source_of(wrong.examples)) for wrong in place.step.wrong}
        for count in range(1, len(statements)):
            source = "\n".join(statements[:count])
            result = attempted(place, source)
            if not result.passed and player.meaning(source) not in wrongs:
                assert (result.begun, result.meant) == (True, None), (place.step.id, source)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_wrong_attempt_as_the_lesson_has_it_is_known(path: Path) -> None:
    for place in exercises(path):
        for wrong in place.step.wrong:
            assert attempted(place, player.source_of(wrong.examples)).meant == wrong


@pytest.mark.parametrize(
    ("source", "begun"),
    [
        ("a()", True),
        ("_ = a()", True),
        ("a()\nb  (1)", True),
        ("", False),
        ("a()\nb(1)\nc", False),
        ("b(1)", False),
        ("a(", False),
    ],
)
def test_a_beginning(source: str, begun: bool) -> None:
    assert player.begins(source, "_ = a()\nb(1)\nc\n") is begun
