"""A lesson that has run, as Markdown: prose, code with what it showed, a table of what changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from gradrepl.lesson import player
from gradrepl.lesson.model import Step, Text
from gradrepl.record.event import Event, LessonBegins, Ran, SolutionBegins, StepBegins, Truths
from gradrepl.record.writer import Setting
from gradrepl.session.outcome import Outcome, TensorRow
from gradrepl.view import mode, plain
from gradrepl.view.prose import Block, Span, blocks, split_label
from gradrepl.view.safe import one_line, pieces, visible

COLUMNS = ("name", "value", "requires_grad", "grad_fn", "grad", "is_leaf")
# "_" within a word is a letter, and "]" closes nothing that wasn't opened.
MARKS = re.compile(r"([\\`*\[~|$]|(?<![^\W_])_|_(?![^\W_]))")
START = re.compile(r"^(\s*)(\d{1,9}(?=[.)])|)([#>+=.)-])")
MARKUP = {"": "", "bold": "**", "italic": "*", "code": ""}


class MarkdownWriter:
    """Writes Markdown that any reader of CommonMark shows; nothing of a lesson's text counts as HTML."""

    def __init__(self, out: TextIO, setting: Setting) -> None:
        self._out, self._setting = out, setting

    def add(self, event: Event) -> None:
        match event:
            case Ran():
                self._ran(event)
            case _:
                for part in told(event, self._setting):
                    self._out.write(part + "\n\n")

    def end(self) -> None:
        """Nothing more."""

    def _ran(self, event: Ran) -> None:
        longest = (len(run) for run in _runs_of_backticks(event))
        fence = "`" * max(3, max(longest, default=0) + 1)
        self._out.write(f"{fence}pycon\n{plain.source(event.example.source)}\n")
        for outcome in event.outcomes:
            for text in shown(outcome):
                self._out.writelines(pieces(text))
        self._out.write(f"{fence}\n\n")
        for outcome in event.outcomes:
            for part in seen(outcome, self._setting):
                self._out.write(part + "\n\n")


def told(event: Event, setting: Setting) -> Iterator[str]:
    """The words before code: titles, prose, what a step asks, its truths; paragraph by paragraph."""
    match event:
        case LessonBegins():
            yield f"# {_marked(visible(setting.title(event.lesson)))}"
            yield from _prose(event.lesson.goal, setting)
        case StepBegins():
            yield from _step(event, setting)
        case SolutionBegins():
            yield escaped(_solution(event.step, setting))
        case Truths():
            pairs = zip(event.step.cells, event.values, strict=True)
            yield "\n".join(f"- {code(cell)} → {code(value)}" for cell, value in pairs)


def seen(outcome: Outcome, setting: Setting) -> Iterator[str]:
    """The words below code: explanations, the grad mode, the table of tensors that it changed."""
    for explanation in outcome.explanations:
        yield from (markdown(text) for text in setting.explain(explanation))
    if mode.worth_saying(outcome):
        yield escaped(mode.sentence(outcome, setting._))
    if outcome.changed_rows:
        yield table(outcome.changed_rows)
    yield from (escaped(setting._("{name}: gone").format(name=one_line(name))) for name in outcome.gone)


def shown(outcome: Outcome) -> Iterator[str]:
    """What a statement showed, piece by piece, without control characters; it ends in a newline if it is any."""
    last = ""
    for output in outcome.outputs:
        for piece in pieces(output.text):
            last = visible(piece)
            yield last
        if output.kind == "echo":
            last = "\n"
            yield last
    if last and not last.endswith("\n"):
        yield "\n"
    yield from (plain.warning(warned) + "\n" for warned in outcome.warnings)
    if outcome.failure is not None:
        yield visible(outcome.failure.traceback).rstrip("\n") + "\n"


def table(rows: Sequence[TensorRow]) -> str:
    """Tensors as a table."""
    lines = [f"| {' | '.join(map(escaped, COLUMNS))} |", f"|{' --- |' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(escaped(one_line(str(getattr(row, column)))) for column in COLUMNS)} |" for row in rows]
    return "\n".join(lines)


def markdown(text: str) -> str:
    """A text in Markdown written anew: what it says as it stood, but nothing that a reader could take for HTML."""
    found = blocks(text)
    neighbours = zip(found, [*found[1:], None], strict=True)
    return "".join(_block(block) + _gap(block, after) for block, after in neighbours)


def escaped(text: str) -> str:
    """A text as a paragraph that shows it letter by letter."""
    return START.sub(r"\1\2\\\3", _marked(visible(text)))


def code(text: str) -> str:
    """A text as a piece of code within a paragraph."""
    words = one_line(text)
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence, edge = "`" * (longest + 1), " " if longest or words.strip() != words or not words else ""
    return f"{fence}{edge}{words}{edge}{fence}"


def _step(event: StepBegins, setting: Setting) -> Iterator[str]:
    step = event.step
    parts = [split_label(step.prose.get(language)) for language in setting.languages]
    label = " / ".join(label for label, _rest in parts if label) or step.id
    yield f"## {event.number}/{len(event.lesson.steps)} {_line(label)}"
    yield from (markdown(rest) for _label, rest in parts if rest)
    for number, option in enumerate(player.options(step), 1):
        yield from (f"{number}\\. {markdown(words)}" for words in setting.texts(option.text))
    if step.kind == "parsons":
        yield _fenced(f"{number}  {line}" for number, line in enumerate(player.lines(step), 1))
    if step.template:
        yield _fenced(player.template(step).splitlines())
    yield from _answer(step, setting)


def _answer(step: Step, setting: Setting) -> Iterator[str]:
    for number, option in enumerate(player.options(step), 1):
        if option.right:
            yield escaped(setting._("Right is {number}.").format(number=number))
            if option.reply is not None:
                yield from _prose(option.reply, setting)


def _solution(step: Step, setting: Setting) -> str:
    order = " ".join(map(str, player.right_order(step))) if step.kind == "parsons" else ""
    return f"{setting._('A solution:')} {order}".rstrip()


def _prose(text: Text, setting: Setting) -> Iterator[str]:
    yield from map(markdown, setting.texts(text))


def _line(text: str) -> str:
    found = blocks(text)
    return " ".join("".join(map(_span, block.spans)) for block in found)


def _block(block: Block) -> str:
    margin = " " * (block.indent // 2 * 3)
    if block.kind == "code":
        return "\n".join(margin + line for line in _fenced(block.text.split("\n")).split("\n"))
    words = START.sub(r"\1\2\\\3", "".join(map(_span, block.spans)).replace("\n", "\\\n"))
    lead = f"{block.lead:<3}" if block.lead else "### " if block.kind == "heading" else ""
    return margin + lead + words.replace("\n", "\n" + margin + " " * (3 if block.lead else 0))


def _gap(block: Block, after: Block | None) -> str:
    if after is None:
        return ""
    return "\n" if block.lead and after.lead else "\n\n"


def _span(span: Span) -> str:
    if span.style == "code":
        return code(span.text) if span.text else ""
    words, mark = _marked(span.text), MARKUP[span.style]
    return f"{mark}{words}{mark}" if words.strip() == words and words else words


def _marked(text: str) -> str:
    return MARKS.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))


def _fenced(lines: Iterable[str]) -> str:
    text = visible("\n".join(lines))
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"{fence}python\n{text}\n{fence}"


def _runs_of_backticks(event: Ran) -> Iterator[str]:
    yield from re.findall("`+", event.example.source)
    for outcome in event.outcomes:
        for text in shown(outcome):
            yield from re.findall("`+", text)
