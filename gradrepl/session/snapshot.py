"""Named tensors as rows of plain values; reading them changes nothing of the learner's."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from gradrepl.session.engine import Engine
from gradrepl.session.numbers import EDGE, nested_text, shorten
from gradrepl.session.outcome import TensorRow

COMPARED = ("value", "shape", "dtype", "requires_grad", "is_leaf", "grad_fn", "grad")
FEW = 64


class Mark(NamedTuple):
    """What tells whether a tensor's numbers changed: those read, exactly; and which tensor, in which version."""

    numbers: str
    tensor: weakref.ref[Any] | None
    version: int


class Seen(NamedTuple):
    """A row, and the marks of its tensor and of that one's grad."""

    row: TensorRow
    value: Mark
    grad: Mark


NOTHING = Mark("", None, 0)


def numbers_of(tensor: Any) -> Any:
    """Return a tensor's numbers as nested lists, read without a trace; None stands for what is left out."""
    try:
        return edges(tensor.detach())
    except (RuntimeError, TypeError, ValueError, NotImplementedError):
        return None  # some layouts and devices have no numbers to read


def edges(tensor: Any) -> Any:
    """Return few numbers of a tensor: the first and last of a long row, the first row of many."""
    if tensor.dim() == 0:
        return tensor.item()
    count = len(tensor)
    if tensor.dim() == 1 and count <= 2 * EDGE:
        return tensor.tolist()
    if tensor.dim() == 1:
        return [*tensor[:EDGE].tolist(), None, *tensor[-EDGE:].tolist()]
    if tensor.numel() <= FEW:
        return [edges(tensor[index]) for index in range(count)]
    return [edges(tensor[0]), None] if count > 1 else [edges(tensor[0])]


def mark_of(tensor: Any, numbers: Any) -> Mark:
    version = -1 if tensor.is_inference() else tensor._version
    return Mark(repr(numbers), weakref.ref(tensor), version)


def see(name: str, tensor: Any) -> Seen:
    """Return the row of one tensor. `.grad` is read only where reading it is silent."""
    kind = node_name(tensor)
    grad = tensor.grad if kind is None or tensor.retains_grad else None
    value, slope = numbers_of(tensor), None if grad is None else numbers_of(grad)
    row = TensorRow(
        name=name,
        shape=tuple(int(side) for side in tensor.shape),
        dtype=str(tensor.dtype).removeprefix("torch."),
        requires_grad=bool(tensor.requires_grad),
        is_leaf=kind is None,
        grad_fn=kind,
        grad=None if grad is None else shorten(nested_text(slope)),
        value=shorten(nested_text(value)),
    )
    return Seen(row, mark_of(tensor, value), NOTHING if grad is None else mark_of(grad, slope))


def node_name(tensor: Any) -> str | None:
    """Return the name of a tensor's node.

    A view made under no_grad whose base was written into has a node that can't be read: PyTorch prints it as
    "Invalid".
    """
    try:
        node = tensor.grad_fn
    except RuntimeError:
        return "Invalid"
    return None if node is None else type(node).__name__


def look(engine: Engine, names: Mapping[str, Any]) -> dict[str, Seen]:
    """Return what every named tensor is like now, in the order in which names were bound."""
    kind = engine.torch.Tensor
    return {
        name: see(name, value)
        for name, value in list(names.items())
        if isinstance(value, kind) and not name.startswith("_")
    }


def compare(before: Mapping[str, Seen], after: Mapping[str, Seen]) -> tuple[TensorRow, ...]:
    """Return the rows of `after`, each with the fields that differ from `before`."""
    return tuple(replace(seen.row, changed=changes(before.get(name), seen)) for name, seen in after.items())


def changes(before: Seen | None, after: Seen) -> tuple[str, ...]:
    """Return the fields that differ; of a new name only the name.

    The value (and the grad) differs if its numbers do, to the last digit, or if the same tensor was
    written to. A new tensor with the numbers of the old one is no change.
    """
    if before is None:
        return ("name",)
    written = {
        "value": differs(before.value, after.value),
        "grad": differs(before.grad, after.grad),
    }
    return tuple(
        field for field in COMPARED if written.get(field) or getattr(before.row, field) != getattr(after.row, field)
    )


def differs(before: Mark, after: Mark) -> bool:
    if before.numbers != after.numbers:
        return True
    same = before.tensor is not None and after.tensor is not None and before.tensor() is after.tensor()
    return same and before.version != after.version


def gone(before: Iterable[str], after: Mapping[str, Seen]) -> tuple[str, ...]:
    """Return the names that are no tensors any more."""
    return tuple(name for name in before if name not in after)


def bound(before: Mapping[str, Seen], after: Mapping[str, Seen]) -> tuple[str, ...]:
    """Return the names that are another tensor than before."""
    return tuple(name for name, seen in after.items() if name not in before or not same(before[name], seen))


def same(before: Seen, after: Seen) -> bool:
    old, new = before.value.tensor, after.value.tensor
    return old is not None and new is not None and old() is new()
