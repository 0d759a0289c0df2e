"""The command `gradrepl`: reads its arguments, hands over to the command that does the work."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from gradrepl.app.options import Options, is_terminal, never_fail_to_print
from gradrepl.i18n import SPEECHES, Speech, Translate, from_environment, translator
from gradrepl.view.safe import visible

FAILED, INTERRUPTED, BROKEN_PIPE = 1, 130, 141
PERSONAL = (None, "learn", "play", "lessons", "progress", "review")  # commands for somebody who sits there


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    never_fail_to_print(sys.stdout, sys.stderr)
    speech = _speech(arguments)
    _ = translator(speech)
    # What is imported stays: looking through it for garbage takes a twentieth of the time of a short run.
    gc.disable()
    try:
        status = _main(arguments, speech, _)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write(_("Interrupted.") + "\n")
        return INTERRUPTED
    except OSError as error:
        # Python flushes at exit: let it have somewhere to write.
        sys.stdout = _nowhere()
        if isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
        sys.stderr.write(f"gradrepl: {visible(str(error))}\n")
        return FAILED
    finally:
        gc.enable()
    return status


def _main(arguments: Sequence[str], speech: Speech, _: Translate) -> int:
    from gradrepl.app import dispatch

    parsed = parser(_).parse_args(_joined(arguments))
    options = _options(parsed, speech)
    return dispatch.run(parsed, options, translator(options.speech))


def _options(parsed: argparse.Namespace, speech: Speech) -> Options:
    """What was asked for on the command line, else what the config file says."""
    asked = {"speech": parsed.lang, "engine": parsed.engine, "color": parsed.color}
    streams = {"plain": parsed.plain, "json": parsed.json, "no_input": parsed.no_input}
    streams["big"] = getattr(parsed, "big", False)
    given = {field: value for field, value in asked.items() if value is not None}
    return Options(**{"speech": speech, **_preferred(parsed, speech), **given, **streams})


def _preferred(parsed: argparse.Namespace, speech: Speech) -> dict[str, Any]:
    """Fields of Options from the config file, where somebody sits at a terminal: a program runs the same everywhere."""
    personal = parsed.command in PERSONAL and parsed.code is None and is_terminal(sys.stdin) and is_terminal(sys.stdout)
    if not personal or parsed.json:
        return {}
    from gradrepl.app import places

    if places.is_missing(places.place("config", "config.toml")):
        return {}
    from gradrepl.app import config

    path = config.default_path()
    values, problems = config.load(path)
    _ = translator(parsed.lang or values.get("speech", speech))
    for problem in problems:
        sys.stderr.write(f"{visible(problem.said(path, _))}\n")
    return values


def _nowhere() -> TextIO:
    """A stream for what can't be shown: standard output was closed, or its reader went away."""
    return open(os.devnull, "w", encoding="utf-8")


def _joined(arguments: Sequence[str]) -> list[str]:
    """`-c CODE` as one word, for argparse takes code that starts with a dash for an option."""
    words = list(arguments)
    if "-c" in words[:-1]:
        place = words.index("-c")
        words[place : place + 2] = [f"-c{words[place + 1]}"]
    return words


def _speech(arguments: Sequence[str]) -> Speech:
    """The language before the arguments are parsed: the parser itself speaks it."""
    if not any(word.startswith("--lang") for word in arguments):
        return from_environment(os.environ)
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False, formatter_class=_formatter)
    early.add_argument("--lang", choices=SPEECHES)
    try:
        found, _ = early.parse_known_args(arguments)
    except argparse.ArgumentError:
        return from_environment(os.environ)
    return found.lang or from_environment(os.environ)


def parser(_: Translate) -> argparse.ArgumentParser:
    """The whole command line; every option may stand before or after the command."""
    top = argparse.ArgumentParser(
        prog="gradrepl",
        description=_("See autograd: requires_grad, grad_fn and grad of each tensor after every statement."),
        allow_abbrev=False,
        formatter_class=_formatter,
        epilog=_("Without a command: a prompt, or the program on standard input."),
    )
    top.add_argument("--version", action="version", version=f"gradrepl {_version()}")
    top.add_argument("-c", dest="code", metavar="CODE", help=_("run a program given as text"))
    _add_options(top, _, defaults=True)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False, formatter_class=_formatter)
    _add_options(common, _, defaults=False)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text, parents=[common], allow_abbrev=False, formatter_class=_formatter
        )

    _add_learning(command, _)
    _add_play(command, _)
    _add_export(command, _)
    command("lessons", _("list the lessons"))
    _add_memory(command, _)
    _add_authoring(command, _)
    run = command("run", _("run a Python file"))
    run.add_argument("file", metavar="FILE")
    return top


def _add_learning(command: Callable[[str, str], argparse.ArgumentParser], _: Translate) -> None:
    learn = command("learn", _("go through a lesson at the prompt"))
    learn.add_argument("lesson", nargs="?", metavar="LESSON", help=_("number, id or start of an id"))
    learn.add_argument("--from", dest="start", metavar="STEP", help=_("begin at this step: its number or id"))
    _add_trust(learn, _)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """A formatter that knows its width: argparse makes one for every argument, and asks shutil, slow to import."""
    try:
        width = os.get_terminal_size().columns
    except (OSError, ValueError):
        width = 80
    return argparse.HelpFormatter(prog, width=width - 2)


def _add_options(to: argparse.ArgumentParser, _: Translate, *, defaults: bool) -> None:
    def add(*names: str, default: Any, text: str, **more: Any) -> None:
        to.add_argument(*names, default=default if defaults else argparse.SUPPRESS, help=text, **more)

    add("--lang", default=None, choices=SPEECHES, text=_("language (default: from the locale)"))
    add(
        "--engine",
        default=None,
        choices=("builtin", "torch"),
        text=_("whose tensors: gradrepl's own or PyTorch's"),
    )
    add("--plain", default=False, action="store_true", text=_("plain lines: no tables, no colours"))
    add("--json", default=False, action="store_true", text=_("one line of JSON a statement"))
    add("--no-input", default=False, action="store_true", text=_("ask nothing"))
    add("--color", default=None, choices=("auto", "always", "never"), text=_("colours and tables"))


def _add_play(command: Callable[[str, str], argparse.ArgumentParser], _: Translate) -> None:
    """The command that shows lessons as they run."""
    play = command("play", _("show lessons as they run"))
    play.add_argument(
        "lessons", nargs="*", metavar="LESSON", help=_("a lesson, a Markdown or Python file, or a list of those (.txt)")
    )
    play.add_argument("--all", action="store_true", help=_("every lesson"))
    _add_playback(play, _)
    play.add_argument("--record", metavar="FILE", help=_("keep what is played, in the form of the file's ending"))
    _add_recording(play, _)
    _add_trust(play, _)


def _add_authoring(command: Callable[[str, str], argparse.ArgumentParser], _: Translate) -> None:
    """The commands for who writes lessons."""
    check = command("check", _("run lessons and compare them with what they promise"))
    check.add_argument("paths", nargs="*", metavar="PATH", help=_("lesson files or folders; default: all lessons"))
    check.add_argument("--watch", action="store_true", help=_("check again after each save"))
    check.add_argument(
        "--accept", metavar="STEP", help=_("both languages of a step (or of all) say the same: note it in lock.toml")
    )
    _add_repair(command, _)
    new = command("new", _("write a lesson to start from"))
    new.add_argument("name", metavar="NAME", help=_("the lesson's id, such as my-lesson, or a path to its file"))
    new.add_argument("--title-vi", metavar="TITLE", help=_("its title in Vietnamese"))
    new.add_argument("--title-en", metavar="TITLE", help=_("its title in English"))


def _add_repair(command: Callable[[str, str], argparse.ArgumentParser], _: Translate) -> None:
    repair = command("repair", _("turn a damaged tutorial into a transcript that runs"))
    repair.add_argument("file", metavar="FILE", help=_("text, HTML, Markdown or .ipynb; - is standard input"))
    repair.add_argument("--explain", action="store_true", help=_("say what happened to the page"))
    what = repair.add_mutually_exclusive_group()
    what.add_argument("--to", metavar="LESSON.md", help=_("write a lesson to start from"))
    what.add_argument("--run", action="store_true", help=_("run the statements step by step, then stay at the prompt"))


def _add_memory(command: Callable[[str, str], argparse.ArgumentParser], _: Translate) -> None:
    """The commands for what was learned."""
    progress = command("progress", _("how far you are in each lesson"))
    one = progress.add_mutually_exclusive_group()
    one.add_argument("--export", metavar="FILE", help=_("save it all in a file, as JSON (- is standard output)"))
    one.add_argument("--import", dest="take_in", metavar="FILE", help=_("add what such a file holds"))
    one.add_argument("--forget", metavar="LESSON", help=_("delete what is known of a lesson"))
    review = command("review", _("answer again what you guessed wrong, after 1, 3 and 7 days"))
    review.add_argument("lessons", nargs="*", metavar="LESSON", help=_("number, id or start of an id"))
    _add_trust(review, _)
    report = command("report", _("what learners missed most, from files that they exported"))
    report.add_argument("files", nargs="+", metavar="FILE", help=_("a file of `gradrepl progress --export`"))


def _add_export(command: Callable[[str, str], argparse.ArgumentParser], _: Translate) -> None:
    """The command that makes recordings without showing them."""
    export = command("export", _("make recordings of lessons: .cast, .txt, .svg, .md, .ipynb, .json"))
    export.add_argument("lessons", nargs="*", metavar="LESSON", help=_("number, id or start of an id"))
    export.add_argument("--all", action="store_true", help=_("every lesson"))
    where = _("a file, whose ending names the form; or a folder")
    export.add_argument("--to", required=True, metavar="FILE", help=where)
    export.add_argument("--format", metavar="NAMES", help=_("the forms for a folder, such as txt,md; default: all"))
    _add_recording(export, _)
    _add_trust(export, _)


def _add_playback(to: argparse.ArgumentParser, _: Translate) -> None:
    """How lessons play on a terminal."""
    to.add_argument("--speed", default="1", metavar="X", help=_("times as fast: 0.25 to 8"))
    to.add_argument("--typing", default="40", metavar="MS|off", help=_("milliseconds a letter; off: no typing"))
    to.add_argument(
        "--stop",
        default="predict",
        choices=("predict", "step", "never"),
        help=_("wait for a key: at questions, behind each step too, or never"),
    )
    to.add_argument("--max-wait", default="10", metavar="S", help=_("the longest wait, in seconds"))
    to.add_argument("--from", dest="start", metavar="STEP", help=_("begin at this step: its number or id"))
    to.add_argument("--seed", type=int, default=0, metavar="N", help=_("of the rhythm of typing"))
    to.add_argument("--big", action="store_true", help=_("fewer columns and larger gaps, for a projector"))


def _add_recording(to: argparse.ArgumentParser, _: Translate) -> None:
    to.add_argument("--cast-version", type=int, default=3, choices=(2, 3), help=_("of asciicast (.cast); default: 3"))
    to.add_argument(
        "--theme", default="auto", choices=("auto", "light", "dark"), help=_("of pictures (.svg); auto: the viewer's")
    )


def _add_trust(to: argparse.ArgumentParser, _: Translate) -> None:
    to.add_argument("--trust", action="store_true", help=_("run a lesson file without asking: it is a program"))


def _version() -> str:
    from gradrepl import __version__

    return __version__
