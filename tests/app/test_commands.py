"""Commands are found by name, start of a name, Vietnamese name, and through Telex's marks."""

from __future__ import annotations

import unicodedata

import pytest

from gradrepl.app.commands.table import (
    UnknownCommandError,
    find,
    help_lines,
    help_one,
    keystrokes,
    unknown,
    without_marks,
)
from gradrepl.app.learning.commands import COMMANDS as LESSON_COMMANDS
from gradrepl.app.repl import COMMANDS
from gradrepl.app.screens.drawn import DrawnScreen
from gradrepl.i18n import english, vietnamese


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("help", "help"),
        ("h", "help"),
        ("HELP", "help"),
        ("giúp", "help"),
        ("giup", "help"),
        ("q", "quit"),
        ("thoát", "quit"),
        ("lesson", "lessons"),
        ("engín", "engine"),
        ("lâng", "lang"),
        ("ưhy", "why"),
    ],
)
def test_a_word_finds_its_command(word: str, name: str) -> None:
    assert find(COMMANDS, word).names[0] == name


@pytest.mark.parametrize(
    ("word", "close"), [("hlep", ("help",)), ("l", ("load", "lessons", "learn", "lang")), ("xyzzy", ())]
)
def test_an_unknown_word_says_what_was_perhaps_meant(word: str, close: tuple[str, ...]) -> None:
    with pytest.raises(UnknownCommandError) as caught:
        find(COMMANDS, word)
    assert caught.value.close == close
    assert f":{word}" in unknown(caught.value, english)
    assert unknown(caught.value, english) != unknown(caught.value, vietnamese)


def test_marks_are_taken_off() -> None:
    assert without_marks("Đáp ÁN ưhy") == "dap an uhy"


def test_names_are_unique_and_have_no_marks() -> None:
    names = [name for command in COMMANDS for name in command.names]
    assert len(names) == len(set(names))
    assert names == [without_marks(name) for name in names]


def test_every_command_has_its_line_of_help() -> None:
    lines = help_lines(COMMANDS, vietnamese)
    assert [line.split(" ")[0] for line in lines if line.startswith(":")] == [f":{c.names[0]}" for c in COMMANDS]
    assert all(command.group for command in COMMANDS)
    assert lines != help_lines(COMMANDS, english)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("nẽt", "next"),
        ("lít", "list"),
        ("spêd", "speed"),
        ("ưhy", "why"),
        ("bảck", "barck"),
        ("đi", "ddi"),
        ("qút", "quts"),
    ],
)
def test_the_keys_behind_telex_are_found(typed: str, meant: str) -> None:
    assert meant in set(keystrokes(typed))
    assert meant in set(keystrokes(unicodedata.normalize("NFD", typed)))


def test_next_is_found_with_the_vietnamese_keyboard_on() -> None:
    assert find(LESSON_COMMANDS, "nẽt").names[0] == "next"


def test_one_command_is_explained_with_an_example() -> None:
    lines = help_one(find(COMMANDS, "g"), english)
    assert lines[0].startswith(":g NAME [NODE]")
    assert lines[1] == "for example: :g y"


def test_a_line_of_help_that_is_too_long_goes_on_below_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    screen = DrawnScreen(english, colored=False, width=30)
    screen.note(":why NAME   why requires_grad is so")
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        ":why NAME   why requires_grad",
        "            is so",
    ]
    screen.note("a first part that is longer than half  rest")
    assert capsys.readouterr().out.replace("\n", " ").split()[-1] == "rest"
