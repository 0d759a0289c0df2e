"""What is to be played, beat by beat: frozen, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from gradrepl.i18n import Speech
from gradrepl.lesson.model import Example, Lesson, Step

Kind = Literal["intro", "draft", "question", "code", "option", "truth", "solution", "end"]
WORD, LOOK, LEAST = 0.25, 1.2, 0.6  # seconds: to read a word, to look at a result, between two beats
HURRY = 0.5  # how much the time between two keys varies


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it goes, at speed 1.

    typing: seconds a letter; longest: of any wait, in seconds; seed: of the rhythm of typing.
    """

    typing: float = 0.04
    longest: float = 10.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happens.

    step: its place in the lesson, from 0. example: what is typed, and of a "code" beat run too. letters: the seconds
    before each of its letters; rest: the seconds behind the beat. drafted: the code stands there already.
    """

    kind: Kind
    step: int
    rest: float
    example: Example | None = None
    letters: tuple[float, ...] = ()
    drafted: bool = False

    @property
    def seconds(self) -> float:
        """How long it takes at speed 1, what runs apart."""
        return sum(self.letters) + self.rest

    @property
    def size(self) -> int:
        """How many letters are typed."""
        return 0 if self.example is None or self.drafted else len(self.example.source.rstrip("\n"))


def score(lesson: Lesson, speech: Speech, pace: Pace) -> tuple[Beat, ...]:
    """The beats of a lesson; the same for the same pace, jitter and all."""
    random = Random(pace.seed)
    return tuple(beat for index, step in enumerate(lesson.steps) for beat in _beats(index, step, speech, pace, random))


def _beats(index: int, step: Step, speech: Speech, pace: Pace, random: Random) -> Iterator[Beat]:
    def rest(seconds: float) -> float:
        return min(max(seconds, LEAST), pace.longest)

    words = len((step.prose.vi if speech == "vi" else step.prose.en).split())
    yield Beat("intro", index, rest(words * WORD))
    if step.cells:  # nobody can say what code does before it is there
        for example in step.examples:
            yield _typed("draft", index, example, 0.0, pace, random)
    if step.cells or step.options:
        yield Beat("question", index, rest(3 * LOOK))
    if step.options:
        yield Beat("option", index, rest(2 * LOOK))
    for example in step.examples:
        if step.cells:
            yield Beat("code", index, rest(LOOK), example, drafted=len(step.examples) == 1)
        else:
            yield _typed("code", index, example, rest(LOOK), pace, random)
    if step.cells:
        yield Beat("truth", index, rest(2 * LOOK))
    if step.solution:
        yield Beat("solution", index, rest(LOOK))
        for example in step.solution:
            yield _typed("code", index, example, rest(LOOK), pace, random)
    yield Beat("end", index, 0.0)


def _typed(kind: Kind, index: int, example: Example, rest: float, pace: Pace, random: Random) -> Beat:
    count = len(example.source.rstrip("\n")) if pace.typing else 0
    letters = tuple(pace.typing * (1 - HURRY + 2 * HURRY * random.random()) for _letter in range(count))
    return Beat(kind, index, rest, example, letters)
