"""Each command and what it runs; imports wait until the command is known."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gradrepl.app.errors import DamagedLessonsError, UsageError
from gradrepl.app.options import Options, Terminal, is_terminal, survey
from gradrepl.i18n import Translate, translator
from gradrepl.view.safe import one_line, visible

if TYPE_CHECKING:
    from gradrepl.app.program import Program
    from gradrepl.app.screens.screen import Screen
    from gradrepl.lesson.model import Lesson
    from gradrepl.session.engine import Engine

FAILED, USAGE = 1, 2


def run(parsed: Namespace, options: Options, _: Translate) -> int:
    """Run the command that was parsed; returns the exit status."""
    try:
        return _COMMANDS[parsed.command](parsed, options, _)
    except UsageError as error:
        sys.stderr.write(f"gradrepl: {visible(str(error))}\n")
        return USAGE
    except DamagedLessonsError as error:
        sys.stderr.write(f"{visible(str(error))}\n")
        return FAILED


def _program_or_prompt(parsed: Namespace, options: Options, _: Translate) -> int:
    from gradrepl.app import program

    if parsed.code is not None:
        return _execute(program.from_text(parsed.code), options, _)
    if not is_terminal(sys.stdin):
        return _execute(program.from_standard_input(_), options, _)
    _refuse_json(options, _)
    from gradrepl.app import repl

    return repl.start(options, survey(options, os.environ))


def _run(parsed: Namespace, options: Options, _: Translate) -> int:
    from gradrepl.app import program

    return _execute(program.from_file(parsed.file, _), options, _, transcript=True)


def _execute(program: Program, options: Options, _: Translate, *, transcript: bool = False) -> int:
    from gradrepl.app.execute import execute

    engine = _engine(options, _)
    errors_apart = not transcript and not is_terminal(sys.stdout)
    return execute(program, engine, _screen(options, errors_apart=errors_apart), transcript=transcript)


def _play(parsed: Namespace, options: Options, _: Translate) -> int:
    from gradrepl.app import lessons
    from gradrepl.app.playback import direction, sources

    chosen = lessons.all_shipped() if parsed.all else sources.open_all(parsed.lessons, _)
    if not chosen:
        raise UsageError(_("Which lesson? Name it by number or id, or use --all; `gradrepl lessons` lists them."))
    terminal, wanted = survey(options, os.environ), direction.direction(parsed, chosen, _)
    if not _may_run(chosen, parsed, terminal, _):
        return FAILED
    if parsed.record is None:
        return direction.perform(chosen, _engine(options, _), _screen(options), options, terminal, wanted)
    from gradrepl.app.recording import export

    export.form_of(Path(parsed.record), _)
    setting = replace(export.setting_of(parsed, options, _engine(options, _)), seed=parsed.seed)
    with export.recording([export.Target(Path(parsed.record), options.speech)], setting) as record:
        return direction.perform(chosen, setting.engine, _screen(options), options, terminal, wanted, record)


def _export(parsed: Namespace, options: Options, _: Translate) -> int:
    _refuse_json(options, _)
    from gradrepl.app import lessons
    from gradrepl.app.recording import export

    chosen = lessons.all_shipped() if parsed.all else lessons.named(parsed.lessons, _)
    if not chosen:
        raise UsageError(_("Which lesson? Name it by number or id, or use --all; `gradrepl lessons` lists them."))
    if not _may_run(chosen, parsed, survey(options, os.environ), _):
        return FAILED
    return export.export(chosen, export.setting_of(parsed, options, _engine(options, _)), parsed)


def _learn(parsed: Namespace, options: Options, _: Translate) -> int:
    _refuse_json(options, _)
    from gradrepl.app import lessons, play
    from gradrepl.app.line.reader import open_reader

    chosen = lessons.named([parsed.lesson or "1"], _)
    terminal = survey(options, os.environ)
    if not _may_run(chosen, parsed, terminal, _):
        return FAILED
    start = None if parsed.start is None else _start(chosen[0], parsed.start, terminal, _)
    if not terminal.keyboard:
        return play.play(chosen, _engine(options, _), _screen(options), options.speech, None)
    from gradrepl.app.learning.course import learn
    from gradrepl.app.progress.memory import open_memory

    learn(chosen[0], _engine(options, _), open_reader(terminal, options), options, terminal, open_memory(_), start)
    return 0


def _start(lesson: Lesson, name: str, terminal: Terminal, _: Translate) -> int:
    """The index of the step to begin with; raises UsageError."""
    from gradrepl.app.learning.steps import index_of

    if not terminal.keyboard:
        raise UsageError(_("--from needs a terminal to type at; without one the whole lesson is shown."))
    index = index_of(lesson, name)
    if index is None:
        text = _("Lesson {lesson} has no step {name}: expected a number from 1 to {count}, or one of {ids}.")
        ids = ", ".join(step.id for step in lesson.steps)
        raise UsageError(text.format(lesson=lesson.id, name=one_line(name), count=len(lesson.steps), ids=ids))
    return index


def _may_run(chosen: Sequence[Lesson], parsed: Namespace, terminal: Terminal, _: Translate) -> bool:
    """Whether the learner allows the lessons to run, asked once for each file that isn't gradrepl's own."""
    from gradrepl.app.lessons import is_own

    strangers = [lesson for lesson in chosen if not is_own(lesson.path)]
    if not strangers:
        return True
    from gradrepl.app.trust import open_judge

    return open_judge(_, trusting=parsed.trust, keyboard=terminal.keyboard).allows(strangers)


def _lessons(parsed: Namespace, options: Options, _: Translate) -> int:
    _refuse_json(options, _)
    from gradrepl.app import lessons

    lessons.show(lessons.all_shipped(), _screen(options), options.speech)
    return 0


def _progress(parsed: Namespace, options: Options, _: Translate) -> int:
    from gradrepl.app import lessons
    from gradrepl.app.progress import memory, overview
    from gradrepl.store import Store, default_path

    store = Store(default_path())
    if parsed.export is not None:
        overview.export(parsed.export, store, _)
    elif parsed.take_in is not None:
        overview.take_in(parsed.take_in, store, _)
    elif parsed.forget is not None:
        overview.forget(lessons.id_named(parsed.forget), store, _)
    else:
        found = overview.lines(lessons.all_shipped(_), overview.events(store, _), memory.now(), options.speech)
        if options.json:
            sys.stdout.write(overview.to_json(found) + "\n")
        else:
            overview.show(found, _screen(options), _)
    return 0


def _review(parsed: Namespace, options: Options, _: Translate) -> int:
    _refuse_json(options, _)
    from gradrepl.app import lessons
    from gradrepl.app.progress import memory, review

    chosen = lessons.named(parsed.lessons, _) if parsed.lessons else lessons.all_shipped(_)
    terminal, screen, events = survey(options, os.environ), _screen(options), memory.open_memory(_)
    if not _may_run(chosen, parsed, terminal, _):
        return FAILED
    found = review.find(chosen, events, screen, _)
    if found and not terminal.keyboard:
        review.show_due(found, screen, options.speech)
    elif found:
        from gradrepl.app.line.reader import open_reader

        reader, engine = open_reader(terminal, options), _engine(options, _)
        review.Review(engine, reader, screen, events, options.speech, drawn=terminal.drawn).run(found)
    return 0


def _report(parsed: Namespace, options: Options, _: Translate) -> int:
    from gradrepl.app import lessons
    from gradrepl.app.progress import report

    found = report.read(parsed.files, _)
    if options.json:
        sys.stdout.write(report.to_json(found) + "\n")
    else:
        report.show(found, lessons.all_shipped(_), _screen(options), options.speech, _)
    return 0


def _check(parsed: Namespace, options: Options, _: Translate) -> int:
    _refuse_json(options, _)
    from gradrepl.app import check

    if parsed.accept is not None:
        check.accept(parsed.paths, parsed.accept, _)
    check.chosen(parsed.paths, _)  # a name of no lesson is told before an engine is loaded
    engines = _engines_of_check(parsed, options, _)
    return check.watch(parsed.paths, engines, _) if parsed.watch else check.check(parsed.paths, engines, _)


def _engines_of_check(parsed: Namespace, options: Options, _: Translate) -> list[Engine]:
    """The engine asked for, else every engine there is."""
    from gradrepl.app import engines

    if parsed.engine is not None:
        return [_engine(options, _)]
    found = [engines.load("builtin")]
    try:
        found.append(engines.load("torch"))
    except engines.EngineUnavailableError:
        return found
    return found


def _repair(parsed: Namespace, options: Options, _: Translate) -> int:
    from gradrepl.app.repairing import page as pages
    from gradrepl.app.repairing import report

    page = pages.load(parsed.file, _)
    engine = _engine(options, _)
    found = pages.recovered(page, engine, _)
    if parsed.run:
        from gradrepl.app.repairing.run import start

        return start(page, found, options, survey(options, os.environ), _)
    repaired = pages.checked(page, found, engine)
    if parsed.to is not None:
        from gradrepl.app.repairing import lesson

        lesson.write(parsed.to, repaired, _)
    if options.json:
        sys.stdout.write(pages.to_json(repaired) + "\n")
    else:
        report.show(repaired, _screen_of_errors(options), _, explain=parsed.explain)
    return repaired.status


def _new(parsed: Namespace, options: Options, _: Translate) -> int:
    _refuse_json(options, _)
    from gradrepl.app import authoring

    return authoring.new(parsed.name, parsed.title_vi, parsed.title_en, _)


def _engine(options: Options, _: Translate) -> Engine:
    from gradrepl.app import engines
    from gradrepl.app.errors import unavailable

    try:
        return engines.load(options.engine)
    except engines.EngineUnavailableError as error:
        raise UsageError(unavailable(error, _)) from error


def _screen(options: Options, *, errors_apart: bool = False) -> Screen:
    from gradrepl.app.screens.screen import open_screen

    return open_screen(options, survey(options, os.environ), sys.stderr if errors_apart else None)


def _screen_of_errors(options: Options) -> Screen:
    """A screen for standard error, drawn where that is a terminal."""
    from gradrepl.app.screens.screen import PlainScreen, open_screen

    terminal = survey(options, os.environ)
    if terminal.drawn and is_terminal(sys.stderr):
        return open_screen(options, terminal)
    return PlainScreen(translator(options.speech), sys.stderr)


def _refuse_json(options: Options, _: Translate) -> None:
    if options.json:
        raise UsageError(_("--json needs a program or a lesson to play: -c CODE, run FILE, play LESSON."))


_COMMANDS: dict[str | None, Callable[[Namespace, Options, Translate], int]] = {
    None: _program_or_prompt,
    "run": _run,
    "play": _play,
    "export": _export,
    "learn": _learn,
    "lessons": _lessons,
    "progress": _progress,
    "report": _report,
    "review": _review,
    "check": _check,
    "new": _new,
    "repair": _repair,
}
