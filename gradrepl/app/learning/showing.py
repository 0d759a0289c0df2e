"""What a lesson's prompt shows of itself: the list of steps, the line below the input, its keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradrepl.app.line.shortcut import Shortcut
from gradrepl.i18n import mark
from gradrepl.view import mode
from gradrepl.view.prose import split_label

if TYPE_CHECKING:
    from gradrepl.app.learning.learner import Learner

WORDS = {
    "done": mark("done"),
    "missed": mark("done, guessed wrong"),
    "shown": mark("done, solution shown"),
    "skipped": mark("skipped"),
    "changed": mark("changed since you did it"),
}


def steps(learner: Learner) -> Iterator[str]:
    """A line for each step: its number, label and id, its mark in words, and where one is."""
    place, marks, language = learner.place, learner.memory.marks(learner.lesson), learner.options.speech
    labels = [split_label(step.prose.get("en" if language == "en" else "vi"))[0] for step in place.lesson.steps]
    width = max(map(len, labels))
    names = [f"{label:<{width}}  {step.id}".strip() for step, label in zip(place.lesson.steps, labels, strict=True)]
    width = max(map(len, names))
    for number, (step, name) in enumerate(zip(place.lesson.steps, names, strict=True)):
        words = [learner._(WORDS[marks[step.id]])] if step.id in marks else []
        words += [learner._("here")] if number == place.index else []
        sign = ">" if number == place.index else " "
        yield f"{sign}{number + 1:>3}  {name:<{width}}  {'; '.join(words)}".rstrip()


def state(learner: Learner) -> str:
    """Where one is, and the grad mode."""
    _, place = learner._, learner.place
    where = f"{learner.lesson.id} {min(place.index + 1, len(place.lesson.steps))}/{len(place.lesson.steps)}"
    if learner.play is not None:
        where += f" | {_('free play')}"
    now = mode.describe(learner.session.grad_mode(), _)
    return f"{where} | {_('grad mode: {mode}').format(mode=now)}"


def shortcuts(learner: Learner) -> tuple[Shortcut, ...]:
    """The keys that work at the next prompt while nothing is typed."""
    _ = learner._
    help = Shortcut("f1", "F1", ":help", _("help"), offered=True)
    if learner.play is not None:
        return (Shortcut("tab", "Tab", ":done", _("back to the lesson")), help)
    activity = learner.activity
    found = [Shortcut("", "Enter", "", activity.enter, offered=True)] if activity.enter else []
    if learner.place.index:
        found += [Shortcut("left", "\u2190", ":back", _("back")), Shortcut("pageup", "", ":back", "", offered=True)]
    if not learner.place.finished and learner.place.step.hints:
        found.append(Shortcut("?", "?", ":hint", _("hint"), offered=True))
    if not learner.place.finished:
        found.append(Shortcut("tab", "Tab", ":free", _("free play")))
    return (*found, help)
