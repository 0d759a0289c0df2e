"""Where a learner is in a lesson, and what an answer is worth."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gradrepl.lesson.answers import same_answer, text_of
from gradrepl.lesson.matching import difference
from gradrepl.lesson.model import Example, Feedback, Lesson, Step, WrongAttempt
from gradrepl.lesson.order import ChoiceError, arranged, choose, distracted, lines, misplaced, options, right_order
from gradrepl.lesson.problem import Message, mark
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Outcome

__all__ = [
    "Attempt",
    "CellError",
    "ChoiceError",
    "Place",
    "Verdict",
    "arranged",
    "aside",
    "attempt",
    "back",
    "begin",
    "begins",
    "checked",
    "choose",
    "code_of",
    "distracted",
    "forward",
    "judge",
    "lines",
    "meaning",
    "misplaced",
    "next_hint",
    "options",
    "replay",
    "right_order",
    "run",
    "session_at",
    "source_of",
    "submit",
    "template",
    "truths",
]

CELL = "_cell"


class CellError(Exception):
    """The expression of a prediction raised; `message` says what."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a lesson; steps before it are done.

    index: of the step, from 0; len(lesson.steps) at the end. done: for each step before it, the sources
    that ran in it, so that the same names can be made again. hints: how many hints of the step were seen;
    attempts: how many answers to it were wrong.
    """

    lesson: Lesson
    index: int = 0
    done: tuple[tuple[str, ...], ...] = ()
    hints: int = 0
    attempts: int = 0

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.index == len(self.lesson.steps)

    @property
    def step(self) -> Step:
        """The step to do; raises IndexError behind the last one."""
        return self.lesson.steps[self.index]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A prediction beside the truth; feedback: what the lesson says to this answer, if anything."""

    cell: str
    answer: str
    truth: str
    right: bool
    feedback: Feedback | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an exercise's check says; failed: the part of it that didn't come true.

    meant: the wrong attempt of the lesson that has the same results, if exactly one has; begun: the answer is the
    solution's first statements, so it isn't wrong, whatever its results are like.
    """

    passed: bool
    failed: Example | None
    meant: WrongAttempt | None
    begun: bool = False


def forward(place: Place, sources: Iterable[str] | None = None) -> Place:
    """Return the place behind the step; sources: what ran in it (as the lesson has it, unless given)."""
    ran = tuple(example.source for example in code_of(place.step)) if sources is None else tuple(sources)
    return Place(place.lesson, place.index + 1, (*place.done, ran))


def back(place: Place) -> Place:
    """Return the place one step before; at the start, the start."""
    return Place(place.lesson, max(place.index - 1, 0), place.done[:-1])


def submit(place: Place, right: bool, sources: Iterable[str] | None = None) -> Place:
    """Return where an answer leads: behind the step if it was right, else to the step with one attempt more."""
    return forward(place, sources) if right else replace(place, attempts=place.attempts + 1)


def next_hint(place: Place) -> Place:
    """Return the place with one hint more seen, if there is one."""
    return replace(place, hints=min(place.hints + 1, len(place.step.hints)))


def begin(lesson: Lesson, engine: Engine) -> Session:
    """Return a session as every lesson begins: gradients on, random numbers from the lesson's seed."""
    session = Session(engine)
    engine.torch.manual_seed(lesson.seed)
    return session


def session_at(place: Place, engine: Engine) -> Session:
    """Return a new session in which all that precedes a place has run: the same names and values as then."""
    session = begin(place.lesson, engine)
    for sources in place.done:
        for source in sources:
            for _ in session.run(source):
                pass
    return session


def code_of(step: Step) -> tuple[Example, ...]:
    """Return what runs in a step when nobody types: its code, and the solution of an exercise."""
    return step.examples + step.solution


def template(step: Step) -> str:
    """Return the program that stands at the prompt of a fill step, its blanks as BLANK."""
    return source_of(step.template)


def replay(lesson: Lesson, session: Session) -> Iterator[tuple[Step, Example, Outcome]]:
    """Run a whole lesson and yield each outcome with its step and example; `session`: made by begin."""
    for step in lesson.steps:
        for example in code_of(step):
            for outcome in session.run(example.source):
                yield step, example, outcome


def run(examples: Iterable[Example], session: Session) -> list[tuple[Example, list[Outcome]]]:
    """Run examples; each with its outcomes."""
    return [(example, list(session.run(example.source))) for example in examples]


def aside(session: Session) -> Session:
    """Return a session with a copy of the names, of which nothing reaches the screen."""
    fork = session.fork()
    fork.sink = None
    return fork


def truths(step: Step, session: Session) -> tuple[str, ...]:
    """Return the values of a step's cells, on a copy of the names; its code must have run.

    Raises CellError where an expression can't be evaluated.
    """
    with aside(session) as fork:
        return tuple(truth(cell, fork) for cell in step.cells)


def truth(cell: str, session: Session) -> str:
    """Return the value of an expression as a learner would write it. Raises CellError."""
    for outcome in session.run(f"{CELL} = ({cell})"):
        if outcome.failure:
            error = f"{outcome.failure.type}: {outcome.failure.message}"
            raise CellError(mark("{cell} raises {error}", cell=cell, error=error))
    return text_of(session.names.pop(CELL))


def judge(step: Step, answers: Sequence[str], session: Session) -> tuple[Verdict, ...]:
    """Return a verdict on each answer to a prediction, in the order of the step's cells. Raises CellError."""
    pairs = zip(step.cells, answers, truths(step, session), strict=True)
    return tuple(verdict(step, cell, answer, value) for cell, answer, value in pairs)


def verdict(step: Step, cell: str, answer: str, value: str) -> Verdict:
    """Return the verdict on one answer, with the step's feedback to it."""
    right = same_answer(answer, value)
    fitting = (item for item in step.feedback if item.cell == cell and same_answer(answer, item.value))
    return Verdict(cell, answer, value, right, None if right else next(fitting, None))


def checked(step: Step, session: Session) -> list[tuple[Example, list[Outcome], Message | None]]:
    """Run an exercise's check on a copy of the names; each part with its outcomes and what differs, or None."""
    with aside(session) as fork:
        ran = run(step.check, fork)
    return [(example, outcomes, difference(example, outcomes)) for example, outcomes in ran]


def attempt(place: Place, session: Session, typed: str = "") -> Attempt:
    """Return what the check says of the names that a learner has made in an exercise.

    typed: the code that made them; it decides between wrong attempts of the lesson that have the same results.
    """
    results = checked(place.step, session)
    failed = next((example for example, _, differs in results if differs), None)
    if failed is None:
        return Attempt(True, None, None)
    pattern = [differs for _, _, differs in results]
    alike = [wrong for wrong in place.step.wrong if pattern == wrong_pattern(place, wrong, session.engine)]
    exact = [wrong for wrong in alike if meaning(source_of(wrong.examples)) == meaning(typed)]
    begun = not exact and begins(typed, source_of(place.step.solution))
    if exact or begun or len(alike) > 1:
        alike = exact
    return Attempt(False, failed, alike[0] if len(alike) == 1 else None, begun)


def source_of(examples: Iterable[Example]) -> str:
    """Return examples as one program."""
    return "".join(example.source for example in examples)


def meaning(source: str) -> str:
    """Return what two programs have in common that differ in spaces and comments only."""
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def begins(source: str, whole: str) -> bool:
    """Whether a program is the first statements of another one, and not all; `_ = f()` counts as `f()`."""
    try:
        start, statements = ([ast.dump(_valued(node)) for node in ast.parse(text).body] for text in (source, whole))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return 0 < len(start) < len(statements) and statements[: len(start)] == start


def _valued(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["_"]:
        return ast.Expr(node.value)
    return node


def wrong_pattern(place: Place, wrong: WrongAttempt, engine: Engine) -> list[Message | None]:
    """Return what the check finds in a wrong attempt, run in a session of its own."""
    with session_at(place, engine) as session:
        run(place.step.examples, session)
        run(wrong.examples, session)
        return [differs for _, _, differs in checked(place.step, session)]
