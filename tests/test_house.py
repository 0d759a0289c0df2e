"""The house keeps its own rules: imports, docstrings, messages in two languages, words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import polib
import pytest

from gradrepl.i18n import CATALOG

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "gradrepl").rglob("*.py"))
TEXTS = sorted(
    path
    for pattern in (
        "gradrepl/**/*.py",
        "tests/**/*.py",
        "lessons/*.md",
        "docs/**/*.md",
        "*.md",
        "*.toml",
        "gradrepl/**/*.po",
    )
    for path in ROOT.glob(pattern)
)
FIELD = re.compile(r"{(\w+(?:!r)?)}")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def messages(path: Path) -> set[str]:
    """The texts that a module marks for translation: `_("...")`, `self._("...")`, `mark("...")`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    found = set()
    for call in calls:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if called in ("_", "mark") and call.args and isinstance(call.args[0], ast.Constant):
            found.add(call.args[0].value)
    return found


CODE = set().union(*(messages(path) for path in MODULES))
ENTRIES = list(polib.pofile(CATALOG, encoding="utf-8"))


def test_imports_keep_to_the_contracts() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_catalog_has_what_the_code_says_and_nothing_else() -> None:
    assert {entry.msgid for entry in ENTRIES} == CODE
    assert len(ENTRIES) == len(CODE)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.msgid[:30])
def test_a_translation_is_whole(entry: polib.POEntry) -> None:
    assert entry.msgstr
    assert not entry.fuzzy
    assert not entry.obsolete
    assert unicodedata.is_normalized("NFC", entry.msgstr)
    assert sorted(FIELD.findall(entry.msgstr)) == sorted(FIELD.findall(entry.msgid))
    assert re.findall(r"`[^`]*`|--\w+", entry.msgstr) == re.findall(r"`[^`]*`|--\w+", entry.msgid)
    assert entry.msgstr.endswith(" ") == entry.msgid.endswith(" ")


def test_no_message_is_built_before_it_is_translated() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                assert isinstance(node.args[0], ast.Constant | ast.Attribute), f"{name(path)}:{node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_in_one_sentence_what_it_is(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert text is not None
    assert text.endswith(".")
    assert "\n\n" not in text


LONG = {
    "gradrepl/engine/quick.py with_number": "the busiest lines of the engine: a call saved is a tenth of an operation",
    "gradrepl/engine/quick.py two_tensors": "the same for two tensors",
    "gradrepl/engine/quick.py call": "the functions inside them",
    "gradrepl/engine/graph.py follow": "the busiest lines of a backward",
    "gradrepl/engine/data/loader.py __init__": "PyTorch's own list of parameters",
}
"""Functions that may be long, with the reason."""


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and f"{name(path)} {node.name}" not in LONG:
            assert (node.end_lineno or 0) - node.lineno < 40, f"{name(path)}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_no_text_is_unfinished_or_unnormalized(path: Path) -> None:
    text = path.read_text("utf-8")
    assert unicodedata.is_normalized("NFC", text)
    unfinished = "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "place" + "holder", "lorem " + "ipsum"))
    assert not re.search(rf"\b({unfinished})\b", text, re.IGNORECASE)
