"""Orders of dimensions in memory: channels_last and channels_last_3d."""

from __future__ import annotations

import numpy as np

from gradrepl.engine.device import memory_format
from gradrepl.engine.dtype import Array

channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")
ORDERS = {channels_last: (0, 2, 3, 1), channels_last_3d: (0, 2, 3, 4, 1)}
"""For each format its dimensions from the outermost to the innermost."""


def laid_out(array: Array, wanted: memory_format | None) -> Array:
    """Return an array in a format, a copy unless it lies so; raises RuntimeError where it has too few dimensions."""
    order = None if wanted is None else ORDERS.get(wanted)
    if wanted is None or order is None:
        return array
    if array.ndim != len(order):
        raise RuntimeError(f"required rank {len(order)} tensor to use {wanted.name} format")
    memory = np.empty([array.shape[dim] for dim in order], array.dtype).view(type(array))
    found = memory.transpose(np.argsort(order))
    if found.strides == array.strides:
        return array
    found[...] = array
    return found


def lies_in(array: Array, wanted: memory_format | None) -> bool:
    """Whether the elements lie one behind the other in the order of a format."""
    order = None if wanted is None else ORDERS.get(wanted)
    if order is None:
        return bool(array.flags.c_contiguous)
    return array.ndim == len(order) and bool(array.transpose(order).flags.c_contiguous)
