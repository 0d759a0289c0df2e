"""Whole lessons through the real prompt: all of it answered wrong, and all of it right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from gradrepl.app import engines
from gradrepl.app.learning.course import learn
from gradrepl.app.learning.remembering import Forgetful
from gradrepl.app.line.history import QuietHistory
from gradrepl.app.line.prompt import PromptReader
from gradrepl.app.options import Options, Terminal
from gradrepl.lesson import player, shelf
from gradrepl.lesson.load import load
from gradrepl.lesson.model import EXERCISES, Lesson, Text
from gradrepl.lesson.player import Place
from gradrepl.view import prose

PATHS = shelf.lessons()
CLEAR = "\x03"


class Typist(PromptReader):
    """Types at the real prompt, one text a prompt; `CLEAR` drops what stands there. Ctrl-D at the end."""

    def __init__(self, texts: Sequence[str], pipe: PipeInput, history: Path) -> None:
        super().__init__(QuietHistory(history), input=pipe, output=DummyOutput())
        self.texts = list(texts)
        self.pipe = pipe

    def _type(self) -> None:
        text = self.texts.pop(0) if self.texts else "\x04"
        if text not in (CLEAR, "\x04"):
            text = f"\x1b[200~{text}\x1b[201~\r" if text else "\r"
        self.pipe.send_text(text)

    def code(self, offered: str = "") -> str:
        self._type()
        return super().code(offered)

    def line(self, prompt: str, offered: str = "") -> str:
        self._type()
        return super().line(prompt, offered)


Take = Callable[[Lesson, Sequence[str]], tuple[str, Typist, Forgetful]]


@pytest.fixture
def take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Take:
    """Takes a lesson by typing; returns what was shown, the typist, and the marks."""

    def run(lesson: Lesson, texts: Sequence[str]) -> tuple[str, Typist, Forgetful]:
        memory = Forgetful()
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            typist = Typist(texts, pipe, tmp_path / "history")
            options = Options(speech="vi", plain=True)
            learn(lesson, engines.load("builtin"), typist, options, Terminal(False, False, True), memory)
        return capsys.readouterr().out, typist, memory

    return run


def said(text: Text) -> str:
    """A text of a lesson as the plain screen shows it."""
    return "\n".join(prose.plain(block) for block in prose.blocks(text.vi))


def truths(place: Place) -> list[str]:
    """The right answers to a prediction."""
    with player.session_at(place, engines.load("builtin")) as session:
        player.run(place.step.examples, session)
        return list(player.truths(place.step, session))


def order(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))


def right(place: Place) -> Iterator[str]:
    """The fewest inputs that do a step."""
    step = place.step
    if step.kind == "predict":
        yield from truths(place)
    elif step.kind == "choice":
        yield str(next(n for n, option in enumerate(player.options(step), 1) if option.right))
    elif step.kind == "parsons":
        yield order(player.right_order(step))
    elif step.kind == "fill":
        yield CLEAR
        yield player.source_of(step.solution)
    elif step.kind in EXERCISES:
        yield player.source_of(step.solution)
    else:
        yield from ("" for _ in step.examples)
    yield ""


def wrong(place: Place) -> Iterator[tuple[str, str]]:
    """Wrong inputs for a step, each with the reply that is to come; and what brings the step back to its start."""
    step = place.step
    if step.kind == "predict":
        yield from mispredicted(place)
    for number, option in enumerate(player.options(step), 1):
        if not option.right and option.reply is not None:
            yield str(number), said(option.reply)
    if step.kind == "parsons":
        for distractor in step.distractors:
            number = player.lines(step).index(distractor.source) + 1
            yield order([number]), said(distractor.text)
    for attempt in step.wrong if step.kind != "parsons" else ():
        if step.kind == "fill":
            yield CLEAR, ""  # what stands at the prompt; each try begins anew
        yield player.source_of(attempt.examples), said(attempt.text)
        if step.kind != "fill":
            yield ":reset", ""


def mispredicted(place: Place) -> Iterator[tuple[str, str]]:
    """Wrong values for all cells, as often as the lesson knows one; "?!" where it knows none."""
    step = place.step
    known = {cell: [item for item in step.feedback if item.cell == cell] for cell in step.cells}
    for turn in range(max(1, *map(len, known.values()))):
        for cell, truth in zip(step.cells, truths(place), strict=True):
            item = known[cell][turn] if turn < len(known[cell]) else None
            yield (item.value, said(item.text)) if item else ("?!", f"{cell}: bạn đoán ?!, kết quả là {truth}.")
        yield ":reset", ""


def places(lesson: Lesson) -> Iterator[Place]:
    place = Place(lesson)
    while not place.finished:
        yield place
        place = player.forward(place)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_all_answers_wrong_get_a_reply_of_their_own(path: Path, take: Take) -> None:
    lesson = load(path)
    typed, replies = list[str](), list[str]()
    for place in places(lesson):
        for text, reply in wrong(place):
            typed.append(text)
            replies += [reply] if reply else []
        typed += right(place)
    shown, typist, _marks = take(lesson, typed)
    assert not typist.texts
    assert "Hết bài" in shown
    for reply in replies:
        start = shown.find(reply)
        assert start >= 0, reply
        shown = shown[start + len(reply) :] if reply.startswith("?!") else shown


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_all_answers_right_meet_nothing_that_slows_one_down(path: Path, take: Take) -> None:
    lesson = load(path)
    shown, typist, memory = take(lesson, [text for place in places(lesson) for text in right(place)])
    assert not typist.texts
    assert "Hết bài" in shown
    assert memory.marks(lesson) == {step.id: "done" for step in lesson.steps}
    for words in ("bạn đoán", "Chưa được", "Không phải", "Hãy gõ"):
        assert f"\n{words}" not in shown
    for text in [item.text for step in lesson.steps for item in (*step.feedback, *step.wrong)]:
        assert said(text) not in shown
