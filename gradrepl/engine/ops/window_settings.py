"""The settings of windows as pooling takes them: PyTorch's words for those that do not do."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.ops.windows import Ints

NUMBERS = {2: "two", 3: "three"}
MANY = {
    "kernel_size": "{function}: kernel_size must either be a single int, or a tuple of {number} ints",
    "stride": "{function}: stride must either be omitted, a single int, or a tuple of {number} ints",
    "padding": "{function}: padding must either be a single int, or a tuple of {number} ints",
    "dilation": "{function}: dilation must be either a single int, or a tuple of {number} ints",
}
ONE = {
    "kernel_size": "{function}() kernel_size must be an int, list of ints or tuple of ints of size 1 but got size "
    "{size}",
    "stride": "{function}() stride must be None, an int, list of ints, or tuple of ints of size 1 but got size {size}",
    "padding": "{function}() padding must be an int, list of ints, or tuple of ints of size 1 but got size {size}",
    "dilation": "{function}() dilation must be an int, list of ints or tuple of ints of size 1 but got size {size}",
}
AVERAGE_OF_ONE = "{function}() argument '{name}' should contain one int (got {size})"
LEAST = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}


def window_setting(function: str, name: str, value: Any, count: int) -> Ints:
    """Return a setting of a pooling function for each of `count` dimensions.

    Raises TypeError for what is no int, and RuntimeError in PyTorch's words for too many.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if not all(isinstance(item, int) for item in values):
        raise TypeError(f"{name} must be ints")
    if len(values) not in (1, count):
        words = MANY[name] if count > 1 else ONE[name] if function == "max_pool1d" else AVERAGE_OF_ONE
        number = NUMBERS.get(count, "")
        raise RuntimeError(words.format(function=function, name=name, number=number, size=len(values)))
    return values * count if len(values) == 1 else values


def check_sequence(length: int, kernel: int, stride: int, padding: int, dilation: int, out: int) -> None:
    """Raise what PyTorch raises for settings of max_pool1d; out: how many windows they give."""
    given = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    for name, value in given.items():
        if value < LEAST[name]:
            wanted = "greater than zero" if LEAST[name] else "non-negative"
            raise RuntimeError(f"max_pool1d() {name} must be {wanted}, but got {value}")
    if padding > kernel // 2:
        raise RuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={padding} and "
            f"kernel_size={kernel}"
        )
    if out < 1:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {out}")


def check_planes(kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> None:
    """Raise what PyTorch raises for settings of pooling in two dimensions."""
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    for kind, letters, values in (("kernel size", "kH kW", kernel), ("stride", "dH dW", stride)):
        if min(values) < 1:
            shown = " ".join(f"{letter}: {value}" for letter, value in zip(letters.split(), values, strict=True))
            raise RuntimeError(f"{kind} should be greater than zero, but got {shown}")
    if min(dilation) < 1:
        raise RuntimeError(
            f"dilation should be greater than zero, but got dilationH: {dilation[0]} dilationW: {dilation[1]}"
        )
    if min(padding) < 0:
        raise RuntimeError(f"pad must be non-negative, but got pad: {min(padding)}")


def check_sequences(function: str, input: Any) -> None:
    """Raise what PyTorch raises for an input that holds no sequences."""
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.dim()}-dimensional tensor for argument #1 'self' (while "
            f"checking arguments for {function})"
        )


def one_count(function: str, output_size: Any) -> Any:
    """Return the number of bins of a sequence."""
    counts = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,)
    if len(counts) != 1:
        raise RuntimeError(f"{function}() argument 'output_size' should contain one int (got {len(counts)})")
    return counts[0]


def check_bins(out: Any, words: str) -> None:
    """Raise RuntimeError with these words where not two counts of bins are given."""
    if isinstance(out, (tuple, list)) and len(out) != 2:
        raise RuntimeError(words)
