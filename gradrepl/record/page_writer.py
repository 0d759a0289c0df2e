"""Gathers a lesson's events and writes its page when all is over."""

from __future__ import annotations

from typing import TextIO

from gradrepl.lesson.model import Lesson
from gradrepl.record.event import Event, LessonBegins, Ran, SolutionBegins, StepBegins, Truths
from gradrepl.record.page import page
from gradrepl.record.page_scene import Act, Scene, scenes
from gradrepl.record.writer import Explain, Setting


class PageWriter:
    """Writes one page, whatever number of lessons it gets; explain: gives the texts in Vietnamese and in English."""

    def __init__(self, out: TextIO, setting: Setting, explain: Explain) -> None:
        self._out, self._setting, self._explain = out, setting, explain
        self._lessons: list[Lesson] = []
        self._acts: list[Act] = []
        self._running: list[Scene] = []

    def add(self, event: Event) -> None:
        match event:
            case LessonBegins():
                self._lessons.append(event.lesson)
            case StepBegins():
                self._acts.append(Act(event.lesson, event.step, self._unused(event.step.id)))
                self._running = self._acts[-1].given
            case SolutionBegins():
                self._running = self._acts[-1].solved
            case Ran():
                self._running += scenes(event)
            case Truths():
                self._acts[-1].truths = event.values

    def end(self) -> None:
        setting = self._setting
        self._out.writelines(page(self._lessons, self._acts, setting.speech, self._explain, home=setting.site))

    def _unused(self, id: str) -> str:
        used = {act.id for act in self._acts}
        return next(name for name in (id, *(f"{id}-{n}" for n in range(2, len(used) + 3))) if name not in used)
