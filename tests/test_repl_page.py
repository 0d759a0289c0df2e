"""docs/repl.md claims nothing that no test holds."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from gradrepl.app import config

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "repl.md").read_text("utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_row_names_a_test_that_exists(row: list[str]) -> None:
    assert len(row) == 6
    named = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[-1])
    assert named is not None, row[-1]
    tree = ast.parse((ROOT / named[1]).read_text("utf-8"))
    assert named[2] in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_the_settings_of_the_page_are_all_there_are_and_good(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    path = tmp_path / "config.toml"
    path.write_text(found[1], "utf-8")
    assert config.load(path)[1] == []
    assert list(tomllib.loads(found[1])) == [setting.name for setting in config.SETTINGS]
