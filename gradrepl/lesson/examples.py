"""Code fences with prompts as examples, as doctest reads them."""

from __future__ import annotations

from gradrepl.lesson.model import Example
from gradrepl.lesson.problem import Report, mark

PROMPT, CONTINUATION = ">>>", "..."


def parse_examples(content: str, first_line: int, report: Report, step: str) -> tuple[Example, ...]:
    """Return a fence's examples; first_line: where its content begins in the file.

    Output ends at an empty line or the next prompt. Lines that belong to no example go to the report.
    """
    found: list[tuple[int, list[str], list[str]]] = []
    closed = True
    for number, line in enumerate(content.split("\n"), first_line):
        if line.startswith(PROMPT):
            found.append((number, [behind_prompt(line, number, report, step)], []))
            closed = False
        elif not line.strip():
            closed = True
        elif closed:
            report.add(number, mark("expected a line that starts with >>>, found {found!r}", found=line.strip()), step)
        elif line.startswith(CONTINUATION) and not found[-1][2] and line[3:4] in ("", " "):
            found[-1][1].append(line[4:])
        else:
            found[-1][2].append(line)
    return tuple(Example("\n".join(source) + "\n", lines_of(want), number) for number, source, want in found)


def behind_prompt(line: str, number: int, report: Report, step: str) -> str:
    """Return the code behind a prompt."""
    if line[3:4] not in ("", " "):
        report.add(number, mark("expected a blank behind >>>, found {found!r}", found=line), step)
    return line[4:]


def lines_of(want: list[str]) -> str:
    """Return lines as a text that ends in a newline; no lines are no text."""
    return "".join(f"{line}\n" for line in want)
