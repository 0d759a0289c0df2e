"""The event stream is what docs/json.md says."""

from __future__ import annotations

import json

from gradrepl.record import json_lines
from gradrepl.session.outcome import Failure, GradMode, Outcome, Output, TensorRow, Warned

ON, OFF = GradMode(True, ()), GradMode(False, ("no_grad",))
ROW = TensorRow("y", (1,), "torch.float32", True, False, "MulBackward0", None, "[2.]", ("name",))
OUTCOME = Outcome(
    "b.grad\n",
    1,
    (Output("stdout", "một\n"), Output("stderr", "no"), Output("echo", "1"), Output("echo", "2")),
    (Warned("UserWarning", "The .grad", 1),),
    Failure("RuntimeError", "element 0", "Traceback ...", 1),
    OFF,
    ON,
    ON,
    (),
    (ROW,),
)


def test_the_first_line_names_the_format() -> None:
    assert json.loads(json_lines.header("builtin", "vi")) == {
        "format": "gradrepl-events",
        "version": 1,
        "engine": "builtin",
        "lang": "vi",
    }


def test_an_event_has_exactly_the_keys_of_the_format() -> None:
    assert json.loads(json_lines.event(OUTCOME, "no-grad", "block")) == {
        "lesson": "no-grad",
        "step": "block",
        "source": "b.grad\n",
        "stdout": "một\n",
        "value": "1\n2",
        "warnings": [{"category": "UserWarning", "message": "The .grad"}],
        "error": {"type": "RuntimeError", "message": "element 0"},
        "grad_mode": {"enabled": False, "stack": ["no_grad"]},
        "tensors": [
            {
                "name": "y",
                "shape": [1],
                "dtype": "torch.float32",
                "requires_grad": True,
                "is_leaf": False,
                "grad_fn": "MulBackward0",
                "grad": None,
                "value": "[2.]",
                "changed": ["name"],
            }
        ],
    }


def test_an_event_is_one_line_of_ascii() -> None:
    line = json_lines.event(OUTCOME)
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["lesson"] is None
