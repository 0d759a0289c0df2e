"""A function mapped over a dimension of its arguments: torch.func.vmap."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import stacked, walks
from gradrepl.engine.derivatives import tracking
from gradrepl.engine.derivatives.mapped import Meeting, Rows
from gradrepl.engine.derivatives.trees import broadcast, leaves, mapped_leaves, structure
from gradrepl.engine.grad_mode import mode
from gradrepl.engine.graph import Walk
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.random import default_generator

Function = Callable[..., Any]

OTHER_DIMS = (
    "{0}_dims is not compatible with the structure of `{0}puts`. {0}_dims has structure {1} but {0}puts has structure "
    "{2}."
)
NOT_A_DIM = "Got in_dim={} for an input but in_dim must be either an integer dimension or None."
NOT_MAPPED = (
    "Got in_dim={} for an input but the input is of type {}. We cannot vmap over non-Tensor arguments, please use None "
    "as the respective in_dim"
)
NO_SUCH_DIM = (
    "Got in_dim={0} for some input, but that input is a Tensor of dimensionality {1} so expected in_dim to satisfy "
    "-{1} <= in_dim < {1}."
)
OTHER_SIZES = (
    "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {} for the mapped dimension"
)
NO_INPUTS = (
    "vmap({})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with "
    "no inputs. The latter is unsupported."
)
NOT_OUT_DIMS = (
    "vmap({}, ..., out_dims={}): `out_dims` must be an int, None or a python collection of ints representing where in "
    "the outputs the vmapped dimension should appear."
)
ONLY_TENSORS = (
    "vmap({0}, ...): `{0}` must only return Tensors, got type {1}. Did you mean to set out_dims= to None for output?"
)


def func_name(func: Function) -> str:
    """Return a function's name as vmap's messages show it."""
    if isinstance(func, functools.partial):
        return f"functools.partial({func_name(func.func)}, ...)"
    return str(getattr(func, "__name__", repr(func)))


def check_randomness(randomness: str) -> None:
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")


@contextmanager
def mapping(fixed: bool, alone: bool = True) -> Iterator[None]:
    """Run a mapped function: single elements can't be looked at (`alone`), nor random numbers drawn where `fixed`."""
    before = (mode.mapping, mode.drawing_refused)
    mode.mapping, mode.drawing_refused = alone or mode.mapping, fixed
    try:
        yield
    finally:
        mode.mapping, mode.drawing_refused = before


class Keeping(Walk):
    """A backward that frees nothing, for another call of the same function comes."""

    def __init__(self, ops: Any, create_graph: bool, retain_graph: bool) -> None:
        super().__init__(ops, create_graph, True)


@contextmanager
def keeping(more: bool) -> Iterator[None]:
    """Keep the graphs that a mapped function goes back through, where `more` calls of it come."""
    before = walks[-1]
    if not more or issubclass(before, Keeping):
        yield
        return
    walks.append(type("Keeping", (Keeping, before), {}))
    try:
        yield
    finally:
        walks.pop()


def vmap(
    func: Function, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> Function:
    """Return the function that maps a function over a dimension of its arguments (torch.func.vmap)."""
    check_randomness(randomness)
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = func_name(func)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        check_out_dims(out_dims, name)
        dims = dims_for(args, in_dims, f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): ", name)
        count = size_of(args, dims)
        rows = Rows(count, randomness)
        state = None if randomness == "error" else default_generator.get_state()
        while True:
            found = called(func, args, kwargs, dims, rows, state)
            waiting = [one for one in found if isinstance(one, Meeting)]
            if not waiting:
                return joined(found, out_dims, count, name)
            rows.resolve(waiting)

    return wrapped


def called(func: Function, args: Any, kwargs: dict[str, Any], dims: list[Any], rows: Rows, state: Any) -> list[Any]:
    """Return the results of a function for each row, a Meeting in the place of one that waits for the others."""
    count, randomness = rows.info
    results: list[Any] = []
    for index in range(max(count, 1)):
        if state is not None and (randomness == "same" or not index):
            default_generator.set_state(state)
        fixed, more = mapping(randomness == "error"), keeping(index + 1 < count)
        try:
            with fixed, tracking.level(False), more, rows.calling(index):
                results.append(func(*row_of(args, dims, index), **kwargs))
        except Meeting as meeting:
            if meeting.rows is not rows:
                raise
            results.append(meeting)
    return results


def check_out_dims(out_dims: Any, name: str) -> None:
    for leaf in leaves(out_dims):
        if leaf is not None and not isinstance(leaf, int):
            raise ValueError(NOT_OUT_DIMS.format(name, out_dims))


def dims_for(args: tuple[Any, ...], in_dims: Any, where: str, name: str) -> list[Any]:
    """Return the dimension to map over for each leaf of the arguments; raises ValueError where they don't fit."""
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{where}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(NO_INPUTS.format(name))
    dims = broadcast(in_dims, args)
    if dims is None:
        raise ValueError(where + OTHER_DIMS.format("in", structure(in_dims), structure(args)))
    for leaf, dim in zip(leaves(args), dims, strict=True):
        check_dim(leaf, dim, where)
    return dims


def check_dim(leaf: Any, dim: Any, where: str) -> None:
    if dim is None:
        return
    if not isinstance(dim, int):
        raise ValueError(where + NOT_A_DIM.format(dim))
    if not isinstance(leaf, Tensor):
        raise ValueError(where + NOT_MAPPED.format(dim, type(leaf)))
    if not -leaf.dim() <= dim < leaf.dim():
        raise ValueError(where + NO_SUCH_DIM.format(dim, leaf.dim()))


def size_of(args: tuple[Any, ...], dims: list[Any]) -> int:
    """Return how many calls there are; raises ValueError where the mapped dimensions differ in size."""
    sizes = [leaf.shape[dim] for leaf, dim in zip(leaves(args), dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueError(OTHER_SIZES.format(sizes))
    return int(sizes[0])


def row_of(args: tuple[Any, ...], dims: list[Any], index: int) -> Any:
    """Return the arguments of one call; zeros where there is nothing to map over."""
    rest = iter(dims)

    def picked(leaf: Any) -> Any:
        dim = next(rest)
        if dim is None:
            return leaf
        if leaf.shape[dim] == 0:
            return make(np.zeros(np.delete(leaf._data.shape, dim), leaf._data.dtype))
        row = leaf.select(dim, index)
        row._row_of = leaf, dim % leaf.dim()
        return row

    return mapped_leaves(args, picked)


def joined(rows: list[Any], out_dims: Any, count: int, name: str) -> Any:
    """Return the results of the calls, stacked."""
    first = rows[0]
    single = isinstance(first, Tensor) and isinstance(out_dims, tuple) and len(out_dims) == 1
    dims = list(out_dims) if single else broadcast(out_dims, first)
    if dims is None or (isinstance(first, Tensor) and isinstance(out_dims, (list, dict))):
        shown = OTHER_DIMS.format("out", structure(out_dims), structure(first))
        raise ValueError(f"vmap({name}, ..., out_dims={out_dims})(<inputs>): {shown}")
    columns = zip(*map(leaves, rows), strict=True)
    done = iter([column_of(column, dim, count, name) for column, dim in zip(columns, dims, strict=True)])
    return mapped_leaves(first, lambda leaf: next(done))


def column_of(column: tuple[Any, ...], dim: int | None, count: int, name: str) -> Any:
    """Return one result of all calls as one tensor, the mapped dimension at `dim`."""
    if dim is None:
        if isinstance(column[0], Tensor) and any(differs(one, column[0]) for one in column[1:]):
            raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
        return tracking.left(column[0]) if isinstance(column[0], Tensor) else column[0]
    if not isinstance(column[0], Tensor):
        raise ValueError(ONLY_TENSORS.format(name, type(column[0])))
    out: Any = stacked(column)
    out = out if count else out[:0]
    return out if dim == 0 else out.movedim(0, dim)


def differs(one: Tensor, other: Tensor) -> bool:
    return one is not other and not np.array_equal(one._data, other._data, equal_nan=one._data.dtype.kind in "fc")


functions("torch.func", vmap=vmap)
functions(vmap=vmap)
