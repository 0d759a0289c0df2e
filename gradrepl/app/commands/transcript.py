"""A session's inputs as a file: a program, Markdown, or plain text; and the code of such a file."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gradrepl.app.commands.merge import merge
from gradrepl.app.options import Options
from gradrepl.app.screens.screen import PlainScreen
from gradrepl.i18n import Translate
from gradrepl.session.chronicle import Input
from gradrepl.session.outcome import GradMode, Outcome, TensorRow
from gradrepl.session.transcript import strip_prompts
from gradrepl.view.safe import one_line

Writer = Callable[[Sequence[Input], Options, Translate], str]
FENCE = re.compile(r"^(`{3,})[ \t]*(?:python|py|pycon)\b[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
COLUMNS = ("name", "value", "requires_grad", "grad_fn", "grad", "is_leaf")


def program(inputs: Sequence[Input], options: Options, _: Translate) -> str:
    """The inputs as a program; those that failed are comments, for a program would stop there."""
    parts = ["import torch"]
    for entry in inputs:
        source = entry.source.strip("\n")
        failed = next((outcome.failure for outcome in entry.outcomes if outcome.failure), None)
        if failed is not None:
            source = "\n".join(
                f"# {line}".rstrip() for line in [*source.split("\n"), f"{failed.type}: {failed.message}"]
            )
        parts.append(source)
    return "\n".join(parts) + "\n"


def text(inputs: Sequence[Input], options: Options, _: Translate) -> str:
    """The inputs behind prompts, each with what it printed and changed."""
    return "".join(_shown(entry, _, states=True) for entry in inputs)


def markdown(inputs: Sequence[Input], options: Options, _: Translate) -> str:
    """A block of code an input, and below it a table of the tensors that it changed."""
    parts = [f"# gradrepl ({options.engine})\n"]
    for entry in inputs:
        shown = _shown(entry, _, states=False)
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", shown)), 3)
        parts.append(f"{fence}pycon\n{shown}{fence}\n")
        rows = merge(entry.outcomes).changed_rows if entry.outcomes else ()
        if rows:
            parts.append(_table(rows))
    return "\n".join(parts)


def code_of(suffix: str, content: str) -> str:
    """The code of a file: of Markdown its Python blocks, of a transcript what stands behind prompts."""
    if suffix == ".md":
        return "\n".join(strip_prompts(match[2]) for match in FENCE.finditer(content))
    return strip_prompts(content)


def _shown(entry: Input, _: Translate, *, states: bool) -> str:
    out = io.StringIO()
    screen = PlainScreen(_, out)
    screen.source(entry.source)
    for outcome in entry.outcomes:
        for output in outcome.outputs:
            screen.output(output)
    if entry.outcomes:
        merged = merge(entry.outcomes)
        screen.result(merged if states else _without_state(merged))
    if not out.getvalue().endswith("\n"):
        out.write("\n")
    return out.getvalue()


def _without_state(outcome: Outcome) -> Outcome:
    return replace(outcome, rows=(), gone=(), switches=(), mode=GradMode(True, ()))


def _table(rows: Sequence[TensorRow]) -> str:
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(_cell(getattr(row, column)) for column in COLUMNS)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return one_line(str(value)).replace("|", "\\|")


WRITERS: Mapping[str, Writer] = {".py": program, ".md": markdown, ".txt": text}
