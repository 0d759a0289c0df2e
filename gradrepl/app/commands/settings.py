"""The command `:set`: shows settings, changes them, writes them into the config file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradrepl.app import config
from gradrepl.app.config import SETTINGS, Setting, Value, of, written
from gradrepl.app.engines import EngineUnavailableError
from gradrepl.app.errors import unavailable
from gradrepl.app.options import survey, theme
from gradrepl.view.choice import MOST_ROWS

if TYPE_CHECKING:
    from gradrepl.app.commands.state import PromptState
    from gradrepl.app.screens.screen import Screen
    from gradrepl.session.outcome import Outcome

SAVE = "--save"


def show(screen: Screen, outcome: Outcome, wanted: str) -> None:
    """Show what an input did, with the table when the setting `table` wants it."""
    if wanted == "off":
        outcome = replace(outcome, rows=(), gone=())
    screen.result(outcome)
    if wanted == "always" and outcome.failure is None and not (outcome.changed_rows or outcome.gone):
        screen.rows(outcome.rows[-MOST_ROWS:])


def change(repl: PromptState, argument: str) -> None:
    """`:set`, `:set NAME`, `:set NAME VALUE`; with --save the file keeps it."""
    words = argument.replace("=", " ").split()
    saving = SAVE in words
    name, *values = [word for word in words if word != SAVE] or [""]
    if not name:
        _show_all(repl)
        chosen = list(SETTINGS)
    else:
        setting = config.named(name)
        if setting is None:
            names = ", ".join(setting.name for setting in SETTINGS)
            repl.screen.note(repl._("There is no setting {name}. There are: {names}.").format(name=name, names=names))
            return
        if values and not _change(repl, setting, " ".join(values)):
            return
        _show_one(repl, setting)
        chosen = [setting]
    if saving:
        _save(repl, chosen)


def _show_all(repl: PromptState) -> None:
    width = max(len(setting.name) for setting in SETTINGS)
    for setting in SETTINGS:
        now = written(of(repl.options, setting))
        repl.screen.note(f"{setting.name:<{width}} = {now:<8} {repl._(setting.text)} ({setting.choices})")


def _show_one(repl: PromptState, setting: Setting) -> None:
    now = written(of(repl.options, setting))
    repl.screen.note(f"{setting.name} = {now}  {repl._(setting.text)} ({setting.choices})")


def _change(repl: PromptState, setting: Setting, word: str) -> bool:
    try:
        value = setting.parse(word)
        if setting.name == "engine" and value != repl.options.engine:
            repl.change_engine(str(value))
    except ValueError:
        text = repl._("{name} can't be {value}. Choose one of: {choices}.")
        repl.screen.note(text.format(name=setting.name, value=word, choices=setting.choices))
        return False
    except EngineUnavailableError as error:
        repl.screen.note(unavailable(error, repl._))
        return False
    changed: dict[str, Any] = {setting.field: value}
    repl.options = replace(repl.options, **changed)
    _EFFECTS.get(setting.name, _nothing)(repl, value)
    return True


def _save(repl: PromptState, settings: list[Setting]) -> None:
    path = config.default_path()
    try:
        for setting in settings:
            config.save(path, setting.name, of(repl.options, setting))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        repl.screen.note(repl._("can't write {path}: {reason}.").format(path=path, reason=reason))
        return
    repl.screen.note(repl._("saved in {path}").format(path=path))


def _nothing(repl: PromptState, value: Value) -> None:
    """What is read from the options at each use has no other effect."""


def _keys(repl: PromptState, value: Value) -> None:
    repl.reader.vi = value == "vi"


def _suggest(repl: PromptState, value: Value) -> None:
    repl.reader.suggests = bool(value)


def _history(repl: PromptState, value: Value) -> None:
    repl.reader.keeps = bool(value)


def _theme(repl: PromptState, value: Value) -> None:
    repl.reader.theme = theme(repl.options, repl.terminal)


def _color(repl: PromptState, value: Value) -> None:
    repl.terminal = survey(repl.options, os.environ)
    repl.reader.colored = repl.terminal.colored


_EFFECTS: dict[str, Callable[[PromptState, Value], None]] = {
    "keys": _keys,
    "suggest": _suggest,
    "history": _history,
    "color": _color,
    "theme": _theme,
}
