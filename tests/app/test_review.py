"""A review: what was guessed wrong is asked again, and how it went is remembered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from support.typist import Typist

from gradrepl.app import engines
from gradrepl.app.learning.course import learn
from gradrepl.app.learning.remembering import Forgetful
from gradrepl.app.options import Options, Terminal
from gradrepl.app.progress import review
from gradrepl.app.progress.memory import Memory
from gradrepl.app.repl import Repl
from gradrepl.app.screens.drawn import DrawnScreen
from gradrepl.app.screens.screen import PlainScreen
from gradrepl.i18n import Speech, translator
from gradrepl.lesson import shelf
from gradrepl.lesson.load import load
from gradrepl.lesson.model import Step
from gradrepl.lesson.player import Verdict, options
from gradrepl.store import Store

Run = Callable[..., CompletedProcess[str]]
LESSON = load(shelf.find("nesting"))
ASKED = next(step for step in LESSON.steps if step.kind == "predict")
CHOSEN = next(step for step in LESSON.steps if step.kind == "choice")
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Answering(Typist):
    """Answers each question; a key for lessons would be taken for an answer."""

    def line(self, prompt: str, offered: str = "") -> str:
        assert not self.shortcuts or prompt == ">>> "
        return super().line(prompt, offered)

    @property
    def questions(self) -> list[str]:
        """What was asked, without the prompts for code."""
        return [text for text in self.asked if text != ">>> "]


class Learner:
    """Somebody with a memory of their own, and a calendar."""

    def __init__(self, path: Path) -> None:
        self.day = START
        self.memory = Memory(Store(path), translator("en"), lambda: self.day)

    def misses(self, *steps: Step) -> None:
        for step in steps:
            if step.kind == "choice":
                wrong = next(option for option in step.options if not option.right)
                self.memory.chose(LESSON, step, wrong, False)
            else:
                cells = (Verdict(cell, "?", "True", False, None) for cell in step.cells)
                self.memory.predicted(LESSON, step, list(cells))

    def reviews(self, *answers: str, speech: Speech = "en") -> list[str]:
        """Take what is due; returns the questions."""
        typist, screen = Answering(*answers), PlainScreen(translator(speech))
        found = review.due([LESSON], self.memory, self.day)
        asking = review.Review(engines.load("builtin"), typist, screen, self.memory, speech, drawn=False)  # type: ignore[arg-type]
        asking.run(found)
        return typist.questions


@pytest.fixture
def learner(tmp_path: Path) -> Learner:
    return Learner(tmp_path / "progress.db")


def right_number() -> str:
    return str(next(number for number, option in enumerate(options(CHOSEN), 1) if option.right))


def test_a_question_comes_back_after_1_3_and_7_days_with_other_numbers(
    learner: Learner, capsys: pytest.CaptureFixture[str]
) -> None:
    learner.misses(ASKED)
    shown = []
    for day in range(30):
        learner.day = START + timedelta(day)
        asked = learner.reviews("False")
        assert asked == (["y.requires_grad = "] if day in (1, 4, 11) else [])
        shown += [out] if (out := capsys.readouterr().out) else []
    assert all("Right: y.requires_grad = False" in out and "Right: 1 of 1." in out for out in shown)
    assert "tensor([1.]" in LESSON.steps[0].examples[1].source
    assert not any("tensor([1.]" in out for out in shown)
    assert len({out.partition("What has run so far:")[2] for out in shown}) > 1


def test_a_wrong_answer_is_told_with_its_reason_and_comes_back_tomorrow(
    learner: Learner, capsys: pytest.CaptureFixture[str]
) -> None:
    learner.misses(ASKED)
    learner.day += timedelta(1)
    learner.reviews("True")
    out = capsys.readouterr().out
    assert "y.requires_grad: you said True, it is False." in out
    assert ASKED.feedback[0].text.en.split()[0] in out.partition("it is False.")[2]
    assert f"gradrepl learn nesting, then :go {ASKED.id}" in out
    assert learner.reviews("False") == []
    learner.day += timedelta(1)
    assert learner.reviews("False") == ["y.requires_grad = "]


def test_a_choice_is_asked_until_a_number_is_typed_and_replied_to(
    learner: Learner, capsys: pytest.CaptureFixture[str]
) -> None:
    learner.misses(CHOSEN)
    learner.day += timedelta(1)
    assert len(learner.reviews("", "nine", "99", right_number())) == 4
    assert "Right: 1 of 1." in capsys.readouterr().out
    assert [event.data for event in learner.memory.events() if event.kind == "reviewed"] == [{"right": True}]


def test_commands_leave_skip_and_help(learner: Learner, capsys: pytest.CaptureFixture[str]) -> None:
    learner.misses(ASKED, CHOSEN)
    learner.day += timedelta(1)
    assert len(learner.reviews(":hint", ":hint", ":what", ":skip", ":q", "never")) == 5
    out = capsys.readouterr().out
    assert "No more hints here." in out
    assert ":hint helps, :skip leaves this question for later, :q ends the review" in out
    assert learner.reviews(":q") == ["y.requires_grad = "]
    assert learner.reviews("False") == ["y.requires_grad = ", "your answer, 1-3: "]
    assert learner.reviews(right_number()) == ["your answer, 1-3: "]


@pytest.mark.parametrize("command", [":review 5", ":on"])
def test_at_the_prompt_names_mode_and_random_numbers_stay(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    Learner(tmp_path / "gradrepl" / "progress.db").misses(ASKED)
    drawn = "float(torch.rand(1))"
    before = (f"torch.manual_seed(3); first = {drawn}; _ = torch.manual_seed(3)", "_ = torch.set_grad_enabled(False)")
    typist = Answering(*before, command, "False", f"print('same', first == {drawn}, torch.is_grad_enabled())")
    Repl(Options(plain=True), Terminal(False, False, True), typist).loop()  # type: ignore[arg-type]
    assert typist.questions == ["y.requires_grad = "]
    out = capsys.readouterr().out
    assert "Right: 1 of 1." in out
    assert "same True False" in out


def test_in_a_lesson_its_keys_come_back_after_the_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    Learner(tmp_path / "gradrepl" / "progress.db").misses(ASKED)
    typist = Answering(":review", "True", ":review lost")
    typist.footer = True  # type: ignore[attr-defined]
    options, terminal = Options(plain=True), Terminal(False, False, True)
    learn(LESSON, engines.load("builtin"), typist, options, terminal, Forgetful())  # type: ignore[arg-type]
    out = capsys.readouterr().out
    assert "y.requires_grad: you said True, it is False." in out
    assert "There is no lesson lost." in out.partition("Right: 0 of 1.")[2]
    assert typist.shortcuts[0].label == "Enter"


def test_without_a_keyboard_it_lists_what_is_due(gradrepl: Run, tmp_path: Path) -> None:
    said = gradrepl("review").stdout
    assert said == "Nothing to review: what you guess wrong in a lesson comes back here after 1, 3 and 7 days.\n"
    there = Learner(tmp_path / ".local" / "share" / "gradrepl" / "progress.db")
    there.day = datetime.now(UTC)
    there.misses(ASKED)
    tomorrow = (datetime.now().astimezone() + timedelta(1)).date().isoformat()
    assert gradrepl("review", "5").stdout == f"Nothing to review now; the next question comes on {tomorrow}.\n"
    there.day = START
    there.misses(CHOSEN)
    assert gradrepl("review").stdout == f"5. {LESSON.title.en}: Why?: due since: 2026-05-02\n"
    assert gradrepl("review", "1").stdout.startswith("Nothing to review: ")


def test_gaps_do_not_add_up_but_a_typed_line_stands_between(capsys: pytest.CaptureFixture[str]) -> None:
    screen = DrawnScreen(translator("en"), colored=False, width=40)
    screen.gap()
    screen.prose("One.")
    screen.gap()
    screen.prose("Two.")
    assert capsys.readouterr().out == "\nOne.\n\nTwo.\n"
    screen.gap()
    screen.typed()
    screen.prose("Three.")
    assert capsys.readouterr().out == "\n\nThree.\n"
