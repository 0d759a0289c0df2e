"""What goes wrong before any code runs, said in the learner's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradrepl.i18n import Translate

if TYPE_CHECKING:
    from gradrepl.app.engines import EngineUnavailableError


class UsageError(Exception):
    """What was asked for can't be done; the text says why, and what to do instead. Exit status 2."""


class DamagedLessonsError(Exception):
    """A lesson file can't be read as one; the text has a line for each problem. Exit status 1."""


def unavailable(error: EngineUnavailableError, _: Translate) -> str:
    """Why an engine can't be had, and how to get it."""
    if error.missing:
        return _("PyTorch is not installed. Install it with `pip install torch`, or use --engine builtin.")
    text = _("PyTorch is installed but does not load ({reason}). Install it again, or use --engine builtin.")
    return text.format(reason=error)
