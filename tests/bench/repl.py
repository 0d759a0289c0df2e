"""Print how quick the prompt is compared with a bare prompt_toolkit prompt, side by side in one run.

python tests/bench/repl.py [--rounds N] [FIGURE ...]

Both run in a pty of 100x30, in turn. Each row is a median over the rounds, but for p99; the ratio is what counts, as
absolute times are noise on a busy machine, and the last column is the ratio of the quickest rounds. Memory is compared
with prompt_toolkit, numpy and rich in one process. --installed measures the package in this Python's site-packages,
which is what users have; otherwise it is the working tree.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
INSTALLED = "--installed"
COLUMNS, LINES = 100, 30
LIMIT = 30.0
KEYS = "the quick brown fox jumps over the lazy dog "
PASTED = "\n".join(f"v{number} = {number} + {number}" for number in range(200))
BARE = """
from prompt_toolkit import PromptSession
from prompt_toolkit.key_binding import KeyBindings
{more}
keys = KeyBindings()
keys.add("enter")(lambda event: event.current_buffer.validate_and_handle())
session, names = PromptSession(">>> ", multiline=True, key_bindings=keys), {{}}
while True:
    try:
        exec(session.prompt(), names)
    except KeyboardInterrupt:
        print("KeyboardInterrupt")
"""
TARGETS: dict[str, list[str]] = {
    "bare": ["-c", BARE.format(more="")],
    "full": ["-c", BARE.format(more="import numpy, rich.console, rich.table")],
    "ours": ["-m", "gradrepl"],
}


class Prompt:
    """A prompt in a terminal of its own, its home a new folder with a history of some lines."""

    def __init__(self, target: str, history: int = 0) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.data = b""
        if history:
            self._remember(history)
        variables = {**os.environ, "HOME": self.home.name, "XDG_STATE_HOME": self.home.name, "TERM": "xterm-256color"}
        variables |= {"LC_ALL": "C.UTF-8"} if INSTALLED in sys.argv else {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        self.started = time.perf_counter()
        self.process, self.file = pty.fork()
        if self.process == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.chdir(self.home.name)  # nothing is imported from where the bench was started
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
            os.execve(sys.executable, [sys.executable, *TARGETS[target]], variables)

    def _remember(self, count: int) -> None:
        folder = Path(self.home.name) / "gradrepl"
        folder.mkdir()
        lines = "".join(f"\n+the number_{line} = torch.tensor({line})\n" for line in range(count))
        (folder / "history").write_text(lines, "utf-8")

    def send(self, text: str) -> float:
        """Send keys; returns the time."""
        self.data = b""
        now = time.perf_counter()
        os.write(self.file, text.encode())
        return now

    def wait(self, pattern: str) -> float:
        """The time at which the output since the last `send` first matched."""
        end = time.perf_counter() + LIMIT
        while not re.search(pattern.encode(), self.data):
            if time.perf_counter() > end or not self.pump(1.0):
                raise SystemExit(f"{pattern!r} never came; the output was {self.data!r}")
        return time.perf_counter()

    def pump(self, seconds: float) -> bool:
        """Take what was written within `seconds`; False at the end of the program."""
        if not select.select([self.file], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.file, 1 << 16)
        except OSError:
            return False
        if b"\x1b[6n" in data:
            os.write(self.file, b"\x1b[1;1R")
        self.data += data
        return bool(data)

    def rest(self, seconds: float = 0.15) -> None:
        """Let it come to rest."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0 and self.pump(left):
            pass

    def peak(self) -> float:
        """The most memory it had, in MiB."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def close(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.file)
        self.home.cleanup()


def start(prompt: Prompt) -> list[float]:
    return [prompt.wait(">>>") - prompt.started]


def first_key(prompt: Prompt) -> list[float]:
    prompt.wait(">>>")
    prompt.send("q")
    return [prompt.wait("q") - prompt.started]


def ready(prompt: Prompt) -> None:
    """Wait until the prompt has loaded everything."""
    prompt.wait(">>>")
    prompt.send("y = print('lo' + 'aded')\r")
    prompt.wait(r"(?s)loaded.*>>>")
    prompt.rest(0.4)


def entered(prompt: Prompt, source: str) -> float:
    prompt.send(source)
    prompt.rest()
    began = prompt.send("\r")
    ended = prompt.wait(r"(?s)\n.*>>>")
    prompt.rest()
    return ended - began


def enter(prompt: Prompt) -> list[float]:
    ready(prompt)
    return [entered(prompt, "x = 1") for _ in range(5)]


def keys(prompt: Prompt) -> list[float]:
    ready(prompt)
    times = []
    for key in KEYS * 2:
        began = prompt.send(key)
        times.append(prompt.wait(r"\x1b\[C| " if key == " " else key) - began)
        prompt.rest(0.03)
    return times


def paste(prompt: Prompt) -> list[float]:
    ready(prompt)
    began = prompt.send(f"\x1b[200~{PASTED}\x1b[201~")
    return [prompt.wait(r"v199") - began]


def interrupt(prompt: Prompt) -> list[float]:
    ready(prompt)
    prompt.send("exec('while True: pass')\r")
    prompt.rest(0.3)
    began = prompt.send("\x03")
    return [prompt.wait(">>>") - began]


def table(prompt: Prompt) -> list[float]:
    """What ten changed tensors add to an Enter."""
    ready(prompt)
    entered(prompt, "; ".join(f"t{number} = torch.ones(3)" for number in range(10)))
    entered(prompt, "ts = [v for k, v in globals().items() if k[0] == 't' and k[1:].isdigit()]")
    bare = statistics.median(entered(prompt, "x = 1") for _ in range(3))
    return [entered(prompt, "for t in ts: t.add_(1)\n") - bare for _ in range(3)]


def memory(prompt: Prompt) -> list[float]:
    ready(prompt)
    return [prompt.peak() / 1000]


class Figure(NamedTuple):
    """What is measured, against what, and the aim: a ratio, or seconds where there is nothing to compare with."""

    name: str
    measure: Callable[[Prompt], list[float]]
    aim: float
    against: str | None = "bare"
    history: int = 0
    share: float = 0.5


FIGURES = (
    Figure("start", start, 1.15),
    Figure("first key", first_key, 1.2),
    Figure("Enter on x = 1", enter, 1.3),
    Figure("key p50", keys, 1.3),
    Figure("key p50, 10,000 lines", keys, 1.3, history=10_000),
    Figure("key p99, 10,000 lines", keys, 0.010, None, history=10_000, share=0.99),
    Figure("200 pasted lines", paste, 2.0),
    Figure("memory (MiB)", memory, 1.2, "full"),
    Figure("Ctrl-C", interrupt, 0.050, None),
    Figure("table of 10 tensors", table, 0.015, None),
)


def measured(figure: Figure, target: str) -> list[float]:
    prompt = Prompt(target, figure.history if target == "ours" else 0)
    try:
        return figure.measure(prompt)
    finally:
        prompt.close()


def row(figure: Figure, rounds: int) -> str:
    ours, other = list[float](), list[float]()
    for _ in range(rounds):
        if figure.against:
            other += measured(figure, figure.against)
        ours += measured(figure, "ours")
    time_of = sorted(ours)[min(int(len(ours) * figure.share), len(ours) - 1)]
    if not other:
        verdict = "ok" if time_of <= figure.aim else "MISSED"
        return f"{figure.name:<24}{time_of * 1000:9.1f}{'':17}{figure.aim * 1000:8.0f} {verdict}"
    reference = sorted(other)[int(len(other) * figure.share)]
    ratio = time_of / reference
    verdict = "ok" if ratio <= figure.aim else "MISSED"
    figures = f"{time_of * 1000:9.1f}{reference * 1000:9.1f}{ratio:8.2f}{figure.aim:8.2f}"
    return f"{figure.name:<24}{figures} {verdict:<7}{min(ours) / min(other):8.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="How quick the prompt is.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(INSTALLED, action="store_true", help="measure the installed package, not the working tree")
    parser.add_argument("figures", nargs="*", help="start of a figure's name; all, unless given")
    wanted = parser.parse_args()
    print(f"{'':<24}{'ours ms':>9}{'bare ms':>9}{'ratio':>8}{'aim':>8}{'':8}{'minima':>8}")
    for figure in FIGURES:
        if not wanted.figures or figure.name.startswith(tuple(wanted.figures)):
            print(row(figure, wanted.rounds), flush=True)


if __name__ == "__main__":
    main()
