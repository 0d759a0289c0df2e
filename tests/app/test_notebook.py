"""`%load_ext gradrepl`: the table after each cell of IPython, and of a notebook."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(find_spec("IPython") is None, reason="IPython is not installed")
BEGIN = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def cell(source):
    print("=" * 8, "cell")
    result = shell.run_cell(source)
def load():
    shell.run_line_magic("load_ext", "gradrepl")
"""
WITHOUT_TORCH = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch" and name not in sys.modules:
            raise ModuleNotFoundError(name)
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "torch" else real(name, package)
sys.meta_path.insert(0, NoTorch())
"""
Cells = Callable[..., list[str]]


@pytest.fixture
def cells(environment: dict[str, str], tmp_path: Path) -> Cells:
    """Runs lines of Python with a shell of IPython and returns what each cell showed."""

    def run(source: str, **more: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", BEGIN + textwrap.dedent(source)],
            capture_output=True,
            encoding="utf-8",
            env={**environment, "IPYTHONDIR": str(tmp_path), **more},
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [part.strip("\n") for part in done.stdout.split("======== cell")]

    return run


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_each_cell_shows_what_it_changed(cells: Cells) -> None:
    shown = cells("""
        load()
        cell("import torch; x = torch.ones(2, requires_grad=True)")
        cell("with torch.no_grad():\\n    y = x * 2")
        cell("a = 1")
        cell("(x * 3).sum().backward(); del y")
        cell("1/0")
        shell.run_line_magic("unload_ext", "gradrepl")
        cell("z = x * 2")
    """)
    assert shown[1] == "x: requires_grad = True; grad_fn = None; grad = None [new]"
    assert shown[2].startswith("grad mode: off (no_grad), then on\ny: requires_grad = False; ")
    assert shown[3] == ""
    assert shown[4] == "x: requires_grad = True; grad_fn = None; grad = [3., 3.] [changed: grad]\ny: gone"
    assert "ZeroDivisionError" in shown[5]
    assert shown[6] == ""


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_errors_and_warnings_are_explained_below_what_ipython_shows(cells: Cells) -> None:
    shown = cells("""
        load()
        cell("import torch; x = torch.ones(2)\\nx.sum().backward()")
        cell("torch.autogard")
        cell("y = torch.ones(2, requires_grad=True) * 2; y.grad")
        cell("a = 1")
    """)
    assert shown[1].index("RuntimeError") < shown[1].index("\n=> `backward()`")
    assert "Did you mean `torch.autograd`?" in shown[2]
    assert "=> You read `.grad` of a tensor" in shown[3]
    assert shown[4] == ""


def test_without_pytorch_import_torch_gives_our_own_until_unloaded(cells: Cells) -> None:
    shown = cells(
        WITHOUT_TORCH
        + textwrap.dedent("""
        load()
        cell("import torch; x = torch.ones(1, requires_grad=True)")
        shell.run_line_magic("unload_ext", "gradrepl")
        cell("import torch")
        """)
    )
    assert "PyTorch is not installed" in shown[0]
    assert shown[1] == "x: requires_grad = True; grad_fn = None; grad = None [new]"
    assert "ModuleNotFoundError" in shown[2]


def test_a_notebook_gets_html_and_plain_lines(cells: Cells) -> None:
    shown = cells(
        WITHOUT_TORCH
        + textwrap.dedent("""
        load()
        shell.kernel = None
        shell.display_pub.publish = lambda data, *rest, **more: print(data["text/plain"], data["text/html"], sep="|")
        cell("import torch; x = torch.ones(1, requires_grad=True)")
        cell("b = '<script>'")
        """)
    )
    text, html = shown[1].split("|")
    assert text == "x: requires_grad = True; grad_fn = None; grad = None [new]"
    assert html.startswith("<pre style=")
    assert "requires_grad" in html
    assert "\x1b" not in html
    assert shown[2] == ""


def test_the_tables_speak_the_learners_language(cells: Cells) -> None:
    source = WITHOUT_TORCH + "load()\ncell('import torch; x = torch.ones(1)')"
    assert cells(source, LC_ALL="", LANG="vi_VN.UTF-8", PYTHONIOENCODING="utf-8")[1].endswith("[mới]")
