"""Random programs of operations, views, in-place writes, grad modes and backward calls, run on both engines."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.running import has_torch, shown_by

COUNT = int(os.environ.get("GRADREPL_PROGRAMS", "300"))
SHAPES = ("(2, 3)", "(3,)", "(2, 1)", "()", "(1, 3)")

PRELUDE = """
def show(name, t):
    flat = [float(v) + 0.0 for v in t.detach().reshape(-1)]
    node = None if t.grad_fn is None else type(t.grad_fn).__name__
    version = "" if name.endswith(".grad") else t._version
    print(name, tuple(t.shape), flat, t.requires_grad, t.is_leaf, node, version)

def attempt(action):
    try:
        action()
    except Exception as error:
        print(type(error).__name__, str(error))

def leaf(shape, start, requires_grad):
    count = 1
    for side in shape:
        count *= side
    values = torch.tensor([((start + 3 * i) % 7 - 2) / 2 for i in range(count)])
    return values.reshape(shape).clone().requires_grad_(requires_grad)
"""

UNARY = (
    "-{0}",
    "{0}.exp()",
    "{0} ** 2",
    "{0}.sigmoid()",
    "{0}.tanh()",
    "{0}.relu()",
    "{0} * 0.5",
    "1 - {0}",
    "{0} + 1",
)
SHAPING = (
    "{0}.sum()",
    "{0}.mean()",
    "{0}.clone()",
    "{0}.detach()",
    "{0}.reshape(-1)",
    "{0}.unsqueeze(0)",
    "{0}.t()",
    "{0}[0]",
    "{0}[..., :2]",
    "{0}[None]",
    "{0}.squeeze()",
    "{0}.expand_as({1})",
    "{0}.transpose(0, -1)",
)
BINARY = ("{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / ({1} * {1} + 1)")
WRITES = (
    "{0}.add_({1})",
    "{0}.mul_({1})",
    "{0}.mul_(2)",
    "{0}.exp_()",
    "{0}.zero_()",
    "{0}[0] = 1.5",
    "{0}[...] = {1}",
    "{0}.sub_(1)",
    "{0}.copy_({1})",
)
MODES = ("torch.no_grad()", "torch.enable_grad()", "torch.set_grad_enabled(False)", "torch.set_grad_enabled(True)")


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Draw a program; every step stands alone and may fail, as long as it fails alike on both engines."""
    lines = [PRELUDE]
    names = []
    for index in range(draw(st.integers(1, 3))):
        name = f"x{index}"
        shape, start, needs = draw(st.sampled_from(SHAPES)), draw(st.integers(0, 6)), draw(st.booleans()) or index == 0
        lines.append(f"{name} = leaf({shape}, {start}, {needs})")
        names.append(name)
    for index in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(("make", "make", "make", "write", "mode", "backward", "grad")))
        first, second = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        if kind == "make":
            made = draw(st.sampled_from(UNARY + SHAPING + BINARY)).format(first, second)
            lines.append(f"y{index} = {first}\ndef step():\n    global y{index}\n    y{index} = {made}\nattempt(step)")
            names.append(f"y{index}")
        elif kind == "write":
            written = draw(st.sampled_from(WRITES)).format(first, second)
            lines.append(f"def step():\n    {written}\nattempt(step)")
        elif kind == "mode":
            mode, made = draw(st.sampled_from(MODES)), draw(st.sampled_from(UNARY + BINARY)).format(first, second)
            lines.append(
                f"y{index} = {first}\ndef step():\n    global y{index}\n    with {mode}:\n"
                f"        y{index} = {made}\nattempt(step)"
            )
            names.append(f"y{index}")
        elif kind == "backward":
            keep = draw(st.booleans())
            lines.append(f"attempt(lambda: {first}.sum().backward(retain_graph={keep}))")
        else:
            create = draw(st.booleans())
            lines.append(
                f"attempt(lambda: print([None if g is None else g.tolist() for g in torch.autograd.grad("
                f"{first}.sum(), x0, create_graph={create}, allow_unused=True)]) )"
            )
    lines.extend(f"show({name!r}, {name})" for name in dict.fromkeys(names))
    lines.extend(
        f"show('{name}.grad', {name}.grad) if {name}.is_leaf and {name}.grad is not None else None" for name in names
    )
    return "\n".join(lines) + "\n"


NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?")


def same(own: str, other: str) -> bool:
    """Whether two outputs are equal, numbers within float32's rounding (1e-4 relative, 1e-5 absolute)."""
    if NUMBER.sub("#", own) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(own), NUMBER.findall(other), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=1e-4, abs_tol=1e-5) for a, b in pairs)


MADE: set[str] = set()
"""The programs that were compared."""


@pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed: there is nothing to compare programs with")
@settings(max_examples=COUNT, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs())
def test_a_program_does_the_same_on_both_engines(source: str) -> None:
    own, other = shown_by(source, "builtin"), shown_by(source, "torch")
    MADE.add(source)
    assert same(own, other), f"{source}\n--- builtin\n{own}\n--- PyTorch\n{other}"


@pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed: there is nothing to compare programs with")
def test_programs_are_counted(tell: Callable[[str], None]) -> None:
    if not MADE:
        pytest.skip("no program was run before: the test above was left out")
    tell(f"{len(MADE)} random programs with PyTorch")
    assert len(MADE) > COUNT // 2
