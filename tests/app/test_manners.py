"""Manners in a real terminal and by construction: Ctrl-C at once, Ctrl-D, a home that is broken, no Unix-only call."""

from __future__ import annotations

import ast
import os
import re
import time
from pathlib import Path

import pytest
from app.test_terminal import LIMIT, Open, terminal  # noqa: F401

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted((ROOT / "gradrepl").rglob("*.py"))
UNIX_ONLY = re.compile(r"(fcntl|termios|tty|pty|pwd|grp|resource|syslog|curses|readline|crypt|posix)\b")
UNIX_CALLS = re.compile(
    r"fork|forkpty|openpty|gete?[ug]id|sets?id|setpgid|killpg|getpgrp|tcsetpgrp|mkfifo|uname|getloadavg|nice|f?chown"
    r"|fchmod|wait[34]|statvfs|set_blocking|SIG(KILL|HUP|QUIT|ALRM|USR1|TSTP|CONT|WINCH|PIPE)|alarm|setitimer|pause"
    r"|sigwait|pthread_kill|add_signal_handler"
)
in_terminal = pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")


def unix_only(source: str) -> list[str]:
    """What a module imports or calls that Windows hasn't, outside of functions that ask which system it is."""
    found, tree = [], ast.parse(source)
    guarded = {id(part) for node in ast.walk(tree) if asks_for_system(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if UNIX_ONLY.match(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or ""] if UNIX_ONLY.match(node.module or "") else []
            if node.module in ("os", "signal"):
                found += [alias.name for alias in node.names if UNIX_CALLS.fullmatch(alias.name)]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found += [node.attr] if node.value.id in ("os", "signal") and UNIX_CALLS.fullmatch(node.attr) else []
    return found


def asks_for_system(node: ast.AST) -> bool:
    """Whether a node is a function that goes another way on Windows."""
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(part, ast.If)
        and ast.unparse(part.test) == "os.name == 'nt'"
        and isinstance(part.body[-1], ast.Return)
        for part in node.body
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_needs_unix(path: Path) -> None:
    assert unix_only(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source", ["import fcntl", "from os import fork", "os.getuid()", "import a, pty", "signal.alarm(1)"]
)
def test_what_needs_unix_would_be_found(source: str) -> None:
    assert len(unix_only(source)) == 1


RUNNING = (
    "exec('while True: pass')",
    "__import__('time').sleep(60)",
    "exec('x = torch.ones(2)\\nwhile True: x = x + 1')",
    "sum(i for i in iter(int, 1))",
)


@in_terminal
def test_ctrl_c_stops_running_code_and_keeps_the_prompt(terminal: Open) -> None:  # noqa: F811
    screen = terminal()
    screen.wait(">>>")
    for number, code in enumerate(RUNNING * 2, 1):
        screen.send(f"print('run', {number}); {code}\r")
        screen.wait(rf"\nrun {number}\b")
        begin, end = len(screen.raw), time.monotonic() + LIMIT
        screen.send("\x03")
        while b"KeyboardInterrupt" not in screen.raw[begin:]:
            assert screen.pump() and time.monotonic() < end, screen.text
        screen.send(f"'alive', {number}\r")
        screen.wait(rf"\n\('alive', {number}\)\n")


@in_terminal
def test_ctrl_d_on_an_empty_line_leaves_at_once(terminal: Open) -> None:  # noqa: F811
    screen = terminal()
    screen.wait(">>>")
    screen.send("abc\x04")
    screen.wait(">>> abc")
    screen.send("\x15")
    screen.send("\x04")
    assert screen.end() == 0


@in_terminal
def test_a_broken_home_loses_the_history_only_and_says_so_once(terminal: Open, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "file").write_text("where the home should be")
    screen = terminal(HOME=str(tmp_path / "file"))
    screen.wait(">>>")
    screen.send("1 + 1\r")
    screen.wait(r"\n2\n")
    screen.wait("What you type is not kept for next time")
    screen.send("2 + 3\r")
    screen.wait(r"\n5\n")
    assert screen.text.count("is not kept for next time") == 1
    screen.send("exit(3)\r")
    assert screen.end() == 3


@in_terminal
def test_the_config_file_holds_at_a_terminal_and_its_mistakes_are_said(terminal: Open, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "config" / "gradrepl"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('lang = "vi"\ntable = "always"\nthem = "dark"\n', "utf-8")
    screen = terminal(XDG_CONFIG_HOME=str(tmp_path / "config"), columns=120)
    screen.wait(r"config.toml:3: không có thiết lập them")
    screen.wait(r"chế độ gradient: bật \| builtin \| vi")
    screen.send("x = torch.ones(1)\r")
    screen.wait(r"\+ x ")
    screen.send("1\r")
    screen.wait(r"(?s)\+ x .*\n1\n.*  x ")
    screen.send(":set lang en --save\r")
    screen.wait(r"lang = en  language")
    assert 'lang = "en"' in (folder / "config.toml").read_text("utf-8")
    other = terminal("--lang", "vi", XDG_CONFIG_HOME=str(tmp_path / "config"))
    other.wait(r"builtin \| vi")
