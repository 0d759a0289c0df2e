"""What playing and learning have in common: a lesson's steps on a screen."""

from __future__ import annotations

from gradrepl.app.lessons import languages, texts, title
from gradrepl.app.screen import Screen
from gradrepl.i18n import Speech, Translate
from gradrepl.lesson.model import Example, Lesson, Step
from gradrepl.session.core import Session
from gradrepl.session.outcome import Outcome
from gradrepl.view.prose import split_label


def show_title(lesson: Lesson, screen: Screen, speech: Speech) -> None:
    """The lesson's title and goal."""
    screen.title(title(lesson, speech))
    for goal in texts(lesson.goal, speech):
        screen.prose(goal)


def show_step(lesson: Lesson, number: int, screen: Screen, speech: Speech) -> None:
    """A step's place, label and prose; number: from 0."""
    step = lesson.steps[number]
    parts = [split_label(step.prose.get(language)) for language in languages(speech)]
    labels = " / ".join(label for label, _rest in parts if label)
    screen.heading(f"{number + 1}/{len(lesson.steps)}  {labels or step.id}")
    for _label, rest in parts:
        screen.prose(rest)


def run_example(
    example: Example, session: Session, screen: Screen, lesson: Lesson, step: Step, *, shown: bool = True
) -> list[Outcome]:
    """Run one example on a session whose sink is the screen, and show it; shown: its source too."""
    if shown:
        screen.source(example.source)
    outcomes = []
    for outcome in session.run(example.source):
        outcomes.append(outcome)
        screen.result(outcome, lesson.id, step.id)
    return outcomes


def leave(_: Translate) -> str:
    """What to press between steps."""
    return _("Enter: next step; q: leave ")
