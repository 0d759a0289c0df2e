"""Commands that start with a colon: a table of them, and how a typed word finds its row."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gradrepl.i18n import Translate

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Command(Generic[State]):
    """One command.

    names: the English name first, then the Vietnamese one, without marks.
    arguments: how they are written in the help; text: what it does, a marked message.
    run: takes the state and the rest of the line; True ends the loop.
    """

    names: tuple[str, ...]
    arguments: str
    text: str
    run: Callable[[State, str], bool | None]

    @property
    def usage(self) -> str:
        """Such as ":lang en|vi|both"."""
        return f":{self.names[0]} {self.arguments}".rstrip()


class UnknownCommandError(Exception):
    """No command, or more than one, starts with the word; `close` holds usages that were perhaps meant."""

    def __init__(self, word: str, close: Sequence[str]) -> None:
        super().__init__(word)
        self.word = word
        self.close = tuple(close)


def find(table: Sequence[Command[State]], word: str) -> Command[State]:
    """The command whose name the word is, or alone starts with.

    Marks and Telex letters don't count: ":nẽt" is ":net". Raises UnknownCommandError.
    """
    wanted = without_marks(word)
    exact = [command for command in table if wanted in command.names]
    english = [command for command in table if wanted and command.names[0].startswith(wanted)]
    others = [c for c in table if wanted and any(name.startswith(wanted) for name in c.names)]
    found = exact or english or others
    if len(found) == 1:
        return found[0]
    import difflib

    names = {name: command.names[0] for command in table for name in command.names}
    near = [names[name] for name in difflib.get_close_matches(wanted, names, cutoff=0.6)]
    raise UnknownCommandError(word, list(dict.fromkeys([c.names[0] for c in found] or near)))


def without_marks(word: str) -> str:
    """The word in lower case, without Vietnamese marks, đ as d."""
    letters = unicodedata.normalize("NFD", word.lower().replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def help_lines(table: Sequence[Command[State]], _: Translate) -> list[str]:
    """One line a command: how it is written, what it does, its other name."""
    width = max(len(command.usage) for command in table)
    return [f"{c.usage:<{width}}  {_(c.text)}{_others(c)}" for c in table]


def unknown(error: UnknownCommandError, _: Translate) -> str:
    """What to say of a command that isn't there."""
    if not error.close:
        return _("There is no command :{word}. Type :help for the list.").format(word=error.word)
    close = ", ".join(f":{name}" for name in error.close)
    return _("There is no command :{word}. Did you mean {close}?").format(word=error.word, close=close)


def _others(command: Command[State]) -> str:
    return f" ({', '.join(':' + name for name in command.names[1:])})" if command.names[1:] else ""
