"""Themes change colours and nothing else."""

from __future__ import annotations

import pytest
from rich.style import Style

from gradrepl.app.line.coloring import STYLES
from gradrepl.app.screens import drawn
from gradrepl.i18n import english
from gradrepl.view.theme import repainted

THEMES = ("auto", "light", "dark")


@pytest.mark.parametrize(
    ("style", "theme", "painted"),
    [
        ("bold yellow", "auto", "bold yellow"),
        ("bold yellow", "light", "bold blue"),
        ("bold yellow", "dark", "bold bright_yellow"),
        ("ansicyan", "light", "ansiblue"),
        ("ansigreen", "dark", "ansibrightgreen"),
        ("ansibrightblack", "dark", "ansigray"),
        ("reverse", "dark", "reverse"),
    ],
)
def test_a_style_is_repainted(style: str, theme: str, painted: str) -> None:
    assert repainted(style, theme) == painted


@pytest.mark.parametrize("theme", THEMES)
def test_every_painted_style_is_one(theme: str) -> None:
    from prompt_toolkit.styles import Style as PromptStyle

    PromptStyle.from_dict({name: repainted(style, theme) for name, style in STYLES.items()})
    for style in ("bold yellow", "cyan", "dim", "bright_black", "red", "bold green", "magenta", "bold reverse"):
        Style.parse(repainted(style, theme))


@pytest.mark.parametrize(("theme", "code"), [("auto", "\x1b[36m"), ("light", "\x1b[34m"), ("dark", "\x1b[96m")])
def test_the_screen_draws_in_its_theme(capsys: pytest.CaptureFixture[str], theme: str, code: str) -> None:
    drawn.DrawnScreen(english, colored=True, theme=theme).note("a note")
    assert code in capsys.readouterr().out
