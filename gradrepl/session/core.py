"""The session: runs code statement by statement on an engine and says what happened."""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
import inspect
import itertools
import linecache
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from operator import or_
from types import CodeType, ModuleType
from typing import Any

from gradrepl.session import failure, snapshot
from gradrepl.session.engine import Engine
from gradrepl.session.modes import ModeWatch, watching
from gradrepl.session.outcome import Failure, GradMode, Outcome, Output, TensorRow, Warned
from gradrepl.session.past import Past
from gradrepl.session.streams import Pieces, captured

FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
FUTURE = functools.reduce(or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
Sink = Callable[[Output], None]
inputs = itertools.count(1)  # of the whole process: linecache keeps the lines of all sessions
MOST_SOURCES = 10_000


class Session:
    """Names, a grad mode and a count of statements, on one engine.

    Code runs on the calling thread, as module `__main__`; inside, `import torch` gives the engine. The
    grad mode that code leaves behind stays from one run to the next, and is put back by close().
    module: of a program that is running, whose names and grad mode the session takes over as they are.
    """

    def __init__(self, engine: Engine, sink: Sink | None = None, module: ModuleType | None = None) -> None:
        self.engine = engine
        self.sink = sink
        self.most: int | None = None  # bytes of output that are kept of a statement
        self.module = module or ModuleType("__main__")
        self.module.__dict__.setdefault("__builtins__", builtins)
        self.number = 0
        self.flags = FLAGS
        self.seen = snapshot.look(engine, self.names) if module else {}
        self.started = bool(engine.torch.is_grad_enabled())
        if module is None:
            engine.torch.set_grad_enabled(True)
        self.own = module is None
        self.left = bool(engine.torch.is_grad_enabled())
        self.watch = ModeWatch(engine)
        self.past = Past()

    @property
    def names(self) -> dict[str, Any]:
        """The namespace in which code runs."""
        return self.module.__dict__

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Put the thread's grad mode back to what it was when the session began."""
        self.watch.leave_inference()
        self.engine.torch.set_grad_enabled(self.started)

    def grad_mode(self) -> GradMode:
        """Return the mode that the next statement will run under."""
        self.take_back_mode()
        return self.watch.now()

    def set_mode(self, enabled: bool) -> None:
        """Set the grad mode that the next statement runs under."""
        self.left = enabled
        self.engine.torch.set_grad_enabled(enabled)

    def take_back_mode(self) -> None:
        """Set the grad mode that this session's last statement left, but for a program that is running.

        A generator of another session that is thrown away within a block puts back the mode of that session.
        """
        if self.own and self.engine.torch.is_grad_enabled() != self.left:
            self.engine.torch.set_grad_enabled(self.left)

    def rows(self) -> tuple[TensorRow, ...]:
        """Return the named tensors as they are now."""
        return tuple(seen.row for seen in snapshot.look(self.engine, self.names).values())

    def fork(self) -> Session:
        """Return a session with a copy of the names: what it binds is not seen here.

        The values themselves are the same ones, as a tensor and its graph can't be copied: writing into one
        of them is seen, and a function still reads the names of the session that defined it.
        """
        enabled = self.watch.now().enabled
        other = Session(self.engine, self.sink)
        other.names.update({name: value for name, value in self.names.items() if not name.startswith("__")})
        other.set_mode(enabled)
        other.watch.stack = list(self.watch.stack)
        other.seen = dict(self.seen)
        return other

    def run(self, source: str, filename: str | None = None, echo: bool = True) -> Iterator[Outcome]:
        """Run a source and yield one outcome a top-level statement; stop behind one that fails.

        filename: what tracebacks call the source, "<stdin>" unless given. echo: show the values of bare
        expressions, as Python's prompt does; a `;` at the end of the source silences the last one.
        """
        self.past.input += 1
        number = next(inputs)
        name = filename or failure.INPUT.format(number)
        linecache.cache.pop(failure.INPUT.format(number - MOST_SOURCES), None)
        linecache.cache[name] = (len(source), None, [f"{line}\n" for line in source.split("\n")], name)
        try:
            with attribute(warnings, "showwarning", collector([])):
                tree = compile(source, name, "exec", self.flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError) as error:
            self.number += 1
            yield self.not_run(source, name, error)
            return
        text = source
        try:
            for statement, text, silent in statements(source, tree.body):
                outcome = self.run_statement(statement, text, name, echo and not silent)
                yield outcome
                if outcome.ends:
                    return
        except KeyboardInterrupt as error:  # it fell between two statements: what ran before stays, and is known
            yield self.not_run(text, name, error)

    def not_run(self, source: str, name: str, error: BaseException) -> Outcome:
        mode = self.watch.now()
        self.watch.start()
        rows = snapshot.compare(self.seen, self.look())
        described = failure.describe(error, self.engine, name)
        return self.explained(Outcome(source, self.number, (), (), described, mode, mode, mode, (), rows), None)

    def look(self) -> dict[str, snapshot.Seen]:
        self.seen = snapshot.look(self.engine, self.names)
        return self.seen

    def run_statement(self, statement: ast.stmt, text: str, name: str, echo: bool) -> Outcome:
        self.number += 1
        self.take_back_mode()
        pieces, warned = Pieces(self.sink, self.most), list[Warned]()
        before, mode_before = self.seen, self.watch.now()
        self.watch.start()
        error: BaseException | None = None
        started = time.perf_counter()
        try:
            with self.running(pieces, warned, echo):
                code = compile(ast.Interactive([statement]), name, "single", self.flags, dont_inherit=True)
                self.flags |= code.co_flags & FUTURE
                with watching(self.watch):
                    execute(code, self.names)
        except BaseException as raised:
            error = raised
        seconds = time.perf_counter() - started
        described, status = self.ended(error, name, pieces)
        after = self.look()
        self.left = self.watch.now().enabled
        outcome = Outcome(
            source=text,
            number=self.number,
            outputs=pieces.outputs(),
            warnings=tuple(warned),
            failure=described,
            mode=self.watch.deepest,
            mode_before=mode_before,
            mode_after=self.watch.now(),
            switches=tuple(self.watch.switches),
            rows=snapshot.compare(before, after),
            gone=snapshot.gone(before, after),
            exit_status=status,
            seconds=seconds,
            line=statement.lineno,
            bound=snapshot.bound(before, after),
        )
        explained = self.explained(outcome, statement)
        self.past.note(statement, outcome, before, after)
        return explained

    def explained(self, outcome: Outcome, statement: ast.stmt | None) -> Outcome:
        """Return an outcome with what is known of its warnings and its failure."""
        if outcome.failure is None and not outcome.warnings:
            return outcome
        from gradrepl.session.explain import explain  # its tables wait until something goes wrong

        try:
            found = explain(outcome, statement, self.past, self.names, self.engine.torch)
        except RecursionError:  # code nested too deep to look into
            return outcome
        return replace(outcome, explanations=found)

    def ended(self, error: BaseException | None, name: str, pieces: Pieces) -> tuple[Failure | None, int | None]:
        """Return how a statement ended: its failure, and the exit status where it asked to leave."""
        if error is None:
            return None, None
        if isinstance(error, SystemExit):
            if error.code is None or isinstance(error.code, int):
                return None, error.code or 0
            pieces.add("stderr", f"{error.code}\n")
            return None, 1
        described = failure.describe(error, self.engine, name)
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
        sys.last_exc = error  # type: ignore[attr-defined,unused-ignore]  # since Python 3.12
        return described, None

    @contextmanager
    def running(self, pieces: Pieces, warned: list[Warned], echo: bool) -> Iterator[None]:
        """Make the process look to the learner's code as Python's prompt does, and be as before afterwards."""
        with ExitStack() as stack:
            stack.enter_context(replaced(sys.modules, {"__main__": self.module}))
            if self.engine.modules:
                stack.enter_context(engine_as_torch(self.engine.modules))
            stack.enter_context(captured(pieces))
            stack.enter_context(attribute(sys, "displayhook", self.displayhook(pieces, echo)))
            stack.enter_context(attribute(warnings, "showwarning", collector(warned)))
            yield

    def displayhook(self, pieces: Pieces, echo: bool) -> Callable[[Any], None]:
        def show(value: Any) -> None:
            if value is None:
                return
            text = repr(value)
            self.names["_"] = value
            if echo:
                pieces.add("echo", text)

        return show


def statements(source: str, body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str, bool]]:
    """Yield each statement, its source, and whether a `;` behind the last one silences its echo."""
    lines = source.splitlines(keepends=True)
    for index, statement in enumerate(body):
        behind = lines[end_of(statement) - 1].encode()[statement.end_col_offset :].lstrip()
        yield statement, segment(source, body, index), index == len(body) - 1 and behind.startswith(b";")


def segment(source: str, body: list[ast.stmt], index: int) -> str:
    """Return the source of one statement: its lines, or its part of a line that it shares with others."""
    statement = body[index]
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    last = end_of(statement)
    shares_start = index > 0 and end_of(body[index - 1]) == first
    shares_end = index + 1 < len(body) and body[index + 1].lineno == last
    if shares_start or shares_end:
        return ast.get_source_segment(source, statement) or ""
    return "".join(source.splitlines(keepends=True)[first - 1 : last])


def end_of(statement: ast.stmt) -> int:
    """Return the number of a statement's last line."""
    return statement.end_lineno or statement.lineno


def execute(code: CodeType, names: dict[str, Any]) -> None:
    """Run compiled code; a top-level `await` gets an event loop for it."""
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, names)
        return
    import asyncio

    asyncio.run(eval(code, names))


def collector(warned: list[Warned]) -> Callable[..., None]:
    """Return a warnings.showwarning that keeps what it is shown.

    Python's own filters stay in force (a warning shows once a line, as at Python's prompt), which
    warnings.catch_warnings would reset.
    """

    def show(message: Any, category: type[Warning], filename: str, lineno: int, *rest: Any) -> None:
        warned.append(Warned(category.__name__, str(message), lineno))

    return show


@contextmanager
def attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def replaced(modules: dict[str, Any], entries: Mapping[str, Any]) -> Iterator[None]:
    before = {name: modules.get(name) for name in entries}
    modules.update(entries)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                modules.pop(name, None)
            else:
                modules[name] = module


@contextmanager
def engine_as_torch(entries: Mapping[str, ModuleType]) -> Iterator[None]:
    """Let `import torch` and all below it find the engine, and nothing of another torch."""
    others = take_torch()
    sys.modules.update(entries)
    try:
        yield
    finally:
        take_torch()
        sys.modules.update(others)


def take_torch() -> dict[str, ModuleType]:
    """Take torch and all below it out of sys.modules, and return it."""
    starting = [name for name in tuple(sys.modules) if name.startswith("torch")]
    names = [name for name in starting if name == "torch" or name.startswith("torch.")]
    return {name: sys.modules.pop(name) for name in names}
