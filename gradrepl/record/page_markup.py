"""Texts as HTML: everything escaped, Markdown without HTML of its own, both languages side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from typing import TYPE_CHECKING

from gradrepl.i18n import vietnamese
from gradrepl.lesson.model import LANGUAGES, Text
from gradrepl.view.highlight import pieces
from gradrepl.view.safe import one_line, visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

BLOCK_HEADING = "h3"


def said(message: str) -> str:
    """A message of the interface in both languages; the page shows one of them. Its {fields} stay to be filled."""
    texts = (("vi", vietnamese(message)), ("en", message))
    return "".join(f'<span class="ui" lang="{language}">{escape(text, False)}</span>' for language, text in texts)


def words(text: str) -> str:
    """A short text of anybody's, on one line."""
    return escape(one_line(text))


def lines(text: str) -> str:
    """A text of anybody's with its line breaks."""
    return escape(visible(text))


def both(text: Text, render: Callable[[str], str], tag: str = "div") -> str:
    """A lesson's text in both languages, each in its own element."""
    return "".join(f'<{tag} lang="{language}">{render(text.get(language))}</{tag}>' for language in LANGUAGES)


def prose(markdown: str) -> str:
    """Paragraphs, lists and code of a lesson's text."""
    return str(_parser().render(visible(markdown)))


def inline(markdown: str) -> str:
    """The text of one line: emphasis and code, no paragraphs."""
    return str(_parser().renderInline(visible(markdown)))


def code(source: str) -> str:
    """A statement with the prompts of Python's interactive mode, which are not copied and not read out."""
    text = "".join(
        f'<span class="{kind}">{escape(part)}</span>' if kind else escape(part)
        for kind, part in pieces(visible(source).rstrip("\n"))
    )
    first, *rest = _whole_lines(text)
    prompted = [f"{_prompt('>>>')}{first}", *(f"{_prompt('...')}{line}" for line in rest)]
    return "<pre><code>" + "\n".join(prompted) + "</code></pre>"


def _whole_lines(text: str) -> list[str]:
    """The lines of highlighted code; a span that goes over several is closed and opened again at each end."""
    opened = ""
    found = []
    for line in text.split("\n"):
        whole = opened + line
        start = whole.rfind("<span")
        opened = whole[start : whole.index(">", start) + 1] if start > whole.rfind("</span") else ""
        found.append(whole + ("</span>" if opened else ""))
    return found


def _prompt(sign: str) -> str:
    return f'<span class="prompt" aria-hidden="true">{escape(sign)} </span>'


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False})
    parser.disable("image")  # it would be fetched
    parser.add_render_rule("heading_open", lambda *_: f"<{BLOCK_HEADING}>")
    parser.add_render_rule("heading_close", lambda *_: f"</{BLOCK_HEADING}>")
    return parser
