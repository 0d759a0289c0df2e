"""What is whole comes back byte for byte: lessons, documents and programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from repair.corpus import meaning, repaired
from support.running import SNIPPETS, snippets

from gradrepl.app.repairing.page import Page, Repaired, transcript
from gradrepl.repair.model import Recovered
from gradrepl.repair.unprompted import as_prompts

ROOT = Path(__file__).parent.parent.parent
LESSONS = sorted((ROOT / "lessons").glob("*.md"))
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *(path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "repair.md"),  # which shows damage
]
PROGRAMS = [program for path in sorted(SNIPPETS.glob("*.txt")) for program in snippets(path)[:8]]
ODD = (
    "x = 1; x += 1\ny = [1,\n\n  2]; y\n",
    'text = """\n>>> import torch  \n... \n1\n2\n"""\n',
    "# >>> print(1)\nprint(2)  # In [3]: x\n",
    "def require_grad(在): return 在\nrequire_grad(在=1)\n",
    "for i in range(1, 4):\n    j = i\n    print(j)\n",
    'print("（“你好”）", "&gt;", "a\\u200bb", \'\u200b\')\n',
    'def f(x):\n    """\n    print x.grad\n    Nếu x: y = 2\n    """\n    return x\n',
    "if x: pass\nelse: print >> y\nt[..., 0] = t[...]\n",
)


def unchanged(text: str, name: str = "") -> Recovered:
    found = repaired(text, name)
    assert transcript(Repaired(Page(text, name), found, ())) == text
    assert found.repairs == found.offers == ()
    return found


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_left_as_it_is(path: Path) -> None:
    assert unchanged(path.read_text("utf-8"), path.name).statements


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_is_left_as_it_is(path: Path) -> None:
    unchanged(path.read_text("utf-8"), path.name)


def test_programs_are_left_as_they_are() -> None:
    assert len(PROGRAMS) >= 200
    for program in (*PROGRAMS, *ODD):
        found = unchanged(program)
        assert [node for item in found.statements for node in meaning(item.source)] == meaning(program)


def test_programs_behind_prompts_are_left_as_they_are() -> None:
    for program in PROGRAMS:
        found = repaired(as_prompts(program))
        assert [repair for repair in found.repairs if repair.result != "import torch"] == []
        assert found.offers == ()
