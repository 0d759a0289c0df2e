"""What playing and learning have in common: a lesson's steps on a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gradrepl.app.lessons import languages, texts, title
from gradrepl.app.screens.limited import Limited
from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Speech, Translate, translator
from gradrepl.lesson import player
from gradrepl.lesson.model import Example, Lesson, Step, Text
from gradrepl.lesson.player import Place, Verdict
from gradrepl.session.core import Session
from gradrepl.session.outcome import Outcome
from gradrepl.view.prose import split_label


def show_title(lesson: Lesson, screen: Screen, speech: Speech) -> None:
    """The lesson's title and goal."""
    screen.title(title(lesson, speech))
    show_text(lesson.goal, screen, speech)


def show_step(place: Place, screen: Screen, speech: Speech) -> None:
    """A step's number, label and prose."""
    parts = [split_label(place.step.prose.get(language)) for language in languages(speech)]
    labels = " / ".join(dict.fromkeys(label for label, _rest in parts if label)) or place.step.id
    screen.heading(f"{place.index + 1}/{len(place.lesson.steps)}  {labels}")
    for rest in dict.fromkeys(rest for _label, rest in parts):
        screen.prose(rest)
    if not place.step.options:  # each of which begins with a gap
        screen.gap()


def show_task(step: Step, screen: Screen, speech: Speech) -> None:
    """What a step gives to choose from, to put in order or to fill in, if it is such a step."""
    for number, option in enumerate(player.options(step), 1):
        for words in texts(option.text, speech):
            screen.prose(f"{number}. {words}")
    if step.kind == "parsons":
        screen.spans([(f"{number}  ", "bright_black"), (line, "")] for number, line in enumerate(player.lines(step), 1))
    if step.template:
        screen.spans([(line, "")] for line in player.template(step).splitlines())


def show_answer(step: Step, screen: Screen, speech: Speech) -> None:
    """The right option of a choice, and what the lesson says to it."""
    _ = translator(speech)
    for number, option in enumerate(player.options(step), 1):
        if option.right:
            screen.note(_("Right is {number}.").format(number=number))
            if option.reply is not None:
                show_text(option.reply, screen, speech)
            screen.gap()


def show_truths(step: Step, truths: Iterable[str], screen: Screen) -> None:
    """What a prediction asked for, with its outcomes."""
    for cell, truth in zip(step.cells, truths, strict=True):
        screen.note(f"{cell} -> {truth}")


def show_solution(step: Step, screen: Screen, _: Translate) -> None:
    """The line before a solution; where lines are to be put in order, that order."""
    order = " ".join(map(str, player.right_order(step))) if step.kind == "parsons" else ""
    screen.note(_("A solution:") + f" {order}".rstrip())


def show_text(text: Text, screen: Screen, speech: Speech) -> None:
    """A lesson's text in the languages that are shown."""
    for words in dict.fromkeys(texts(text, speech)):
        screen.prose(words)


def show_right(verdicts: Sequence[Verdict], screen: Screen, _: Translate) -> None:
    """One line for all predictions that were right; none where there are none."""
    right = ", ".join(f"{verdict.cell} = {verdict.truth}" for verdict in verdicts if verdict.right)
    if right:
        screen.note(_("Right: {cells}").format(cells=right))


def show_verdict(verdict: Verdict, screen: Screen, speech: Speech, _: Translate) -> None:
    """What is true where a prediction was wrong, and what the lesson says to it."""
    said, is_true = verdict.answer.strip(), verdict.truth
    if said:
        text = _("{cell}: you said {answer}, it is {truth}.")
        screen.note(text.format(cell=verdict.cell, answer=said, truth=is_true))
    else:
        screen.note(_("{cell}: it is {truth}.").format(cell=verdict.cell, truth=is_true))
    if verdict.feedback is not None:
        show_text(verdict.feedback.text, screen, speech)
        screen.gap()


def run(
    examples: Iterable[Example],
    step: Step,
    lesson: Lesson,
    session: Session,
    screen: Screen,
    *,
    sources: bool = True,
    limited: Limited | None = None,
) -> list[tuple[Example, list[Outcome]]]:
    """Run examples and show what they do; sources: show their code too. Each comes back with its outcomes.

    limited: shows what is printed, where that must not become too much.
    Raises KeyboardInterrupt where Ctrl-C stopped the code.
    """
    session.sink = limited or screen.output
    ran = []
    for example in examples:
        if sources:
            screen.source(example.source)
        outcomes = []
        for outcome in session.run(example.source):
            outcomes.append(outcome)
            if limited is not None:
                limited.finish()
            screen.result(outcome, lesson.id, step.id)
            if outcome.failure is not None and outcome.failure.type == "KeyboardInterrupt":
                raise KeyboardInterrupt
        ran.append((example, outcomes))
    return ran
