"""The commands of a lesson: its own, and those of the REPL that mean the same here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gradrepl.app import engines, repl, stage
from gradrepl.app.commands.table import Command, find, without_marks
from gradrepl.app.learning import showing
from gradrepl.app.learning.learner import Learner
from gradrepl.app.learning.steps import index_of
from gradrepl.app.trust import YES
from gradrepl.i18n import SPEECHES, mark
from gradrepl.lesson import player

Run = Callable[[Learner, str], bool | None]


def _in_lesson(run: Run) -> Run:
    """The command for the lesson itself: free play ends before it, without a trace."""

    def back_first(learner: Learner, argument: str) -> bool | None:
        if learner.play is not None:
            learner.end_play()
            learner.note(learner._("Back in the lesson; what you tried is gone."))
        return run(learner, argument)

    return back_first


def _next(learner: Learner, argument: str) -> None:
    learner.activity.go_on()


def _back(learner: Learner, argument: str) -> None:
    if learner.place.index == 0:
        learner.note(learner._("This is the first step."))
        return
    learner.go(learner.place.index - 1)


def _again(learner: Learner, argument: str) -> None:
    learner.rewind("kept")
    learner.renew()
    learner.activity.show()
    learner.activity.again()


def _go(learner: Learner, argument: str) -> None:
    """`:go 3`, `:go ID`: to a step by number, id or the start of its id."""
    index = index_of(learner.lesson, argument)
    if index is not None:
        learner.go(index)
        return
    text = learner._("Go to which step? A number from 1 to {count} or an id; :list shows them.")
    learner.note(text.format(count=len(learner.lesson.steps)))


def _list(learner: Learner, argument: str) -> None:
    learner.screen.spans([(line, "bold" if line.startswith(">") else "")] for line in showing.steps(learner))


def _hint(learner: Learner, argument: str) -> None:
    """`:hint`, `:hint 1`: the next hint, or one that was seen."""
    place, _ = learner.place, learner._
    hints = () if place.finished else place.step.hints
    wanted = int(argument) if argument.strip().isdecimal() else place.hints + 1
    if not hints:
        learner.note(_("This step has no hints."))
    elif wanted > len(hints):
        learner.note(_("No more hints here; :hint 1 shows the first again, :solution a solution."))
    elif not 1 <= wanted <= place.hints + 1:
        learner.note(_("The next hint is number {number}.").format(number=place.hints + 1))
    else:
        if wanted > place.hints:
            learner.place = player.next_hint(place)
        learner.memory.hinted(learner.lesson, place.step, wanted)
        learner.note(_("Hint {number} of {count}").format(number=wanted, count=len(hints)))
        stage.show_text(hints[wanted - 1], learner.screen, learner.options.speech)
        learner.screen.gap()


def _solution(learner: Learner, argument: str) -> None:
    answer = learner.activity.answer()
    if answer:
        learner.activity.revealed = True
        learner.proposals = [answer]
        learner.note(learner._("A solution stands at the prompt; Enter runs it."))


def _skip(learner: Learner, argument: str) -> None:
    learner.activity.skip()


def _free(learner: Learner, argument: str) -> None:
    if learner.play is not None:
        learner.note(learner._("This is free play already; :done goes back to the lesson."))
        return
    learner.begin_play()
    learner.note(
        learner._("Free play: nothing here touches the lesson. :done goes back, :done keep takes your names along.")
    )


def _done(learner: Learner, argument: str) -> None:
    """`:done`, `:done keep`: back from free play, without or with what was made there."""
    wanted, _ = argument.strip(), learner._
    if learner.play is None:
        learner.note(_("This is the lesson; :free begins free play."))
    elif wanted not in ("", "keep", "giu"):
        learner.note(_("Either :done, or :done keep."))
    elif wanted:
        names = ", ".join(learner.end_play(keep=True))
        learner.note(_("Back in the lesson, with: {names}").format(names=names or "-"))
    else:
        learner.end_play()
        learner.note(_("Back in the lesson; what you tried is gone."))


def _reset(learner: Learner, argument: str) -> None:
    """`:reset`, `:reset all`: this step, or the lesson, from its start."""
    wanted, _ = without_marks(argument.strip()), learner._
    if wanted in ("all", "het"):
        answer = learner.reader.line(_("Start the lesson over from step 1, and forget how each step went? [y/N] "))
        if answer.strip().casefold() in YES:
            learner.memory.forget(learner.lesson)
            learner.go(0)
    elif wanted:
        learner.note(_("Either :reset, or :reset all. A setting is changed by :set."))
    else:
        learner.go(learner.place.index)


def _language(learner: Learner, argument: str) -> None:
    chosen = next((speech for speech in SPEECHES if speech == argument.strip()), None)
    if chosen is None:
        learner.note(learner._("Choose a language: {choices}.").format(choices=", ".join(SPEECHES)))
        return
    learner.options = replace(learner.options, speech=chosen)
    learner.activity.show()
    learner.activity.present()


def _engine(learner: Learner, argument: str) -> None:
    name = argument.strip()
    if name not in engines.NAMES:
        learner.note(learner._("Choose an engine: {choices}.").format(choices=", ".join(engines.NAMES)))
        return
    learner.change_engine(name)
    learner.options = replace(learner.options, engine=name)


def _keys(learner: Learner, argument: str) -> bool | None:
    """`:keys off|on`: hide or show the line below the input; all else as at the REPL's own prompt."""
    wanted = without_marks(argument.strip())
    if wanted not in ("off", "on", "tat", "bat"):
        everywhere: Command[Any] = find(repl.COMMANDS, "keys")
        return everywhere.run(learner, argument)
    learner.reader.footer = wanted in ("on", "bat")
    return None


def _learn(learner: Learner, argument: str) -> bool:
    """`:learn 3`: leave this lesson for another one."""
    from gradrepl.app.trust import named_and_allowed

    chosen = named_and_allowed(learner, [argument.strip() or learner.lesson.id])
    learner.following = chosen[0] if chosen else None
    return bool(chosen)


def _joined(own: Sequence[Command[Learner]], others: Sequence[Command[Any]]) -> tuple[Command[Any], ...]:
    """All commands; names that a lesson uses for its own mean those."""
    taken = {name for command in own for name in command.names}
    kept = [
        Command(tuple(name for name in c.names if name not in taken), c.arguments, c.text, c.run, c.group, c.example)
        for c in others
        if c.names[0] not in taken
    ]
    return (*own, *kept)


GROUP = mark("lesson")
OWN: tuple[Command[Learner], ...] = (
    Command(("next", "tiep", "n"), "", mark("run the step, then go on; Enter does too"), _in_lesson(_next), GROUP),
    Command(("back", "lui", "b"), "", mark("one step back, with the values of then"), _in_lesson(_back), GROUP),
    Command(("again", "lai"), "", mark("run this step again, from its start"), _in_lesson(_again), GROUP),
    Command(("go", "den"), "STEP", mark("to a step by its number or id"), _in_lesson(_go), GROUP, ":go 3"),
    Command(("list", "muc", "l"), "", mark("the steps, and how each went"), _list, GROUP),
    Command(("hint", "goi", "h"), "[NUMBER]", mark("the next hint, or an earlier one"), _hint, GROUP, ":hint 1"),
    Command(("solution", "dapan", "sol"), "", mark("put a solution at the prompt"), _in_lesson(_solution), GROUP),
    Command(("skip", "bo"), "", mark("run what the step asks for, and go on"), _in_lesson(_skip), GROUP),
    Command(("free", "thu"), "", mark("try what you like; the lesson stays as it is"), _free, GROUP),
    Command(("done", "ve"), "[keep]", mark("back from free play, with or without its names"), _done, GROUP),
    Command(
        ("reset", "datlai", "dat"),
        "[all]",
        mark("this step, or the lesson, from its start"),
        _in_lesson(_reset),
        GROUP,
        ":reset all",
    ),
    Command(("lang", "nn"), "en|vi|both", mark("change the language"), _language, GROUP, ":lang vi"),
    Command(("learn", "hoc"), "LESSON", mark("leave for another lesson"), _learn, GROUP, ":learn 2"),
    Command(
        ("engine", "may"),
        "builtin|torch",
        mark("this step from its start on another engine"),
        _engine,
        GROUP,
        ":engine torch",
    ),
    Command(
        ("keys", "phim"),
        "[off|on|emacs|vi]",
        mark("what the keys do; hide or show the line that names them; another set of keys"),
        _keys,
        mark("gradrepl"),
        ":keys off",
    ),
)
COMMANDS = _joined(OWN, repl.COMMANDS)
