"""Whatever is typed or pasted, the prompt goes on, keeps its names and leaves the terminal as it was."""

from __future__ import annotations

import io
import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from gradrepl.app.line.history import QuietHistory
from gradrepl.app.line.prompt import PromptReader
from gradrepl.app.options import Options, Terminal
from gradrepl.app.repl import Repl

# GRADREPL_JUNK=10000 makes ten runs of 1,000, each with a seed of its own, in some 15 minutes. prompt_toolkit keeps a
# little of every prompt that there was, so the process grows. Ctrl-C only ends what the prompt runs: SIGTERM stops it.
EXAMPLES = int(os.environ.get("GRADREPL_JUNK", "300"))
EACH = min(EXAMPLES, 1000)
LAST_KEYS = "\x1b[201~\x03\x03\x03alive = kept + 1\r\x04"
VIETNAMESE = "với tensor đạo hàm của ệ là gì"
HALVES = (
    *("x = ", "with torch.no_grad():", "    y = x * 2", "def f(", "'''", '"', "[1, 2", "})", "x.", "torch.", "x?"),
    *("?x", ">>> x", "... y", "In [3]: ", ">>> a>>> b", "tensor([1.])>>> y", "y = x * 2>>> y.requires_grad"),
    *(":", ":t", ":nẽt", "\\", "# ", "1/0", "lambda", "await x", "x = torch.ones(2, requires_grad=True)"),
    *("(x * 2).sum().backward()", "\0", VIETNAMESE, unicodedata.normalize("NFD", VIETNAMESE)),
    *("vie\x7fê\x7f\x7fiệt", "\ud800", "👩\u200d🔬", "\u202e", "\x9b31m"),
)
KEYS = (
    *("\r", "\n", "\t", "\x7f", "\x08", "\x03", "\x12", "\x0f", "\x16", "\x17", "\x0b", "\x19", "\x1f", "\x1a"),
    *("\x1c", "\x1b", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~", "\x1b[200~"),
    *("\x1b[201~", "\x1b[99;9R", "\x1b\r", "\x1b5", "\x18\x05", "\x00", "\x1b[1;5C", "\x1b[Z", "\x1bOP"),
)
PASTES = st.lists(st.sampled_from(HALVES), max_size=5).map(lambda lines: "\x1b[200~" + "\n".join(lines) + "\x1b[201~")
WORDS = st.text(st.characters(exclude_characters=":;\x04"), max_size=12)  # Ctrl-D is meant to leave
JUNK = st.lists(st.one_of(st.sampled_from(HALVES), st.sampled_from(KEYS), PASTES, WORDS), max_size=12).map("".join)


def typed(junk: str, history: Path) -> tuple[Repl, dict[str, object], str]:
    """Type into a prompt; returns it, its names and what it wrote to the terminal."""
    history.unlink(missing_ok=True)
    terminal = io.StringIO()
    with create_pipe_input() as keys:
        output = Vt100_Output(terminal, lambda: Size(30, 100), enable_cpr=False)
        reader = PromptReader(QuietHistory(history), input=keys, output=output)
        repl = Repl(Options(plain=True), Terminal(False, False, True), reader)
        names = repl.session.names
        names["kept"] = 41
        keys.send_bytes((junk + LAST_KEYS).encode("utf-8", "surrogatepass"))
        repl.loop()
    return repl, names, terminal.getvalue()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.timeout(300 if EXAMPLES <= 300 else 0)
@pytest.mark.parametrize("run", range(EXAMPLES // EACH))
def test_junk_never_ends_the_prompt(run: int, elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    @seed(run)
    @settings(max_examples=EACH, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(junk=JUNK)
    def goes_on(junk: str) -> None:
        repl, names, drawn = typed(junk, elsewhere / "history")
        said = capsys.readouterr().out
        assert names["kept"] == 41
        assert names.get("alive") == 42
        assert repl.status == 0
        for on, off in (("?2004h", "?2004l"), ("?25l", "?25h"), ("?7l", "?7h")):
            assert re.findall(f"{re.escape(on)}|{re.escape(off)}", drawn)[-1] == off
        assert "\x9b" not in drawn + said
        assert "\x1b" not in said

    goes_on()
