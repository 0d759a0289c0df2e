"""Tensors as text, to the character as PyTorch prints them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import CATEGORY, COMPLEX, FLOAT, FLOAT64, Array
from gradrepl.engine.dual import Dual, tangent_of
from gradrepl.engine.tensor import Tensor


@dataclass(slots=True)
class PrintOptions:
    """What torch.set_printoptions sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


options = PrintOptions()

PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print (torch.set_printoptions); sci_mode goes back to automatic unless given."""
    chosen = dict(PROFILES.get(profile or "", {}))
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen.update({name: value for name, value in given.items() if value is not None})
    for name, value in chosen.items():
        setattr(options, name, value)
    options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Return how tensors print, as keyword arguments of set_printoptions."""
    return asdict(options)


@contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """Print differently inside a with-block (torch.printoptions)."""
    before = get_printoptions()
    set_printoptions(**changes)
    try:
        yield
    finally:
        set_printoptions(**before)


Formatter = Callable[[Any], str]


def real_formatter(values: Array) -> tuple[Formatter, int]:
    """Return the function that formats one number of an array like these values, and its width."""
    if CATEGORY[values.dtype] < FLOAT:
        width = max((len(str(value)) for value in values.tolist()), default=1)
        return (lambda value: str(value).rjust(width)), width
    counted = values[np.isfinite(values) & (values != 0)]
    if counted.size == 0:
        return finish(integral, 1)
    sizes = np.abs(counted).astype(FLOAT64)
    low, high = sizes.min(), sizes.max()
    automatic = bool(high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4)
    scientific = automatic if options.sci_mode is None else options.sci_mode
    whole = bool(np.all(counted == np.ceil(counted)))
    if scientific:
        write: Formatter = f"{{:.{options.precision}e}}".format
    elif whole:
        write = integral
    else:
        write = f"{{:.{options.precision}f}}".format
    return finish(write, max(len(write(value)) for value in counted.tolist()))


def integral(value: float) -> str:
    """Write a float that is a whole number: with a dot, and without digits behind it."""
    return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


def finish(write: Formatter, width: int) -> tuple[Formatter, int]:
    return (lambda value: write(value).rjust(width)), width


def formatter_for(values: Array) -> tuple[Formatter, int]:
    """Return the formatter of any dtype; a complex number has one for each part."""
    if CATEGORY[values.dtype] != COMPLEX:
        return real_formatter(values)
    (real, real_width), (imaginary, imaginary_width) = (
        real_formatter(values.real),
        real_formatter(values.imag),
    )

    def write(value: complex) -> str:
        part = f"{imaginary(value.imag)}j".lstrip()
        return real(value.real) + (part if part[0] in "+-" else "+" + part)

    return write, real_width + imaginary_width + 1


def edges(array: Array) -> Array:
    """Return what a summary shows of an array: its first and last items along every dimension."""
    for axis, side in enumerate(array.shape):
        if side > 2 * options.edgeitems:
            kept = [*range(options.edgeitems), *range(side - options.edgeitems, side)]
            array = array.take(kept, axis=axis)
    return array


def vector_text(array: Array, indent: int, summarize: bool, write: Formatter, width: int) -> str:
    count = options.edgeitems
    if summarize and not count:
        items = ["..."]
    elif summarize and len(array) > 2 * count:
        items = [*map(write, array[:count].tolist()), " ...", *map(write, array[-count:].tolist())]
    else:
        items = [*map(write, array.tolist())]
    a_line = max(1, (options.linewidth - indent) // (width + 2))
    lines = [", ".join(items[i : i + a_line]) for i in range(0, len(items), a_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def nested_text(array: Array, indent: int, summarize: bool, write: Formatter, width: int) -> str:
    if array.ndim == 0:
        return write(array.item())
    if array.ndim == 1:
        return vector_text(array, indent, summarize, write, width)
    count, side = options.edgeitems, len(array)
    shortened = summarize and side > 2 * count
    shown = [*range(count), *range(side - count, side)] if shortened else range(side)
    parts = [nested_text(array[i], indent + 1, summarize, write, width) for i in shown]
    if shortened:
        parts.insert(count, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def array_text(array: Array, indent: int) -> str:
    """Return the numbers of an array as PyTorch prints them, lines after the first indented."""
    if array.size == 0:
        return "[]"
    summarize = array.size > options.threshold
    shown = edges(array) if summarize else array
    write, width = formatter_for(shown.reshape(-1))
    return nested_text(array, indent, summarize, write, width)


def suffixes_of(tensor: Tensor) -> list[str]:
    array = tensor._data
    default = dtypes.default.float
    suffixes = []
    if array.size == 0:
        if array.ndim != 1:
            suffixes.append(f"size={tuple(array.shape)}")
        if tensor.dtype is not default:
            suffixes.append(f"dtype={tensor.dtype}")
    else:
        if not options.edgeitems:
            suffixes.append(f"size={tuple(array.shape)}")
        if tensor.dtype not in (default, dtypes.OF_NUMPY[dtypes.of_scalar(1j)], dtypes.int64, dtypes.bool_):
            suffixes.append(f"dtype={tensor.dtype}")
    try:
        node = tensor.grad_fn
    except RuntimeError:
        return [*suffixes, "grad_fn=<Invalid>"]
    if node is not None:
        suffixes.append(f"grad_fn=<{type(node).__name__}>")
    elif tensor._requires_grad:
        suffixes.append("requires_grad=True")
    if (tangent := tangent_of(tensor)) is not None:
        suffixes.append(f"tangent={tangent}")
    return suffixes


def tensor_text(tensor: Tensor, prefix: str = "tensor(") -> str:
    """Return repr(tensor): numbers, then what differs from the defaults, broken at the line width."""
    indent = len(prefix)
    text = prefix + array_text(np.asarray(tensor._data), indent)
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes_of(tensor):
        if length + len(suffix) + 2 > options.linewidth:
            text += f",\n{' ' * indent}{suffix}"
            length = indent + len(suffix)
        else:
            text += f", {suffix}"
            length += len(suffix) + 2
    return text + ")"


def tensor_repr(self: Tensor, *, tensor_contents: str | None = None) -> str:
    """Return the tensor as PyTorch prints it."""
    return tensor_text(self, self._prefix)


def tensor_format(self: Tensor, spec: str) -> str:
    """Format a single number by the spec, anything else as its repr."""
    if self._data.ndim == 0 and type(self) in (Tensor, Dual):
        return format(self._data.item(), spec)
    return object.__format__(self, spec)


Tensor.__repr__ = tensor_repr  # type: ignore[method-assign, assignment]
Tensor.__format__ = tensor_format  # type: ignore[method-assign, assignment]
