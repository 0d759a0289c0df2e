"""The command as a process of its own, in a clean environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.typist import Typist

from gradrepl.app.options import Options, Terminal
from gradrepl.app.repl import Repl

ROOT = Path(__file__).parent.parent.parent
ENGINES = ["builtin", *(["torch"] if find_spec("torch") else [])]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An English UTF-8 locale, a home of its own, no colour settings."""
    dropped = ("LANGUAGE", "LC_MESSAGES", "NO_COLOR", "FORCE_COLOR", "XDG_STATE_HOME", "XDG_DATA_HOME", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {
        **kept,
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "0",
        "TERM": "xterm-256color",
    }


@pytest.fixture
def gradrepl(environment: dict[str, str], tmp_path: Path) -> Run:
    """Runs `gradrepl ARGUMENTS`; input: what it gets on standard input; more: environment variables."""

    def run(*arguments: str, input: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gradrepl", *arguments],
            input=input,
            capture_output=True,
            encoding="utf-8",
            env={**environment, **more},
            cwd=tmp_path,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(params=ENGINES)
def shown(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """What the last of several inputs shows, line by line."""

    def type_in(*inputs: str, speech: str = "en", drawn: bool = False) -> list[str]:
        options = Options(speech=speech, engine=request.param, plain=not drawn)  # type: ignore[arg-type]
        marked = (*inputs[:-1], "print('=' * 9)", inputs[-1])
        Repl(options, Terminal(drawn, False, True), Typist(*marked)).loop()  # type: ignore[arg-type]
        out = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
        return out.partition("=" * 9 + "\n")[2].splitlines()

    return type_in
