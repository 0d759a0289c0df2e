"""The command `check`: each lesson on an engine, one line a difference."""

from __future__ import annotations

from collections.abc import Sequence

from gradrepl.app.errors import DamagedLessonsError
from gradrepl.app.lessons import all_shipped, named
from gradrepl.i18n import Translate
