"""What is said of a repaired page: each repair as a change, what is only offered, and how its outputs agree."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from gradrepl.app.repairing.page import Repaired, printed_by, transcript
from gradrepl.app.repairing.words import KINDS, VERDICTS
from gradrepl.i18n import Translate
from gradrepl.repair.model import Offer, Repair
from gradrepl.repair.verify import Checked
from gradrepl.view.change import ASKED, STYLES, Span, change
from gradrepl.view.safe import one_line

if TYPE_CHECKING:
    from gradrepl.app.screens.screen import Screen

WIDEST = 200
"""Letters of a line of the page that are shown before what changes in it, and behind."""
MOST_LINES = 12


def show(repaired: Repaired, screen: Screen, _: Translate, *, explain: bool) -> None:
    """Write the transcript to standard output, and all that is said of it to standard error."""
    sys.stdout.write(transcript(repaired))
    sys.stdout.flush()
    with redirect_stdout(sys.stderr):
        report(repaired, screen, _, explain=explain)


def report(repaired: Repaired, screen: Screen, _: Translate, *, explain: bool) -> None:
    """Say what was done to the page, what is only offered, and how its outputs agree."""
    repairs, offers = repaired.recovered.repairs, repaired.recovered.offers
    if repairs:
        screen.heading(_("Repairs"))
        screen.hanging([line for repair in repairs for line in repair_lines(repair, _)])
    else:
        screen.note(_("Nothing had to be repaired."))
    if offers:
        screen.heading(_("Choose yourself"))
        screen.hanging([line for offer in offers for line in offer_lines(offer, _)])
    if explain:
        ids = dict.fromkeys((*(repair.damage for repair in repairs), *(offer.damage for offer in offers)))
        screen.prose(stories(list(ids), _))
    screen.heading(_("Outputs"))
    rows = [verdict_row(item, _) for item in repaired.checked if item.verdict != "silent"]
    if rows:
        screen.listing([_("statement"), _("line"), _("verdict")], rows)
    for item in repaired.checked:
        if item.verdict == "differs":
            screen.hanging(list(difference(item, _)))
    screen.note(summary(repaired, _))


def stories(ids: Sequence[str], _: Translate) -> str:
    """Return, as Markdown, what happened where there is damage of these classes."""
    return "\n".join(f"- **{_(KINDS[id].name)}**: {_(KINDS[id].story)}" for id in ids)


def headed(damage: str, line: int, _: Translate) -> list[Span]:
    text = _("{id} {name}, line {line}").format(id=damage, name=_(KINDS[damage].name), line=line)
    return [("  ", ""), (text, "cyan")]


def repair_lines(repair: Repair, _: Translate) -> Iterator[Sequence[Span]]:
    """Yield a repair's class and place, then what the page had and has now."""
    yield headed(repair.damage, repair.line, _)
    before, after = changed_part(repair.original, repair.result)
    yield from change(shortened(before), shortened(after))


def offer_lines(offer: Offer, _: Translate) -> Iterator[Sequence[Span]]:
    """Yield what the page has, and what it may have been."""
    yield headed(offer.damage, offer.line, _)
    yield [(ASKED, STYLES[ASKED]), (one_line(offer.original), STYLES[ASKED])]
    yield [("  ", ""), (_("it may have been: {choices}").format(choices=one_line(" | ".join(offer.choices))), "")]


def difference(item: Checked, _: Translate) -> Iterator[Sequence[Span]]:
    """Yield what the page shows below a statement, and what the engine prints."""
    text = _("line {line}: the page printed (-), gradrepl prints (+)").format(line=item.statement.line)
    yield [("  ", ""), (text, "cyan")]
    yield from change(shortened(item.statement.printed), shortened(printed_by(item.outcomes)))


def shortened(text: str) -> list[str]:
    """Return the first lines of a text, and no more of each than can be read."""
    lines = text.strip("\n").split("\n") if text else []
    kept = [line if len(line) <= 2 * WIDEST else line[: 2 * WIDEST] + "…" for line in lines[:MOST_LINES]]
    return [*kept, "…"] if len(lines) > MOST_LINES else kept


def changed_part(before: str, after: str) -> tuple[str, str]:
    """Return two texts without most of what they begin with in common, if they are long."""
    same = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    cut = max(before.rfind("\n", 0, same) + 1, same - WIDEST, 0) if len(before) > WIDEST else 0
    return ("…" * bool(cut)) + before[cut:], ("…" * bool(cut)) + after[cut:]


def verdict_row(item: Checked, _: Translate) -> list[str]:
    source = one_line(item.statement.source.strip("\n"))
    short = source if len(source) <= WIDEST else source[:WIDEST] + "…"
    return [short, str(item.statement.line), _(VERDICTS[item.verdict].name)]


def summary(repaired: Repaired, _: Translate) -> str:
    """Return how many statements there are, and how many of each verdict."""
    counts = {name: sum(item.verdict == name for item in repaired.checked) for name in VERDICTS}
    text = ", ".join(f"{_(VERDICTS[name].name)}: {count}" for name, count in counts.items() if count)
    return _("statements: {count} ({verdicts})").format(count=len(repaired.checked), verdicts=text)
