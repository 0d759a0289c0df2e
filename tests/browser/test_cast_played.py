"""Casts of version 3 in asciinema's own player: their length, where their steps begin, what stands there at the end."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest

from gradrepl.app import lessons
from gradrepl.app.cli import main
from gradrepl.i18n import english
from gradrepl.lesson import shelf
from tests.whole import some

VARIABLE, NAME = "ASCIINEMA_PLAYER", "asciinema-player"
LESSONS = [(path.stem, speech) for path in shelf.lessons() for speech in ("vi", "en")]
OPENED = """async (data) => {
  window.player?.dispose();
  window.player = AsciinemaPlayer.create({data}, document.getElementById("stage"), {preload: true, fit: false});
  await new Promise((done) => player.addEventListener("metadata", done));
  return player.getDuration();
}"""
MARKED = """async (count) => {
  const times = [];
  for (let marker = 0; marker < count; marker += 1) {
    await player.seek({marker});
    times.push(await player.getCurrentTime());
  }
  return times;
}"""


@pytest.fixture(scope="module")
def player(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page with the player in it, without a network."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"no player: `npm install {NAME}`, then {VARIABLE}=node_modules/{NAME}")
    page = request.getfixturevalue("browser").new_context(offline=True).new_page()
    page.set_content('<!DOCTYPE html><div id="stage"></div>')
    page.add_script_tag(path=Path(folder, "dist", "bundle", f"{NAME}.min.js"))
    yield page
    page.context.close()


@pytest.mark.parametrize(("stem", "speech"), some(LESSONS, 0, 29))
def test_the_player_shows_a_cast_as_it_is(player: Any, tmp_path: Path, stem: str, speech: str) -> None:
    path = tmp_path / "lesson.cast"
    assert main(["export", stem[3:], "--lang", speech, "--engine", "builtin", "--to", str(path)]) == 0
    header, *events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    times = list(itertools.accumulate(event[0] for event in events))
    assert player.evaluate(OPENED, path.read_text("utf-8")) == pytest.approx(times[-1])
    marks = [time for time, event in zip(times, events, strict=True) if event[1] == "m"]
    (lesson,) = lessons.named([stem[3:]], english)
    assert len(marks) == len(lesson.steps)
    assert player.evaluate(MARKED, len(marks)) == pytest.approx(marks)
    player.evaluate("time => player.seek(time)", times[-1])
    wanted = shown(header["term"], events)
    player.wait_for_function("text => document.body.innerText.replace(/\\s+/g, '').includes(text)", arg=wanted)


def shown(terminal: dict[str, Any], events: list[Any]) -> str:
    """The last screen, as another terminal has it."""
    screen = pyte.Screen(terminal["cols"], terminal["rows"])
    pyte.Stream(screen).feed("".join(data for _time, kind, data in events if kind == "o"))
    return "".join("".join(screen.display).split())
