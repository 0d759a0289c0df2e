"""The command `report`: what many learners missed most, from the files that they exported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gradrepl.app.lessons import languages, texts, title
from gradrepl.app.progress import exchange
from gradrepl.app.screens.screen import Screen
from gradrepl.i18n import Speech, Translate
from gradrepl.lesson import misconceptions
from gradrepl.lesson.model import Lesson
from gradrepl.store import Event
from gradrepl.view.prose import split_label
from gradrepl.view.safe import as_json

WRONG = {"predicted": "right", "chose": "right", "attempted": "passed"}


@dataclass(frozen=True, slots=True)
class StepFigures:
    """One step: how many learners answered it and how many of them had a wrong answer; the rest are counts of events.

    wrong: answers; hints: that were shown; solutions: that were shown.
    """

    lesson: str
    step: str
    learners: int
    missed: int
    wrong: int
    hints: int
    solutions: int


@dataclass(frozen=True, slots=True)
class MisconceptionFigures:
    """One wrong idea: how many learners showed it, how many times, in which lessons."""

    id: str
    learners: int
    times: int
    lessons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """steps, misconceptions: what most learners missed first."""

    learners: int
    steps: tuple[StepFigures, ...]
    misconceptions: tuple[MisconceptionFigures, ...]


@dataclass(slots=True)
class _Tally:
    """What is counted of one step or one wrong idea; the sets hold numbers of learners."""

    seen: set[int] = field(default_factory=set)
    missed: set[int] = field(default_factory=set)
    lessons: set[str] = field(default_factory=set)
    wrong: int = 0
    hints: int = 0
    solutions: int = 0


def learners(files: Iterable[Sequence[Event]]) -> list[list[Event]]:
    """The events of each learner: files that share an event are of the same one, exported at two times."""
    found: list[dict[str, Event]] = []
    for events in files:
        merged = {event.id: event for event in events}
        same = [other for other in found if not merged.keys().isdisjoint(other)]
        found = [other for other in found if not any(other is one for one in same)]
        for other in same:
            merged |= other
        found.append(merged)
    return [list(events.values()) for events in found]


def report(people: Sequence[Sequence[Event]]) -> Report:
    """Count what was missed; people: the events of each learner."""
    steps: dict[tuple[str, str], _Tally] = {}
    ideas: dict[str, _Tally] = {}
    for number, events in enumerate(people):
        for event in events:
            _count(event, number, steps.setdefault((event.lesson, event.step), _Tally()))
            idea = event.data.get("misconception")
            if idea and _is_wrong(event):
                _count(event, number, ideas.setdefault(idea, _Tally()))
    return Report(len(people), tuple(_of_steps(steps)), tuple(_of_ideas(ideas)))


def _is_wrong(event: Event) -> bool:
    return event.kind in WRONG and event.data.get(WRONG[event.kind]) is False


def _count(event: Event, learner: int, tally: _Tally) -> None:
    tally.lessons.add(event.lesson)
    tally.hints += event.kind == "hinted"
    tally.solutions += event.kind == "done" and event.data.get("how") == "shown"
    if event.kind in WRONG:
        tally.seen.add(learner)
    if _is_wrong(event):
        tally.missed.add(learner)
        tally.wrong += 1


def _of_steps(steps: Mapping[tuple[str, str], _Tally]) -> Iterator[StepFigures]:
    asked = [(place, tally) for place, tally in steps.items() if tally.seen]
    for (lesson, step), t in sorted(asked, key=lambda item: (-len(item[1].missed), -item[1].wrong, item[0])):
        yield StepFigures(lesson, step, len(t.seen), len(t.missed), t.wrong, t.hints, t.solutions)


def _of_ideas(ideas: Mapping[str, _Tally]) -> Iterator[MisconceptionFigures]:
    for id, t in sorted(ideas.items(), key=lambda item: (-len(item[1].missed), -item[1].wrong, item[0])):
        yield MisconceptionFigures(id, len(t.missed), t.wrong, tuple(sorted(t.lessons)))


def read(paths: Sequence[str], _: Translate) -> Report:
    """The report on files. Raises UsageError for one that is none of ours."""
    return report(learners(exchange.load(Path(path), _) for path in paths))


def show(found: Report, lessons: Sequence[Lesson], screen: Screen, speech: Speech, _: Translate) -> None:
    """Two tables, what was missed by most first; steps that nobody missed are left out."""
    screen.title(_("Learners: {count}").format(count=found.learners))
    missed = [step for step in found.steps if step.missed]
    if not missed:
        screen.note(_("No wrong answer is in these files."))
        return
    screen.heading(_("Steps"))
    names = _step_names(lessons, speech)
    headings = [_("step"), _("missed by"), _("wrong answers"), _("hints"), _("solutions shown")]
    screen.listing(headings, [_cells(step, names) for step in missed])
    if found.misconceptions:
        screen.heading(_("Wrong ideas"))
        headings = [_("idea"), _("learners"), _("times"), _("lessons")]
        screen.listing(headings, [_idea_cells(idea, speech) for idea in found.misconceptions])


def _cells(step: StepFigures, names: Mapping[tuple[str, str], str]) -> list[str]:
    name = names.get((step.lesson, step.step), f"{step.lesson}: {step.step}")
    counts = [str(count or "") for count in (step.wrong, step.hints, step.solutions)]
    return [name, f"{step.missed}/{step.learners}", *counts]


def _step_names(lessons: Sequence[Lesson], speech: Speech) -> dict[tuple[str, str], str]:
    """Such as "5. Nesting: the nearest one wins, 3/17 See what happens", by the ids of lesson and step."""
    found = {}
    for lesson in lessons:
        for number, step in enumerate(lesson.steps, 1):
            label = split_label(step.prose.get(languages(speech)[0]))[0] or step.id
            found[lesson.id, step.id] = f"{title(lesson, speech)}, {number}/{len(lesson.steps)} {label}"
    return found


def _idea_cells(idea: MisconceptionFigures, speech: Speech) -> list[str]:
    name = misconceptions.names().get(idea.id)
    words = idea.id if name is None else " / ".join(texts(name, speech))
    return [words, str(idea.learners), str(idea.times), ", ".join(idea.lessons)]


def to_json(found: Report) -> str:
    """The report as one JSON text; the names of wrong ideas are in it in both languages."""
    names = misconceptions.names()
    ideas = []
    for idea in found.misconceptions:
        name = names.get(idea.id)
        ideas.append({**asdict(idea), "vi": name and name.vi, "en": name and name.en})
    return as_json({**asdict(found), "misconceptions": ideas})
