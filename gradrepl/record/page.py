"""A lesson as one HTML file that needs nothing else: no network, no other file, no trust in the lesson's text."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path

from gradrepl.i18n import Speech
from gradrepl.lesson.model import LANGUAGES, Lesson
from gradrepl.record.page_markup import both, inline, prose, words
from gradrepl.record.page_markup import said as _
from gradrepl.record.page_scene import Act
from gradrepl.record.page_task import body
from gradrepl.record.writer import Explain
from gradrepl.view.prose import split_label

SPEECHES: Sequence[tuple[Speech, str]] = (("vi", "Tiếng Việt"), ("en", "English"), ("both", "VI + EN"))
THEMES = ("auto", "light", "dark")
HOME = "index.html"


def page(
    lessons: Sequence[Lesson], acts: Sequence[Act], speech: Speech, explain: Explain, *, home: bool = False
) -> Iterator[str]:
    """The page of lessons, mostly of one, showing `speech` at first; home: with a way to the site's index."""
    return document(_title(lessons, speech), _content(lessons, acts, explain, home), speech)


def document(title: str, content: Iterable[str], speech: Speech) -> Iterator[str]:
    """A whole file around its content, in parts; only the script and the style in it may run and count."""
    style, script = _part("page.css"), _part("page.js")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    language = "en" if speech == "en" else "vi"
    yield (
        f'<!DOCTYPE html>\n<html lang="{language}" data-speech="{speech}" data-theme="auto">\n<head>\n'
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n<script>{script}</script>\n</head>\n<body>\n"
    )
    yield from content
    yield "\n</body>\n</html>\n"


def _content(lessons: Sequence[Lesson], acts: Sequence[Act], explain: Explain, home: bool) -> Iterator[str]:
    """The lessons, step by step: a page is never in memory as a whole."""
    titles, goals = (" · ".join(map(heading, lessons)), "".join(map(_goal, lessons)))
    way_home = f'<a class="home" href="{HOME}">{_("All lessons")}</a>' if home else ""
    yield f"<header>{way_home}<h1>{titles}</h1>{goals}{switches()}</header>"
    yield f'<div class="columns">{_contents(acts)}<main id="lesson">'
    for number, act in enumerate(acts, 1):
        yield _section(number, len(acts), act, explain)
    yield f"</main></div>{_bar(len(acts))}{_templates()}"


def heading(lesson: Lesson) -> str:
    """The lesson's number and title."""
    number = "" if lesson.number is None else f"{lesson.number}. "
    return f'<span class="titles">{number}{both(lesson.title, inline, "span")}</span>'


def switches() -> str:
    """The buttons that choose language and colours."""
    languages = "".join(
        f'<button type="button" data-speech="{speech}" lang="{"en" if speech == "en" else "vi"}">{name}</button>'
        for speech, name in SPEECHES
    )
    labels = {"auto": _("auto"), "light": _("light"), "dark": _("dark")}
    themes = "".join(f'<button type="button" data-theme="{theme}">{labels[theme]}</button>' for theme in THEMES)
    groups = _group("language", _("language"), languages) + _group("colours", _("colours"), themes)
    return f'<div class="switches">{groups}</div>'


def _group(id: str, label: str, buttons: str) -> str:
    return f'<div class="switch" role="group" aria-labelledby="{id}"><span id="{id}">{label}</span>{buttons}</div>'


def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _title(lessons: Sequence[Lesson], speech: Speech) -> str:
    languages = [language for language in LANGUAGES if speech in (language, "both")]
    text = " · ".join(" / ".join(lesson.title.get(language) for language in languages) for lesson in lessons)
    return f"{text} - gradrepl"


def _goal(lesson: Lesson) -> str:
    return f'<div class="goal">{both(lesson.goal, prose)}</div>'


def _contents(acts: Sequence[Act]) -> str:
    items = "".join(f'<li><a href="#{_id(act)}">{_label(act)}</a></li>' for act in acts)
    return (
        f'<nav class="contents" aria-labelledby="contents"><details open><summary id="contents">{_("contents")}'
        f"</summary><ol>{items}</ol></details></nav>"
    )


def _section(number: int, count: int, act: Act, explain: Explain) -> str:
    id, step = _id(act), act.step
    rest = both(step.prose, lambda text: prose(split_label(text)[1]))
    return (
        f'<section class="step {step.kind}" id="{id}" aria-labelledby="{id}-h">'
        f'<h2 id="{id}-h" tabindex="-1"><span class="number">{number}/{count}</span> {_label(act)}</h2>'
        f'<div class="prose">{rest}</div>{body(act, explain)}</section>'
    )


def _id(act: Act) -> str:
    return f"step-{escape(act.id)}"


def _label(act: Act) -> str:
    """The short label that a step's words begin with, else its id."""
    labels = both(act.step.prose, lambda text: inline(split_label(text)[0]) or words(act.step.id), "span")
    return f'<span class="titles">{labels}</span>'


def _bar(count: int) -> str:
    progress = f'<progress id="progress" max="{count}" value="1" aria-labelledby="place"></progress>'
    return (
        f'<nav class="bar" aria-labelledby="place"><button type="button" id="back">← {_("back")}</button>'
        f'<span id="place">{_("step {number} of {count}").format(number=_slot("number"), count=count)}</span>{progress}'
        f'<button type="button" id="next">{_("next")} →</button></nav>'
    )


def _slot(name: str) -> str:
    """Where the script puts a text."""
    return f'<b data-slot="{name}"></b>'


def _templates() -> str:
    """The sentences that the script says."""
    cell, answer, truth, number = map(_slot, ("cell", "answer", "truth", "number"))
    sentences = {
        "said-right": _("Right: {cells}").format(cells=f"{cell} = {truth}"),
        "said-wrong": _("{cell}: you said {answer}, it is {truth}.").format(cell=cell, answer=answer, truth=truth),
        "said-nothing": _("{cell}: it is {truth}.").format(cell=cell, truth=truth),
        "right": _("Right."),
        "not": _("No, it isn't {number}.").format(number=number),
        "right-is": _("Right is {number}.").format(number=number),
        "other-order": _("That is not the order of the solution."),
        "unanswered": _("Answer first, or ask for the answer."),
    }
    return "".join(f'<template id="{id}"><p class="{id}">{text}</p></template>' for id, text in sentences.items())
