"""The texts of explanations in both languages, and where they are shown."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from support.typist import Typist

from gradrepl.app.learning.course import learn
from gradrepl.app.learning.remembering import Forgetful
from gradrepl.app.options import Options, Terminal
from gradrepl.app.repl import Repl
from gradrepl.app.screens.explaining import NAME, lesson_number, short, texts
from gradrepl.lesson import shelf
from gradrepl.lesson.load import load
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Explanation, Fact
from gradrepl.session.patterns import PATTERNS

ENTRIES: dict[str, dict[str, Any]] = dict(texts()["texts"])
FACTS: dict[str, dict[str, str]] = dict(texts()["facts"])
FIELD = re.compile(r"(?<!{){(\w+)}")
CODE = re.compile(r"`[^`]*`")
FAILING = "c = torch.ones(2)\nc.sum().backward()"


def code_in(text: str) -> list[str]:
    return sorted(CODE.findall(text))


def pairs() -> Iterator[tuple[str, str, str]]:
    """Every text, in both languages."""
    for id, entry in ENTRIES.items():
        yield f"{id} short", entry["short"]["en"], entry["short"]["vi"]
        yield f"{id} long", entry["long"]["en"], entry["long"]["vi"]
    for id, fact in FACTS.items():
        yield f"fact {id}", fact["en"], fact["vi"]


def test_every_explanation_has_texts_and_every_text_an_explanation() -> None:
    assert set(ENTRIES) == {pattern.id for pattern in PATTERNS}
    assert len(ENTRIES) > 30


@pytest.mark.parametrize(("id", "en", "vi"), list(pairs()), ids=[pair[0] for pair in pairs()])
def test_both_languages_say_the_same_of_code(id: str, en: str, vi: str) -> None:
    assert en.strip()
    assert vi.strip()
    assert unicodedata.is_normalized("NFC", vi)
    assert set(code_in(en)) == set(code_in(vi))
    assert sorted(FIELD.findall(en)) == sorted(FIELD.findall(vi))
    assert en.strip() != vi.strip()


@pytest.mark.parametrize("id", ENTRIES)
def test_a_short_text_is_short(id: str) -> None:
    for text in ENTRIES[id]["short"].values():
        assert len(text) < 200, text
        assert "\n" not in text


@pytest.mark.parametrize("id", ENTRIES)
def test_a_text_asks_for_nothing_that_its_pattern_does_not_find(id: str) -> None:
    for pattern in PATTERNS:
        if pattern.id == id:
            assert set(FIELD.findall(ENTRIES[id]["short"]["en"])) <= set(re.compile(pattern.words).groupindex)


@pytest.mark.parametrize("id", ENTRIES)
def test_an_example_runs_without_a_word_of_complaint(session: Session, id: str) -> None:
    for outcome in session.run(ENTRIES[id]["example"]):
        assert outcome.failure is None, outcome.failure
        assert not outcome.warnings


def test_the_lessons_that_are_named_exist() -> None:
    named = {entry["lesson"] for entry in ENTRIES.values() if "lesson" in entry}
    assert named <= {shelf.id_of(path) for path in shelf.lessons()}
    assert lesson_number("no-graph") == 6
    assert lesson_number("division") is None


def test_the_file_ships_with_the_package() -> None:
    assert (files("gradrepl") / NAME).is_file()


def test_the_learners_own_code_can_not_break_a_text() -> None:
    fact = Fact("made", {"name": "x", "input": "1", "source": "`{name}` {0} \x1b[31m"})
    text = short(Explanation("no-graph", {}, (fact,)), "en")[0]
    assert "'{name}' {0}" in text
    assert text.count("`") % 2 == 0


def shown_by_repl(capsys: pytest.CaptureFixture[str], *inputs: str, speech: str = "en") -> str:
    Repl(Options(speech=speech, plain=True), Terminal(False, False, True), Typist(*inputs)).loop()  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_the_prompt_explains_below_pytorchs_words(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown_by_repl(capsys, FAILING).splitlines()
    words = lines.index("RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn")
    assert lines[words + 1].startswith("=> `backward()` starts from a tensor that has no graph behind it")
    assert "`c` was made at input 1 by `c = torch.ones(2)`" in lines[words + 1]


def test_a_warning_is_explained_below_itself(capsys: pytest.CaptureFixture[str]) -> None:
    source = "print(1)\nx = torch.ones(2, requires_grad=True)\ny = x * 2\ny.grad\ny.nothing_at_all"
    lines = shown_by_repl(capsys, source).splitlines()
    warned = next(number for number, line in enumerate(lines) if line.startswith("UserWarning: The .grad"))
    assert lines[warned + 1].startswith("=> You read `.grad` of a tensor that an operation made")


def test_both_languages_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    told = [line for line in shown_by_repl(capsys, FAILING, speech="both").splitlines() if line.startswith("=> ")]
    assert len(told) == 2
    assert "đồ thị tính toán" in told[0]
    assert "no graph" in told[1]


def test_explain_repeats_the_last_one_at_length_with_its_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    shown = shown_by_repl(capsys, FAILING, "y = 1", ":explain")
    assert "What to do: look at the table" in shown
    assert "    y.sum().backward()" in shown
    assert "Lesson 6 treats it: :learn 6" in shown


def test_the_first_explanation_says_that_there_is_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown_by_repl(capsys, FAILING, FAILING, "torch.autogard").count(":explain says more about it.\n") == 1


def test_ctrl_c_is_spoken_of_by_explain_alone(capsys: pytest.CaptureFixture[str]) -> None:
    shown = shown_by_repl(capsys, "raise KeyboardInterrupt", ":explain")
    assert "\nKeyboardInterrupt\nYou stopped the program with Ctrl-C" in shown


def test_explain_speaks_vietnamese_and_has_a_vietnamese_name(capsys: pytest.CaptureFixture[str]) -> None:
    shown = shown_by_repl(capsys, FAILING, ":giaithich", speech="vi")
    assert "Cách sửa: tìm trong bảng" in shown
    assert "Bài 6 nói về điều này: :learn 6" in shown


@pytest.mark.parametrize("inputs", [[], [FAILING, "raise ValueError('mine')"]])
def test_explain_says_so_where_nothing_is_known(capsys: pytest.CaptureFixture[str], inputs: list[str]) -> None:
    shown = shown_by_repl(capsys, *inputs, ":explain")
    assert shown.endswith("Nothing has gone wrong of which :explain could say more.\n")


def test_a_lesson_explains_too(capsys: pytest.CaptureFixture[str], engine: Engine) -> None:
    options = Options(speech="en", plain=True)
    script = Typist("import torch", "torch.autogard", ":explain")
    learn(load(shelf.find("1")), engine, script, options, Terminal(False, False, True), Forgetful())
    shown = capsys.readouterr().out
    assert "=> There is nothing named `autogard` here. Did you mean `torch.autograd`?" in shown
    assert "Names are told apart letter by letter" in shown


Run = Callable[..., Any]


def test_playback_explains_in_the_language_chosen(gradrepl: Run) -> None:
    shown = gradrepl("play", "6", "--lang", "vi", "--plain", "--no-input").stdout
    assert "=> `backward()` xuất phát từ một tensor không nối với đồ thị tính toán nào" in shown
    assert "=> Bạn đang đọc `.grad` của một tensor do phép toán tạo ra" in shown


def test_a_program_in_a_pipe_fails_as_python_does(gradrepl: Run) -> None:
    done = gradrepl("-c", f"import torch\n{FAILING}")
    assert done.stderr.endswith("does not have a grad_fn\n")
    assert "=>" not in done.stdout + done.stderr


def test_a_program_that_is_shown_is_explained(gradrepl: Run) -> None:
    done = gradrepl("-c", "import torch\ntorch.autogard", "--color", "always")
    assert "=> There is nothing named" in done.stdout


def test_the_event_stream_stays_as_it_is(gradrepl: Run) -> None:
    lines = gradrepl("-c", f"import torch\n{FAILING}", "--json").stdout.splitlines()
    assert set(json.loads(lines[-1])["error"]) == {"type", "message"}
    assert not any("explan" in line for line in lines)
