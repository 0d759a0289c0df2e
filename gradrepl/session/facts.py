"""What the learner's own code says about an error: which tensor, made or changed where."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from gradrepl.session.case import Case
from gradrepl.session.outcome import Fact, TensorRow
from gradrepl.session.past import BACKWARD, calls

Find = Callable[[Case], Iterator[Fact]]
MOST = 3
LONGEST = 60
VALUES = ("requires_grad", "is_leaf", "grad", "grad_fn", "shape", "dtype", "device", "ndim", "data", "T")


def source(text: str) -> str:
    """Return a statement as one short line; of a block, the words at its start."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def shape(row: TensorRow) -> str:
    """Return a shape as Python writes it: "(2, 3)"."""
    return str(row.shape)


def roots(case: Case) -> Iterator[TensorRow]:
    """Yield the named tensors that backward() or autograd.grad() starts from."""
    for call in calls(case.code, BACKWARD):
        start = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr == "backward" else None
        begin = start or (call.args[0] if call.args else None)
        if begin is not None:
            yield from case.tensors_in(begin)


def ungraphed(case: Case) -> Iterator[Fact]:
    """Tell why what backward() starts from has no graph."""
    for row in roots(case):
        if not row.requires_grad:
            yield from made(case, row.name)
        elif not case.outcome.mode.enabled:
            switch = case.outcome.mode.stack[-1] if case.outcome.mode.stack else "no_grad"
            yield Fact("mode-off", {"name": row.name, "switch": switch})


def made(case: Case, name: str) -> Iterator[Fact]:
    """Tell which input made a tensor, and under which switch."""
    origin = case.past.origins.get(name)
    if origin is None:
        return
    values = {"name": name, "input": str(origin.input), "source": source(origin.source)}
    if origin.switch is None:
        yield Fact("made", values)
    else:
        yield Fact("made-under", {**values, "switch": origin.switch})


def inference(case: Case) -> Iterator[Fact]:
    """Tell which tensors of the statement were made in inference mode."""
    for row in case.tensors_in(case.code):
        origin = case.past.origins.get(row.name)
        if origin is not None and "inference" in (origin.switch or ""):
            yield from made(case, row.name)


def earlier_backward(case: Case) -> Iterator[Fact]:
    """Tell which input went backward last."""
    if case.past.backwards:
        deed = case.past.backwards[-1]
        yield Fact("earlier-backward", {"input": str(deed.input), "source": source(deed.source)})


def written(case: Case) -> Iterator[Fact]:
    """Tell which input wrote into the tensor that backward needs: the last of that shape, and node if that is known."""
    sides = tuple(int(side) for side in case.match["shape"].split(",") if side.strip())
    node = case.match["node"]
    fitting = [w for w in case.past.writes if w.shape == sides and (not node or (w.grad_fn or "").startswith(node))]
    if fitting:
        last = fitting[-1]
        yield Fact("written", {"name": last.name, "input": str(last.input), "source": source(last.source)})


def bases(case: Case, attribute: str | None = None) -> Iterator[TensorRow]:
    """Yield the named tensors before a dot: `y` of `y.grad`."""
    rows = case.rows
    for node in ast.walk(case.code):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in rows
            and attribute in (None, node.attr)
        ):
            yield rows[node.value.id]


def non_leaf(case: Case) -> Iterator[Fact]:
    """Tell which tensor is no leaf, and the node that made it."""
    for row in bases(case):
        if not row.is_leaf:
            yield Fact("non-leaf", {"name": row.name, "grad_fn": str(row.grad_fn)})


def non_leaf_in(case: Case) -> Iterator[Fact]:
    """Tell which tensors that the statement reads are no leaves."""
    for row in case.tensors_in(case.code):
        if not row.is_leaf:
            yield Fact("non-leaf", {"name": row.name, "grad_fn": str(row.grad_fn)})


def requires_grad(case: Case) -> Iterator[Fact]:
    """Tell which tensors of the statement require grad."""
    for row in case.tensors_in(case.code):
        if row.requires_grad:
            yield Fact("requires-grad", {"name": row.name})


def no_grad_needed(case: Case) -> Iterator[Fact]:
    """Tell where the tensor that does not require grad comes from."""
    for row in bases(case):
        if not row.requires_grad:
            yield from made(case, row.name)


def leaf(case: Case) -> Iterator[Fact]:
    """Tell which leaf the statement writes into."""
    names = [node.id for node in ast.walk(case.code) if isinstance(node, ast.Name)]
    rows = [case.rows[name] for name in dict.fromkeys(names) if name in case.rows]
    leaves = [row for row in rows if row.is_leaf and row.requires_grad]
    if len(leaves) == 1:
        yield Fact("leaf", {"name": leaves[0].name})


def root_shape(case: Case) -> Iterator[Fact]:
    """Tell the shape of the tensor that backward() starts from, where it has a name."""
    for call in calls(case.code, BACKWARD):
        start = call.func.value if isinstance(call.func, ast.Attribute) else None
        for node in (start, *call.args[:1]):
            if isinstance(node, ast.Name) and node.id in case.rows:
                yield Fact("shape", {"name": node.id, "shape": shape(case.rows[node.id])})


def shapes(case: Case) -> Iterator[Fact]:
    """Tell the shapes of the tensors that the statement reads."""
    for row in list(case.tensors_in(case.code))[:MOST]:
        yield Fact("shape", {"name": row.name, "shape": shape(row)})


def dtypes(case: Case) -> Iterator[Fact]:
    """Tell the dtypes of the tensors that the statement reads."""
    for row in list(case.tensors_in(case.code))[:MOST]:
        yield Fact("dtype", {"name": row.name, "dtype": row.dtype})


def no_grad_yet(case: Case) -> Iterator[Fact]:
    """Tell which tensor's .grad is None."""
    for row in dict.fromkeys(bases(case, "grad")):
        if row.grad is None:
            yield Fact("grad-is-none", {"name": row.name})


def called(case: Case) -> Iterator[Fact]:
    """Tell what was called with parentheses that needs none."""
    for node in ast.walk(case.code):
        function = node.func if isinstance(node, ast.Call) else None
        is_value = isinstance(function, ast.Attribute) and function.attr in VALUES
        is_named = isinstance(function, ast.Name) and not callable(case.names.get(function.id, callable))
        if function is not None and (is_value or is_named):
            yield Fact("called", {"code": source(ast.unparse(function))})


def parentheses(case: Case) -> Iterator[Fact]:
    """Tell which `with` wants parentheses."""
    for node in ast.walk(case.tree or ast.Module([], [])):
        if isinstance(node, ast.With):
            for item in node.items:
                if isinstance(item.context_expr, ast.Attribute | ast.Name):
                    yield Fact("write", {"code": f"with {ast.unparse(item.context_expr)}():"})
