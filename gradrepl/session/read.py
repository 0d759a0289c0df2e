"""What a typed or pasted text is: nothing, half a statement, code or a command."""

from __future__ import annotations

import ast
import codeop
import re
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blank:
    """Nothing but white space or comments."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The beginning of a statement that needs more lines."""

    source: str


@dataclass(frozen=True, slots=True)
class Code:
    """Python to run. It may still hold a syntax error, which running it reports."""

    source: str


@dataclass(frozen=True, slots=True)
class Command:
    """A line `:name argument`."""

    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Question:
    """`?name` or `name?`: what is it? whole: `name??`, all that is to be said."""

    name: str
    whole: bool = False


Reading = Blank | Incomplete | Code | Command | Question

QUESTION = re.compile(r"^\s*(?:\?\s*(?P<before>[^\W\d][\w.]*)|(?P<behind>[^\W\d][\w.]*)\s*\?(?P<whole>\?)?)\s*$")
COMMAND = re.compile(r"^\s*:\s*([^\W\d][\w-]*|\?)(?:\s+(.*))?$", re.DOTALL)
FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
COMPOUND = (
    *(ast.With, ast.AsyncWith, ast.For, ast.AsyncFor, ast.While, ast.If, ast.Try, ast.TryStar, ast.Match),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)


@contextmanager
def unseen_warnings() -> Iterator[None]:
    """Drop warnings; unlike warnings.catch_warnings this leaves alone what Python remembers of those shown."""
    before = warnings.showwarning
    warnings.showwarning = lambda *args, **kwargs: None
    try:
        yield
    finally:
        warnings.showwarning = before


def is_complete(source: str) -> bool:
    """Whether Python's own prompt would run the source now: a block wants an empty line at its end.

    A source with an error that more lines can't mend is complete: running it reports the error.
    """
    with unseen_warnings():
        try:
            tree = compile(source, "<input>", "exec", FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return not wants_more(source)
    if not tree.body or not isinstance(tree.body[-1], COMPOUND):
        return True
    return source.endswith("\n") and not source.splitlines()[-1].strip()


def wants_more(source: str) -> bool:
    """Whether all that is wrong with a source is that it stops too early."""
    compiler = codeop.CommandCompiler()
    compiler.compiler.flags |= FLAGS
    try:
        return compiler(source, "<input>", "exec") is None
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
        return False


def without_prompts(text: str) -> str:
    """Return the statements of a pasted transcript; other text as it is."""
    if ">>>" not in text and "In [" not in text:
        return text
    from gradrepl.session.transcript import is_transcript, strip_prompts

    return textwrap.dedent(strip_prompts(text)) if is_transcript(text) else text


def is_suspect(text: str) -> bool:
    """Whether a pasted text may be a damaged page: it shows prompts, or is no Python and won't be with more lines."""
    if without_prompts(text) != text:
        return True
    with unseen_warnings():
        try:
            compile(text, "<input>", "exec", FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return COMMAND.match(text) is None and QUESTION.match(text) is None and not wants_more(text)
    return False


def read(text: str) -> Reading:
    """Return what a text is; prompts of a pasted transcript are taken off first."""
    source = without_prompts(text)
    command = COMMAND.match(source)
    if command:
        return Command(command.group(1), (command.group(2) or "").strip())
    question = QUESTION.match(source)
    if question:
        return Question(question["before"] or question["behind"], bool(question["whole"]))
    if not any(line.strip() and not line.strip().startswith("#") for line in source.splitlines()):
        return Blank()
    return Code(source) if is_complete(source) else Incomplete(source)
