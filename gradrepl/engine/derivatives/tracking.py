"""Tensors inside of torch.func's grad and its kin, which print as GradTrackingTensor with their level."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradrepl.engine import quick
from gradrepl.engine import tensor as tensors
from gradrepl.engine.api import functions
from gradrepl.engine.grad_mode import mode
from gradrepl.engine.graph import Node, reachable
from gradrepl.engine.op import edge_of
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values import printing

ENDED = -2
"""The level that PyTorch shows of a tensor that outlived its transform."""


class Level(threading.local):
    """The levels that are open in a thread: numbers of those that track gradients and, negative, of those that map a
    function over a dimension; how many there are in all, and how many of these map."""

    open: tuple[int, ...] = ()
    count: int = 0
    mapping: int = 0


levels = Level()
kinds: dict[tuple[int, ...], type[Tensor]] = {(): Tensor}
"""The classes of tensors that are made inside of levels."""


UNSUPPORTED = (
    "You are attempting to call Tensor.{0}() {1}inside of a function being transformed by a functorch transform. This "
    "is unsupported, please attempt to use the functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call "
    "{0}() outside of a function being transformed instead."
)
NO_BACKWARD = (
    "backward() called inside a functorch transform. This is not supported, please use functorch.grad or functorch.vjp "
    "instead or call backward() outside of functorch transforms."
)


def refusing(name: str, text: str) -> Any:
    """Return a method that tensors inside of levels refuse."""

    def refuse(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        if levels.open:
            raise RuntimeError(text)
        return getattr(Tensor, name)(self, *args, **kwargs)

    return refuse


REFUSED = {
    "requires_grad_": UNSUPPORTED.format("requires_grad_", "(or perhaps using torch.autograd.functional.* APIs) "),
    "retain_grad": UNSUPPORTED.format("retain_grad", ""),
    "backward": NO_BACKWARD,
}


def kind_for(numbers: tuple[int, ...]) -> type[Tensor]:
    """Return the class of the tensors that are made inside of levels; no plain Tensor, so no short way takes them."""
    if numbers not in kinds:
        own = {"__module__": "torch", "__slots__": (), "_levels": numbers}
        shown = {"__repr__": tracked_text, "__format__": tracked_format}
        refused = {name: refusing(name, text) for name, text in REFUSED.items()}
        kinds[numbers] = type("Tensor", (Tensor,), {**own, **shown, **refused})
    return kinds[numbers]


def switch(numbers: tuple[int, ...], count: int, mapping: int) -> None:
    levels.open, levels.count, levels.mapping = numbers, count, mapping
    tensors.KIND = quick.KIND = kind_for(numbers)


@contextmanager
def level(tracks: bool = True, hidden: int = 0) -> Iterator[None]:
    """Open a level that tracks gradients, or one that maps; hidden: how many that map PyTorch opens before it."""
    before = levels.open, levels.count, levels.mapping
    count = levels.count + hidden + 1
    switch((*levels.open, count if tracks else -count), count, levels.mapping + hidden + (not tracks))
    try:
        yield
    finally:
        switch(*before)


@contextmanager
def outside() -> Iterator[None]:
    """Run what is to know nothing of the levels that are open: the forward of a custom Function."""
    before = levels.open, levels.count, levels.mapping
    mapping, mode.mapping = mode.mapping, False
    switch((), 0, 0)
    try:
        yield
    finally:
        switch(*before)
        mode.mapping = mapping


def bare(value: Any) -> Any:
    """Return a tensor of any level as a plain one on the same storage, and anything else as it is."""
    if not isinstance(value, Tensor) or not value._levels:
        return value
    plain = make(value._data)
    plain._counter = value._counter
    return plain


def entered(tensor: Tensor, inner: Tensor) -> Tensor:
    """Note that a tensor stands for another one inside of a level."""
    inner.__dict__["_stands_for"] = tensor
    return inner


def among_levels(tensor: Tensor) -> Tensor:
    """Return a tensor that was made outside of the open levels as one that was made in them."""
    if type(tensor) is Tensor:
        tensor.__class__ = tensors.KIND
    return tensor


def left(tensor: Tensor) -> Tensor:
    """Return a result in the class of the tensors around the level that it comes out of."""
    if type(tensor) is not tensors.KIND and tensor._levels:
        tensor.__class__ = tensors.KIND
    return tensor


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Tensor:
    """Return the tensor that one inside of transforms stands for: of all levels, or of the last (torch.func)."""
    origin = tensor.__dict__.get("_stands_for")
    inner = make(tensor._data) if origin is None else origin
    inner.__class__ = kind_for(tensor._levels[:-1]) if origin is None and tensor._levels else type(inner)
    return debug_unwrap(inner) if recurse and inner._levels else inner


def is_constant(tensor: Tensor) -> bool:
    """Whether a tensor depends on nothing but what was passed to transforms."""
    root = edge_of(tensor) if tensor.requires_grad else None
    ends = [] if isinstance(root, Node) or root is None else [root]
    ends += [edge for node in reachable([root]) for edge in node.edges if edge is not None and not edge._outputs]
    return all("_stands_for" in end.__dict__ for end in ends)


def tracked_text(tensor: Any) -> str:
    """Return the text of a tensor, inside one GradTrackingTensor(...) for each level that it belongs to."""
    return nested(tensor, tensor._levels)


def tracked_format(tensor: Any, spec: str) -> str:
    """Format a single number by the spec, anything else as its text."""
    return format(tensor._data.item(), spec) if tensor._data.ndim == 0 else object.__format__(tensor, spec)


def nested(tensor: Any, numbers: tuple[int, ...]) -> str:
    if not numbers:
        return plain_text(tensor)
    origin = tensor.__dict__.get("_stands_for")
    inner = nested(tensor, numbers[:-1]) if origin is None else tracked_text(origin)
    if numbers[-1] < 0:
        return inner
    number = numbers[-1] if numbers[-1] in levels.open else ENDED
    body = inner.replace("\n", "\n    ")
    return f"GradTrackingTensor(lvl={number}, value=\n    {body}\n)"


def plain_text(tensor: Tensor) -> str:
    """Return the text of a tensor without the gradients that transforms alone want."""
    if is_constant(tensor):
        tensor = make(tensor._data)
    return printing.tensor_text(tensor)


functions("torch.func", debug_unwrap=debug_unwrap)
