"""The text of a `pycon` fence as examples: statements behind prompts, and what they print."""

from __future__ import annotations

from gradrepl.lesson.model import Example
from gradrepl.lesson.problem import Report

PROMPT, CONTINUATION = ">>>", "..."


def examples(text: str, line: int, report: Report) -> tuple[Example, ...]:
    """Return the examples of a fence, in order; what is wrong goes to the report.

    line: of the fence's first line inside, counted from 1 in the file. As in doctest, output ends at an
    empty line; an empty line of output is written <BLANKLINE>.
    """
    lines = text.split("\n")[:-1]
    found: list[tuple[int, list[str], list[str]]] = []
    inside = False
    for number, each in enumerate(lines, line):
        if is_prompt(each, PROMPT):
            found.append((number, [each[len(PROMPT) + 1 :]], []))
            inside = True
        elif inside and not found[-1][2] and is_prompt(each, CONTINUATION):
            found[-1][1].append(each[len(CONTINUATION) + 1 :])
        elif not each.strip():
            inside = False
        elif each.startswith(PROMPT):
            report.add(number, f"expected a space behind >>>, found {each[:40]!r}")
        elif inside:
            found[-1][2].append(each)
        else:
            report.add(number, stray(each, bool(found)))
    complain(lines, line, bool(found), report)
    return tuple(Example(joined(source), joined(want), number) for number, source, want in found)


def is_prompt(text: str, prompt: str) -> bool:
    return text == prompt or text.startswith(prompt + " ")


def joined(lines: list[str]) -> str:
    return "".join(f"{each}\n" for each in lines)


def stray(text: str, after: bool) -> str:
    """Say what is wrong with a line that is neither a statement nor its output."""
    if after:
        return f"output ends at an empty line, found {text[:40]!r} behind one: write <BLANKLINE> for an empty line"
    return f"expected a statement behind >>>, found {text[:40]!r}"


def complain(lines: list[str], line: int, any_found: bool, report: Report) -> None:
    """Note a fence that is empty, or that doctest would take the end of for output."""
    if not any_found:
        report.add(line, "expected at least one statement behind >>> in this fence, found none")
    elif lines[-1].strip():
        report.add(
            line + len(lines) - 1, "expected an empty line before the closing fence: doctest takes it for output"
        )
