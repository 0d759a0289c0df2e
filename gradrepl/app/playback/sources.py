"""What can be played: lessons, any Markdown with prompts, any Python file, and lists of those."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from gradrepl.app.errors import UsageError
from gradrepl.app.lessons import named
from gradrepl.app.program import from_file
from gradrepl.i18n import Translate
from gradrepl.lesson import shelf
from gradrepl.lesson.model import Example, Lesson, Step, Text
from gradrepl.session.core import statements
from gradrepl.session.read import without_prompts

ANYTHING = "..."  # what a document prints is not promised
FRONT = "+++"
LANGUAGES = ("pycon", "python-console", "doctest", "python", "py", "python3")
MARKDOWN, PYTHON, LIST = (".md", ".markdown"), (".py",), (".txt",)


def open_all(names: Sequence[str], _: Translate) -> list[Lesson]:
    """What these names mean, in their order; a list stands for what it lists.

    Raises UsageError for what can't be played, DamagedLessonsError for a damaged lesson.
    """
    return [lesson for name in names for lesson in _open(name, _, ())]


def _open(name: str, _: Translate, within: tuple[Path, ...]) -> list[Lesson]:
    path = Path(name)
    suffix = path.suffix.lower()
    if suffix not in MARKDOWN + PYTHON + LIST or not shelf.exists(name):
        return named([name], _)
    text = from_file(name, _).source
    if suffix in LIST:
        return _listed(path, text, _, within)
    if suffix in PYTHON:
        steps = tuple(_of_program(text, path, _))
    elif text.lstrip("\ufeff").startswith(FRONT):
        return named([name], _)
    else:
        steps = tuple(_of_document(text))
    if not steps:
        said = _("{name} holds nothing to play: no statement, and no ```pycon block with prompts (>>>).")
        raise UsageError(said.format(name=name))
    title, goal = Text(path.name, path.name), Text("", "")
    return [Lesson(re.sub(r"\W+", "-", path.stem).strip("-").lower() or "document", None, path, title, goal, steps)]


def _listed(path: Path, text: str, _: Translate, within: tuple[Path, ...]) -> list[Lesson]:
    here = path.resolve()
    if here in within:
        raise UsageError(_("{name} lists itself.").format(name=path))
    found: list[Lesson] = []
    for line in text.splitlines():
        name = line.strip()
        if name and not name.startswith("#"):
            beside = path.parent / name
            found += _open(str(beside) if shelf.exists(str(beside)) else name, _, (*within, here))
    if not found:
        raise UsageError(_("{name} lists nothing: write one lesson or path a line.").format(name=path))
    return found


def _of_document(text: str) -> Iterator[Step]:
    """A step for each block of code with prompts, with the words above it, back to its heading."""
    from markdown_it import MarkdownIt

    lines, start, heading, count = text.splitlines(), 0, "", 0
    for token in MarkdownIt().parse(text):
        if token.type == "heading_open" and token.map:
            heading, start = lines[token.map[0]].lstrip("# ").strip(), token.map[1]
        if token.type != "fence" or not token.map or token.level:
            continue
        examples = tuple(_examples(token.content, token.map[0] + 2, token.info))
        if examples:
            count += 1
            yield _step(count, heading, _words(lines[start : token.map[0]]), examples, token.map[0] + 1)
            start = token.map[1]


def _words(lines: Sequence[str]) -> str:
    """What can be shown of a document's lines: no pictures, no markup of HTML; its headings stand in the step's own."""
    text = re.sub(r"<!--.*?-->|</?\w[^>\n]*>|!\[[^\]]*\]\([^)]*\)", "", "\n".join(lines), flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not re.match(r"#{1,6}\s", line)).strip()


def _examples(content: str, line: int, info: str) -> Iterator[Example]:
    language = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    if language not in (*LANGUAGES, "") or ">>>" not in content:
        return
    code = without_prompts(content)
    if not language and not _is_python(code):
        return
    for source, _line in _statements(code):
        yield Example(source, ANYTHING, line)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _of_program(text: str, path: Path, _: Translate) -> Iterator[Step]:
    """A step for each paragraph of a program; a comment above it is its text."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = _("{name} is no Python program: {reason}.")
        raise UsageError(said.format(name=path, reason=error)) from error
    opening = ast.get_docstring(tree) or ""
    group: list[Example] = []
    lines, words, count, first, before = text.splitlines(), opening, 0, 0, 0
    for source, line in list(_statements(text))[1 if opening else 0 :]:
        comment = _comment_above(lines, line)
        apart = bool(comment) or (line >= 2 and not lines[line - 2].strip())
        if group and apart and (comment or before != line):
            count += 1
            yield _step(count, "", words, tuple(group), first)
            group, words = [], ""
        if not group:
            words, first = "\n\n".join(filter(None, (words, comment))), line
        group.append(Example(source, ANYTHING, line))
        before = line + source.count("\n")
    if group:
        yield _step(count + 1, "", words, tuple(group), first)


def _comment_above(lines: Sequence[str], line: int) -> str:
    """The comment that stands directly above a line (from 1), as Markdown."""
    found: list[str] = []
    for text in reversed(lines[: line - 1]):
        if not text.startswith("#") or text.startswith("#!"):
            break
        found.insert(0, text.lstrip("#").removeprefix(" %%").strip())
    return "\n".join(found).strip()


def _statements(text: str) -> Iterator[tuple[str, int]]:
    """Each statement of a program with its line; a text that is no Python is one."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield text, 1
        return
    for statement, source, _silent in statements(text, body):
        decorators = getattr(statement, "decorator_list", [])
        yield source.rstrip("\n") + "\n", min([statement.lineno, *(each.lineno for each in decorators)])


def _step(number: int, heading: str, words: str, examples: tuple[Example, ...], line: int) -> Step:
    prose = f"### {heading}\n\n{words}" if heading else words
    return Step(f"part-{number}", "run", line, Text(prose, prose), examples=examples)
