"""Borders put around arrays: torch.nn.functional.pad."""

from __future__ import annotations

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
    return np.pad(cut(a, amounts), grown(amounts), constant_values=value)


pad_constant.grad(a=lambda g, pads: pad_constant(g, tuple(-amount for amount in pads), 0))


def folded(g: Array, a: Array, pads: Pads, mode: str) -> Any:
    """Return the border of g added to the elements of (an array like) a that it was copied from."""
    places = np.pad(np.arange(a.size).reshape(a.shape), sides(a.ndim, pads), mode=mode)  # type: ignore[call-overload]
    whole = np.zeros(a.size, g.dtype)
    np.add.at(whole, places.reshape(-1), g.reshape(-1))
    return whole.reshape(a.shape)


def copying(node: str, name: str, mode: str, dims: int) -> Op:
    """Make the entry of a border that copies elements of the array."""

    def pad(a: Array, pads: Pads) -> Any:
        return np.pad(a, sides(a.ndim, pads), mode=mode)  # type: ignore[call-overload]

    pad.__name__ = name
    pad.__doc__ = f"a with a border of its own elements ({mode})"

    def fold(g: Array, a: Array, pads: Pads) -> Any:
        return folded(g, a, pads, mode)

    fold.__name__ = f"{name}_gradient"
    fold.__doc__ = "The border of g added to the elements of a that it was copied from"
    small, grown, pads = (1, 2, *(3,) * dims), (1, 2, *(5,) * dims), (1, 1) * dims
    entry: Op = op(node, samples=((small, pads),))(pad)
    gradient: Op = op(f"{node.removesuffix('0')}Backward0", samples=((grown, small, pads),))(fold)
    entry.grad(a=lambda g, a, pads: gradient(g, a, pads))
    gradient.grad(g=lambda gg, pads: entry(gg, pads), a=lambda gg, a: zeros_of(a))
    return entry


KINDS = (("reflect", "reflect", "Reflection"), ("replicate", "edge", "Replication"))
COPYING = {
    (mode, dims): copying(f"{shown}Pad{dims}DBackward0", f"pad_{mode}_{dims}d", own, dims)
    for mode, own, shown in KINDS
    for dims in (1, 2, 3)
} | {("circular", dims): copying("CopySlices", f"pad_circular_{dims}d", "wrap", dims) for dims in (1, 2, 3)}


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
    if mode == "reflect":
        check_reflection(input._data.shape, pads)
    return entry(input, pads)


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
