"""Whether a lesson's texts say the same in both languages, and name misconceptions that have a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from gradrepl.lesson.markup import code_spans
from gradrepl.lesson.misconceptions import names
from gradrepl.lesson.model import Lesson, Step, Text
from gradrepl.lesson.problem import Message, Problem, mark

CODE = re.compile(r"(`+).*?\1|^(```|~~~).*?^\2", re.DOTALL | re.MULTILINE)
WORD = re.compile(r"[^\W\d_]{2,}")
FEW_WORDS = 4


def problems(lesson: Lesson) -> Iterator[Problem]:
    """Yield what is wrong with the texts of a lesson, without running anything."""
    # A title may be nothing but names of the API.
    yield from (Problem(lesson.path, 1, None, message) for message in of_text(lesson.goal))
    for step in lesson.steps:
        for line, text in texts(step):
            yield from (Problem(lesson.path, line, step.id, message) for message in of_text(text))
        for line, id in misconceptions(step):
            if id not in names():
                yield Problem(lesson.path, line, step.id, unknown(id))


def texts(step: Step) -> Iterator[tuple[int, Text]]:
    """Yield every text of a step with its line."""
    yield step.line, step.prose
    yield from ((item.line, item.text) for item in step.feedback)
    yield from ((hint.line or step.line, hint) for hint in step.hints)
    yield from ((item.line, item.text) for item in step.wrong)
    yield from ((option.line, option.text) for option in step.options)
    yield from ((option.reply.line or option.line, option.reply) for option in step.options if option.reply)
    yield from ((distractor.line, distractor.text) for distractor in step.distractors)


def misconceptions(step: Step) -> Iterator[tuple[int, str]]:
    """Yield every misconception that a step names, with its line."""
    yield from ((item.line, item.misconception) for item in step.feedback if item.misconception)
    yield from ((item.line, item.misconception) for item in step.wrong if item.misconception)
    yield from ((option.line, option.misconception) for option in step.options if option.misconception)
    yield from ((item.line, item.misconception) for item in step.distractors if item.misconception)


def of_text(text: Text) -> Iterator[Message]:
    """Yield where the languages show other code, and where one seems to hold the other's words."""
    vi, en = code_spans(text.vi), code_spans(text.en)
    if vi != en:
        only = {"vi": listed(vi - en), "en": listed(en - vi)}
        yield mark("the languages differ in their code; only in vi: {vi}; only in en: {en}", **only)
    words = WORD.findall(CODE.sub("", text.vi))
    if not words:
        return
    if text.vi == text.en:
        yield mark("the Vietnamese text is the same as the English: {text!r}", text=text.vi)
    elif len(words) >= FEW_WORDS and not any(map(has_mark, words)):
        yield mark("the Vietnamese text has no letter with a mark: {text!r}", text=text.vi)


def has_mark(word: str) -> bool:
    """Whether a word has a letter that English lacks."""
    return any(letter in "đĐ" or len(unicodedata.normalize("NFD", letter)) > 1 for letter in word)


def listed(spans: Iterable[str]) -> str:
    return ", ".join(f"`{span}`" for span in sorted(spans)) or "-"


def unknown(id: str) -> Message:
    """Return what to say of a misconception without a name."""
    from difflib import get_close_matches  # slow to import, and a lesson rarely needs it

    close = get_close_matches(id, names(), 1)
    if close:
        return mark("unknown misconception #{id}; did you mean #{close}?", id=id, close=close[0])
    return mark("unknown misconception #{id}; leave it out, or give it a name in misconceptions.toml", id=id)
