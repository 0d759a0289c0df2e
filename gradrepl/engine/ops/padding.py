"""Borders put around arrays: torch.nn.functional.pad."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import Op, op
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.wanted import wants

Pads = tuple[int, ...]


def sides(ndim: int, pads: Pads) -> list[tuple[int, int]]:
    """Return what is added before and after in every dimension; `pads` starts with the last dimension."""
    added = [(pads[i], pads[i + 1]) for i in range(0, len(pads), 2)]
    return [(0, 0)] * (ndim - len(added)) + added[::-1]


def cut(a: Array, amounts: list[tuple[int, int]]) -> Any:
    """Return a view of a without what negative amounts take away."""
    return a[
        tuple(slice(max(-low, 0), size - max(-high, 0)) for (low, high), size in zip(amounts, a.shape, strict=True))
    ]


def grown(amounts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(max(low, 0), max(high, 0)) for low, high in amounts]


@op("ConstantPadNdBackward0", samples=(((2, 3), (1, 2), 0.5), ((2, 3), (-1, 1, 1, 0), 0.0)))
def pad_constant(a: Array, pads: Pads, value: Any) -> Any:
    """a with a border of one number; negative amounts cut off"""
    amounts = sides(a.ndim, pads)
    if min(map(sum, zip(a.shape, *zip(*amounts, strict=True), strict=True)), default=0) < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    return np.pad(cut(a, amounts), grown(amounts), constant_values=value)


pad_constant.grad(a=lambda g, pads: pad_constant(g, tuple(-amount for amount in pads), 0))


def replicated(side: int, low: int, high: int) -> Any:
    """Return which elements of a side stand in the padded one: the outermost ones again and again."""
    return np.arange(-low, side + high).clip(0, side - 1)


def reflected(side: int, low: int, high: int) -> Any:
    """Return which elements of a side stand in the padded one: at both ends those before, backwards."""
    places = np.abs(np.arange(-low, side + high))
    return np.where(places < side, places, 2 * (side - 1) - places)


def wrapped(side: int, low: int, high: int) -> Any:
    """Return which elements of a side stand in the padded one: what is left of it, round and round."""
    left = side - max(-low, 0) - max(-high, 0)
    return max(-low, 0) + np.arange(-max(low, 0), left + max(high, 0)) % left


PLACES = {"replicate": replicated, "reflect": reflected, "circular": wrapped}


def bordered(a: Array, pads: Pads, mode: str) -> Any:
    """Return a with a border of its own elements; negative amounts cut off."""
    for axis, (low, high) in enumerate(sides(a.ndim, pads)):
        if low or high:
            a = a.take(PLACES[mode](a.shape[axis], low, high), axis)
    return a


def folded(g: Array, shape: tuple[int, ...], pads: Pads, mode: str) -> Any:
    """Return the border of g added to the elements, of an array of a shape, that it was copied from."""
    count = math.prod(shape)
    whole = np.zeros(count, g.dtype)
    np.add.at(whole, bordered(np.arange(count).reshape(shape), pads, mode).reshape(-1), g.reshape(-1))
    return whole.reshape(shape)


def copying(node: str, name: str, mode: str, dims: int) -> Op:
    """Make the entry of a border that copies elements of the array.

    The gradient of a border made by writing, as "circular" is in PyTorch, asks for the shape of the array only.
    """

    def pad(a: Array, pads: Pads) -> Any:
        return bordered(a, pads, mode)

    pad.__name__ = name
    pad.__doc__ = f"a with a border of its own elements ({mode})"

    def fold(g: Array, a: Array, pads: Pads) -> Any:
        return folded(g, a.shape, pads, mode)

    def fold_into(g: Array, shape: tuple[int, ...], pads: Pads) -> Any:
        return folded(g, shape, pads, mode)

    fold.__name__ = fold_into.__name__ = f"{name}_gradient"
    fold.__doc__ = fold_into.__doc__ = "The border of g added to the elements of a that it was copied from"
    small, grown, pads = (1, 2, *(3,) * dims), (1, 2, *(5,) * dims), (1, 1) * dims
    entry: Op = op(node, samples=((small, pads),))(pad)
    rule: Op = op(f"{node.removesuffix('0')}Backward0", samples=((grown, small, pads),))(
        fold_into if mode == "circular" else fold
    )
    if mode == "circular":
        entry.grad(a=lambda g, a_shape, pads: rule(g, a_shape, pads))
        rule.grad(g=lambda gg, pads: entry(gg, pads))
    else:
        entry.grad(a=lambda g, a, pads: rule(g, a, pads))
        rule.grad(g=lambda gg, pads: entry(gg, pads), a=lambda gg, a: zeros_of(a))
    return entry


COPYING = {
    (mode, dims): copying(f"{shown}Pad{dims}DBackward0", f"pad_{mode}_{dims}d", mode, dims)
    for mode, shown in (("reflect", "Reflection"), ("replicate", "Replication"))
    for dims in (1, 2, 3)
} | {("circular", dims): copying("CopySlices", f"pad_circular_{dims}d", "circular", dims) for dims in (1, 2, 3)}


@wants("pad", "input", "pad=ints", "mode=str")
def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Put a border around the last dimensions (torch.nn.functional.pad)."""
    pads = tuple(int(amount) for amount in pad)
    if len(pads) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    ndim = input._data.ndim
    if len(pads) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pads)} and input of dimension {ndim}"
        )
    if mode == "constant":
        return pad_constant(input, pads, 0 if value is None else value)
    return pad_copying(input, pads, mode, value)


def pad_copying(input: Any, pads: Pads, mode: str, value: float | None) -> Any:
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    ndim, count = input._data.ndim, len(pads) // 2
    if mode not in ("reflect", "replicate", "circular"):
        raise (NotImplementedError if isinstance(mode, str) else TypeError)(f"Unrecognised padding mode {mode}")
    entry = COPYING.get((mode, count))
    if entry is None:
        raise NotImplementedError(
            f"gradrepl's builtin engine has no padding of mode {mode!r} in {count} dimensions. "
            "Start gradrepl with --engine torch to use it."
        )
    if ndim not in (count + 1, count + 2):
        raise NotImplementedError(
            f"Padding size {len(pads)} is not supported for {ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    shape = input._data.shape
    if mode == "circular":
        check_wrapping(shape, pads)
    else:
        check_sides(shape, pads, mode)
    return entry(input, pads)


def check_wrapping(shape: tuple[int, ...], pads: Pads) -> None:
    """Raise what PyTorch raises for a border that is wider than what it is a copy of."""
    for side, (low, high) in zip(shape, sides(len(shape), pads), strict=True):
        if max(low, high) > side:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if low + high + side < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
        if max(low, high) > side + min(low, 0) + min(high, 0):
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                "memory location. Please clone() the tensor before performing the operation."
            )


def check_sides(shape: tuple[int, ...], pads: Pads, mode: str) -> None:
    """Raise what PyTorch raises for a side that is empty, before or after."""
    dims = len(pads) // 2
    if 0 in shape[len(shape) - dims - 1 :]:
        raise RuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    if mode == "reflect":
        check_reflection(shape, pads)
    made = [side + sum(amounts) for side, amounts in zip(shape, sides(len(shape), pads), strict=True)]
    if max(made[-dims:]) < 1:
        found, out = (list(map("{}: {}".format, "DHW"[-dims:], s[-dims:])) for s in (shape, made))
        raise RuntimeError(f"input ({', '.join(found)}) is too small. Calculated output {' '.join(out)}")
    if min(made) < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(made)}: {made}")


def check_reflection(shape: tuple[int, ...], pads: Pads) -> None:
    """Raise what PyTorch raises for a border that is as wide as the side that it is a reflection of."""
    for back in range(1, len(pads) // 2 + 1):
        before, after = pads[2 * back - 2 : 2 * back]
        if max(before, after) >= shape[-back]:
            raise RuntimeError(
                f"Argument #{2 * back + 2}: Padding size should be less than the corresponding input dimension, but "
                f"got: padding ({before}, {after}) at dimension {len(shape) - back} of input {list(shape)}"
            )


functions("torch.nn.functional", pad=pad)
