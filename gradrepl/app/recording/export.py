"""The command `export` and the recordings of `play`: lessons as files, each in the form of its ending."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from gradrepl.app.errors import UsageError
from gradrepl.app.options import Options
from gradrepl.app.recording.forms import FORMS, differs, take
from gradrepl.app.screens import explaining
from gradrepl.i18n import Speech, Translate
from gradrepl.lesson.model import Lesson
from gradrepl.record.event import Event
from gradrepl.record.page import HOME
from gradrepl.record.page_index import index
from gradrepl.record.steady import Steady
from gradrepl.record.writer import Setting, Writer
from gradrepl.session.engine import Engine
from gradrepl.view.safe import visible

FAILED, PAGE = 1, ".html"


@dataclass(frozen=True, slots=True)
class Target:
    """One file to write, in a language."""

    path: Path
    speech: Speech


def form_of(path: Path, _: Translate) -> str:
    """The ending that names the form of a recording; raises UsageError where none has that ending."""
    ending = path.suffix.lower()
    if ending not in FORMS:
        text = _("{path}: no form of recording ends like this. There are {endings}.")
        raise UsageError(text.format(path=path, endings=", ".join(FORMS)))
    return ending


def forms_named(names: str | None, _: Translate) -> list[str]:
    """The endings of "txt,md"; all there are if nothing is named. Raises UsageError."""
    words = [name.strip().removeprefix(".") for name in names.split(",")] if names is not None else []
    return [form_of(Path(f"x.{word}"), _) for word in words] or list(FORMS)


@contextmanager
def recording(targets: Sequence[Target], setting: Setting) -> Iterator[Callable[[Event], None]]:
    """A function that writes the same events to several files, which appear, whole, at the end of the block.

    Ctrl-C ends recordings where they are; any other exception leaves no file. Raises UsageError where a file can't
    be written.
    """
    steady, writers = Steady(), list[Writer]()

    def add(event: Event) -> None:
        still = steady.event(event)
        for writer in writers:
            writer.add(still)

    with ExitStack() as files:
        for target in targets:
            out = files.enter_context(written(target.path, setting._))
            writers.append(FORMS[target.path.suffix.lower()].writer(out, in_language(setting, target.speech)))
        try:
            yield add
        finally:
            if not isinstance(sys.exc_info()[1], Exception):
                for writer in writers:
                    writer.end()


@contextmanager
def written(path: Path, _: Translate) -> Iterator[TextIO]:
    """A file that takes its place when the block is left, unless by an error. Raises UsageError."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n", errors="backslashreplace") as out:
            try:
                yield out
            except KeyboardInterrupt:
                out.close()
                part.replace(path)
                raise
        part.replace(path)
    except BrokenPipeError:
        raise  # it is not the file that can't be written: who was shown the lesson went away
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(_("can't write {path}: {reason}.").format(path=path, reason=reason)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def in_language(setting: Setting, speech: Speech) -> Setting:
    """The setting for another language."""
    return replace(setting, speech=speech, explain=lambda explanation: explaining.short(explanation, speech))


def setting_of(parsed: Namespace, options: Options, engine: Engine) -> Setting:
    """How recordings are made that the command line asks for."""
    plain = Setting(engine, options.speech, lambda _explanation: (), parsed.theme, parsed.cast_version)
    return in_language(plain, options.speech)


def export(lessons: Sequence[Lesson], setting: Setting, parsed: Namespace) -> int:
    """Make the files that were asked for; returns 1 if a lesson does something else than it promises, else 0."""
    _, to = setting._, Path(parsed.to)
    endings = forms_named(parsed.format, _)
    if to.is_dir() or parsed.to.endswith(("/", "\\")) or len(lessons) != 1 or not to.suffix:
        made = list(_into_folder(lessons, to, endings, setting, asked=parsed.lang))
    else:
        form_of(to, _)
        made = [_made([Target(to, setting.speech)], lessons[0], setting)]
    for lesson, (_count, differing) in zip(lessons, made, strict=True):
        if differing:
            text = _("{name} does something else than it promises; `gradrepl check` says where.")
            sys.stderr.write(visible(text.format(name=lesson.path)) + "\n")
    sys.stdout.write(_("Files written: {count} ({path})").format(count=sum(n for n, _d in made), path=to) + "\n")
    return FAILED if any(differing for _count, differing in made) else 0


def _into_folder(
    lessons: Sequence[Lesson], folder: Path, endings: Sequence[str], setting: Setting, *, asked: Speech | None
) -> Iterator[tuple[int, bool]]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = setting._("can't write {path}: {reason}.")
        raise UsageError(text.format(path=folder, reason=error.strerror or error)) from error
    site = PAGE in endings and len(lessons) > 1
    for lesson in lessons:
        yield _made([*_targets(lesson, folder, endings, asked)], lesson, replace(setting, site=site))
    if site:
        entries = [(f"{lesson.path.stem}{PAGE}", lesson) for lesson in lessons]
        with written(folder / HOME, setting._) as out:
            out.writelines(index(entries, asked or FORMS[PAGE].speeches[0]))


def _targets(lesson: Lesson, folder: Path, endings: Sequence[str], asked: Speech | None) -> Iterator[Target]:
    """The files of a lesson; a form made in several languages has the language in the name."""
    for ending in endings:
        speeches = FORMS[ending].speeches
        if len(speeches) == 1:
            yield Target(folder / f"{lesson.path.stem}{ending}", asked or speeches[0])
            continue
        for speech in (asked,) if asked else speeches:
            yield Target(folder / f"{lesson.path.stem}.{speech}{ending}", speech)


def _made(targets: Sequence[Target], lesson: Lesson, setting: Setting) -> tuple[int, bool]:
    """How many files were made, and whether the lesson does something else than it promises."""
    differing = False
    with recording(targets, setting) as record:
        for event in take(lesson, setting.engine):
            differing |= differs(event)
            record(event)
    return len(targets), differing
