"""The prompt inside a program that is running, on its own names and its own tensors."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType, ModuleType
from typing import Any

from gradrepl.app import config, engines
from gradrepl.app.options import Options, never_fail_to_print, survey
from gradrepl.app.repl import Repl
from gradrepl.i18n import SPEECHES, Speech, from_environment, mark, translator
from gradrepl.session.core import Session
from gradrepl.view.safe import visible

GREETING = mark("Your own names are here. Ctrl-D goes back to the program; :help lists the commands.")
_ABSENT = object()


def embed(names: dict[str, Any] | None = None, lang: Speech | None = None) -> None:
    """Open the prompt where this is called, and come back when it is left.

    names: what code sees and binds; the caller's own unless given. At a module's top level these are the very
    variables; inside a function they are copies. lang: "en", "vi" or "both", else what the config file or the
    locale says. Tensors are PyTorch's where the program has imported it, else gradrepl's own; the grad mode is the
    program's, and the same again afterwards.
    Raises ValueError where `lang` is no language.
    """
    if lang is not None and lang not in SPEECHES:
        raise ValueError(f"lang must be one of {', '.join(SPEECHES)}, not {lang!r}")
    options = preferred(lang)
    found = names if names is not None else _names_of(sys._getframe(1))
    module = _module_of(found)
    engine = engines.of_process()
    with _lent(module, engine.torch), _printable(), _open_stdin():
        session = Session(engine, module=module)
        greeting = translator(options.speech)(GREETING)
        repl = Repl(replace(options, engine=engine.name), survey(options, os.environ), session=session)
        repl.loop(greeting)
    if vars(module) is not found:
        _give_back(vars(module), found)


def preferred(lang: Speech | None) -> Options:
    """The options that the config file gives; what is wrong in it goes to standard error."""
    path = config.default_path()
    values, problems = config.load(path)
    given: dict[str, Any] = {"speech": from_environment(os.environ), **values}
    options = Options(**{**given, **({"speech": lang} if lang else {})})
    for problem in problems:
        print(visible(problem.said(path, translator(options.speech))), file=sys.stderr)
    return options


def _names_of(frame: FrameType) -> dict[str, Any]:
    if frame.f_locals is frame.f_globals:
        return frame.f_globals
    return {**frame.f_globals, **frame.f_locals}


def _module_of(names: dict[str, Any]) -> ModuleType:
    """The module whose variables these names are; where they are no module's, one with a copy of them."""
    module = sys.modules.get(str(names.get("__name__")))
    if module is not None and vars(module) is names:
        return module
    copy = ModuleType("__main__")
    vars(copy).update({name: value for name, value in names.items() if name != "__builtins__"})
    return copy


@contextmanager
def _lent(module: ModuleType, torch: ModuleType) -> Iterator[None]:
    """Let code find `torch`; that name and `_` are afterwards what they were before."""
    names = vars(module)
    before = {name: names.get(name, _ABSENT) for name in ("torch", "_")}
    names.setdefault("torch", torch)
    try:
        yield
    finally:
        for name, value in before.items():
            if name == "torch" and names.get(name) is not torch:
                continue  # bound to something else, or deleted, by whoever typed
            if value is _ABSENT:
                names.pop(name, None)
            else:
                names[name] = value


@contextmanager
def _printable() -> Iterator[None]:
    """Letters that the program's streams can't encode are escaped while the prompt is there."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if hasattr(stream, "reconfigure")]
    before = [(stream, stream.errors) for stream in streams]
    never_fail_to_print(*streams)
    try:
        yield
    finally:
        for stream, errors in before:
            stream.reconfigure(errors=errors)


@contextmanager
def _open_stdin() -> Iterator[None]:
    """Python's `exit()` closes standard input, which the program goes on reading."""
    names = [name for name in ("exit", "quit") if hasattr(builtins, name)]
    before = {name: getattr(builtins, name) for name in names}
    for name in names:
        setattr(builtins, name, _Leave(name))
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(builtins, name, value)


class _Leave:
    """`exit` and `quit`, as Python's but for the end of standard input."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"Use {self._name}() or Ctrl-D to exit"

    def __call__(self, code: object = None) -> None:
        raise SystemExit(code)


def _give_back(inside: dict[str, Any], names: dict[str, Any]) -> None:
    """Bind in `names` what was bound inside, and unbind what was unbound."""
    for name in [name for name in names if not name.startswith("__") and name not in inside]:
        del names[name]
    names.update({name: value for name, value in inside.items() if not name.startswith("__")})
