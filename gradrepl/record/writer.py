"""What every form of recording has in common: how it is asked for, and that it is written event by event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gradrepl.i18n import Speech, Translate, translator
from gradrepl.lesson.model import Language, Lesson, Text
from gradrepl.record.event import Event
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Explanation

Explain = Callable[[Explanation], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Setting:
    """How a recording is made.

    explain: the texts to show below an error or a warning, one a language. theme: of pictures, "auto" is that of
    who looks. cast_version: of asciicast. seed: of the rhythm of typing. site: a list of lessons stands beside a page.
    """

    engine: Engine
    speech: Speech
    explain: Explain
    theme: Literal["auto", "light", "dark"] = "auto"
    cast_version: Literal[2, 3] = 3
    seed: int = 0
    site: bool = False

    @property
    def _(self) -> Translate:
        """Says a message of the interface."""
        return translator(self.speech)

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages of lesson texts, in this order."""
        return ("vi", "en") if self.speech == "both" else (self.speech,)

    def texts(self, text: Text) -> list[str]:
        """A lesson's text in these languages."""
        return [text.get(language) for language in self.languages]

    def title(self, lesson: Lesson) -> str:
        """Such as "1. no_grad as a with-block"."""
        words = " / ".join(self.texts(lesson.title))
        return words if lesson.number is None else f"{lesson.number}. {words}"


class Writer(Protocol):
    """Writes one recording to the stream that it was made with."""

    def add(self, event: Event) -> None:
        """Write what has happened next."""

    def end(self) -> None:
        """Write what stands at the end; nothing is added after it. The stream stays open."""
