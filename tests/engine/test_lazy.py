"""What of torch is there at once, and what comes when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gradrepl.engine.node import OpNode
from gradrepl.engine.tensor import Tensor

TOOL = Path(__file__).resolve().parents[1] / "tools" / "rest_names.py"
CHECK = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("rest_names", {str(TOOL)!r})
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
sys.exit(0 if tool.text() == tool.TARGET.read_text(encoding="utf-8") else "run python tests/tools/rest_names.py")
"""

USES = (
    "torch.autograd.gradcheck(torch.exp, torch.ones(1, dtype=torch.float64, requires_grad=True))",
    "torch.ones(2) @ torch.ones(2)",
    "torch.Tensor([1.0])",
    "import copy; copy.deepcopy(torch.ones(2))",
    "import pickle; pickle.loads(pickle.dumps(torch.ones(2)))",
    "from torch.nn import Linear; Linear(1, 1)",
    "import torch.nn.functional as F; F.relu(torch.ones(1))",
    "torch.ones(2).cumsum(0)",
    "torch.linalg.inv(torch.ones(1, 1))",
    "assert 'einsum' in dir(torch)",
    "x = torch.ones(2, 2, requires_grad=True); [row.sum().backward() for row in x]; assert x.grad.sum() == 4",
    "x = torch.ones(2); x.real = torch.zeros(2); assert x.sum() == 0",
    "assert 'cumsum' in dir(torch.ones(1)) and 'cumsum' in dir(torch.Tensor) and 'to_sparse' not in dir(torch.Tensor)",
    "x = torch.ones(1); x.to_sparse = 2; assert x.to_sparse == 2 and 'to_sparse' in dir(x)",
    "x = torch.ones(2); x %= 2; x //= 1; ~(x > 0) | (x > 1)",
)


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_the_lists_of_what_comes_later_are_right() -> None:
    result = run(CHECK)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("use", USES)
def test_what_comes_later_comes(use: str) -> None:
    start = "import sys, gradrepl.engine.torch as e; sys.modules.update(e.modules()); import torch\n"
    result = run(start + use)
    assert result.returncode == 0, result.stderr


def test_threads_that_ask_at_the_same_time_wait_for_what_comes_later() -> None:
    program = (
        "import sys, threading, gradrepl.engine.torch as e; sys.modules.update(e.modules()); import torch\n"
        "x, barrier, found = torch.ones(3), threading.Barrier(4), []\n"
        "def work(number):\n"
        "    barrier.wait()\n"
        "    found.append(x.cumsum(0) if number % 2 else torch.cumprod(x, 0))\n"
        "threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "sys.exit(len(found) != 4)"
    )
    result = run(program)
    assert result.returncode == 0, result.stderr


def test_python_looks_up_what_tensors_and_nodes_have_the_short_way() -> None:
    """With a `__getattr__` on its class reading any attribute of an object takes four times as long."""
    for kind in (Tensor, OpNode):
        assert not any({"__getattr__", "__getattribute__"} & vars(base).keys() for base in kind.__mro__[:-1])


def test_the_lessons_on_grad_modes_need_nothing_of_the_rest() -> None:
    program = (
        "import sys\nfrom gradrepl.app.cli import main\n"
        "try:\n    main(['play', *'1234567', '--json', '--no-input'])\nexcept SystemExit: pass\n"
        "sys.exit('gradrepl.engine.rest' in sys.modules)"
    )
    assert run(program).returncode == 0


def test_numpy_warns_in_no_thread_of_what_is_a_value_in_pytorch() -> None:
    code = (
        "import threading, warnings\n"
        "from gradrepl.engine import torch as builtin\n"
        "torch = builtin.modules()['torch']\n"
        "warnings.simplefilter('error')\n"
        "zero = torch.zeros(1)\n"
        "thread = threading.Thread(target=lambda: print(1 / zero, zero.log(), zero.log_(), torch.tensor(1.0) / 0))\n"
        "thread.start(); thread.join()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("tensor([inf]) tensor([-inf]) tensor([-inf]) tensor(inf)\n", "")
