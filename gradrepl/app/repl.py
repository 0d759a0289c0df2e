"""The prompt: typed code in, tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gradrepl import __version__
from gradrepl.app import engines
from gradrepl.app.background import Background
from gradrepl.app.commands import keeping, seeing
from gradrepl.app.commands.scope import Scope
from gradrepl.app.commands.table import Command, UnknownCommandError, find, help_lines, help_one, unknown
from gradrepl.app.errors import unavailable
from gradrepl.app.line.reader import Reader, open_reader
from gradrepl.app.options import Options, Terminal
from gradrepl.app.screens import explaining
from gradrepl.i18n import SPEECHES, Translate, mark, translator
from gradrepl.view import mode

if TYPE_CHECKING:
    from gradrepl.app.commands.state import PromptState
    from gradrepl.app.repairing.proposal import Proposal
    from gradrepl.app.screens.screen import Screen
    from gradrepl.session import read
    from gradrepl.session.chronicle import Chronicle
    from gradrepl.session.core import Session
    from gradrepl.session.engine import Engine
    from gradrepl.session.outcome import Explanation


class Repl:
    """A prompt at work; engine, session and screen are waited for when an input needs them."""

    def __init__(
        self, options: Options, terminal: Terminal, reader: Reader | None = None, session: Session | None = None
    ) -> None:
        self.options = options
        self.terminal = terminal
        self.status = 0
        self._chronicle: Chronicle | None = None
        self.watched: tuple[str, ...] = ()
        self.explained: Explanation | None = None
        self.proposals: list[str] = []
        self.pasted: Proposal | None = None
        self._session = session
        self.reader = reader or open_reader(terminal, options)
        self._loading = Background(lambda: session.engine) if session is not None else None
        self.attend()

    def attend(self) -> None:
        """Make the reader's toolbar, completion and idle time this prompt's."""
        self.reader.toolbar = self.toolbar
        self.reader.scope = Scope(self.names, COMMANDS)
        self.reader.shortcuts = ()
        # Not before the prompt is drawn: it would draw later.
        self.reader.idle = self._load_in_background
        self.reader.damaged = partial(keeping.takes, self)

    @property
    def _(self) -> Translate:
        """Says a message in the language chosen now."""
        return translator(self.options.speech)

    @property
    def session(self) -> Session:
        """The session, with torch imported; raises EngineUnavailableError."""
        if self._session is None:
            self._session = _open_session(self.engine)
            self.chronicle = _open_chronicle(self._session)
        return self._session

    @property
    def chronicle(self) -> Chronicle:
        """What is remembered of the inputs; it comes when it is asked for, as the prompt is drawn without it."""
        if self._chronicle is None:
            from gradrepl.session.chronicle import Chronicle

            self._chronicle = Chronicle()
        return self._chronicle

    @chronicle.setter
    def chronicle(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle

    @property
    def engine(self) -> Engine:
        """The engine chosen now; raises EngineUnavailableError."""
        return self._load_in_background().result()

    @property
    def commands(self) -> Sequence[Command[Any]]:
        """The commands of this prompt."""
        return COMMANDS

    @property
    def undoable(self) -> int:
        """How many of the last inputs can be undone."""
        return min(len(self.chronicle.inputs), len(self.chronicle.prints) - 1)

    def names(self) -> Mapping[str, Any]:
        """The names of the session; none while the engine is being loaded."""
        if self._session is None and (self._loading is None or not self._loading.done):
            return {}
        try:
            return self.session.names
        except engines.EngineUnavailableError:
            return {}

    @property
    def screen(self) -> Screen:
        """A screen in the language chosen now."""
        from gradrepl.app.screens.screen import open_screen

        return open_screen(self.options, self.terminal)

    def loop(self, greeting: str = "") -> int:
        """Ask and run until the end; returns the exit status. greeting: the line below the name and version."""
        print(self._banner(greeting))
        while not self.ask():
            pass
        self.close()
        return self.status

    def ask(self) -> bool:
        """Ask once and run what is typed; returns whether that was the end."""
        try:
            return self._turn(self.reader.code(self.proposals.pop(0) if self.proposals else ""))
        except EOFError:
            return True
        except KeyboardInterrupt:
            self.proposals.clear()
            return False

    def change_engine(self, name: str) -> None:
        """Start afresh on another engine; raises EngineUnavailableError and leaves all as it is."""
        engine = engines.load(name)
        self.close()
        self._loading = Background(lambda: engine)
        self.options = replace(self.options, engine=name)

    def take_over(self, session: Session, chronicle: Chronicle) -> None:
        """Go on with another session on the same engine; the old one is dropped as it is."""
        self._session, self.chronicle = session, chronicle

    def close(self) -> None:
        """End the session; the grad mode is then as it was before."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _turn(self, text: str) -> bool:
        from gradrepl.session import read

        typed = read.read(text)
        if isinstance(typed, read.Command):
            return self._command(typed)
        if isinstance(typed, read.Blank):
            return False
        if isinstance(typed, read.Question):
            return self._answer(typed)
        return self.execute(text if isinstance(typed, read.Incomplete) else typed.source)

    def _answer(self, typed: read.Question) -> bool:
        from gradrepl.app.commands.about import about

        for line in about(typed, self.session, self._):
            self.screen.note(line)
        return False

    def _command(self, typed: read.Command) -> bool:
        try:
            return bool(find(COMMANDS, typed.name).run(self, typed.argument))
        except UnknownCommandError as error:
            self.screen.note(unknown(error, self._))
            return False
        except engines.EngineUnavailableError as error:
            self.screen.note(unavailable(error, self._))
            return False

    def execute(self, source: str) -> bool:
        """Run an input and show what it did; returns whether it ended the prompt."""
        from gradrepl.app.commands.state import run_input, show_run
        from gradrepl.app.execute import exit_status

        try:
            outcomes = run_input(self, source)
        except engines.EngineUnavailableError as error:
            self.screen.note(unavailable(error, self._))
            return False
        if not outcomes:
            return False
        show_run(self, source, outcomes)
        self._complain_of_loss()
        if outcomes[-1].exit_status is None:
            return False
        self.status = exit_status(outcomes[-1])
        return True

    def _load_in_background(self) -> Background[Engine]:
        if self._loading is None:
            self._loading = Background(self._load)
        return self._loading

    def _load(self) -> Engine:
        """What the first input needs, while the learner reads the banner and types."""
        if self.terminal.drawn:
            import gradrepl.app.screens.drawn
            import gradrepl.session.core  # noqa: F401
        return engines.load(self.options.engine)

    def toolbar(self) -> str:
        """The line below the input: grad mode, engine, language."""
        now = self._("on") if self._session is None else mode.describe(self._session.grad_mode(), self._)
        state = self._("grad mode: {mode}").format(mode=now)
        return " | ".join((state, self.options.engine, self.options.speech, ":help"))

    def _banner(self, greeting: str) -> str:
        text = greeting or self._("torch is imported. :learn 1 starts lesson 1; :help lists the commands.")
        return f"gradrepl {__version__} ({self.options.engine})\n{text}"

    def _complain_of_loss(self) -> None:
        reason = self.reader.loss()
        if reason is not None:
            text = self._("What you type is not kept for next time: {reason}.")
            self.screen.note(text.format(reason=reason))


def start(options: Options, terminal: Terminal) -> int:
    """Run the prompt until its end; returns the exit status."""
    return Repl(options, terminal).loop()


def _open_session(engine: Engine) -> Session:
    from gradrepl.session.core import Session

    session = Session(engine)
    session.names["torch"] = engine.torch
    return session


def _open_chronicle(session: Session) -> Chronicle:
    from gradrepl.app.commands.replay import Dice
    from gradrepl.session.chronicle import Chronicle

    return Chronicle(Dice.now(session.engine))


def _help(repl: PromptState, argument: str) -> None:
    word = argument.strip().lstrip(":")
    try:
        lines = help_one(find(repl.commands, word), repl._) if word else help_lines(repl.commands, repl._)
    except UnknownCommandError as error:
        lines = [unknown(error, repl._)]
    for line in lines:
        repl.screen.note(line)


def _lessons(repl: PromptState, argument: str) -> None:
    from gradrepl.app.lessons import all_shipped, show

    show(all_shipped(), repl.screen, repl.options.speech)


def _learn(repl: Repl, argument: str) -> None:
    from gradrepl.app.learning.course import learn
    from gradrepl.app.progress.memory import open_memory
    from gradrepl.app.trust import named_and_allowed

    engine = repl.engine
    for lesson in named_and_allowed(repl, [argument or "1"]):
        options = learn(lesson, engine, repl.reader, repl.options, repl.terminal, open_memory(repl._))
        repl.options = replace(options, engine=repl.options.engine)
        repl.attend()


def _review(repl: PromptState, argument: str) -> None:
    from gradrepl.app.progress import review  # it needs all that lessons need

    review.command(repl, argument)


def _language(repl: Repl, argument: str) -> None:
    chosen = next((speech for speech in SPEECHES if speech == argument.strip()), None)
    if chosen is None:
        repl.screen.note(repl._("Choose a language: {choices}.").format(choices=", ".join(SPEECHES)))
        return
    repl.options = replace(repl.options, speech=chosen)
    repl.screen.note(repl._("language: {name}").format(name=chosen))


def _engine(repl: Repl, argument: str) -> None:
    name = argument.strip()
    if name not in engines.NAMES:
        repl.screen.note(repl._("Choose an engine: {choices}.").format(choices=", ".join(engines.NAMES)))
        return
    try:
        repl.change_engine(name)
    except engines.EngineUnavailableError as error:
        repl.screen.note(unavailable(error, repl._))
        return
    repl.screen.note(repl._("engine: {name}; your names are gone, torch is imported.").format(name=name))


def _quit(repl: PromptState, argument: str) -> bool:
    return True


GROUP = mark("gradrepl")
COMMANDS: tuple[Command[Repl], ...] = (
    *seeing.COMMANDS,
    *keeping.COMMANDS,
    Command(("help", "giup", "h"), "[COMMAND]", mark("this list, or one command"), _help, GROUP, ":help t"),
    Command(("explain", "giaithich"), "", mark("the last error or warning, at length"), explaining.command, GROUP),
    Command(("lessons", "bai"), "", mark("list the lessons"), _lessons, GROUP),
    Command(("learn", "hoc"), "LESSON", mark("go through a lesson"), _learn, GROUP, ":learn 1"),
    Command(("review", "on"), "[LESSON]", mark("what was guessed wrong in lessons comes back"), _review, GROUP),
    Command(("lang", "nn"), "en|vi|both", mark("change the language"), _language, GROUP, ":lang vi"),
    Command(
        ("engine", "may"), "builtin|torch", mark("start afresh on another engine"), _engine, GROUP, ":engine torch"
    ),
    *keeping.LOOKS,
    Command(("quit", "thoat"), "", mark("leave; Ctrl-D does too"), _quit, GROUP),
)
