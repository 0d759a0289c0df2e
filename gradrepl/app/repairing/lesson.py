"""A repaired page as a draft of a lesson: its prose, its statements, and what the engine prints."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gradrepl.app.authoring import quoted
from gradrepl.app.authoring import write as write_file
from gradrepl.app.errors import UsageError
from gradrepl.app.repairing.page import Repaired
from gradrepl.i18n import Translate, mark, translator
from gradrepl.lesson.front import ID
from gradrepl.lesson.matching import BLANK, error_text, plain, shown
from gradrepl.lesson.shelf import id_of
from gradrepl.repair.printed import prose_of
from gradrepl.repair.prose import words_between
from gradrepl.repair.verify import Checked
from gradrepl.session.outcome import Outcome
from gradrepl.view.plain import source as with_prompts
from gradrepl.view.safe import visible

MOST_STATEMENTS = 8
"""Of a step; what a learner can look at in one go."""
VIETNAMESE = re.compile("[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.IGNORECASE)
WITHOUT_PROSE = mark("Run these statements and look at the table.")
TITLE = mark("A repaired page")


@dataclass(slots=True)
class Draft:
    """A step of the lesson: the page's words, then statements."""

    prose: str = ""
    items: list[Checked] = field(default_factory=list)


def write(name: str, repaired: Repaired, _: Translate) -> None:
    """Write a lesson that passes its check. Raises UsageError as `new` does, and where no statement is Python."""
    path = Path(name)
    id = id_of(path)
    if path.suffix != ".md" or not ID.fullmatch(id):
        text = _("{name} can't be a lesson's file: use small letters, digits and hyphens, such as my-lesson.md.")
        raise UsageError(text.format(name=repr(name)))
    drafts = list(steps(repaired))
    if not any(draft.items for draft in drafts):
        raise UsageError(
            _("{name}: no statement of it is Python; nothing was written.").format(name=repaired.page.name)
        )
    write_file(path, lesson(id, drafts), _)
    sys.stderr.write(visible(_("{path} is written. What next:").format(path=path)) + "\n")
    sys.stderr.write(visible(f"  gradrepl check --watch {path}") + "\n")


def steps(repaired: Repaired) -> Iterator[Draft]:
    """Yield the steps: a new one begins behind prose, and when one is full."""
    places = list(words_between(repaired.page.text, repaired.page.name))
    draft = Draft(joined(taken(places, 1), repaired.recovered.before))
    for item in repaired.checked:
        prose = taken(places, item.statement.line)
        if prose and draft.items:
            yield draft
            draft = Draft()
        draft.prose = joined(draft.prose, prose)
        if item.verdict != "broken":
            draft.items.append(item)
        prose = prose_of(item.statement.printed, item.outcomes)
        if draft.items and (prose or len(draft.items) == MOST_STATEMENTS):
            yield draft
            draft = Draft()
        draft.prose = joined(draft.prose, prose)
    if draft.items:
        yield draft
        draft = Draft()
    draft.prose = joined(draft.prose, *(words for _line, words in places))
    if draft.prose:
        yield draft


def taken(places: list[tuple[int, str]], line: int) -> str:
    """Take out the words that stand before a line, and return them."""
    found = [words for place, words in places if place <= line]
    del places[: len(found)]
    return joined(*found)


def joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def lesson(id: str, drafts: Sequence[Draft]) -> str:
    """The lesson's text; the page's words stand in both languages, for the author to translate."""
    titles = [f"title.{speech} = {quoted(translator(speech)(TITLE) + ': ' + id)}" for speech in ("vi", "en")]
    goals = [f"goal.{speech} = {quoted(translator(speech)(WITHOUT_PROSE))}" for speech in ("vi", "en")]
    front = "\n".join(["+++", f"id = {quoted(id)}", *titles, *goals, "+++"])
    body = [step(number, draft) for number, draft in enumerate(drafts, 1)]
    return unicodedata.normalize("NFC", visible("\n\n".join([front, *body]) + "\n"))


def step(number: int, draft: Draft) -> str:
    """One step in the lesson format."""
    words = [f"<!--{speech}-->\n{words_of(draft, speech)}" for speech in ("vi", "en")]
    if not draft.items:
        return "\n".join([f"## step-{number}", *words])
    code = "".join(f"{line}\n" for item in draft.items for line in example(item))
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code)), 3)
    warned = [promise(item.outcomes) for item in draft.items]
    return "\n".join([f"## step-{number}", *words, "<!--code-->", f"{fence}pycon", code, fence, *filter(None, warned)])


def words_of(draft: Draft, speech: str) -> str:
    """The page's words in its own language; in the other one, what the author is to replace."""
    words = "\n".join(harmless(line) for line in draft.prose.splitlines()).strip()
    own = "vi" if VIETNAMESE.search(words) else "en"
    return words if words and speech == own else translator("vi" if speech == "vi" else "en")(WITHOUT_PROSE)


def harmless(line: str) -> str:
    """A line of the page's prose without what would be a step, a comment, a fence or code in a lesson.

    Both languages of a step must name the same code, and the author has one of them to translate yet: no code here.
    """
    plain_line = re.sub(r"^(?:#+|\+{3,}|~{3,}|>+|[-*=_]{2,})\s*", "", line.strip().replace("`", "'"))
    return plain_line.replace("<", "‹").replace(">", "›")


def example(item: Checked) -> Iterator[str]:
    """Yield a statement's lines behind prompts, and what the engine prints."""
    for outcome in item.outcomes:
        yield with_prompts(outcome.source)
        text = re.sub(r"0x[0-9a-f]+", "0x...", shown((outcome,))).rstrip("\n")
        yield from (line if line.strip() else BLANK for line in text.split("\n") if text)
        if outcome.failure is not None:
            yield f"Traceback (most recent call last):\n    ...\n{error_text(outcome.failure).rstrip()}"


def promise(outcomes: Sequence[Outcome]) -> str:
    warned = [warning for outcome in outcomes for warning in outcome.warnings]
    return "\n".join(f"<!--warns {w.category}: {plain(w).splitlines()[0][:80].rstrip()}-->" for w in warned)
