"""Learning: a lesson's steps at the prompt, with predictions, exercises, hints and a way back."""

from __future__ import annotations

from dataclasses import replace

from gradrepl.app import explaining, stage
from gradrepl.app.about import about
from gradrepl.app.commands import Command, UnknownCommandError, find, help_lines, unknown
from gradrepl.app.options import Options, Terminal
from gradrepl.app.reader import Reader
from gradrepl.app.scope import Scope
from gradrepl.app.screen import Screen, open_screen
from gradrepl.i18n import SPEECHES, Translate, mark, translator
from gradrepl.lesson import player
from gradrepl.lesson.model import Example, Lesson
from gradrepl.lesson.player import Place
from gradrepl.session import read
from gradrepl.session.engine import Engine
from gradrepl.session.outcome import Explanation
from gradrepl.view import mode
from gradrepl.view.prose import split_label


class Learner:
    """Somebody at a step of a lesson.

    place: what is done and what is next. pending: the examples of the step that haven't run yet.
    solved: its exercise passes. typed: what the learner ran in this step beside them.
    offering: the next statement is to stand at the prompt. asking: a prediction is being asked for.
    """

    def __init__(self, lesson: Lesson, engine: Engine, reader: Reader, options: Options, terminal: Terminal) -> None:
        self.engine = engine
        self.reader = reader
        self.options = options
        self.terminal = terminal
        self.place = Place(lesson)
        self.session = player.begin(lesson, engine)
        self.pending: list[Example] = []
        self.typed: list[str] = []
        self.solved = False
        self.offering = True
        self.asking = self.left = False
        self.explained: Explanation | None = None
        reader.toolbar = self.toolbar
        reader.scope = Scope(lambda: self.session.names, COMMANDS)

    @property
    def _(self) -> Translate:
        """Says a message in the language chosen now."""
        return translator(self.options.speech)

    @property
    def screen(self) -> Screen:
        """A screen in the language chosen now."""
        return open_screen(self.options, self.terminal)

    def toolbar(self) -> str:
        """The line below the input: place, grad mode, what may be typed."""
        state = self._("grad mode: {mode}").format(mode=mode.describe(self.session.grad_mode(), self._))
        place = f"{self.place.lesson.id} {self.place.index + 1}/{len(self.place.lesson.steps)}"
        return " | ".join((place, state, self._("Enter: go on"), ":help"))

    def loop(self) -> Options:
        """Go through the lesson until its end or until the learner leaves; returns the options as they are then."""
        stage.show_title(self.place.lesson, self.screen, self.options.speech)
        self.screen.note(self._("Enter runs the code at the prompt and goes on; :help lists the commands."))
        turn = self._arrive
        while not (self.left or self.place.finished):
            try:
                turn()
            except EOFError:
                self.left = True
            except KeyboardInterrupt:
                self.offering = self.asking = False
            turn = self._turn
        self.session.close()
        return self.options

    def go_on(self) -> None:
        """Run the next statement of the step, or leave the step if all have run."""
        if self.asking:
            self.screen.note(self._("Your prediction first; Enter alone if you don't know."))
        elif self.pending:
            self._run_next()
        elif self.place.step.kind == "try" and not self.solved:
            self.screen.note(self._("Not solved yet: type your answer, or :hint, :solution, :skip."))
        else:
            ran = [example.source for example in self.place.step.examples]
            answer = self.typed if self.place.step.kind == "try" else []
            self._leave_step(player.forward(self.place, ran + answer))

    def go_back(self) -> None:
        """Go to the step before, with names and values as they were there."""
        self._leave_step(player.back(self.place), rewind=True)

    def skip(self) -> None:
        """Go on as if the step's code and solution had run."""
        self._leave_step(player.forward(self.place), rewind=True)

    def _leave_step(self, place: Place, *, rewind: bool = False) -> None:
        played = self.place.step.kind != "try" and self.typed
        self.place = place
        if rewind or played:
            self.session.close()
            self.session = player.session_at(place, self.engine)
        self._arrive()

    def _arrive(self) -> None:
        self.solved, self.typed = False, []
        if self.place.finished:
            self.pending = []
            self.screen.heading(self._("End of the lesson"))
            return
        step = self.place.step
        self.pending = list(step.examples)
        stage.show_step(self.place, self.screen, self.options.speech)
        if step.kind == "predict":
            self._predict()
        elif step.kind == "try":
            self._run_pending()

    def _predict(self) -> None:
        place, screen = self.place, self.screen
        for example in self.pending:
            screen.source(example.source)
        screen.gap()
        answers = []
        for cell in place.step.cells:
            answers.append(self._answer(cell))
            if self.left or self.place.index != place.index:
                return
        screen.gap()
        self._run_pending()
        screen.gap()
        for verdict in player.judge(place.step, answers, self.session):
            stage.show_verdict(verdict, screen, self.options.speech, self._)

    def _answer(self, cell: str) -> str:
        """Ask for a prediction; a command in its place is obeyed, and unless that leaves the step, asked again."""
        index, self.asking = self.place.index, True
        while True:
            text = self.reader.line(f"{cell} = ")
            typed = read.read(text)
            if isinstance(typed, read.Command):
                self._command(typed)
            if not isinstance(typed, read.Command) or self.left or self.place.index != index:
                self.asking = False
                return "" if isinstance(typed, read.Command) else text

    def _run_pending(self) -> None:
        self._run(self.pending)
        self.pending = []

    def _run_next(self, *, shown: bool = False) -> None:
        example = self.pending.pop(0)
        self._run([example], shown=shown)

    def _run(self, examples: list[Example], *, shown: bool = False) -> None:
        place = self.place
        ran = stage.run(examples, place.step, place.lesson, self.session, self.screen, sources=not shown)
        for _example, outcomes in ran:
            explaining.remember(self, outcomes)

    def _turn(self) -> None:
        """Take one input."""
        offered = self.pending[0].source if self.pending and self.offering else ""
        self.offering = True
        text = self.reader.code(offered)
        typed = read.read(text)
        if isinstance(typed, read.Command):
            self._command(typed)
        elif not text.strip():
            self.go_on()
        elif self.pending and text.strip() == self.pending[0].source.strip():
            self._run_next(shown=True)
        elif isinstance(typed, read.Question):
            for line in about(typed, self.session, self._):
                self.screen.note(line)
        elif not isinstance(typed, read.Blank):
            self._try(typed.source)

    def _command(self, typed: read.Command) -> None:
        try:
            self.left = bool(find(COMMANDS, typed.name).run(self, typed.argument))
        except UnknownCommandError as error:
            self.screen.note(unknown(error, self._))

    def _try(self, source: str) -> None:
        screen, step = self.screen, self.place.step
        self.typed.append(source)
        self.session.sink = screen.output
        for outcome in self.session.run(source):
            screen.result(outcome)
            explaining.remember(self, [outcome])
        if step.kind == "try":
            self._judge_attempt()

    def _judge_attempt(self) -> None:
        result = player.attempt(self.place, self.session)
        if result.passed and not self.solved:
            self.solved = True
            self.screen.note(self._("Solved. Enter goes on."))
        elif result.meant is not None:
            stage.show_text(result.meant.text, self.screen, self.options.speech)


def _help(learner: Learner, argument: str) -> None:
    for line in help_lines(COMMANDS, learner._):
        learner.screen.note(line)


def _next(learner: Learner, argument: str) -> None:
    learner.go_on()


def _back(learner: Learner, argument: str) -> None:
    learner.go_back()


def _skip(learner: Learner, argument: str) -> None:
    learner.skip()


def _hint(learner: Learner, argument: str) -> None:
    hints = learner.place.step.hints
    if learner.place.hints == len(hints):
        learner.screen.note(learner._("No more hints here.") if hints else learner._("This step has no hints."))
        return
    learner.place = player.next_hint(learner.place)
    stage.show_text(hints[learner.place.hints - 1], learner.screen, learner.options.speech)


def _solution(learner: Learner, argument: str) -> None:
    step = learner.place.step
    if not step.solution:
        learner.screen.note(learner._("This step asks for no code; Enter goes on."))
    for example in step.solution:
        learner.screen.source(example.source)


def _list(learner: Learner, argument: str) -> None:
    place = learner.place
    for number, step in enumerate(place.lesson.steps):
        state = learner._("done") if number < place.index else learner._("here") if number == place.index else ""
        label = split_label(step.prose.get("en" if learner.options.speech == "en" else "vi"))[0]
        learner.screen.note(f"{number + 1:>3}  {label or step.id}  {state}".rstrip())


def _language(learner: Learner, argument: str) -> None:
    chosen = next((speech for speech in SPEECHES if speech == argument), None)
    if chosen is None:
        learner.screen.note(learner._("Choose a language: {choices}.").format(choices=", ".join(SPEECHES)))
        return
    learner.options = replace(learner.options, speech=chosen)
    stage.show_step(learner.place, learner.screen, chosen)


def _quit(learner: Learner, argument: str) -> bool:
    return True


COMMANDS: tuple[Command[Learner], ...] = (
    Command(("next", "tiep"), "", mark("run the step, then go on; Enter does too"), _next),
    Command(("back", "lui"), "", mark("one step back, with the values of then"), _back),
    Command(("hint", "goi"), "", mark("the next hint"), _hint),
    Command(("solution", "dapan"), "", mark("show the solution"), _solution),
    Command(("skip", "bo"), "", mark("go on as if the step were done"), _skip),
    Command(("explain", "giaithich"), "", mark("the last error or warning, at length"), explaining.command),
    Command(("list", "muc"), "", mark("the steps of the lesson"), _list),
    Command(("lang", "nn"), "en|vi|both", mark("change the language"), _language),
    Command(("help", "giup"), "", mark("this list"), _help),
    Command(("quit", "thoat"), "", mark("leave the lesson; Ctrl-D does too"), _quit),
)
