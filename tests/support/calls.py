"""Calls of torch functions with tensors made for them, run on either engine and told in full as text."""

from __future__ import annotations

import ast
import functools
import itertools
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from math import inf, nan, prod
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from support.running import clean

FOLDER = Path(__file__).resolve().parents[1] / "engine" / "calls"

FILLS: dict[str, tuple[Any, ...]] = {
    "mixed": (0.71347, -1.29163, 2.13759, 0.41782, -0.61938, 1.87311, -2.41129, 0.29174, 1.11763),
    "unit": (0.31217, 0.77381, 0.52643, 0.18729, 0.93467, 0.64113, 0.45891),
    "edges": (0.0, 1.0, -1.0, inf, 2.0, nan, 0.5, -inf, 0.0, 1.0, -0.5),
    "int": (3, -2, 0, 5, 1, -7, 2),
    "small": (3, 250, 0, 5, 1, 7, 2),
    "bool": (True, False, True, True, False),
    "complex": (0.71347 + 0.31782j, -1.29163 + 2.13759j, 0.41782 - 0.61938j, 1.87311 - 2.41129j, 0.29174 + 1.11763j),
}
"""Numbers that tensors are filled with, again and again."""
FILL_OF = {"uint8": "small", "bool": "bool", "complex64": "complex", "complex128": "complex"}


class Call(NamedTuple):
    """An expression and its tensors: a tuple is the shape of one to fill, anything else the very tensor."""

    text: str
    tensors: dict[str, Any]


class Case(NamedTuple):
    """A call with everything decided. tensors: name -> (dtype or "" for its own, values, shape, requires grad)."""

    name: str
    text: str
    tensors: dict[str, tuple[str, Any, Any, bool]]


def calls() -> list[Call]:
    """Return the calls of all files: one a line, `expression  # name=(shape), name=[values]`."""
    lines = [line for path in sorted(FOLDER.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()]
    found = []
    for line in lines:
        text, _, tensors = line.partition("  # ")
        if text.strip():
            found.append(Call(text.strip(), eval(f"dict({tensors})")))
    return found


Reshape = Callable[[int, tuple[int, ...]], tuple[int, ...]]


def unchanged(position: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape


SHAPES: dict[str, Reshape] = {
    "0-d": lambda position, shape: (),
    "empty": lambda position, shape: (0, *shape[1:]),
    "last side 0": lambda position, shape: (*shape[:-1], 0) if shape else (0,),
    "first one wider": lambda position, shape: shape if position else (*shape[:-1], shape[-1] + 2) if shape else (5,),
    "first one deeper": lambda position, shape: shape if position else (2, *shape),
    "first one flatter": lambda position, shape: shape if position else shape[1:],
    "all deeper": lambda position, shape: (2, *shape),
}


COMPLEX_MIXES = (("complex64", "float32"), ("float32", "complex64"))


def cases(call: Call) -> Iterator[Case]:
    """Return a call's variants: dtypes alone and mixed, kinds of values, shapes that fit or not, what requires grad."""
    free = [name for name, value in call.tensors.items() if isinstance(value, tuple)]
    yield filled(call, "float32", ("float32",))
    if not free:
        return
    for fill in ("unit", "edges"):
        yield filled(call, fill, ("float32",), fill)
    for kind in ("float64", "int64", "bool", "uint8", "int32", "float16", "complex64"):
        yield filled(call, kind, (kind,))
    for name, reshape in SHAPES.items():
        yield filled(call, name, ("float32",), reshape=reshape)
    yield filled(call, "no grad", ("float32",), needing=())
    if len(free) > 1:
        for first, second in (*itertools.permutations(("float32", "float64", "int64", "bool"), 2), *COMPLEX_MIXES):
            yield filled(call, f"{first} with {second}", (first, second))
        for first, second in (("float32", "float64"), ("int64", "float32"), ("float32", "int64"), ("bool", "int64")):
            yield filled(call, f"{first} with 0-d {second}", (first, second), reshape=second_alone)
        for name in free:
            yield filled(call, f"only {name} requires grad", ("float32",), needing=(name,))


def second_alone(position: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return () if position else shape


def filled(
    call: Call,
    name: str,
    kinds: Sequence[str],
    fill: str = "",
    reshape: Reshape = unchanged,
    needing: Sequence[str] | None = None,
) -> Case:
    """Return a case; the last of `kinds` is that of all further tensors."""
    tensors: dict[str, tuple[str, Any, Any, bool]] = {}
    position = 0
    for variable, value in call.tensors.items():
        if not isinstance(value, tuple):
            tensors[variable] = ("", value, None, False)
            continue
        kind = kinds[min(position, len(kinds) - 1)]
        wanted = "float" in kind or "complex" in kind
        shape = reshape(position, value)
        numbers = FILLS[FILL_OF.get(kind, fill or "mixed" if wanted else "int")]
        values = [numbers[(i + 3 * position) % len(numbers)] for i in range(prod(shape))]
        tensors[variable] = (kind, values, shape, wanted and (needing is None or variable in needing))
        position += 1
    return Case(name, call.text, tensors)


def misuses(call: Call) -> Iterator[Case]:
    """Return a call with arguments that are missing, too many, of no use or of the wrong type."""
    tree = ast.parse(call.text, mode="eval").body
    if not isinstance(tree, ast.Call):
        return
    plain = filled(call, "", ("float32",))
    seen = {call.text}
    for text in spoiled(tree):
        if text not in seen:
            seen.add(text)
            yield plain._replace(name=text, text=text)


def spoiled(tree: ast.Call) -> Iterator[str]:
    args, keywords = tree.args, tree.keywords

    def said(args: Sequence[ast.expr], keywords: Sequence[ast.keyword] = keywords) -> str:
        return ast.unparse(ast.Call(tree.func, list(args), list(keywords)))

    yield said([], [])
    if args:
        yield said(args[:-1])
    yield said([*args, ast.Constant(1.5)])
    yield said(args, [*keywords, ast.keyword("nonsense", ast.Constant(1))])
    for index, arg in enumerate(args):
        for other in substitutes(arg):
            yield said([*args[:index], other, *args[index + 1 :]])
    for index, keyword in enumerate(keywords):
        for other in substitutes(keyword.value):
            yield said(args, [*keywords[:index], ast.keyword(keyword.arg, other), *keywords[index + 1 :]])


def substitutes(arg: ast.expr) -> list[ast.expr]:
    """Return what to put in the place of an argument."""
    texts = ["'text'", "None", "[1.5, 2.5]"]
    try:
        value = ast.literal_eval(arg)
    except ValueError:
        value = None
    if type(value) is int:
        texts += ["17", "-9", "1.5"]
    elif type(value) is tuple:
        texts += ["(0, 0)", "(17,)", "1.5"]
    elif value is None:
        texts += ["2", "1.5"]
    return [ast.parse(text, mode="eval").body for text in texts]


class Told(NamedTuple):
    """What a case showed: lines of text, and whether it ended in an error."""

    lines: tuple[str, ...]
    failed: bool


def told(torch: Any, case: Case) -> Told:
    """Run a case on an engine; an error ends it, its type and text being the last line."""
    lines: list[str] = []

    def show(message: Any, category: type[Warning], *rest: Any, **kwargs: Any) -> None:
        lines.append(clean(f"{category.__name__}: {message}"))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        try:
            tell(torch, case, lines)
        except Exception as error:
            lines.append(clean(f"{type(error).__name__}: {error}"))
            return Told(tuple(lines), True)
        finally:
            torch.set_grad_enabled(True)
    return Told(tuple(lines), False)


def tell(torch: Any, case: Case, lines: list[str]) -> None:
    """Write down a case: results, their graph, first gradients, second gradients."""
    torch.manual_seed(0)
    names = {name: tensor_of(torch, *spec) for name, spec in case.tensors.items()}
    leaves = {name: tensor for name, tensor in names.items() if tensor.requires_grad}
    result = eval(case.text, {"torch": torch, "F": torch.nn.functional, **names})
    outs = [out for out in flat(result) if isinstance(out, torch.Tensor)]
    lines.append(f"result: {shown(result)}")
    lines.extend(f"  {out.dtype} {tuple(out.shape)} {out.requires_grad} {graph(out.grad_fn)}" for out in outs)
    ends = [out for out in outs if out.requires_grad]
    starts = {f"start{i}": start_for(torch, out) for i, out in enumerate(ends)}
    if not ends or not leaves:
        return
    first = gradients(torch, ends, list(starts.values()), leaves, lines)
    inner = [gradient for gradient in first if gradient is not None and gradient.requires_grad]
    if inner:
        starts_again = [start_for(torch, gradient).detach() for gradient in inner]
        gradients(torch, inner, starts_again, {**leaves, **starts}, lines)


def tensor_of(torch: Any, kind: str, values: Any, shape: Any, requires_grad: bool) -> Any:
    if not kind:
        return torch.tensor(values)
    return torch.tensor(values, dtype=getattr(torch, kind)).reshape(shape).requires_grad_(requires_grad)


def start_for(torch: Any, out: Any) -> Any:
    """Return a gradient to start with: another number for every element, requiring grad itself."""
    numbers = [0.51237 + 0.23871 * (i % 5) for i in range(prod(out.shape))]
    return torch.tensor(numbers, dtype=out.dtype).reshape(out.shape).requires_grad_()


def gradients(torch: Any, ends: Sequence[Any], starts: Sequence[Any], by: dict[str, Any], lines: list[str]) -> Any:
    found = torch.autograd.grad(ends, list(by.values()), starts, create_graph=True, allow_unused=True)
    for name, gradient in zip(by, found, strict=True):
        following = gradient.grad_fn.next_functions if gradient is not None and gradient.grad_fn is not None else ()
        nodes = [None if node is None else node.name() for node, _ in following]
        lines.append(f"d/d{name}: {shown(gradient)} {nodes}")
    return found


def flat(result: Any) -> list[Any]:
    return [item for part in result for item in flat(part)] if isinstance(result, (tuple, list)) else [result]


def shown(result: Any) -> str:
    return clean(repr(result))


def graph(node: Any, depth: int = 6) -> str:
    """Return the names of a node and of all that come after it."""
    if node is None:
        return "None"
    if not depth or not node.next_functions:
        return str(node.name())
    following = [graph(after, depth - 1) + (f":{number}" if number else "") for after, number in node.next_functions]
    return f"{node.name()}({', '.join(following)})"


def watched(run: Callable[[], Told], codes: dict[CodeType, str], reached: set[str]) -> Told:
    """Run something and note which of the functions in `codes` it called."""

    def look(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code in codes:
            reached.add(codes[frame.f_code])

    sys.setprofile(look)
    try:
        return run()
    finally:
        sys.setprofile(None)


NAMES_OF_NODES = re.compile(r",?\s*grad_fn=<\w+>|(?<=True) [\w:]+Backward.*$|(?<=\)) \[.*\]$")


def without_nodes(line: str) -> str:
    """Return a line of `told` without the names of nodes in it, and without line breaks, which they shift."""
    return " ".join(NAMES_OF_NODES.sub("", line).split())


def difference(own: Told, other: Told) -> str | None:
    """Return the kind of difference between what the engine and PyTorch told; None where there is none."""
    if own == other:
        return None
    if own.failed != other.failed:
        return "refused here" if own.failed else "refused there"
    if own.failed:
        return "words"
    return "nodes" if [*map(without_nodes, own.lines)] == [*map(without_nodes, other.lines)] else "values"


KNOWN = FOLDER.parent / "known_calls.txt"


@functools.cache
def known() -> dict[str, set[tuple[str, str]]]:
    """Return the differences that are listed: expression -> name of the case and kind of difference."""
    found: dict[str, set[tuple[str, str]]] = {}
    kind = call = ""
    for line in KNOWN.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kind = line.removeprefix("## ")
        elif line.startswith("    "):
            found.setdefault(call, set()).add((line.strip(), kind))
        elif line:
            call = line
    return found
