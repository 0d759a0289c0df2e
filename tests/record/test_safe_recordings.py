"""Recordings of hostile, long and broken lessons, and of files that can't be written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from support.cost import with_peak

from gradrepl.app import engines
from gradrepl.app.cli import main
from gradrepl.app.recording.export import Target, in_language, recording
from gradrepl.app.recording.forms import FORMS, take
from gradrepl.lesson.load import load
from gradrepl.lesson.model import Lesson
from gradrepl.record.writer import Setting

Make = Callable[..., Path]
HOSTILE = "Words <script>alert(1)</script> <img src=x onerror=alert(1)> ]]> &#27;[2J [x](javascript:alert(1)) | `<b>`"
CODE = """>>> print("\\x1b[2J\\x1b]0;t\\x07<script>alert(1)</script>```")
\\x1b
>>> t = "<svg onload=alert(1)>"
>>> t
''
"""
OUTPUT, SLACK = 1_000_000, 600_000  # bytes
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def exported(path: Path, to: Path, *more: str) -> Path:
    main(["export", str(path), "--to", str(to), "--trust", "--lang", "en", *more])
    return to


class Tags(HTMLParser):
    """Collects the tags that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.seen.add(tag)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is trusted here is forgotten again."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def hostile(made: Make) -> Path:
    """A lesson whose every text holds markup or escape sequences."""
    return made(CODE, prose=HOSTILE, title="<script>x</script>", goal=HOSTILE)


def test_text_and_casts_hold_no_escape_sequence_of_a_lesson(hostile: Path, tmp_path: Path) -> None:
    assert "\x1b" not in exported(hostile, tmp_path / "a.txt").read_text("utf-8")
    lines = exported(hostile, tmp_path / "a.cast").read_text("utf-8").splitlines()
    shown = "".join(json.loads(line)[2] for line in lines[1:])
    assert "\\x1b[2J" in COLOUR.sub("", shown)
    assert "\x1b" not in COLOUR.sub("", shown)


def test_a_picture_holds_no_element_of_a_lesson(hostile: Path, tmp_path: Path) -> None:
    root = ElementTree.parse(exported(hostile, tmp_path / "a.svg")).getroot()
    assert not [one for one in root.iter() if one.tag.endswith(("script", "img", "}b"))]
    assert not [name for one in root.iter() for name in one.attrib if name.startswith("on")]
    assert "<script>alert(1)</script>" in "".join(root.itertext())


def test_markdown_holds_no_html_and_no_link_of_a_lesson(hostile: Path, tmp_path: Path) -> None:
    text = exported(hostile, tmp_path / "a.md").read_text("utf-8")
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tags = Tags()
    tags.feed(parser.render(text))
    assert tags.seen <= {"h1", "h2", "p", "code", "pre", "ul", "li", "em", "strong"}
    assert "<script>alert(1)</script>```" in next(t.content for t in parser.parse(text) if t.type == "fence")


def test_a_notebook_holds_no_html_of_a_lesson(hostile: Path, tmp_path: Path) -> None:
    notebook = json.loads(exported(hostile, tmp_path / "a.ipynb").read_text("utf-8"))
    words = "\n\n".join(cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    tags = Tags()
    tags.feed(MarkdownIt("commonmark", {"html": True}).render(words))
    assert tags.seen <= {"h1", "h2", "p", "code"}
    assert "\\u001b" not in json.dumps([cell.get("outputs") for cell in notebook["cells"]])


def most_memory(lesson: Lesson, targets: list[Target]) -> int:
    """Bytes that it takes at most to play a lesson and to record it."""
    engine = engines.load("builtin")
    setting = in_language(Setting(engine, "en", lambda _explanation: ()), "en")

    def play() -> None:
        with recording(targets, setting) as record:
            for event in take(lesson, engine):
                record(event)

    return with_peak(play)[1]


@pytest.mark.parametrize(
    ("code", "steps"),
    [("print('x' * 1_000_000)", 1), ("print(('x' * 199 + chr(10)) * 5_000)", 1), ("print('x' * 40_000)", 25)],
)
def test_recording_a_long_output_takes_no_more_memory_than_playing_it(
    made: Make, tmp_path: Path, code: str, steps: int
) -> None:
    most_memory(load(made(">>> 1\n1\n")), [Target(tmp_path / f"first{ending}", "en") for ending in FORMS])
    lesson = load(made(f">>> {code}\n...\n", steps=steps))
    played = most_memory(lesson, [])
    for ending in FORMS:
        path = tmp_path / f"long{ending}"
        taken = most_memory(lesson, [Target(path, "en")])
        kept = OUTPUT if ending == ".html" else 0  # a page is written at the end
        assert taken < played + kept + SLACK, ending
        assert path.stat().st_size > OUTPUT or ending == ".html"


@pytest.mark.parametrize(
    ("to", "words"), [("x.foo", ".cast, .txt, .svg"), ("none/x.txt", "can't write"), ("made.md/x", "can't write")]
)
def test_what_cant_be_written_is_one_line(
    made: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], to: str, words: str
) -> None:
    path = made(">>> 1\n1\n")
    assert main(["export", str(path), "--trust", "--lang", "en", "--to", f"{tmp_path}/{to}"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error


def test_an_error_on_the_way_leaves_no_file(made: Make, tmp_path: Path) -> None:
    setting = Setting(engines.load("builtin"), "en", lambda _explanation: ())
    lesson = load(made(">>> 1\n1\n"))
    with pytest.raises(ZeroDivisionError), recording([Target(tmp_path / "a.txt", "en")], setting) as record:
        record(next(take(lesson, setting.engine)))
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["made.md"]


def test_play_records_what_export_makes(made: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = made(">>> import torch\n>>> x = torch.ones(2)\n>>> x\ntensor([1., 1.])\n")
    for ending in (ending for ending in FORMS if ending != ".html"):
        one, other = tmp_path / f"one{ending}", tmp_path / f"other{ending}"
        assert main(["play", str(path), "--trust", "--lang", "en", "--record", str(one)]) == 0
        assert exported(path, other).read_bytes() == one.read_bytes()
    capsys.readouterr()
