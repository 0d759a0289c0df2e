"""Somebody at a step of a lesson: what is typed goes to a command, to the step, or into free play."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gradrepl.app import engines, stage
from gradrepl.app.commands import keeping
from gradrepl.app.commands.about import about
from gradrepl.app.commands.scope import Scope
from gradrepl.app.commands.state import run_input, show_run
from gradrepl.app.commands.table import Command, UnknownCommandError, find, unknown
from gradrepl.app.errors import unavailable
from gradrepl.app.learning import showing, trail
from gradrepl.app.learning.activity import Activity
from gradrepl.app.learning.kinds import activity_at
from gradrepl.app.learning.remembering import Remembering
from gradrepl.app.learning.trail import Origin, Trail
from gradrepl.app.line.reader import Reader
from gradrepl.app.options import Options, Terminal
from gradrepl.app.screens.screen import Screen, open_screen
from gradrepl.i18n import Translate, translator
from gradrepl.lesson import player
from gradrepl.lesson.model import Lesson
from gradrepl.lesson.player import Place
from gradrepl.session import read
from gradrepl.session.chronicle import Chronicle
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Explanation, Outcome

if TYPE_CHECKING:
    from gradrepl.app.repairing.proposal import Proposal


class Learner:
    """A prompt within a lesson.

    place: what is done and what is next; activity: what one does there. trail: the lesson's session; play: that of
    free play, while it lasts. proposals: what is to stand at the next prompts. following: the lesson to go on with.
    """

    commands: Sequence[Command[Any]] = ()

    def __init__(
        self,
        lesson: Lesson,
        engine: Engine,
        reader: Reader,
        options: Options,
        terminal: Terminal,
        memory: Remembering,
    ) -> None:
        self.lesson = lesson
        self.reader = reader
        self.options = options
        self.terminal = terminal
        self.memory = memory
        self.status = 0
        self.watched: tuple[str, ...] = ()
        self.explained: Explanation | None = None
        self.place = Place(lesson)
        self.trail = trail.start(lesson, engine)
        self.play: Trail | None = None
        self.activity: Activity = activity_at(self)
        self.proposals: list[str] = []
        self.pasted: Proposal | None = None
        self.following: Lesson | None = None
        self.left = False
        self._screen: Screen | None = None
        self._chosen = options, terminal

    @property
    def _(self) -> Translate:
        """Says a message in the language chosen now."""
        return translator(self.options.speech)

    @property
    def screen(self) -> Screen:
        """The screen for what is shown between two inputs, in the language chosen now."""
        if self._screen is None or self._chosen != (self.options, self.terminal):
            self._chosen = self.options, self.terminal
            self._screen = open_screen(*self._chosen)
        return self._screen

    @property
    def session(self) -> Session:
        """The session in which inputs run."""
        return (self.play or self.trail).session

    @property
    def engine(self) -> Engine:
        """The engine of the session."""
        return self.session.engine

    @property
    def chronicle(self) -> Chronicle:
        """What the session remembers."""
        return (self.play or self.trail).chronicle

    @chronicle.setter
    def chronicle(self, chronicle: Chronicle) -> None:
        (self.play or self.trail).chronicle = chronicle

    @property
    def undoable(self) -> int:
        """How many inputs of the step, or of free play, can be undone."""
        return (self.play or self.trail).undoable

    def note(self, text: str) -> None:
        """Show a line of gradrepl's own."""
        self.screen.note(text)

    def loop(self, start: int | None = None) -> None:
        """Go through the lesson until its end or until the learner leaves; start: index of a step, to begin with."""
        self.reader.toolbar = lambda: showing.state(self)
        self.reader.scope = Scope(lambda: self.session.names, self.commands)
        self.reader.idle = str
        self.reader.damaged = partial(keeping.takes, self)
        stage.show_title(self.lesson, self.screen, self.options.speech)
        self.screen.gap()
        self.note(self._("Enter runs the code at the prompt and goes on; :help lists the commands."))
        if start is None:
            self._resume()
        else:
            self.go(start)
        while not self.left:
            try:
                self._turn()
            except EOFError:
                self.left = True
            except KeyboardInterrupt:
                self.proposals = [""]
        if self.play is not None:
            self.play.session.close()
        self.trail.session.close()

    def _resume(self) -> None:
        index = self.memory.resume(self.lesson)
        if index == len(self.lesson.steps):
            self.note(self._("You have done this lesson; here it is again. :list shows the steps, :go N goes to one."))
        elif index:
            text = self._("You stopped at step {number}; it goes on there. :reset all starts the lesson over.")
            self.note(text.format(number=index + 1))
        self.go(index % len(self.lesson.steps))

    def _turn(self) -> None:
        self.complain()
        self.reader.shortcuts = showing.shortcuts(self)
        question = "" if self.play else self.activity.question
        offered = "" if self.play else self.activity.offered
        if self.proposals:
            offered = self.proposals.pop(0)
        text = self.reader.line(question, offered) if question else self.reader.code(offered)
        self.screen.typed()
        self.obey(text)

    def obey(self, text: str) -> None:
        """Do what was typed: a command, a question, nothing, or code."""
        typed = read.read(text)
        if isinstance(typed, read.Command):
            self._command(typed)
        elif isinstance(typed, read.Question):
            for line in about(typed, self.session, self._):
                self.note(line)
        elif isinstance(typed, read.Blank):
            if self.play is None:
                self.activity.go_on()
        elif self.play is not None:
            self.execute(typed.source)
        else:
            self.activity.take(text)

    def _command(self, typed: read.Command) -> None:
        try:
            self.left = bool(find(self.commands, typed.name).run(self, typed.argument)) or self.left
        except UnknownCommandError as error:
            self.note(unknown(error, self._))
        except engines.EngineUnavailableError as error:
            self.note(unavailable(error, self._))

    def complain(self) -> None:
        """Say what went wrong with what is to be remembered, once."""
        complaint = self.memory.complaint()
        if complaint:
            self.note(complaint)

    def execute(self, source: str) -> bool:
        """Run an input of the learner's and show what it did; returns whether it ended the lesson."""
        playing = self.play
        outcomes = self._run(source, "typed")
        if outcomes and outcomes[-1].exit_status is not None:
            self.left = True
        elif outcomes and playing is None:
            self.activity.ran(source, outcomes)
        return self.left

    def run_given(self, source: str, *, origin: Origin = "lesson", shown: bool = False) -> bool:
        """Run the lesson's code, shown: it stands on the screen already; returns whether Ctrl-C let it be."""
        if not shown:
            self.screen.source(source)
        outcomes = self._run(source, origin)
        return not any(outcome.failure and outcome.failure.type == "KeyboardInterrupt" for outcome in outcomes)

    def run_silently(self, sources: Iterable[str]) -> list[str]:
        """Run the lesson's code without showing it; returns the names that are new or other values now."""
        before = dict(self.chronicle.prints[-1])
        self.session.sink = None
        for source in sources:
            self.chronicle.note(source, tuple(self.session.run(source)), self.session.names)
            self.trail.origins.append("lesson")
        after = self.chronicle.prints[-1]
        return [name for name in after if not name.startswith("_") and after[name] != before.get(name)]

    def _run(self, source: str, origin: Origin) -> list[Outcome]:
        here = self.play or self.trail
        outcomes = run_input(self, source)
        if outcomes:
            show_run(self, source, outcomes)
        elif origin != "typed":  # a comment of the lesson's
            here.chronicle.note(source, (), here.session.names)
        if outcomes or origin != "typed":
            here.origins.append(origin)
        return outcomes

    def take_over(self, session: Session, chronicle: Chronicle) -> None:
        """Go on with the session as it was before some inputs of the step, or of free play."""
        (self.play or self.trail).take_over(session, chronicle)
        if self.play is None:
            self.activity.undone()

    def rewind(self, *origins: Origin) -> None:
        """Make the session as it was when the step began, and run again what came into the step from these origins."""
        kept = [(entry.source, origin) for entry, origin in self.trail.entries if origin in origins]
        self.trail = self.trail.again([*trail.before(self.place), *(source for source, _origin in kept)])
        self.trail.origins = [origin for _source, origin in kept]

    def leave(self, how: str, sources: Sequence[str]) -> None:
        """Go on behind the step; how: "done", "skipped" or "shown"; sources: what of it is there from now on."""
        self.memory.done(self.lesson, self.place.step, how)
        tried = any(origin == "typed" for origin in self.trail.origins)
        exact = list(sources) == self.trail.sources("lesson", "given", "typed", "kept")
        self.place = player.forward(self.place, sources)
        if tried and not exact:
            self.rewind()
        self.arrive()

    def go(self, index: int) -> None:
        """Go to a step, with names and values as they are there; index: from 0."""
        if index < self.place.index:
            self.place = Place(self.lesson, index, self.place.done[:index])
        while self.place.index < index:
            self.place = player.forward(self.place)
        self.rewind()
        self.arrive()

    def renew(self) -> None:
        """Forget what was answered in this step."""
        self.proposals.clear()
        self.activity = activity_at(self)

    def arrive(self) -> None:
        """Begin the step, its session being ready."""
        self.trail.origins = []
        self.renew()
        self.activity.show()
        self.activity.begin()

    def change_engine(self, name: str) -> None:
        """Go on at the start of this step on another engine; raises EngineUnavailableError."""
        engine = engines.load(name)
        self.end_play()
        self.trail.session.close()
        self.trail = trail.start(self.lesson, engine)
        self.rewind()
        self.arrive()

    def begin_play(self) -> None:
        """Go on with a session of its own that has the same names and values."""
        self.trail.pause()
        self.play = self.trail.fork()

    def end_play(self, *, keep: bool = False) -> list[str]:
        """Come back from free play; keep: with what was made there. Returns the names that are new or other values."""
        play, self.play = self.play, None
        if play is None:
            return []
        before, after = self.trail.chronicle.prints[-1], play.chronicle.prints[-1]
        names = [name for name in after if not name.startswith("_") and after[name] != before.get(name)]
        if not keep:
            play.session.close()
            self.trail.resume()
            return []
        here = [origin for entry, origin in self.trail.entries if not trail.interrupted(entry)]
        play.origins = [*here, *play.origins]
        play.origins = ["kept" if origin == "typed" else origin for origin in play.origins]
        play.session.started = self.trail.session.started
        self.trail = play
        self.activity.kept()
        return names
