"""The command `repair`: a damaged page as a transcript that runs, what was done to it, and whether they agree."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gradrepl.app.errors import UsageError
from gradrepl.app.repairing.vocabulary import vocabulary
from gradrepl.i18n import Translate
from gradrepl.repair.model import Recovered
from gradrepl.repair.pages import LARGEST, UnreadablePageError, decoded, text_of
from gradrepl.repair.pipeline import LONGEST_PAGE, recover
from gradrepl.repair.python import statement_sources
from gradrepl.repair.verify import Checked, verified
from gradrepl.session.core import Session
from gradrepl.view import plain
from gradrepl.view.safe import as_json, visible

if TYPE_CHECKING:
    from gradrepl.session.engine import Engine
    from gradrepl.session.outcome import Outcome

FAILED = 1
WIDE = (b"\xff\xfe", b"\xfe\xff")
"""How a text in UTF-16 begins: it has bytes that are 0."""
MOST_OUTPUT = 200_000  # bytes of a statement's output that are compared


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it came: its text, and the name by which messages call it."""

    text: str
    name: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """A page, what was recovered of it, and each statement as it ran."""

    page: Page
    recovered: Recovered
    checked: tuple[Checked, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing had to be done."""
        return not (self.recovered.repairs or self.recovered.offers or any(c.verdict == "broken" for c in self.checked))

    @property
    def status(self) -> int:
        """What the command exits with."""
        return FAILED if any(checked.verdict in ("differs", "broken") for checked in self.checked) else 0


def load(path: str, _: Translate) -> Page:
    """Return the page in a file, or on standard input for "-". Raises UsageError."""
    name = "<stdin>" if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read(LARGEST + 1) if sys.stdin is not None else b""
        else:
            with Path(path).open("rb") as file:
                data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        text = _("can't read {name}: {reason}. Give the path of a page: text, HTML, Markdown or .ipynb.")
        raise UsageError(text.format(name=name, reason=reason)) from error
    if len(data) > LARGEST:
        text = _("{name} is larger than {most} bytes. Give the part of the page that holds the code.")
        raise UsageError(text.format(name=name, most=f"{LARGEST:,}"))
    if b"\0" in data and not data.startswith(WIDE):
        text = _("{name} is no text: byte {place} is 0. Give the path of a page: text, HTML, Markdown or .ipynb.")
        raise UsageError(text.format(name=name, place=data.index(b"\0")))
    return Page(decoded(data), name)


def recovered(page: Page, engine: Engine, _: Translate) -> Recovered:
    """Return the statements of a page. Raises UsageError where it has none, or can't be read as what it says it is."""
    try:
        text = text_of(page.text, page.name)
    except UnreadablePageError as error:
        raise UsageError(f"{page.name}: {error}") from error
    if len(text) > LONGEST_PAGE:
        message = _("{name} holds more than {most} letters. Give the part of the page that holds the code.")
        raise UsageError(message.format(name=page.name, most=f"{LONGEST_PAGE:,}"))
    found = recover(text, vocabulary(engine))
    if not found.statements:
        message = _("{name}: there is nothing to run: expected Python code, with prompts or without, found none.")
        raise UsageError(message.format(name=page.name))
    return found


def checked(page: Page, found: Recovered, engine: Engine) -> Repaired:
    """Run a page's statements one after the other and compare what they print."""
    with Session(engine) as session:
        session.most = MOST_OUTPUT
        return Repaired(page, found, tuple(verified(found.statements, session)))


def transcript(repaired: Repaired) -> str:
    """The statements behind prompts, each with what it prints; the page itself where nothing was done to it."""
    if repaired.clean:
        return repaired.page.text
    return "".join(f"{line}\n" for item in repaired.checked for line in shown(item))


def shown(item: Checked) -> Iterator[str]:
    """Yield a statement with prompts and what it prints; one that is no Python as a comment."""
    if item.verdict == "broken":
        yield from (f"# {line}" for line in visible(item.statement.source).rstrip("\n").split("\n"))
        return
    for outcome in item.outcomes:
        yield plain.source(outcome.source)
        printed = visible(printed_by((outcome,))).rstrip("\n")
        if printed:
            yield printed
    yield from map(plain.source, statement_sources(item.statement.source)[len(item.outcomes) :])


def printed_by(outcomes: Iterable[Outcome]) -> str:
    """What Python's prompt would show of statements: output, warnings, traceback."""
    parts = []
    for outcome in outcomes:
        parts += [output.text + "\n" * (output.kind == "echo") for output in outcome.outputs]
        parts += [plain.warning(warned) + "\n" for warned in outcome.warnings]
        parts += [outcome.failure.traceback.rstrip("\n") + "\n"] if outcome.failure else []
    return "".join(parts)


def to_json(repaired: Repaired) -> str:
    """All of it as one JSON object."""
    statements = [
        {
            "source": item.statement.source,
            "line": item.statement.line,
            "printed": item.statement.printed,
            "output": printed_by(item.outcomes),
            "verdict": item.verdict,
            "repairs": [repair.damage for repair in item.statement.repairs],
        }
        for item in repaired.checked
    ]
    found = repaired.recovered
    return as_json(
        {
            "file": repaired.page.name,
            "clean": repaired.clean,
            "transcript": transcript(repaired),
            "statements": statements,
            "repairs": [asdict(repair) for repair in found.repairs],
            "offers": [asdict(offer) for offer in found.offers],
            "status": repaired.status,
        }
    )
