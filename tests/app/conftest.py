"""The command as a process of its own, in a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An English UTF-8 locale, a home of its own, no colour settings."""
    dropped = ("LANGUAGE", "LC_MESSAGES", "NO_COLOR", "FORCE_COLOR", "XDG_STATE_HOME", "COLUMNS")
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
