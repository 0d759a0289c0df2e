"""Named tensors as rows of plain values; reading them changes nothing of the learner's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from gradrepl.session.engine import Engine
from gradrepl.session.numbers import EDGE, nested_text, shorten
from gradrepl.session.outcome import TensorRow

COMPARED = ("value", "shape", "dtype", "requires_grad", "is_leaf", "grad_fn", "grad")


class Seen(NamedTuple):
    """A row, and what tells whether its numbers changed where the short text can't: storage and versions."""

    row: TensorRow
    mark: tuple[Any, ...]
    grad_mark: tuple[Any, ...]


def short_value(tensor: Any) -> str:
    """Return a tensor's numbers on one line; of a long dimension only its first and last ones are read."""
    return shorten(nested_text(edges(tensor.detach())))


def edges(tensor: Any) -> Any:
    if tensor.dim() == 0:
        return tensor.item()
    count = len(tensor)
    if count <= 2 * EDGE:
        return tensor.tolist() if tensor.dim() == 1 else [edges(tensor[i]) for i in range(count)]
    first, last = range(EDGE), range(count - EDGE, count)
    return [*(edges(tensor[i]) for i in first), None, *(edges(tensor[i]) for i in last)]


def version_of(tensor: Any) -> tuple[Any, ...]:
    return (tensor.data_ptr(), -1 if tensor.is_inference() else tensor._version)


def see(name: str, tensor: Any) -> Seen:
    """Return the row of one tensor. `.grad` is read only where reading it is silent."""
    node = tensor.grad_fn
    readable = node is None or tensor.retains_grad
    grad = tensor.grad if readable else None
    row = TensorRow(
        name=name,
        shape=tuple(int(side) for side in tensor.shape),
        dtype=str(tensor.dtype).removeprefix("torch."),
        requires_grad=bool(tensor.requires_grad),
        is_leaf=bool(tensor.is_leaf),
        grad_fn=None if node is None else type(node).__name__,
        grad=None if grad is None else short_value(grad),
        value=short_value(tensor),
    )
    return Seen(row, version_of(tensor), () if grad is None else version_of(grad))


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
    if before is None:
        return ("name",)
    differing = [field for field in COMPARED if getattr(before.row, field) != getattr(after.row, field)]
    same_storage = before.mark[0] == after.mark[0]
    if "value" not in differing and same_storage and before.mark != after.mark:
        differing.insert(0, "value")
    if "grad" not in differing and before.grad_mark != after.grad_mark and after.grad_mark:
        differing.append("grad")
    return tuple(differing)


def gone(before: Iterable[str], after: Mapping[str, Seen]) -> tuple[str, ...]:
    """Return the names that are no tensors any more."""
    return tuple(name for name in before if name not in after)
