"""Tests that take minutes over all lessons take a few of them, unless GRADREPL_WHOLE is set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")
WHOLE = bool(os.environ.get("GRADREPL_WHOLE"))


def some(cases: Sequence[Case], *few: int) -> list[Case]:
    """All cases where the whole is asked for, else those at these places."""
    return list(cases) if WHOLE else [cases[place] for place in few]
