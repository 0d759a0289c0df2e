"""Lessons as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Language = Literal["vi", "en"]
Kind = Literal["run", "predict", "choice", "try", "fill", "parsons", "make"]
EXERCISES: frozenset[Kind] = frozenset(("try", "fill", "parsons", "make"))
BLANK = "____"
LANGUAGES: tuple[Language, ...] = ("vi", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages, Markdown, NFC; line: of its directive, 0 where it has none of its own."""

    vi: str
    en: str
    line: int = field(default=0, compare=False, repr=False)

    def get(self, language: Language) -> str:
        """The text in one language."""
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True, slots=True)
class Example:
    """One `>>>` statement of a code fence with the output that the lesson promises below it.

    source: the statement without prompts, ending in a newline; want: the output verbatim
    (may hold "..." as a wildcard, as in doctest's ELLIPSIS); line: in the lesson file, from 1.
    """

    source: str
    want: str
    line: int


@dataclass(frozen=True, slots=True)
class WarningPromise:
    """`<!--warns CATEGORY: words that the message starts with-->` behind a code fence."""

    category: str
    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a learner hears who answered `value` for `cell`: `<!--if CELL == VALUE #MISCONCEPTION-->`."""

    cell: str
    value: str
    misconception: str | None
    text: Text
    line: int


@dataclass(frozen=True, slots=True)
class WrongAttempt:
    """A wrong answer to an exercise that its check must reject: `<!--wrong #MISCONCEPTION-->`."""

    misconception: str | None
    examples: tuple[Example, ...]
    text: Text
    line: int


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that a choice step offers; reply: what a learner hears who takes it."""

    text: Text
    right: bool
    misconception: str | None
    reply: Text | None
    line: int


@dataclass(frozen=True, slots=True)
class Distractor:
    """A line that a parsons step mixes in and that doesn't belong; text: why not."""

    source: str
    misconception: str | None
    text: Text
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a lesson.

    kind: "run" shows prose and runs its code; "predict" asks for `cells` (expressions such as
    `y.grad_fn`) first; "choice" asks to choose one of `options`. The others are EXERCISES, solved by code that
    makes `check` come true: "try" and "make" from nothing, "fill" from `template`, where BLANK marks what is
    missing, "parsons" by putting the lines of `solution` in order and leaving `distractors` out.
    cells: the expressions that a predict step asks for; their truth is computed by running.
    """

    id: str
    kind: Kind
    line: int
    prose: Text
    cells: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    promises: tuple[WarningPromise, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    hints: tuple[Text, ...] = ()
    solution: tuple[Example, ...] = ()
    check: tuple[Example, ...] = ()
    wrong: tuple[WrongAttempt, ...] = ()
    options: tuple[Option, ...] = ()
    template: tuple[Example, ...] = ()
    distractors: tuple[Distractor, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson file.

    number: its place in the course (from the file name), or None; seed: what the engine's random numbers
    start from, so that a lesson that draws some without choosing a seed is the same each time.
    """

    id: str
    number: int | None
    path: Path
    title: Text
    goal: Text
    steps: tuple[Step, ...]
    seed: int = 0
