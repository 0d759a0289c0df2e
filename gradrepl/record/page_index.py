"""The list of a site's lessons, with the titles in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from gradrepl.i18n import Speech
from gradrepl.lesson.model import Lesson
from gradrepl.record.page import document, heading, switches
from gradrepl.record.page_markup import both, prose
from gradrepl.record.page_markup import said as _


def index(entries: Sequence[tuple[str, Lesson]], speech: Speech) -> Iterator[str]:
    """A page that leads to others; entries: each one's file name, beside this page, and its lesson."""
    items = "".join(_item(name, lesson) for name, lesson in entries)
    head = f"<header><h1>{_('gradrepl: lessons that let you see autograd')}</h1>{switches()}</header>"
    return document("gradrepl", [f'{head}<main><ol class="lessons">{items}</ol></main>'], speech)


def _item(name: str, lesson: Lesson) -> str:
    link = f'<h2><a href="{escape(name)}">{heading(lesson)}</a></h2>'
    return f'<li>{link}<div class="goal">{both(lesson.goal, prose)}</div></li>'
