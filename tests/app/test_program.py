"""Programs: `-c`, `run`, standard input; what they print and how they end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess, Popen

import pytest

Run = Callable[..., CompletedProcess[str]]
PROGRAM = """\
import torch
x = torch.tensor([1.], requires_grad=True)
with torch.no_grad():
    y = x * 2
y.requires_grad
"""
SLOW = """\
+++
id = "slow"
title.en = "Slow"
title.vi = "Chậm"
goal.en = "Wait."
goal.vi = "Chờ."
+++

## one
<!--vi-->
Chờ.
<!--en-->
Wait.
<!--code-->
```pycon
>>> import time
>>> print("sleeping", flush=True); time.sleep(100)
sleeping
>>> "never"
'never'

```
"""
SHOWN = """\
x: requires_grad = True; grad_fn = None; grad = None [new]
grad mode: off (no_grad), then on
y: requires_grad = False; grad_fn = None; grad = None [new]
False
"""


@pytest.mark.parametrize("options", [(), ("--plain",), ("--color", "never"), ("--lang", "en")])
def test_a_program_in_a_pipe_shows_plain_lines(gradrepl: Run, options: tuple[str, ...]) -> None:
    assert gradrepl(*options, "-c", PROGRAM).stdout == SHOWN
    assert gradrepl("-c", PROGRAM, *options).stdout == SHOWN
    assert gradrepl(*options, input=PROGRAM).stdout == SHOWN


def test_run_shows_the_statements_too(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text(PROGRAM)
    done = gradrepl("run", "p.py")
    assert done.stdout.startswith(">>> import torch\n>>> x = torch.tensor([1.], requires_grad=True)\nx: requires")
    assert ">>> with torch.no_grad():\n...     y = x * 2\ngrad mode: off" in done.stdout
    assert done.stdout.endswith(">>> y.requires_grad\nFalse\n")


def test_a_statement_is_shown_before_what_it_prints(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text("print('a')\nprint('b')\n")
    assert gradrepl("run", "p.py").stdout == ">>> print('a')\na\n>>> print('b')\nb\n"


@pytest.mark.parametrize("last", ["1/0", "exit()"])
def test_nothing_is_shown_of_what_does_not_run(gradrepl: Run, tmp_path: Path, last: str) -> None:
    (tmp_path / "p.py").write_text(f"print('a')\n{last}\nprint('b')\n")
    done = gradrepl("run", "p.py")
    assert done.stdout.startswith(f">>> print('a')\na\n>>> {last}\n") and "'b'" not in done.stdout


@pytest.mark.parametrize(
    ("code", "status"),
    [("1", 0), ("1/0", 1), ("exit(3)", 3), ("import sys; sys.exit('no')", 1), ("raise KeyboardInterrupt", 130)],
)
def test_the_exit_status_is_pythons(gradrepl: Run, code: str, status: int) -> None:
    assert gradrepl("-c", code).returncode == status
    assert gradrepl(input=code).returncode == status
    assert gradrepl("-c", code, "--json").returncode == status


def test_an_error_goes_to_standard_error_and_ends_the_program(gradrepl: Run) -> None:
    done = gradrepl("-c", "print(1)\n1/0\nprint(2)")
    assert done.stdout == "1\n"
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert "gradrepl" not in done.stderr


def test_json_is_the_header_and_one_line_a_statement(gradrepl: Run) -> None:
    lines = [json.loads(line) for line in gradrepl("--json", "-c", PROGRAM, "--lang", "vi").stdout.splitlines()]
    assert lines[0] == {"format": "gradrepl-events", "version": 1, "engine": "builtin", "lang": "vi"}
    assert [event["source"] for event in lines[1:]][1] == "x = torch.tensor([1.], requires_grad=True)\n"
    assert lines[3]["grad_mode"] == {"enabled": False, "stack": ["no_grad"]}
    assert lines[4]["value"] == "False"
    assert (lines[1]["lesson"], lines[1]["step"]) == (None, None)


def test_json_keeps_standard_output_clean(gradrepl: Run) -> None:
    done = gradrepl("--json", "-c", "import sys; print('out'); print('err', file=sys.stderr); 1/0")
    events = [json.loads(line) for line in done.stdout.splitlines()][1:]
    assert "".join(event["stdout"] for event in events) == "out\n"
    assert events[-1]["error"] == {"type": "ZeroDivisionError", "message": "division by zero"}
    assert done.stderr == "err\n"


def test_printed_escapes_do_not_reach_the_terminal(gradrepl: Run) -> None:
    assert gradrepl("-c", r"print('\x1b[2J'); '\x1b'").stdout == "\\x1b[2J\n'\\x1b'\n"


def test_letters_that_the_encoding_lacks_are_escaped(gradrepl: Run) -> None:
    done = gradrepl("-c", "print('việt')", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONCOERCECLOCALE="0")
    assert (done.stdout, done.returncode) == ("vi\\u1ec7t\n", 0)


def test_ascii_tables_where_the_encoding_has_no_lines(gradrepl: Run) -> None:
    done = gradrepl("-c", PROGRAM, "--color", "always", PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    assert "requires_grad" in done.stdout


@pytest.mark.parametrize(
    ("variables", "options", "colored"),
    [
        ({}, ("--color", "always"), True),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1"}, ("--color", "never"), False),
        ({"FORCE_COLOR": "1"}, ("--plain",), False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, (), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
        ({"TERM": "dumb"}, ("--color", "always"), False),
        ({}, (), False),
    ],
)
def test_colour_is_used_where_it_is_wanted(
    gradrepl: Run, variables: dict[str, str], options: tuple[str, ...], colored: bool
) -> None:
    assert ("\x1b[1;32m" in gradrepl("-c", PROGRAM, *options, **variables).stdout) == colored


def test_a_file_that_is_not_there_is_one_clear_line(gradrepl: Run) -> None:
    done = gradrepl("run", "nope.py")
    assert done.returncode == 2
    assert done.stderr == ("gradrepl: can't read nope.py: No such file or directory. Give the path of a Python file.\n")


def test_a_file_that_is_not_text_is_one_clear_line(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "p.py").write_bytes(b"x = '\xff'\n")
    done = gradrepl("run", "p.py")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "p.py is not text in UTF-8" in done.stderr


def test_a_program_sees_itself_as_a_script(gradrepl: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "helper.py").write_text("A = 5\n")
    (tmp_path / "folder" / "p.py").write_text("import sys, helper\nprint(helper.A, sys.argv, __name__, __file__)\n")
    done = gradrepl("run", "folder/p.py")
    assert done.stdout.endswith("\n5 ['folder/p.py'] __main__ folder/p.py\n")


def test_code_that_starts_with_a_dash_is_code(gradrepl: Run) -> None:
    assert gradrepl("-c", "-True").stdout == "-1\n"


@pytest.mark.parametrize("option", ["--plain", "--json", "--color=always"])
def test_a_reader_that_goes_away_is_no_error(environment: dict[str, str], option: str) -> None:
    command = [sys.executable, "-m", "gradrepl", option, "-c", "for n in range(9999): n"]
    with Popen(command, stdout=PIPE, stderr=PIPE, stdin=DEVNULL, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["lessons"], ["play", "1"], ["check"]])
def test_a_full_disk_is_one_clear_line(environment: dict[str, str], arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "gradrepl", *arguments]
        done = subprocess.run(
            command, stdout=full, stderr=PIPE, stdin=DEVNULL, env=environment, encoding="utf-8", check=False
        )
    assert done.returncode == 1
    assert done.stderr == "gradrepl: [Errno 28] No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as a POSIX shell does")
@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(environment: dict[str, str], closing: str) -> None:
    command = f"'{sys.executable}' -m gradrepl -c 'import sys; sys.exit(5)' {closing}"
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (5, b"")


def test_ctrl_c_stops_a_lesson(environment: dict[str, str], tmp_path: Path) -> None:
    lesson = tmp_path / "slow.md"
    lesson.write_text(SLOW, "utf-8")
    command = [sys.executable, "-u", "-m", "gradrepl", "play", "--trust", str(lesson)]
    with Popen(command, stdout=PIPE, stderr=PIPE, env=environment, stdin=DEVNULL, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "sleeping" not in (line := process.stdout.readline()):
            assert line, process.stderr.read()
        process.send_signal(signal.SIGINT)
        assert "never" not in process.stdout.read()
        assert process.stderr.read() == "Interrupted.\n"
    assert process.returncode == 130
