"""Recordings of every lesson, opened by what is not gradrepl's, say what the event stream says."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyte
import pytest
from markdown_it import MarkdownIt

from gradrepl.app.cli import main
from gradrepl.lesson.shelf import lessons
from gradrepl.record.event import Event, Ran, StepBegins
from gradrepl.record.json_lines import event as line_of
from tests.whole import some

STEMS = [path.stem for path in lessons()]
EACH = [(stem, language) for stem in STEMS for language in ("vi", "en")]
each_lesson = pytest.mark.parametrize("stem", STEMS)
each_language = pytest.mark.parametrize("language", ["vi", "en"])
nbformat = pytest.mark.skipif(find_spec("nbformat") is None, reason="nbformat is not installed")
kernel = pytest.mark.skipif(
    find_spec("nbclient") is None or find_spec("ipykernel") is None, reason="nbclient or ipykernel is not installed"
)
asciinema = pytest.mark.skipif(find_spec("asciinema") is None, reason="asciinema is not installed")
ADDRESS = re.compile(r"( object)? at 0x\w+")  # IPython leaves the word out
SUGGESTED = re.compile(r"\. Did you mean: '\w+'\?$")  # IPython doesn't say it
FILE = re.compile(r" \(\d+\.py, line \d+\)$")


def code(events: list[Event]) -> list[Ran]:
    return [event for event in events if isinstance(event, Ran)]


def typed(events: list[Event]) -> list[str]:
    """Every line of code, behind its prompt."""
    found = []
    for ran in code(events):
        lines = ran.example.source.rstrip("\n").split("\n")
        found += [f"{'...' if number else '>>>'} {line}".rstrip() for number, line in enumerate(lines)]
    return found


def printed(events: list[Event]) -> list[str]:
    return [line for ran in code(events) for outcome in ran.outcomes for line in outcome.stdout.splitlines()]


def parsed_cast(path: Path) -> tuple[dict[str, Any], list[list[Any]]]:
    header, *rest = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return header, rest


def test_every_lesson_is_there_in_every_form(site: Path) -> None:
    both = {f"{stem}.{language}{end}" for stem in STEMS for language in ("vi", "en") for end in (".cast", ".svg")}
    names = {path.name for path in site.iterdir()}
    assert both <= names
    assert {f"{stem}.json" for stem in STEMS} <= names
    assert not [name for name in names if name.startswith(".")]


def test_made_again_in_another_process_the_bytes_are_equal(site: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gradrepl", "export", "2", "13", "15", "--to", f"{tmp_path}/"]
    subprocess.run(command, check=True, capture_output=True)
    again = sorted(path for path in tmp_path.iterdir() if path.name != "index.html")
    assert len(again) >= 33
    for path in again:
        assert path.read_bytes() == (site / path.name).read_bytes(), path.name


@each_lesson
def test_json_holds_the_events(site: Path, events: dict[str, list[Event]], stem: str) -> None:
    header, *lines = (site / f"{stem}.json").read_text("ascii").splitlines()
    assert json.loads(header)["format"] == "gradrepl-events"
    assert lines == [
        line_of(outcome, ran.lesson.id, ran.step.id) for ran in code(events[stem]) for outcome in ran.outcomes
    ]


@each_lesson
@each_language
def test_text_is_what_play_shows(
    site: Path, events: dict[str, list[Event]], stem: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["play", stem[3:], "--plain", "--lang", language, "--no-input", "--engine", "builtin"])
    shown = re.sub(r"at 0x\w+", "at 0x", capsys.readouterr().out)
    text = (site / f"{stem}.{language}.txt").read_text("utf-8")
    assert re.sub(r"at 0x\w+", "at 0x", text) == shown
    assert [line for line in text.splitlines() if line.startswith((">>>", "..."))] == typed(events[stem])


@each_lesson
@each_language
def test_a_cast_plays_on_a_terminal(site: Path, events: dict[str, list[Event]], stem: str, language: str) -> None:
    header, entries = parsed_cast(site / f"{stem}.{language}.cast")
    assert header["version"] == 3
    markers = [data for _time, kind, data in entries if kind == "m"]
    assert markers == [event.step.id for event in events[stem] if isinstance(event, StepBegins)]
    assert [kind for _time, kind, _data in entries if kind not in "om"] == ["x"]
    assert all(time >= 0 for time, _kind, _data in entries)
    screen = pyte.HistoryScreen(header["term"]["cols"], header["term"]["rows"], history=100_000, ratio=1)
    stream = pyte.Stream(screen)
    for _time, kind, data in entries:
        if kind == "o":
            stream.feed(data)
    rows = [*screen.history.top, *(screen.buffer[row] for row in range(screen.lines))]
    text = "".join(row[column].data for row in rows for column in range(screen.columns))
    text = re.sub(r"\s+", "", text)
    for line in [*typed(events[stem]), *printed(events[stem])]:
        assert re.sub(r"\s+", "", line) in text


@asciinema
@pytest.mark.parametrize("stem", some(STEMS, 0, 12))
def test_asciinema_reads_version_2(site: Path, tmp_path: Path, stem: str) -> None:
    path = tmp_path / "two.cast"
    assert main(["export", stem[3:], "--to", str(path), "--cast-version", "2", "--lang", "en"]) == 0
    done = subprocess.run([sys.executable, "-m", "asciinema", "cat", str(path)], capture_output=True, check=True)
    _header, entries = parsed_cast(site / f"{stem}.en.cast")
    assert done.stdout.decode() == "".join(data for _time, kind, data in entries if kind == "o")
    times = [time for time, _kind, _data in parsed_cast(path)[1]]
    assert times == sorted(times)


@each_lesson
@each_language
def test_a_picture_is_xml_that_holds_every_line(
    site: Path, events: dict[str, list[Event]], stem: str, language: str
) -> None:
    root = ElementTree.parse(site / f"{stem}.{language}.svg").getroot()
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "style", "rect", "circle", "text", "g"}
    text = re.sub(r"\s+", "", "".join(root.itertext()))
    for line in [*typed(events[stem]), *printed(events[stem])]:
        assert re.sub(r"\s+", "", line) in text


@each_lesson
@each_language
def test_markdown_has_the_code_in_blocks(site: Path, events: dict[str, list[Event]], stem: str, language: str) -> None:
    tokens = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .parse((site / f"{stem}.{language}.md").read_text("utf-8"))
    )
    assert not [token for token in tokens if "html" in token.type]
    blocks = [token.content for token in tokens if token.type == "fence" and token.info == "pycon"]
    shown = [line for block in blocks for line in block.splitlines()]
    assert [line for line in shown if line.startswith((">>>", "..."))] == typed(events[stem])
    assert [line for line in printed(events[stem]) if line not in shown] == []


@nbformat
@each_lesson
@each_language
def test_a_notebook_is_valid(site: Path, events: dict[str, list[Event]], stem: str, language: str) -> None:
    import nbformat

    notebook = nbformat.read(site / f"{stem}.{language}.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    cells = [cell.source + "\n" for cell in notebook.cells if cell.cell_type == "code"]
    assert cells[2:] == [ran.example.source for ran in code(events[stem])]
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    outputs = [(cell, output) for cell in notebook.cells[1:] for output in cell.get("outputs", ())]
    echoes = [output.data["text/plain"] for _cell, output in outputs if "data" in output and len(output.data) == 1]
    assert echoes == [
        output.text
        for ran in code(events[stem])
        for outcome in ran.outcomes
        for output in outcome.outputs
        if output.kind == "echo"
    ]
    results = {cell.id: cell.source for cell, output in outputs if output.output_type == "execute_result"}
    assert len(results) == sum(output.output_type == "execute_result" for _cell, output in outputs)  # as in Jupyter
    assert all(isinstance(ast.parse(source).body[-1], ast.Expr) for source in results.values())


@nbformat
@kernel
@pytest.mark.parametrize(("stem", "language"), some(EACH, 19))
def test_a_notebook_runs_in_jupyter(site: Path, stem: str, language: str) -> None:
    import nbformat
    from nbclient import NotebookClient

    path = site / f"{stem}.{language}.ipynb"
    ours, theirs = nbformat.read(path, 4), nbformat.read(path, 4)
    NotebookClient(theirs, timeout=120).execute()
    for one, other in zip(ours.cells[3:], theirs.cells[3:], strict=True):
        if one.cell_type == "code":
            assert said(one) == said(other), one.source


def said(cell: Any) -> list[str]:
    """What a cell printed, echoed and raised; warnings and tables are written differently."""
    texts = []
    for kind, group in groupby(cell.outputs, key=lambda output: output.get("name", output.output_type)):
        if kind == "stdout":  # a busy kernel sends one print in pieces
            texts.append("".join(output.text for output in group))
        elif kind == "execute_result":
            texts += [ADDRESS.sub("", output.data["text/plain"]) for output in group]
        elif kind == "error":
            texts += [SUGGESTED.sub("", FILE.sub("", f"{output.ename}: {output.evalue}")) for output in group]
    return texts
