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


def check_sequence(kernel: int, stride: int, padding: int, dilation: int, out: int) -> None:
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


LETTERS = {2: "HW", 3: "THW"}
RANKS = {2: "3D or 4D", 3: "4D or 5D"}


def out_sizes(size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil: bool) -> Ints:
    """Return the number of windows; with `ceil` those count too that reach over the edge."""
    out = []
    for s, k, t, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        free = s + 2 * p - d * (k - 1) - 1
        count = (free + (t - 1 if ceil else 0)) // t + 1
        out.append(count - 1 if ceil and (count - 1) * t >= s + p else count)
    return tuple(out)


def checked_sizes(
    a: Any, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil: bool, function: str = ""
) -> Ints:
    """Return the number of windows in an array; raises RuntimeError in PyTorch's words where there can be none."""
    dims = len(kernel)
    if a.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(f"non-empty {RANKS[dims]} (batch mode) tensor expected for input")
    check_borders(kernel, stride, padding, dilation)
    check_steps(kernel, stride, dilation)
    check_filled(a.shape, dims, function)
    out = out_sizes(a.shape[-dims:], kernel, stride, padding, dilation, ceil)
    check_out(a.shape[-dims - 1 :], out)
    return out


def check_borders(kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> None:
    """Raise what PyTorch raises for borders, a dimension after the other."""
    for k, t, p, d in zip(kernel, stride, padding, dilation, strict=True):
        if t == 0:
            raise RuntimeError("stride should not be zero")
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > int((d * (k - 1) + 1) / 2):
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )


def check_steps(kernel: Ints, stride: Ints, dilation: Ints) -> None:
    """Raise what PyTorch raises for windows and steps without a size."""
    for kind, name, values in (
        ("kernel size", "k", kernel),
        ("stride", "d", stride),
        ("dilation", "dilation", dilation),
    ):
        if min(values) < 1:
            letters = LETTERS[len(values)]
            shown = " ".join(f"{name}{letter}: {value}" for letter, value in zip(letters, values, strict=True))
            raise RuntimeError(f"{kind} should be greater than zero, but got {shown}")


def check_filled(shape: Ints, dims: int, function: str) -> None:
    """Raise what PyTorch raises for a side without elements; the batch may have none."""
    if 0 not in (shape if len(shape) == dims + 1 else shape[1:]):
        return
    if dims == 2:
        raise RuntimeError(
            f"Expected {RANKS[dims]} (batch mode) tensor with optional 0 dim batch size for input, but got:"
            f"{list(shape)}"
        )
    raise RuntimeError(
        f"{function}(): Expected input's non-batch dimensions to have positive length, but input has a shape of "
        f"{list(shape)} and non-batch dimension 0 has length zero!"
    )


def check_out(size: Ints, out: Ints) -> None:
    """Raise RuntimeError in PyTorch's words where there is no window in an input of a size (channels and sides)."""
    if min(out) < 1:
        found, made = "x".join(map(str, size)), "x".join(map(str, (size[0], *(max(side, 0) for side in out))))
        raise RuntimeError(f"Given input size: ({found}). Calculated output size: ({made}). Output size is too small")


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


def bin_counts(shape: Ints, output_size: Any, dims: int, words: str) -> Ints:
    """Return how many bins the last `dims` sides get: one number for all or one for each, None for the side itself.

    Raises RuntimeError with these words for another number of counts.
    """
    if not isinstance(output_size, (tuple, list)):
        output_size = (output_size,) * dims
    elif len(shape) <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    if len(output_size) != dims:
        raise RuntimeError(words)
    if len(shape) < dims:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-len(shape)}, {len(shape) - 1}], but got {-dims})"
        )
    return tuple(s if o is None else int(o) for s, o in zip(shape[-dims:], output_size, strict=True))


def mean_counts(function: str, shape: Ints, output_size: Any, dims: int) -> Ints:
    """Return how many means of bins are wanted; raises RuntimeError in PyTorch's words where there can be none."""
    out = bin_counts(shape, output_size, dims, f"{function}: output_size must be {dims}")
    if min(out) < 0:
        shown = f"{out[0]}, {','.join(map(str, out[1:]))}" if dims == 3 else ", ".join(map(str, out))
        raise RuntimeError(
            f"{function}: elements of output_size must be greater than or equal to 0 but received {{{shown}}}"
        )
    if out != (1,) * dims:
        check_ranks(function, shape, dims, "")
        check_sides(function, shape, dims)
    return out


def greatest_counts(function: str, shape: Ints, output_size: Any, dims: int) -> Ints:
    """Return how many greatest elements of bins are wanted; raises RuntimeError in PyTorch's words."""
    words = f"{function}(): internal error: output_size.size() must be {dims}"
    if not isinstance(output_size, (tuple, list)) or len(output_size) < len(shape):
        check_ranks(function, shape, dims, ":")
    out = bin_counts(shape, output_size, dims, words)
    check_sides(function, shape, dims)
    if min(out) < 0:
        made = [*shape[:-dims], *out]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(made)}: {made}")
    return out


def check_ranks(function: str, shape: Ints, dims: int, colon: str) -> None:
    if len(shape) not in (dims + 1, dims + 2):
        raise RuntimeError(f"{function}(): Expected {RANKS[dims]} tensor, but got{colon} {list(shape)}")


def check_sides(function: str, shape: Ints, dims: int) -> None:
    """Raise what PyTorch raises for a side without elements, of which there can be no bins."""
    for place in range(len(shape) - dims, len(shape)):
        if shape[place] == 0:
            raise RuntimeError(
                f"{function}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(shape)} with dimension {place} being empty"
            )
