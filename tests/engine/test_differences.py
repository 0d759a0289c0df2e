"""The page of known differences is up to date, and each difference on it is still one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.running import has_torch, shown_by

sys.path.insert(0, str(Path(__file__).parent))

from known_differences import DIFFERENCES, Difference, page


def test_the_page_is_made_from_the_list() -> None:
    path = Path(__file__).resolve().parents[2] / "docs" / "differences.md"
    assert path.read_text(encoding="utf-8") == page(), "run python tests/tools/write_differences.py"


@pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed: differences can't be shown")
@pytest.mark.parametrize("entry", DIFFERENCES, ids=lambda entry: entry.title)
def test_a_known_difference_is_still_one(entry: Difference) -> None:
    assert shown_by(entry.program, "builtin") != shown_by(entry.program, "torch"), "take it off the list"
