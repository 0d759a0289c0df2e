"""What repairing a page gives, as frozen values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["agree", "differs", "lost", "silent", "broken"]
"""How a page's output agrees: lost is what the page lacks; silent, nothing on either side; broken, no Python."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that was repaired.

    damage: the id of its class, "D01" to "D17"; line: in the page's text, from 1.
    """

    damage: str
    line: int
    original: str
    result: str


@dataclass(frozen=True, slots=True)
class Offer:
    """Damage that may mean several things: what the page has, and what it may have been. Nothing of it is done."""

    damage: str
    line: int
    original: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the page, ready to run.

    source: ends in a newline; printed: what the page shows below it, "" if nothing; line: where it begins in the
    page's text; repairs: what was done to it; readings: other sources that its damage may stand for.
    """

    source: str
    printed: str
    line: int
    repairs: tuple[Repair, ...] = ()
    readings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recovered:
    """A page's statements, all repairs in the page's order, what is only offered, and the prose before it all."""

    statements: tuple[Statement, ...]
    repairs: tuple[Repair, ...]
    offers: tuple[Offer, ...]
    before: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that PyTorch knows.

    modules: dotted module -> its public names; attributes: of tensors, modules, optimizers; keywords: of arguments;
    everything: all that may stand behind a dot.
    """

    modules: dict[str, frozenset[str]]
    attributes: frozenset[str]
    keywords: frozenset[str]
    everything: frozenset[str]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the page under repair; number: in the page's text, from 1."""

    text: str
    number: int


@dataclass(slots=True)
class Notes:
    """What the passes note while they work."""

    repairs: list[Repair] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)

    def repaired(self, damage: str, line: int, original: str, result: str) -> None:
        """Note a repair."""
        self.repairs.append(Repair(damage, line, original.strip("\n"), result.strip("\n")))


Lines = list[Line]
Pass = Callable[[Lines, Vocabulary, Notes], Lines]
"""A repair of the whole page: one class of damage, lines in and lines out."""
