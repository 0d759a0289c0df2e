"""Broadcasting as views: expand and its kin, and its undoing."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.api import functions, public
from gradrepl.engine.dtype import CATEGORY, FLOAT, INT64, c_name
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.ops.reshaping import shortcut
from gradrepl.engine.ops.shape import expand_to, sum_to
from gradrepl.engine.ops.view import check_expands, view_at
from gradrepl.engine.tensor import Size, Tensor, make

Shape = tuple[int, ...]


@public("Tensor self, ints size, *, bool implicit=False", function=False)
def expand(self: Tensor, size: Shape, implicit: bool = False) -> Tensor:
    """Return a view that repeats dimensions of size 1 (torch.Tensor.expand)."""
    own = self._data.shape
    new = len(size) - len(own)
    wanted = tuple(own[i - new] if side == -1 and i >= new else side for i, side in enumerate(size))
    for i, side in enumerate(wanted[: max(new, 0)]):
        if side < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({side}) isn't allowed in a leading, non-existing dimension {i}"
            )
    check_expands(own, wanted, self.dtype.tensor_type, size)
    out: Tensor = expand_to.call(self, wanted)
    if self._data.flags.writeable:
        out._data.flags.writeable = True
    return out


@public("Tensor self, Tensor other", function=False)
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Return a view of the shape of another tensor (torch.Tensor.expand_as)."""
    return expand(self, other._data.shape)


@public("Tensor input, ints size")
def broadcast_to(input: Tensor, size: Shape) -> Tensor:
    """Return a view that repeats dimensions of size 1 (torch.broadcast_to)."""
    return expand(input, size)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Expand tensors to the shape that they have together (torch.broadcast_tensors)."""
    given = tensors_of(tensors)
    shape: Shape = ()
    check_broadcast([tensor._data for tensor in given])
    for tensor in given:
        shape = common(shape, tensor._data.shape)
    return tuple(tensor if tensor._data.shape == shape else expand(tensor, shape) for tensor in given)


def common(a: Shape, b: Shape) -> Shape:
    width = max(len(a), len(b))
    longer = ((1,) * (width - len(shape)) + shape for shape in (a, b))
    return tuple(x if y == 1 else y for x, y in zip(*longer, strict=True))


def tensors_of(values: Any) -> tuple[Tensor, ...]:
    """Return tensors given one by one or as one sequence; raises TypeError for anything else among them."""
    given = tuple(values[0]) if len(values) == 1 and isinstance(values[0], (tuple, list)) else tuple(values)
    for index, value in enumerate(given):
        if not isinstance(value, Tensor):
            raise TypeError(f"expected Tensor as element {index} in argument 0, but got {c_name(value)}")
    return given


def broadcast_shapes(*shapes: Any) -> Size:
    """Return the shape that several have together (torch.broadcast_shapes)."""
    width = max((1 if isinstance(shape, int) else len(shape) for shape in shapes), default=0)
    found = [1] * width
    for index, shape in enumerate(shapes):
        sides = (shape,) if isinstance(shape, int) else tuple(shape)
        for back in range(1, len(sides) + 1):
            side = sides[-back]
            if side < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            if side in (1, found[-back]):
                continue
            if found[-back] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {side} at -{back}! Mismatching argument at index "
                    f"{index} had {sides}; but expected shape should be broadcastable to {found}"
                )
            found[-back] = side
    return Size(found)


@public("Tensor self, ints size", function=False)
def sum_to_size(self: Tensor, size: Shape) -> Tensor:
    """Sum over what broadcasting repeated (torch.Tensor.sum_to_size)."""
    own = self._data.shape
    ones = (1,) * (len(own) - len(size))
    full = (*ones, *size)
    if len(full) != len(own) or any(side not in (1, mine) for side, mine in zip(full, own, strict=False)):
        raise RuntimeError(f"size {{{list(size)}}} is not expandable to size {{{list(own)}}}.")
    if not size:
        return self.sum()  # type: ignore[attr-defined]
    if size == own:
        return self
    if full != own and CATEGORY[self._data.dtype] < FLOAT:
        self = make(self._data.astype(INT64))
    summed: Tensor = self if full == own else sum_to.call(self, full)
    return view_at.call(summed, size) if ones else summed


shortcut("expand", lambda self, sides: expand(self, sides), None)
functions(broadcast_tensors=broadcast_tensors, broadcast_shapes=broadcast_shapes)
