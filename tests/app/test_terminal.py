"""The prompt in a real pseudo-terminal, seen through a terminal emulator."""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
LIMIT = 60.0


class Screen:
    """A program in a terminal of its own."""

    def __init__(self, arguments: list[str], environment: dict[str, str], columns: int = 80) -> None:
        import fcntl
        import pty
        import termios

        self.screen = pyte.HistoryScreen(columns, 40, history=1000)
        self.stream = pyte.Stream(self.screen)
        self.decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.raw = b""
        self.process, self.file = pty.fork()
        if self.process == 0:
            os.execve(sys.executable, [sys.executable, "-m", "gradrepl", *arguments], environment)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.screen.write_process_input = lambda data: os.write(self.file, data.encode())

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def send(self, text: str) -> None:
        os.write(self.file, text.encode())

    def wait(self, pattern: str) -> str:
        """The screen's text once it matches; fails after LIMIT seconds."""
        end = time.monotonic() + LIMIT
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, f"{pattern!r} never showed:\n{self.text}"
            assert self.pump(), f"ended before {pattern!r} showed:\n{self.text}"
        return self.text

    def enter(self, line: str, pattern: str) -> str:
        """Type a line and Enter; the screen's text once it matches."""
        self.send(f"{line}\r")
        return self.wait(pattern)

    def pump(self) -> bool:
        """Show what the program wrote; False at its end."""
        if not select.select([self.file], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(self.file, 65536)
        except OSError:
            return False
        self.raw += data
        self.stream.feed(self.decode(data))
        return bool(data)

    def end(self) -> int:
        """Wait for the program's end; returns its exit status."""
        end = time.monotonic() + LIMIT
        while self.pump():
            assert time.monotonic() < end, f"did not end:\n{self.text}"
        status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        self.process = 0
        return status

    def close(self) -> None:
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.file)


Open = Callable[..., Screen]


@pytest.fixture
def terminal(environment: dict[str, str]) -> Iterator[Open]:
    """Opens `gradrepl ARGUMENTS` in a terminal."""
    opened: list[Screen] = []

    def start(*arguments: str, columns: int = 80, **more: str) -> Screen:
        opened.append(Screen(list(arguments), {**environment, **more}, columns))
        return opened[-1]

    yield start
    for screen in opened:
        screen.close()


@pytest.fixture
def prompt(terminal: Open) -> Screen:
    """`gradrepl` in a terminal, waiting for the first line."""
    screen = terminal()
    screen.wait(">>>")
    return screen


def test_the_prompt_shows_a_table_and_a_toolbar(prompt: Screen) -> None:
    text = prompt.enter("x = torch.tensor([1., 2.], requires_grad=True)", r"\+ x +\[1., 2.\] +True +None +None +True")
    assert "name  value     requires_grad  grad_fn  grad  leaf" in text
    prompt.wait(r"grad mode: on \| builtin \| en \| :help")
    text = prompt.enter("with torch.no_grad():\ry = x * 2\r", r"grad mode: off \(no_grad\), then on")
    assert ">>> with torch.no_grad():\n...     y = x * 2\n" in text
    prompt.wait(r"\+ y .*\n\n>>>\s+grad mode: on \|")  # before the prompt reads, Ctrl-D is the terminal's
    prompt.send("\x04")
    assert prompt.end() == 0


def test_typing_before_the_prompt_is_there_is_not_lost(terminal: Open) -> None:
    screen = terminal()
    screen.enter("40 + 2", r"\n42\n")


def test_typing_while_code_runs_is_not_lost(prompt: Screen) -> None:
    prompt.enter("import time; time.sleep(1); print('slept')", r"print\('slept'\)\n")
    prompt.send("21 * 2\r21 *")
    prompt.wait(r"\nslept\n(.|\n)*\n42\n(.|\n)*>>> 21 \*")
    prompt.enter(" 3", r"\n63\n")


def test_tab_shows_what_may_follow_and_the_toolbar_the_call(prompt: Screen) -> None:
    prompt.enter("x = torch.ones(2)", r"\+ x")
    prompt.send("x.requires_g\t")
    prompt.wait(r">>> x.requires_grad\n +requires_grad\n +requires_grad_\n")
    prompt.send("\x03torch.tensor([1.], ")
    prompt.wait(r" tensor\(data, \*, dtype=None, .*\) \| grad mode: on")
    prompt.enter("requires\tTrue)", r"\ntensor\(\[1\.\], requires_grad=True\)\n")


def test_a_glued_transcript_is_pasted_as_code(prompt: Screen) -> None:
    prompt.send("\x1b[200~>>> a = 20 + 1>>> a * 2\x1b[201~")
    prompt.wait(r">>> a = 20 \+ 1\n\.\.\. a \* 2")
    prompt.send("\r")
    prompt.wait(r"\n42\n")


def test_ctrl_c_stops_a_loop_and_keeps_the_prompt(prompt: Screen) -> None:
    prompt.enter("n = 0\rprint('go')\rwhile True: n += 1\r", r"\ngo\n(.|\n)*while True")
    time.sleep(1)
    prompt.send("\x03")
    prompt.wait(r"KeyboardInterrupt\n")
    prompt.enter("n > 0", r"\nTrue\n")
    prompt.send("exit(3)\r")
    assert prompt.end() == 3


def test_output_of_a_long_loop_comes_while_it_runs(prompt: Screen) -> None:
    prompt.enter("import time\rfor n in range(2): print('turn', n); time.sleep(60 * n)\r", r"\nturn 0\nturn 1")


def test_history_comes_back_in_the_next_session(terminal: Open, tmp_path: Path) -> None:
    first = terminal()
    first.wait(">>>")
    first.enter("'something typed'", r"\n'something typed'\n\n*>>>\s+grad mode: on")
    first.send("\x04")
    first.end()
    second = terminal()
    second.wait(">>>")
    second.send("\x1b[A")
    second.wait(">>> 'something typed'")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(("speech", "words"), [("en", "Make a leaf"), ("vi", "Tạo một tensor lá")])
def test_a_lesson_in_a_terminal(terminal: Open, columns: int, speech: str, words: str) -> None:
    screen = terminal("learn", "1", "--lang", speech, columns=columns)
    screen.wait(">>> import torch")
    screen.enter("\r", f"2/.. +{words}(.|\n)*>>> x = torch.tensor")
    screen.send("\r")
    screen.wait(r"\+ x +\[1.\]")
    assert max(map(len, screen.text.splitlines())) <= columns


def test_a_dumb_terminal_gets_no_escapes(terminal: Open) -> None:
    screen = terminal(TERM="dumb")
    screen.wait(">>>")
    screen.enter("x = torch.ones(1)", r"x: requires_grad = False; grad_fn = None; grad = None \[new\]")
    screen.send("exit(4)\r")
    assert screen.end() == 4
    assert b"\x1b" not in screen.raw


@pytest.mark.parametrize(("arguments", "variables"), [((), {"NO_COLOR": "1"}), (("--color", "never"), {})])
def test_no_colour_where_none_is_wanted(terminal: Open, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
    screen = terminal(*arguments, **variables)
    screen.wait(">>>")
    screen.enter("def f(): return 1 # one\r\rx = torch.ones(1)", r"\+ x")
    colours = re.findall(rb"\x1b\[[\d;]*m", screen.raw)
    assert colours
    assert not [code for code in colours if re.search(rb"[;\[](?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;|m)", code)]


def test_play_waits_at_a_prediction(terminal: Open) -> None:
    screen = terminal("play", "1", "--typing", "off", "--speed", "8", "--max-wait", "0.5")
    screen.wait(r"Space go on")
    assert "What do you expect?" in screen.text
    screen.send("q")
    assert screen.end() == 0


def test_no_input_asks_nothing(terminal: Open) -> None:
    screen = terminal("play", "7", "--no-input")
    assert screen.end() == 0
    assert "Enter: go on" not in screen.raw.decode()


def test_the_graph_of_a_tensor_is_drawn_as_a_tree(prompt: Screen) -> None:
    prompt.enter("x = torch.tensor([1., 2.], requires_grad=True)", r"\+ x ")
    prompt.enter("y = (x * 3 * x).sum()", r"\+ y ")
    text = prompt.enter(":g y", r"\(see above\)|used 2 times")
    assert "#1 SumBackward0 = y" in text
    assert "└─ #2 MulBackward0  keeps other=x v0" in text
    assert "   │  └─ #4 x AccumulateGrad (2,)  shared: used 2 times" in text


def test_endless_printing_is_cut_and_ctrl_c_stops_it(terminal: Open) -> None:
    screen = terminal(columns=120)
    screen.wait(">>>")
    screen.enter("while True: print('again')\r", "more is printed than is shown; Ctrl-C stops it")
    screen.send("\x03")
    text = screen.wait(r"KeyboardInterrupt\s*\n>>>")
    assert "characters more were printed; :out shows what is kept" in text
    screen.enter("40 + 2", r"\n42\n")
