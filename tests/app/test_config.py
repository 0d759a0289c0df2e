"""Settings: the file that keeps them, the command that shows and changes them, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradrepl.app import config
from gradrepl.app.commands import settings
from gradrepl.app.options import Options, Terminal, survey, theme
from gradrepl.app.repl import Repl
from gradrepl.i18n import translator

Problems = Callable[[str], list[str]]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config file of a user of its own; it isn't there yet."""
    file = tmp_path / "somewhere" / "config.toml"
    monkeypatch.setattr(config, "default_path", lambda: file)
    return file


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def test_a_file_that_is_not_there_says_nothing(path: Path) -> None:
    assert config.load(path) == ({}, [])


def test_the_file_sets_what_it_names(path: Path) -> None:
    write(path, 'lang = "vi"\nsuggest = false\nhistory = "off"\ntable = "always"\nkeys = "vi"\n')
    values, problems = config.load(path)
    assert values == {"speech": "vi", "suggest": False, "history": False, "table": "always", "keys": "vi"}
    assert problems == []
    assert Options(**values).keys == "vi"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\nlang = "fr"\n', ':2: lang = "fr" is none of: en, vi, both. The default holds.'),
        ("suggest = 1\n", ":1: suggest = 1 is none of: on, off. The default holds."),
        ("keys = true\n", ":1: keys = true is none of: emacs, vi. The default holds."),
        ("[table]\nx = 1\n", ":1: table = {'x': 1} is none of: always, changed, off. The default holds."),
        ("langs = 'vi'\n", ":1: there is no setting langs; there are: lang, engine, "),
        ("lang =\n", ":1: this is not TOML (Invalid value). The defaults hold."),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_place(path: Path, text: str, said: str) -> None:
    write(path, text)
    values, problems = config.load(path)
    assert values == {}
    (line,) = [problem.said(path, translator("en")) for problem in problems]
    assert line.startswith(f"{path}{said}")
    assert "\n" not in line
    assert problems[0].said(path, translator("vi")) != line


def test_one_wrong_value_leaves_the_others(path: Path) -> None:
    write(path, 'lang = "vi"\nkeys = "nano"\n')
    values, problems = config.load(path)
    assert (values, len(problems)) == ({"speech": "vi"}, 1)


def test_a_file_that_is_no_text_or_a_folder_is_one_line(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe")
    assert len(config.load(path)[1]) == 1
    assert len(config.load(path.parent)[1]) == 1


def test_saving_keeps_every_other_line(path: Path) -> None:
    write(path, '# mine\nlang = "vi" # for class\n\n[later]\nkeys = 1\n')
    config.save(path, "lang", "en")
    config.save(path, "suggest", False)
    assert path.read_text("utf-8") == '# mine\nlang = "en" # for class\n\nsuggest = false\n[later]\nkeys = 1\n'


class Keyboard:
    """Stands for a reader whose keys, suggestions and history can be switched."""

    def __init__(self) -> None:
        self.vi, self.suggests, self.keeps, self.colored = False, True, True, True

    def loss(self) -> None:
        return None


@pytest.fixture
def repl(path: Path) -> Repl:
    """A prompt that nobody types at."""
    reader: Any = Keyboard()
    return Repl(Options(plain=True), Terminal(False, False, True), reader)


@pytest.fixture
def put(repl: Repl, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Runs `:set ARGUMENT` and returns what it says."""

    def run(argument: str) -> str:
        settings.change(repl, argument)
        return capsys.readouterr().out

    return run


Put = Callable[[str], str]


def test_set_alone_shows_every_setting_with_its_choices(put: Put) -> None:
    shown = put("").splitlines()
    assert [line.split()[0] for line in shown] == [setting.name for setting in config.SETTINGS]
    assert "suggest = on " in shown[4]
    assert shown[4].endswith("(on, off)")


def test_set_changes_what_it_names(put: Put, repl: Repl) -> None:
    assert put("keys vi").startswith("keys = vi ")
    assert repl.reader.vi
    put("suggest=off")
    assert not repl.reader.suggests
    put("history off")
    assert not repl.reader.keeps
    assert put("lang vi").startswith("lang = vi  ngôn ngữ")
    assert (repl.options.keys, repl.options.suggest, repl.options.speech) == ("vi", False, "vi")


def test_set_refuses_what_is_not_there(put: Put, repl: Repl) -> None:
    before = repl.options
    assert put("keyz vi").startswith("There is no setting keyz. There are: lang, engine, ")
    assert put("keys nano") == "keys can't be nano. Choose one of: emacs, vi.\n"
    assert repl.options == before


def test_set_save_keeps_one_setting_or_all(put: Put, path: Path) -> None:
    assert f"saved in {path}" in put("table always --save")
    assert path.read_text("utf-8") == 'table = "always"\n'
    put("--save")
    values, problems = config.load(path)
    assert problems == []
    assert values["table"] == "always"
    assert len(values) == len(config.SETTINGS)


def test_a_file_that_cannot_be_written_is_said_in_one_line(put: Put, path: Path) -> None:
    path.parent.parent.joinpath("somewhere").write_text("a file where the folder should be")
    assert put("keys vi --save").splitlines()[1].startswith(f"can't write {path}: ")


@pytest.mark.parametrize(
    ("wanted", "second", "third"),
    [("changed", "", "y: "), ("always", "x: ", "y: "), ("off", "", "")],
)
def test_the_table_shows_when_it_is_wanted(
    repl: Repl, put: Put, capsys: pytest.CaptureFixture[str], wanted: str, second: str, third: str
) -> None:
    repl.execute("x = torch.ones(1)")
    put(f"table {wanted}")
    repl.execute("a = 1")
    assert capsys.readouterr().out.startswith(second)
    repl.execute("y = x * 2")
    shown = capsys.readouterr().out
    assert shown.startswith(third)
    assert bool(shown) == bool(third)


@pytest.mark.parametrize(
    ("wanted", "background", "drawn"),
    [
        *(("auto", "0;15", "light"), ("auto", "0;default;7", "light"), ("auto", "15;0", "auto"), ("auto", "", "auto")),
        *(("dark", "0;15", "dark"), ("light", "15;0", "light")),
    ],
)
def test_a_terminal_that_says_it_is_light_gets_colours_for_light(wanted: str, background: str, drawn: str) -> None:
    options = Options(theme=wanted)  # type: ignore[arg-type]
    assert theme(options, survey(options, {"COLORFGBG": background})) == drawn
