"""Commands about the inputs so far: list them, undo, save and load, time one, see all that was printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradrepl.app.commands.table import Command
from gradrepl.i18n import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradrepl.app.commands.state import PromptState
    from gradrepl.app.repairing.proposal import Proposal
    from gradrepl.session.outcome import Outcome

FORCE = "-f"
UNREADABLE = ("SyntaxError", "IndentationError", "TabError")


def _history(repl: PromptState, argument: str) -> None:
    """`:history`, `:history 5`: the inputs with their numbers; those that failed are marked."""
    inputs = repl.chronicle.inputs
    shown = inputs[-int(argument) :] if argument.isdigit() and int(argument) else inputs
    if not shown:
        repl.screen.note(repl._("No inputs yet."))
    width = len(str(repl.chronicle.number))
    for entry in shown:
        first, *rest = entry.source.rstrip("\n").split("\n")
        failed = "!" if any(outcome.failure for outcome in entry.outcomes) else " "
        repl.screen.spans([[(f"{entry.number:>{width}}{failed} ", "bright_black"), (first, "")]])
        repl.screen.spans([[(" " * (width + 2) + line, "")] for line in rest])


def _undo(repl: PromptState, argument: str) -> None:
    """`:undo`, `:undo 3`: names and tensors as they were before the last input, or the last so many."""
    from gradrepl.app.commands.replay import NotReplayableError, back, reaches_outside

    count = int(argument) if argument.isdigit() else 1
    if not 1 <= count <= repl.undoable:
        repl.screen.note(repl._("Only {count} inputs can be undone.").format(count=repl.undoable))
        return
    undone = repl.chronicle.inputs[-count:]
    try:
        session, chronicle = back(repl.session, repl.chronicle, count)
    except NotReplayableError as error:
        repl.screen.note(error.said(repl._))
        return
    repl.take_over(session, chronicle)
    for entry in undone:
        repl.screen.note(repl._("undone: {source}").format(source=" ".join(entry.source.split())))
        for name in reaches_outside(entry.source):
            repl.screen.sentence(repl._("What `{name}` did outside of the session stays.").format(name=name))
    repl.screen.rows(session.rows())


def _save(repl: PromptState, argument: str) -> None:
    """`:save FILE.py|.md|.txt`: the inputs as a program, or with what they showed."""
    from gradrepl.app.commands.transcript import WRITERS

    words = argument.split()
    from pathlib import Path

    path = Path(" ".join(word for word in words if word != FORCE)).expanduser()
    writer = WRITERS.get(path.suffix)
    if writer is None:
        repl.screen.note(repl._("Save as what? A name that ends in {kinds}.").format(kinds=", ".join(WRITERS)))
        return
    if path.exists() and FORCE not in words:
        repl.screen.note(repl._("{path} is there already; :save -f {path} writes over it.").format(path=path))
        return
    try:
        path.write_text(writer(repl.chronicle.inputs, repl.options, repl._), "utf-8")
    except OSError as error:
        repl.screen.note(repl._("can't write {path}: {reason}.").format(path=path, reason=error.strerror or error))
        return
    repl.screen.note(repl._("saved: {count} inputs in {path}").format(count=len(repl.chronicle.inputs), path=path))


def _load(repl: PromptState, argument: str) -> bool:
    """`:load FILE`: run a program, or the code of a transcript, as one input."""
    from pathlib import Path

    from gradrepl.app.commands.transcript import code_of

    path = Path(argument.strip("\"'")).expanduser()
    if not argument:
        repl.screen.note(repl._("Load which file? Such as :load lesson.py"))
        return False
    try:
        source = code_of(path.suffix, path.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        repl.screen.note(
            repl._("can't read {path}: it is no UTF-8 text (byte {place}).").format(path=path, place=error.start)
        )
        return False
    except OSError as error:
        repl.screen.note(repl._("can't read {path}: {reason}.").format(path=path, reason=error.strerror or error))
        return False
    if not source.strip():
        repl.screen.note(repl._("{path} holds no code.").format(path=path))
        return False
    return repl.execute(source)


def _time(repl: PromptState, argument: str) -> bool:
    """`:time CODE`: how long it takes; an expression that changes nothing is run many times."""
    from gradrepl.app.commands import timing

    if not argument:
        repl.screen.note(repl._("Which code? Such as :time x @ x.T"))
        return False
    if timing.repeatable(argument):
        repl.screen.note(timing.many(repl.session, argument, repl._))
        return False
    ended = repl.execute(argument)
    seconds = repl.chronicle.inputs[-1].seconds if repl.chronicle.inputs else 0.0
    repl.screen.note(repl._("one run: {time}").format(time=timing.said(seconds)))
    return ended


def _output(repl: PromptState, argument: str) -> None:
    """`:out`, `:out 100`: all that is kept of what the last input printed, or the last lines of it."""
    inputs = repl.chronicle.inputs
    outputs = [output for outcome in (inputs[-1].outcomes if inputs else ()) for output in outcome.outputs]
    if not outputs:
        repl.screen.note(repl._("The last input printed nothing."))
    elif argument.isdigit() and int(argument):
        lines = "".join(output.text for output in outputs).rstrip("\n").split("\n")
        repl.screen.spans([[(line, "")] for line in lines[-int(argument) :]])
    else:
        for output in outputs:
            repl.screen.output(output)


def _keys(repl: PromptState, argument: str) -> None:
    """`:keys`, `:keys vi|emacs`: what the keys do, or another set of them."""
    from gradrepl.app.commands.settings import change

    if argument:
        change(repl, f"keys {argument}")
        return
    width = max(len(key) for key, _text in KEYS)
    for key, text in KEYS:
        repl.screen.note(f"{key:<{width}}  {repl._(text)}")


def _theme(repl: PromptState, argument: str) -> None:
    """`:theme light|dark|none`: colours for that background, or no colours."""
    from gradrepl.app.commands.settings import change

    setting = "color never" if argument == "none" else f"theme {argument}".rstrip()
    if argument in ("light", "dark") and not repl.terminal.colored:
        change(repl, "color auto")
    change(repl, setting)


def _repair(repl: PromptState, argument: str) -> bool:
    """`:repair`: the last input, or what was pasted, as it was before a page damaged it; nothing runs unasked."""
    from gradrepl.app.repairing import offer

    return offer.command(repl, argument)


def takes(repl: PromptState, text: str) -> bool:
    """Whether there is a repaired form of a pasted text to offer; it is then kept for `:repair`."""
    repl.pasted = _repaired(repl, text)
    return repl.pasted is not None


def point_to_repair(repl: PromptState, source: str, outcomes: Sequence[Outcome]) -> None:
    """Say that `:repair` helps, below an input that is no Python and whose damage is known."""
    failure = outcomes[-1].failure
    if failure is not None and failure.type in UNREADABLE and len(outcomes) == 1 and _repaired(repl, source):
        repl.screen.note(repl._(":repair shows it repaired."))


def _repaired(repl: PromptState, text: str) -> Proposal | None:
    """What there is to offer for a text that isn't Python as it stands."""
    from gradrepl.session.read import is_suspect

    if not is_suspect(text):
        return None
    from gradrepl.app.engines import EngineUnavailableError
    from gradrepl.app.repairing import offer

    try:
        return offer.proposed(repl, text)
    except EngineUnavailableError:
        return None


def _set(repl: PromptState, argument: str) -> None:
    from gradrepl.app.commands.settings import change

    change(repl, argument)


KEYS = (
    ("Enter", mark("runs a complete input, else opens a line")),
    ("Alt-Enter", mark("opens a line")),
    ("Up, Down", mark("inputs that begin with what is typed")),
    ("Right", mark("takes the grey suggestion")),
    ("Tab", mark("completes a name, indents at the start of a line")),
    ("Ctrl-R", mark("searches the inputs")),
    ("Ctrl-C", mark("drops the line, stops running code")),
    ("Ctrl-D", mark("leaves, on an empty line")),
    ("Ctrl-L", mark("clears the screen")),
)
GROUP = mark("inputs")
COMMANDS: tuple[Command[PromptState], ...] = (
    Command(("history", "lichsu"), "[COUNT]", mark("the inputs so far"), _history, GROUP, ":history 5"),
    Command(("undo", "hoan"), "[COUNT]", mark("as before the last input, exactly"), _undo, GROUP, ":undo"),
    Command(("out", "ra", "full"), "[LINES]", mark("all that the last input printed"), _output, GROUP, ":out 100"),
    Command(
        ("save", "luu"),
        "FILE",
        mark("save the inputs: .py, or .md, .txt with results"),
        _save,
        GROUP,
        ":save lesson.py",
    ),
    Command(("load", "nap"), "FILE", mark("run a file as one input"), _load, GROUP, ":load lesson.py"),
    Command(("repair", "sua"), "", mark("the last input, repaired if a page damaged it"), _repair, GROUP),
    Command(("time", "dogio"), "CODE", mark("how long code takes"), _time, GROUP, ":time x * 2"),
)
LOOKS: tuple[Command[PromptState], ...] = (
    Command(
        ("set", "dat"),
        "[NAME [VALUE]] [--save]",
        mark("show or change a setting"),
        _set,
        mark("gradrepl"),
        ":set table always",
    ),
    Command(
        ("theme", "mau"),
        "light|dark|none",
        mark("colours for a light or dark screen, or none"),
        _theme,
        mark("gradrepl"),
        ":theme light",
    ),
    Command(
        ("keys", "phim"),
        "[emacs|vi]",
        mark("what the keys do; another set of keys"),
        _keys,
        mark("gradrepl"),
        ":keys vi",
    ),
)
