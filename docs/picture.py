"""Plays some steps of lesson 1 and writes what the screen showed: screen.svg and screen.vi.svg, beside this file."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from gradrepl.app import engines, stage
from gradrepl.app.screens.drawn import DrawnScreen
from gradrepl.i18n import Speech, translator
from gradrepl.lesson import player, shelf
from gradrepl.lesson.load import load

HERE = Path(__file__).parent
FIRST, LAST = 2, 3
FONT_FROM_ELSEWHERE = re.compile(r"@font-face\s*{[^}]*}\s*")


def picture(speech: Speech) -> str:
    """The steps as an SVG that loads nothing from elsewhere."""
    with contextlib.redirect_stdout(io.StringIO()):
        screen = DrawnScreen(translator(speech), colored=True, width=80, record=True)
    engine, lesson = engines.load("builtin"), load(shelf.find("1"))
    place = player.Place(lesson)
    while place.index < FIRST:
        place = player.forward(place)
    with player.session_at(place, engine) as session:
        while place.index <= LAST:
            stage.show_step(place, screen, speech)
            stage.run(place.step.examples, place.step, lesson, session, screen)
            place = player.forward(place)
    words = "gradrepl play 1" + (" --lang vi" if speech == "vi" else "")
    return FONT_FROM_ELSEWHERE.sub("", screen.console.export_svg(title=words, unique_id="gradrepl"))


def main() -> None:
    """Write both pictures."""
    for speech, name in (("en", "screen.svg"), ("vi", "screen.vi.svg")):
        (HERE / name).write_text(picture(speech), "utf-8")


if __name__ == "__main__":
    main()
