"""gradrepl.embed: the prompt inside somebody's program, which goes on as if nothing had been there."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

import gradrepl

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")


@pytest.fixture
def program(environment: dict[str, str], tmp_path: Path) -> object:
    """Runs a program that embeds the prompt; typed: its standard input."""

    def run(source: str, *typed: str, **more: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(source), "utf-8")
        return subprocess.run(
            [sys.executable, str(file)],
            input="\n".join(typed) + "\n",
            capture_output=True,
            encoding="utf-8",
            env={**environment, **more},
            timeout=120,
            check=False,
        )

    return run


def test_names_at_the_top_of_a_module_are_the_programs_own(program: object) -> None:
    done = program(  # type: ignore[operator]
        """
        import gradrepl
        lr, gone, _ = 0.5, 1, str.upper
        def rate(): return lr
        gradrepl.embed(lang="en")
        print(rate(), "gone" in globals(), "torch" in globals(), _("kept"))
        """,
        *("lr = 0.25", "rate()", "del gone", "1 + 1", "torch.ones(1)"),
    )
    assert done.returncode == 0, done.stderr
    assert ">>> 0.25\n" in done.stdout
    assert "tensor([1.])" in done.stdout
    assert done.stdout.endswith("0.25 False False KEPT\n")


def test_given_names_are_read_and_written(program: object) -> None:
    done = program(  # type: ignore[operator]
        """
        import gradrepl
        names = {"a": 1, "b": 2}
        gradrepl.embed(names)
        print(names)
        """,
        *("a = a + 10", "del b", "c = 3"),
    )
    assert done.stdout.endswith("{'a': 11, 'c': 3}\n"), done.stderr


@pytest.mark.parametrize("leave", ["exit(3)", "quit()", ":quit", "import sys; sys.exit('bye')"])
def test_leaving_gives_the_program_its_standard_input_back(program: object, leave: str) -> None:
    done = program(  # type: ignore[operator]
        """
        import sys, gradrepl
        before = sys.stdin, sys.stdout, sys.stderr, exit, sys.stdout.errors
        gradrepl.embed()
        assert before == (sys.stdin, sys.stdout, sys.stderr, exit, sys.stdout.errors)
        print("read", input())
        """,
        *(leave, "the next line"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("read the next line\n")


@needs_torch
def test_tensors_are_pytorchs_where_the_program_uses_it_and_the_mode_is_the_programs(program: object) -> None:
    done = program(  # type: ignore[operator]
        """
        import torch, gradrepl
        w = torch.ones(2, requires_grad=True)
        def step():
            inner = w * 2
            with torch.no_grad():
                gradrepl.embed(lang="en")
                print("\\nstill off", torch.is_grad_enabled())
        step()
        print("on again", torch.is_grad_enabled())
        """,
        *("type(inner).__module__", "z = inner * 2", "torch.set_grad_enabled(True)"),
    )
    assert "gradrepl 0.1.0 (torch)" in done.stdout
    assert "'torch'" in done.stdout
    assert "grad mode: off\nz: requires_grad = False; grad_fn = None; grad = None [new]\n" in done.stdout
    assert "w: " not in done.stdout
    assert done.stdout.endswith("still off False\non again True\n"), done.stderr


def test_a_locale_without_vietnamese_letters_does_not_fail(program: object) -> None:
    ascii = {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"}
    done = program("import gradrepl\ngradrepl.embed(lang='vi')\n", "'vi\\u1ec7t'", **ascii)  # type: ignore[operator]
    assert done.returncode == 0, done.stderr
    assert "vi\\u1ec7t" in done.stdout


def test_a_language_that_is_none_is_refused_before_anything_is_shown() -> None:
    with pytest.raises(ValueError, match="lang must be one of en, vi, both, not 'fr'"):
        gradrepl.embed(lang="fr")  # type: ignore[arg-type]


def test_import_gradrepl_alone_loads_nothing_else() -> None:
    source = "import sys, gradrepl; print([n for n in sys.modules if n.startswith(('gradrepl.', 'rich', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, encoding="utf-8", check=False)
    assert done.stdout == "[]\n", done.stderr
