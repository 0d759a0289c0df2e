"""docs/repair.md names the classes of damage that there are, and the command's own words."""

from __future__ import annotations

import re
from pathlib import Path

from gradrepl.app.cli import parser
from gradrepl.app.repairing.words import KINDS
from gradrepl.i18n import translator

PAGE = (Path(__file__).parent.parent.parent / "docs" / "repair.md").read_text("utf-8")


def test_the_page_has_a_row_for_each_class_of_damage() -> None:
    rows = re.findall(r"^\| (D\d\d) \| (.*?) \|", PAGE, re.MULTILINE)
    assert rows == [(id, kind.name) for id, kind in KINDS.items()]


def test_the_commands_of_the_page_are_understood() -> None:
    lines = [line.split("  ")[0] for line in PAGE.splitlines() if line.startswith("gradrepl repair ")]
    assert len(lines) == 5
    for line in lines:
        assert parser(translator("en")).parse_args(line.split()[1:]).command == "repair"
