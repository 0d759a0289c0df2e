"""Nothing of a lesson, of printed text or of a file from elsewhere reaches the terminal as an order to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from app.test_terminal import Open, terminal  # noqa: F401

from gradrepl.app import lessons
from gradrepl.app.progress import exchange, overview, report
from gradrepl.app.progress.memory import Memory, now
from gradrepl.app.screens.drawn import DrawnScreen
from gradrepl.app.screens.screen import PlainScreen
from gradrepl.i18n import english
from gradrepl.lesson.load import load
from gradrepl.lesson.model import Lesson
from gradrepl.lesson.player import Verdict
from gradrepl.store import Store

Run = Callable[..., CompletedProcess[str]]
SAMPLE = Path(__file__).parent.parent.parent / "gradrepl" / "sample-lesson.md"
SGR, LINK, TITLE, C1, MIRRORED, CLEAR = (
    "\x1b[7;5;31m",
    "\x1b]8;;http://evil\x1b\\",
    "\x1b]0;evil\x07",
    "\x9b7;5;31m",
    "\u202e",
    "\x1bc\x0c\x7f",
)
HOSTILE = f"[bold red]B[/] [link=evil]K {SGR}X {LINK}L {TITLE} {C1}C {MIRRORED}R {CLEAR}"
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
OURS = re.compile(r"\x1b\[(?:0|[\d;]*?)m")


def hostile_text() -> str:
    """The sample lesson with HOSTILE in all of its words, its code, what it prints and what it asks for."""
    text = SAMPLE.read_text("utf-8").replace('"ID"', '"hostile"')
    text = re.sub(r'= "(?!hostile)([^"\n]*)"', lambda found: f"= {json.dumps(found[1] + HOSTILE)}", text, count=4)
    text = re.sub(r"(?m)^(- (?:vi|en): |### )", lambda found: f"{found[1]}{HOSTILE} ", text)
    text = re.sub(r"(?m)^(>>> [^#\n]*[^:\n])$", lambda found: f"{found[1]}  # {HOSTILE}", text)
    text = text.replace(
        "z.requires_grad, z.grad_fn}", f'z.requires_grad, z.grad_fn, len(r"{SGR}{LINK}[bold red]B[/]")}}', 1
    )
    printing = f">>> print({HOSTILE!r})\n{HOSTILE}\n>>> raise ValueError({HOSTILE!r})\n"
    error = f"Traceback (most recent call last):\n    ...\nValueError: {HOSTILE}\n"
    text = text.replace("tensor([6.], grad_fn=<MulBackward0>)\n", "...\n" + printing + error, 1)
    lines = f"<!--solution-->\n```pycon\n>>> p = 1  # {HOSTILE}\n>>> q = p + 1\n\n```\n<!--distractor-->\n```pycon\n"
    words = f"<!--vi-->\n{HOSTILE}\n<!--en-->\n{HOSTILE}\n"
    lines += f">>> q = 3  # {HOSTILE}\n\n```\n- vi: {HOSTILE}\n- en: {HOSTILE}\n"
    lines += "<!--check-->\n```pycon\n>>> q\n2\n\n```\n"
    return text + f"\n## lines {{parsons}}\n{words}{lines}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "hostile.md"
    file.write_text(hostile_text(), "utf-8")
    return file


@pytest.fixture
def damaged(path: Path) -> Path:
    file = path.with_name("damaged.md")
    text = path.read_text("utf-8").replace("## look", f"## {HOSTILE} {{{HOSTILE}}}").replace("<!--hint-->", HOSTILE)
    file.write_text(text.replace("#flag-is-switched-off", f"#{SGR}").replace("{choice}", "{parsons}"), "utf-8")
    return file


def assert_harmless(text: str, *, told: bool = True) -> None:
    """No order to the terminal, but for gradrepl's own colours; told: the words are there as they are written."""
    assert SGR not in text
    found = CONTROLS.search(OURS.sub("", text))
    assert found is None, f"{found[0]!r} in ...{text[max(found.start() - 60, 0) : found.end() + 20]!r}"
    if told:
        assert "[bold red]B[/]" in OURS.sub("", text)
        assert "\\x1b[7;5;31m" in OURS.sub("", text)


LOOKS = [(), ("--color", "always"), ("--lang", "vi"), ("--json",)]


@pytest.mark.parametrize("options", LOOKS)
def test_a_lesson_that_is_played(gradrepl: Run, path: Path, options: tuple[str, ...]) -> None:
    played = gradrepl("play", "--trust", str(path), *options, COLUMNS="900")
    assert_harmless(played.stdout + played.stderr, told=False)
    if "--json" not in options:
        assert_harmless(played.stdout)
        assert played.stdout.count("[bold red]B[/]") > 20


@pytest.mark.parametrize("command", ["check", "learn", "play"])
def test_what_is_wrong_with_a_lesson(gradrepl: Run, path: Path, damaged: Path, command: str) -> None:
    trust = () if command == "check" else ("--trust",)
    for file in (path, damaged):
        done = gradrepl(command, *trust, str(file))
        assert_harmless(done.stdout + done.stderr, told=False)
    assert done.returncode == 1
    assert "[bold red]" in done.stdout + done.stderr


def test_names_that_are_typed(gradrepl: Run) -> None:
    for arguments in (["learn", SGR], ["run", SGR], ["check", SGR], ["new", SGR], ["report", SGR], ["play", TITLE]):
        done = gradrepl(*arguments)
        assert done.returncode == 2
        assert_harmless(done.stdout + done.stderr, told=False)
    for arguments in (["--import", SGR], ["--forget", SGR], ["--export", f"no/{SGR}"]):
        done = gradrepl("progress", *arguments)
        assert_harmless(done.stdout + done.stderr, told=False)
        assert done.returncode == 2


@pytest.fixture
def lesson(path: Path) -> Lesson:
    return load(path)


def learned(lesson: Lesson, tmp_path: Path) -> Store:
    """The events of somebody who types what they shouldn't."""
    store = Store(tmp_path / "progress.db")
    memory = Memory(store, english)
    step = next(step for step in lesson.steps if step.kind == "predict")
    memory.predicted(lesson, step, [Verdict(cell, HOSTILE, HOSTILE, False, None) for cell in step.cells])
    memory.attempted(lesson, step, False, HOSTILE)
    return store


@pytest.mark.parametrize("drawn", [True, False])
def test_lists_of_lessons_progress_and_reports(
    lesson: Lesson, tmp_path: Path, capsys: pytest.CaptureFixture[str], drawn: bool
) -> None:
    screen = DrawnScreen(english, colored=True, width=900) if drawn else PlainScreen(english)
    events = learned(lesson, tmp_path).events()
    lessons.show([lesson], screen, "both")
    assert_harmless(capsys.readouterr().out)
    overview.show(overview.lines([lesson], events, now(), "vi"), screen, english)
    assert_harmless(capsys.readouterr().out)
    report.show(report.report([events]), [lesson], screen, "en", english)
    assert_harmless(capsys.readouterr().out)


def test_files_of_progress_hold_no_controls(lesson: Lesson, tmp_path: Path) -> None:
    events = learned(lesson, tmp_path).events()
    whole = exchange.written(events)
    assert_harmless(whole + report.to_json(report.report([events])), told=False)
    (tmp_path / "f.json").write_text(whole, "utf-8")
    assert exchange.load(tmp_path / "f.json", english) == events


# What is typed, and what shows then.
TYPED = (
    (":go 2", "2/6 "),
    ("True", r"z\.requires_grad = "),
    ("x", r"z\.grad_fn = "),
    ("9", r"B\[/\]\"\): (you said|bạn đoán) 9"),
    (":hint", "(Hint|Gợi ý) 1"),
    (":go 3", "3/6 "),
    ("1", "1-2:(.|\n)*(Right|Đúng|No|Không)"),
    (":go 6", "6/6 "),
    ("1 2 3", "(does not belong|không thuộc)"),
    (":list", r">  6  lines"),
    (":go 1", "1/6 "),
)


@pytest.mark.parametrize("options", [(), ("--plain",), ("--lang", "both")])
def test_a_lesson_that_is_learned(terminal: Open, path: Path, options: tuple[str, ...]) -> None:  # noqa: F811
    screen = terminal("learn", "--trust", str(path), *options, columns=200)
    screen.wait("1/6 ")
    for typed, shown in TYPED:
        screen.send(f"\x15{typed}\r")  # Ctrl-U: what is offered is left
        screen.wait(shown)
    while "ValueError" not in screen.text:
        screen.send("\r")
        screen.pump()
    screen.send("\x15:go 4\r")
    screen.wait("4/6 (.|\n)*____")
    raw = screen.raw.decode("utf-8", "replace")
    for order in (SGR, LINK, TITLE, C1, MIRRORED, CLEAR, "\x1b]8", "\x1b]0", "\x1bc", "\x07", "\x9b", "\x0c"):
        assert order not in raw, f"{order!r} in ...{raw[max(raw.index(order) - 80, 0) : raw.index(order) + 20]!r}"
    assert raw.count("[bold red]B[/]") > 20
