"""What an exercise's check says of the names that there are, looked at on a copy of them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from gradrepl.app.learning.trail import Trail
from gradrepl.i18n import Translate
from gradrepl.lesson import player
from gradrepl.lesson.matching import error_text, shown
from gradrepl.lesson.model import WrongAttempt
from gradrepl.lesson.player import Place
from gradrepl.session.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Judgement:
    """passed: the check came true. meant: the lesson's wrong attempt with the same results, if one is known.

    code, wanted, found: the first part of the check that isn't true, what it should give and what it gives.
    missing: the name that it asks for and that isn't there, if that is why. begun: it is the solution's beginning.
    """

    passed: bool
    meant: WrongAttempt | None = None
    code: str = ""
    wanted: str = ""
    found: str = ""
    missing: str = ""
    begun: bool = False

    def said(self, _: Translate) -> str:
        """What isn't yet as the exercise wants it, in a sentence."""
        if self.missing:
            return _("Not yet: there is no {name}.").format(name=self.missing)
        text = _("Not yet: {code} should be {wanted}, and is {found}.")
        return text.format(code=self.code, wanted=self.wanted, found=self.found)


def judge(place: Place, trail: Trail) -> Judgement:
    """Return what a step's check says; neither values nor modes of the trail's session are touched."""
    with trail.copy() as session:
        result = player.attempt(place, session, "".join(trail.sources("typed", "kept")))
        if result.passed:
            return Judgement(True)
        checked = player.checked(place.step, session)
        example, outcomes = next((example, outcomes) for example, outcomes, differs in checked if differs)
        code, nothing = " ".join(example.source.split()), "None" if is_expression(example.source) else "-"
        gone = missing(outcomes, session.names)
        wanted, given = (text.strip() or nothing for text in (example.want, found(outcomes)))
        return Judgement(False, result.meant, code, wanted, given, gone, result.begun)


def found(outcomes: Sequence[Outcome]) -> str:
    """Return what a part of a check gives: what it shows, or its error."""
    failure = outcomes[-1].failure if outcomes else None
    return error_text(failure) if failure else shown(outcomes)


def is_expression(source: str) -> bool:
    """Whether a source is an expression, of whose values Python's prompt shows all but None."""
    try:
        ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def missing(outcomes: Sequence[Outcome], names: dict[str, object]) -> str:
    """Return the name whose absence made a part of a check fail, or nothing."""
    failure = outcomes[-1].failure if outcomes else None
    if failure is None or failure.type != "NameError":
        return ""
    name = failure.message.partition("'")[2].partition("'")[0]
    return "" if name in names else name


def is_look(source: str, outcomes: Sequence[Outcome]) -> bool:
    """Whether an input only looks at values: it changes no tensor, no name and no mode."""
    if any(outcome.changed_rows or outcome.gone or outcome.switches for outcome in outcomes):
        return False
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(statement, ast.Expr) for statement in body)
