"""Commands that start with a colon: a table of them, and how a typed word finds its row."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from gradrepl.i18n import Translate

State = TypeVar("State", contravariant=True)


class Command(NamedTuple, Generic[State]):
    """One command.

    names: the English name first, then the Vietnamese one, without marks, then shorter ones.
    arguments: how they are written in the help; text: what it does, a marked message.
    run: takes the state and the rest of the line; True ends the loop.
    group: under which heading the help lists it, a marked message; example: a line that works.
    """

    names: tuple[str, ...]
    arguments: str
    text: str
    run: Callable[[State, str], bool | None]
    group: str = ""
    example: str = ""

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

    Marks and Telex letters don't count: ":nẽt" is ":net", or ":next" if there is no such command.
    Raises UnknownCommandError.
    """
    wanted = without_marks(word)
    found = _named(table, wanted)
    typed = [name for keys in keystrokes(word) for name in _named(table, keys)] if not found else []
    found = found or list({command.names: command for command in typed}.values())
    if len(found) == 1:
        return found[0]
    import difflib

    first = {command.names[0]: command.names[0] for command in table}
    every = {name: command.names[0] for command in table for name in command.names}
    close = (difflib.get_close_matches(wanted, names, cutoff=0.6) for names in (first, every))
    near = [every[name] for name in next(filter(None, close), [])]
    raise UnknownCommandError(word, list(dict.fromkeys([c.names[0] for c in found] or near)))


def _named(table: Sequence[Command[State]], wanted: str) -> list[Command[State]]:
    exact = [command for command in table if wanted in command.names]
    english = [command for command in table if wanted and command.names[0].startswith(wanted)]
    others = [c for c in table if wanted and any(name.startswith(wanted) for name in c.names)]
    return exact or english or others


# What Telex makes of letters typed in a row: "x" gives a tilde, "aa" â, "w" ơ, ư and ă.
_TONES = {"\u0301": "s", "\u0300": "f", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
_SHAPES = {"â": "aa", "ê": "ee", "ô": "oo", "ă": "aw", "ơ": "ow", "ư": "uw", "đ": "dd"}
LONGEST_WORD, WIDEST_USAGE = 20, 22


def keystrokes(word: str) -> Iterator[str]:
    """The words that Telex may have made this one from: ":nẽt" from n, e, x, t, or from n, e, t, x."""
    letters = unicodedata.normalize("NFD", unicodedata.normalize("NFC", word.lower()[:LONGEST_WORD]))
    tones = [(place, _TONES[letter]) for place, letter in enumerate(letters) if letter in _TONES]
    for horned in ("uw", "w"):
        shapes = {**_SHAPES, "ư": horned}
        for place, key in tones or [(len(letters), "")]:
            head = unicodedata.normalize("NFC", "".join(c for c in letters[:place] if c not in _TONES))
            tail = unicodedata.normalize("NFC", "".join(c for c in letters[place:] if c not in _TONES))
            first, rest = ("".join(shapes.get(c, c) for c in part) for part in (head, tail))
            yield from (f"{first}{rest[:i]}{key}{rest[i:]}" for i in range(len(rest) + 1))


def without_marks(word: str) -> str:
    """The word in lower case, without Vietnamese marks, đ as d."""
    letters = unicodedata.normalize("NFD", word.lower().replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def help_lines(table: Sequence[Command[State]], _: Translate) -> list[str]:
    """By group, one line a command: how it is written, what it does, its other names."""
    width = max(len(command.usage) for command in table if len(command.usage) <= WIDEST_USAGE)
    firsts: dict[str, Command[State]] = {}
    for command in table:
        firsts.setdefault(command.group, command)
    lines = []
    for first in firsts.values():
        lines += ["", f"{_(first.group)}:"] if first.group else []
        listed = [command for command in table if command.group == first.group]
        lines += [f"{c.usage:<{width}}  {_(c.text)}{_others(c)}" for c in listed]
    return lines


def help_one(command: Command[State], _: Translate) -> list[str]:
    """What a command does, its other names, and an example."""
    example = [_("for example: {example}").format(example=command.example)] if command.example else []
    return [f"{command.usage}  {_(command.text)}{_others(command)}", *example]


def unknown(error: UnknownCommandError, _: Translate) -> str:
    """What to say of a command that isn't there."""
    if not error.close:
        return _("There is no command :{word}. Type :help for the list.").format(word=error.word)
    close = ", ".join(f":{name}" for name in error.close)
    return _("There is no command :{word}. Did you mean {close}?").format(word=error.word, close=close)


def _others(command: Command[State]) -> str:
    return f" ({', '.join(':' + name for name in command.names[1:])})" if command.names[1:] else ""
