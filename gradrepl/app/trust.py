"""Whether a lesson that isn't gradrepl's own may run: a lesson file is a program."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from gradrepl.app.errors import DamagedLessonsError, UsageError
from gradrepl.app.lessons import all_shipped, is_own, named
from gradrepl.app.line.reader import LineReader
from gradrepl.i18n import Translate
from gradrepl.lesson.model import Lesson
from gradrepl.store import Store, StoreError, default_path
from gradrepl.view.safe import one_line, visible

if TYPE_CHECKING:
    from gradrepl.app.commands.state import PromptState

YES = ("y", "yes", "c", "co", "có")


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides which lessons may run.

    ask: puts a question to whoever sits there and returns the answer; None where nobody does.
    say: shows a line. trusting: what was asked for by --trust.
    """

    store: Store
    ask: Callable[[str], str] | None
    say: Callable[[str], None]
    _: Translate
    trusting: bool = False

    def allows(self, lessons: Iterable[Lesson]) -> bool:
        """Whether all of the lessons may run; asks about each that is not gradrepl's own and wasn't allowed yet.

        Raises UsageError where nobody can be asked.
        """
        return all(self._allows(lesson.path) for lesson in lessons if not is_own(lesson.path))

    def _allows(self, path: Path) -> bool:
        (place, hash), known = fingerprint(path), self._known()
        if (place, hash) in known:
            return True
        if not self.trusting and not self._agreed(path, changed=any(place == other for other, _hash in known)):
            self.say(self._("Not run."))
            return False
        try:
            self.store.trust(place, hash)
        except StoreError as error:
            self.say(self._("Your yes holds for this time only: it can't be saved ({reason}).").format(reason=error))
        return True

    def _known(self) -> frozenset[tuple[str, str]]:
        try:
            return self.store.trusted()
        except StoreError:
            return frozenset()

    def _agreed(self, path: Path, *, changed: bool) -> bool:
        place, _ = one_line(str(path)), self._
        if self.ask is None:
            text = _("{path} is not one of gradrepl's own lessons. A lesson is a program: read it, then use --trust.")
            raise UsageError(text.format(path=place))
        if changed:
            self.say(_("{path} has changed since you allowed it to run.").format(path=place))
        else:
            self.say(_("{path} is not one of gradrepl's own lessons.").format(path=place))
        self.say(_("A lesson is a program: it can do whatever you can do on this computer."))
        try:
            answer = self.ask(_("Run it? [y/N] "))
        except (EOFError, KeyboardInterrupt):
            return False
        return answer.strip().casefold() in YES


def named_and_allowed(state: PromptState, names: Sequence[str]) -> list[Lesson]:
    """The lessons of these names, asked for at a prompt, all shipped ones if there are no names.

    None, and the prompt says why, where one is missing, damaged or isn't allowed to run.
    """
    try:
        chosen = named(names, state._) if names else all_shipped(state._)
    except (UsageError, DamagedLessonsError) as error:
        state.screen.note(str(error))
        return []
    return chosen if open_judge(state._, trusting=False, keyboard=True).allows(chosen) else []


def fingerprint(path: Path) -> tuple[str, str]:
    """The path and the hash of what it holds, as they are remembered. Raises OSError."""
    return str(path.resolve()), sha256(path.read_bytes()).hexdigest()


def open_judge(_: Translate, *, trusting: bool, keyboard: bool) -> Judge:
    """A judge with the file in the user's data folder, who asks on the terminal if there is a keyboard."""

    def say(text: str) -> None:
        sys.stderr.write(visible(text) + "\n")

    return Judge(Store(default_path()), LineReader().line if keyboard else None, say, _, trusting)
