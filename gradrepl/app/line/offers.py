"""What Tab has to offer: names and attributes, keyword arguments, commands and what may stand behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gradrepl.app.commands.scope import Scope
from gradrepl.app.commands.table import Command, UnknownCommandError, find
from gradrepl.session.completion import Completions, complete

_COMMAND = re.compile(r"^\s*:\s*(?P<name>\S*)(?P<space>\s*)(?P<argument>.*)$", re.DOTALL)
_CHOICES = re.compile(r"[a-z.]+(?:\|[a-z.]+)+")


def offers(text: str, scope: Scope) -> Completions:
    """What may stand in place of the end of `text`, the input up to the cursor."""
    command = _COMMAND.match(text)
    if command is None:
        return complete(text.removeprefix("?"), scope.names())
    if not command["space"]:
        name = command["name"]
        return Completions(len(name), _starting([c.names[0] for c in scope.commands], name))
    try:
        found = find(scope.commands, command["name"])
    except UnknownCommandError:
        return Completions(0, ())
    return _arguments(found, command["argument"], scope)


def _arguments(command: Command[Any], argument: str, scope: Scope) -> Completions:
    word = argument.rpartition(" ")[2]
    choices = _CHOICES.search(command.arguments)
    if choices:
        return Completions(len(word), _starting(choices[0].split("|"), word))
    if "VALUE" in command.arguments:
        return Completions(len(word), _starting(_settings(argument.rpartition(" ")[0].strip()), word))
    if "COMMAND" in command.arguments:
        return Completions(len(word), _starting((each.names[0] for each in scope.commands), word))
    if "LESSON" in command.arguments:
        return Completions(len(word), _starting(_lesson_ids(), word))
    if "FILE" in command.arguments:
        return _files(argument)
    if "OPERATION" in command.arguments:
        return Completions(len(word), _starting(_operations(), word))
    return complete(argument, scope.names()) if command.arguments else Completions(0, ())


def _starting(words: Iterable[str], start: str) -> tuple[str, ...]:
    return tuple(word for word in words if word.startswith(start))


def _settings(name: str) -> Sequence[str]:
    """The values that a setting may have; the names of all settings before one is named."""
    from gradrepl.app.config import SETTINGS, written

    chosen = next((setting for setting in SETTINGS if setting.name == name), None)
    if chosen is not None:
        return [written(value) for value in chosen.values]
    return [] if name else [setting.name for setting in SETTINGS]


def _lesson_ids() -> Sequence[str]:
    from gradrepl.lesson import shelf

    return [shelf.id_of(path) for path in shelf.lessons()]


def _operations() -> Sequence[str]:
    from gradrepl.app.commands.operation import by_name
    from gradrepl.app.engines import operations

    return sorted(by_name(operations()))


def _files(start: str) -> Completions:
    """Files and folders whose path goes on from `start`."""
    folder, slash, name = start.rpartition("/")
    where = Path(folder + slash).expanduser() if slash else Path()
    try:
        entries = sorted(where.iterdir(), key=lambda path: path.name)
    except (OSError, ValueError):
        return Completions(0, ())
    shown = (path for path in entries if path.name.startswith(name) and (name[:1] == "." or path.name[:1] != "."))
    return Completions(len(name), tuple(path.name + ("/" if path.is_dir() else "") for path in shown))
