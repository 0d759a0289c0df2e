"""What `play` plays apart from lessons, and what it says of what it can't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
DOCUMENT = """# Title

Not shown: it stands above another heading.

## Squares

Look at *this*.

```pycon
>>> x = 3
>>> x * x
10
```

```
>>> not python   at all
```
"""
PROGRAM = '''"""A program."""

import math

# Then a root.
root = math.sqrt(16)
print(root)
'''


def test_a_document_plays_its_blocks_with_prompts(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(DOCUMENT, "utf-8")
    done = gradrepl("play", "page.md", "--trust", "--lang", "both")
    assert done.stdout == "page.md\n\n1/1  Squares\nLook at this.\n>>> x = 3\n>>> x * x\n9\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_plays_in_paragraphs(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "roots.py").write_text(PROGRAM, "utf-8")
    assert gradrepl("play", "roots.py", "--trust").stdout == (
        "roots.py\n\n1/2  part-1\nA program.\n>>> import math\n"
        "\n2/2  part-2\nThen a root.\n>>> root = math.sqrt(16)\n>>> print(root)\n4.0\n"
    )


def test_a_list_plays_what_it_lists_beside_itself(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "page.md").write_text(DOCUMENT, "utf-8")
    (tmp_path / "lists" / "all.txt").write_text("# two\npage.md\n\n1\n", "utf-8")
    shown = gradrepl("play", "lists/all.txt", "--trust").stdout
    assert shown.index("page.md\n") < shown.index("1. no_grad as a with-block")


def test_a_document_of_somebody_else_is_asked_about(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(DOCUMENT, "utf-8")
    (tmp_path / "all.txt").write_text("page.md\n", "utf-8")
    done = gradrepl("play", "all.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--trust" in done.stderr


def test_a_step_to_begin_with_has_the_values_of_those_before(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "roots.py").write_text(PROGRAM, "utf-8")
    for name in ("2", "part-2"):
        shown = gradrepl("play", "roots.py", "--trust", "--from", name).stdout
        assert shown.startswith("roots.py\n\n2/2  part-2\n")
        assert shown.endswith("4.0\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1", "--speed", "99"), "--speed wants a number from 0.25 to 8, found '99'"),
        (("1", "--speed", "nan"), "found 'nan'"),
        (("1", "--typing", "slow"), "--typing wants a number from 0 to 2000, found 'slow'"),
        (("1", "--max-wait", "-1"), "--max-wait wants a number from 0 to 3600, found '-1'"),
        (("1", "--from", "99"), "a number from 1 to 19, or an id such as"),
        (("empty.md",), "empty.md holds nothing to play"),
        (("bad.py",), "bad.py is no Python program"),
        (("self.txt",), "self.txt lists itself"),
        (("none.txt",), "none.txt lists nothing"),
        (("inference-mode.md",), "There is no file inference-mode.md."),
        (("lists/1",), "There is no file lists/1."),
    ],
)
def test_what_cannot_be_played_is_one_line(
    gradrepl: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    files = {"empty.md": "# Hi\n", "bad.py": "x = (\n", "self.txt": "self.txt\n", "none.txt": "# nothing\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    done = gradrepl("play", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
