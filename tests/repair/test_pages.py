"""Pages as they are found, each with the transcript that it was before it was damaged beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from repair.corpus import checked, meaning, words

from gradrepl.app.repairing.page import printed_by
from gradrepl.repair.pages import decoded, text_of
from gradrepl.repair.pipeline import recover
from gradrepl.repair.verify import Checked

PAGES = sorted(path for path in (Path(__file__).parent / "pages").iterdir() if path.suffix != ".pycon")
OFFERED = {"lost-operators": 2, "lost-operators-vi": 2}
"""Statements of a page that only its reader can mend."""
Step = tuple[str, str]


def transcript(text: str) -> list[Step]:
    """The statements of a transcript, each with what it prints; comments among them are statements that don't run."""
    steps: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith((">>> ", "# ")):
            steps.append(([line.removeprefix(">>> ")], []))
        elif line.startswith("...") and not steps[-1][1]:
            steps[-1][0].append(line[4:])
        else:
            steps[-1][1].append(line)
    return [(dump, squeezed("\n".join(out))) for code, out in steps for dump in meaning("\n".join(code)) or code]


def squeezed(text: str) -> str:
    """Output without blanks, addresses, and what PyTorch and tracebacks say of places in files."""
    if "Traceback" in text:
        text = text.strip().splitlines()[-1]
    return re.sub(r"\s+|0x[0-9a-f]+|\(Triggered internally.*?\)", "", text)


def step(item: Checked) -> list[Step]:
    if item.verdict == "broken":
        return [("# " + item.statement.source.strip(), "")]
    return [(dump, squeezed(printed_by((o,)))) for o in item.outcomes for dump in meaning(o.source)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_comes_back(page: Path) -> None:
    found = recover(text_of(decoded(page.read_bytes()), page.name), words())
    ran = checked(found)
    assert [pair for item in ran for pair in step(item)] == transcript(page.with_suffix(".pycon").read_text("utf-8"))
    assert [item.statement for item in ran if item.verdict == "differs"] == []
    assert sum(item.verdict == "broken" for item in ran) == len(found.offers) == OFFERED.get(page.stem, 0)
