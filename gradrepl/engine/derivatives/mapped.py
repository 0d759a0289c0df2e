"""A mapped function's calls, one for each row, that meet where a custom Function has a rule of its own: its vmap."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from gradrepl.engine.autograd import stacked
from gradrepl.engine.derivatives.trees import broadcast, structure
from gradrepl.engine.tensor import Tensor


class VmapInfo(NamedTuple):
    """What a static method vmap is told: how many rows there are, and what random numbers may be."""

    batch_size: int
    randomness: str


NOT_TWO = (
    "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure compatible with "
    "the output. Got a {} instead"
)
OTHER_DIMS = (
    "The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) tuple. Expected out_dims={} "
    "to be compatible with the structure of `output`. out_dims has structure {} but output has structure {}. For more "
    "details, please see https://pytorch.org/docs/main/notes/extending.func.html"
)
VmapInfo.__module__ = "torch._functorch.autograd_function"


class Meeting(BaseException):
    """Leaves the call for one row at a custom Function, until all others have come there too."""

    def __init__(self, rows: Rows, function: Any, args: Sequence[Any]) -> None:
        super().__init__()
        self.rows, self.function, self.arguments = rows, function, args


class Rows:
    """The calls of a mapped function, which are begun anew after each meeting.

    results: for each meeting what came of it, row by row. index: the row that is being called; position: how many
    custom Functions it has come to.
    """

    def __init__(self, count: int, randomness: str) -> None:
        self.info = VmapInfo(count, randomness)
        self.results: list[list[Any]] = []
        self.index = self.position = 0

    @contextmanager
    def calling(self, index: int) -> Iterator[None]:
        """Call the function for a row."""
        self.index, self.position = index, 0
        calls.open = (*calls.open, self)
        try:
            yield
        finally:
            calls.open = calls.open[:-1]

    def meet(self, function: Any, args: Sequence[Any]) -> Any:
        """Return a custom Function's result for this row; raises Meeting where it is not known yet."""
        place, self.position = self.position, self.position + 1
        if place == len(self.results):
            raise Meeting(self, function, args)
        return self.results[place][self.index]

    def resolve(self, waiting: list[Meeting]) -> None:
        """Call the rule with the arguments of all rows."""
        batches = [batch_of(column) for column in zip(*(one.arguments for one in waiting), strict=True)]
        dims = tuple(dim for _, dim in batches)
        found = waiting[0].function.vmap(self.info, dims, *(value for value, _ in batches))
        if not isinstance(found, tuple) or len(found) != 2:
            raise RuntimeError(NOT_TWO.format(type(found)))
        output, out_dims = found
        if broadcast(out_dims, output) is None:
            raise RuntimeError(OTHER_DIMS.format(out_dims, structure(out_dims), structure(output)))
        self.results.append([row_of(output, out_dims, index) for index in range(len(waiting))])


class Calls(threading.local):
    """The mapped functions that are being called in a thread, the innermost last."""

    open: tuple[Rows, ...] = ()


calls = Calls()


def batch_of(column: Sequence[Any]) -> tuple[Any, int | None]:
    """Return one argument of all rows as one, and the dimension that is mapped over; None where all have the same."""
    first = column[0]
    if not isinstance(first, Tensor):
        return first, None
    origins = [one.__dict__.get("_row_of") for one in column]
    if origins[0] is not None and all(origin is not None and origin[0] is origins[0][0] for origin in origins):
        whole, dim = origins[0]
        return whole, dim
    if all(one is first for one in column) and (len(column) > 1 or not first._levels):
        return first, None
    return stacked(column), 0


def row_of(output: Any, dims: Any, index: int) -> Any:
    """Return the part of a rule's result that belongs to a row."""
    if isinstance(output, tuple):
        each = dims if isinstance(dims, tuple) else (dims,) * len(output)
        return tuple(row_of(one, dim, index) for one, dim in zip(output, each, strict=True))
    return output if dims is None else output.select(dims, index)
