"""A course that nobody types: for each path on standard input, a new process takes it from where it stopped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gradrepl.app import engines
from gradrepl.app.progress.memory import Memory
from gradrepl.i18n import english
from gradrepl.lesson import player, shelf
from gradrepl.lesson.load import load
from gradrepl.lesson.model import Lesson, Step
from gradrepl.lesson.player import Place
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.store import Store

LESSONS = ("no-grad", "nesting")


def tell(*words: str) -> None:
    """Say on standard output, in one write, what is saved by now."""
    os.write(1, (" ".join(words) + "\n").encode())


def take(lesson: Lesson, memory: Memory, engine: Engine) -> None:
    """Go through a lesson from the first step that isn't done, each answer wrong, each exercise solved."""
    place = Place(lesson)
    for _ in range(memory.resume(lesson)):
        place = player.forward(place)
    with player.session_at(place, engine) as session:
        while not place.finished:
            answer(lesson, place.step, memory, session)
            memory.done(lesson, place.step, "done")
            tell("done", lesson.id, place.step.id)
            place = player.forward(place)


def answer(lesson: Lesson, step: Step, memory: Memory, session: Session) -> None:
    """Do what a step asks for."""
    player.run(step.examples, session)
    if step.cells:
        memory.predicted(lesson, step, player.judge(step, ["?"] * len(step.cells), session))
        tell("predicted", lesson.id, step.id)
    for number, _ in enumerate(step.hints, 1):
        memory.hinted(lesson, step, number)
        tell("hinted", lesson.id, step.id)
    if step.solution:
        player.run(step.solution, session)
        memory.attempted(lesson, step, True, None)
        tell("attempted", lesson.id, step.id)


def main() -> None:
    """Take the course in a child process for each line; the process ends as it is killed or done."""
    lessons, engine = [load(shelf.find(name)) for name in LESSONS], engines.load("builtin")
    for lesson in lessons:
        player.session_at(Place(lesson), engine).close()
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child:
            tell("child", str(child))
            sys.stdin.readline()  # until then the child, even if it ended, keeps its number
            tell("killed" if os.WIFSIGNALED(os.waitpid(child, 0)[1]) else "ended")
            continue
        memory = Memory(Store(Path(line.rstrip("\n"))), english)
        for lesson in lessons:
            take(lesson, memory, engine)
        tell("over")
        os._exit(0)


if __name__ == "__main__":
    main()
