"""Tensors, numbers and what is made of them compared within tolerances: torch.testing.assert_close."""

from __future__ import annotations

import cmath
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.dtype import CATEGORY, FLOAT
from gradrepl.engine.tensor import Tensor, make

PRECISIONS = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
"""The relative and the absolute difference that each dtype allows."""
OLD_NAME = (
    "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. Please use "
    "`torch.testing.assert_close()` instead. You can find detailed upgrade instructions in "
    "https://github.com/pytorch/pytorch/issues/61844."
)
NUMBERS = (int, float, complex, np.number)
Path = tuple[Any, ...]


class Mismatch(NamedTuple):
    """What differs, and where within nested sequences and mappings."""

    message: str
    path: Path

    def text(self) -> str:
        if not self.path:
            return self.message
        return f"{self.message}\n\nThe failure occurred for item {''.join(f'[{step!r}]' for step in self.path)}"


class Options(NamedTuple):
    """How closely things are to agree, and in what else."""

    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_dtype: bool
    check_stride: bool

    def tolerances(self, *kinds: str) -> tuple[float, float]:
        """Return the relative and the absolute tolerance: those given, else the widest of some dtypes."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        found = [PRECISIONS.get(kind, (0.0, 0.0)) for kind in kinds]
        return max(rtol for rtol, _ in found), max(atol for _, atol in found)


def mismatches(actual: Any, expected: Any, options: Options, path: Path = ()) -> Iterator[Mismatch]:
    """Go through what differs; raises TypeError in PyTorch's words for things that can't be compared."""
    texts = isinstance(actual, str) or isinstance(expected, str)
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        yield from in_mappings(actual, expected, options, path)
    elif isinstance(actual, Sequence) and isinstance(expected, Sequence) and not texts:
        if len(actual) != len(expected):
            yield Mismatch(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path)
            return
        for place, pair in enumerate(zip(actual, expected, strict=True)):
            yield from mismatches(*pair, options, (*path, place))
    else:
        message = message_for(actual, expected, options)
        if message:
            yield Mismatch(message, path)


def in_mappings(actual: Any, expected: Any, options: Options, path: Path) -> Iterator[Mismatch]:
    if actual.keys() != expected.keys():
        missing, more = sorted(expected.keys() - actual.keys()), sorted(actual.keys() - expected.keys())
        yield Mismatch(
            f"The keys of the mappings do not match:\nMissing keys in the actual mapping: {missing}\n"
            f"Additional keys in the actual mapping: {more}",
            path,
        )
        return
    for key in sorted(actual):
        yield from mismatches(actual[key], expected[key], options, (*path, key))


def message_for(actual: Any, expected: Any, options: Options) -> str:
    """Return what to say of two single things, nothing where they agree."""
    if actual is None or expected is None:
        return "" if actual is expected else f"None mismatch: {actual} is not {expected}"
    if isinstance(actual, (bool, np.bool_)) and isinstance(expected, (bool, np.bool_)):
        return "" if actual is expected else f"Booleans mismatch: {actual} is not {expected}"
    if isinstance(actual, NUMBERS) and isinstance(expected, NUMBERS):
        return number_message(actual, expected, options)
    both = [as_tensor(thing) for thing in (actual, expected)]
    if type(actual) is not type(expected) and not all(isinstance(thing, Tensor) for thing in (actual, expected)):
        both = [None, None]
    if both[0] is None or both[1] is None:
        kinds = f"{shown(actual)} and {shown(expected)}"
        raise TypeError(f"No comparison pair was able to handle inputs of type {kinds}.")
    return tensor_message(both[0], both[1], options)


def shown(thing: Any) -> str:
    return str(Tensor if isinstance(thing, Tensor) else type(thing))


def as_tensor(thing: Any) -> Tensor | None:
    return thing if isinstance(thing, Tensor) else make(thing) if isinstance(thing, np.ndarray) else None


def number_message(actual: Any, expected: Any, options: Options) -> str:
    if options.check_dtype and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    names = {int: "int64", float: "float64", complex: "complex128"}
    kinds = [names.get(type(value), "float64") for value in (actual, expected)]
    return scalar_text(actual, expected, options.tolerances(*kinds), options.equal_nan)


def scalar_text(actual: Any, expected: Any, tolerances: tuple[float, float], equal_nan: bool) -> str:
    """Return what to say of two numbers, nothing where they agree."""
    rtol, atol = tolerances
    both_nan = cmath.isnan(actual) and cmath.isnan(expected)
    if actual == expected or (equal_nan and both_nan):
        return ""
    distance = abs(actual - expected)
    if np.isfinite(distance) and distance <= atol + rtol * abs(expected):
        return ""
    share = float("inf") if expected == 0 else distance / abs(expected)
    exact = rtol == atol == 0
    bounds = ("", "") if exact else (f" (up to {atol} allowed)", f" (up to {rtol} allowed)")
    return (
        f"Scalars are not {'equal' if exact else 'close'}!\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {distance}{bounds[0]}\nRelative difference: {share}{bounds[1]}"
    )


def tensor_message(actual: Tensor, expected: Tensor, options: Options) -> str:
    """Return what to say of two tensors: what else differs first, then the elements that do."""
    checks = (
        ("shape", True, actual.shape, expected.shape),
        ("dtype", options.check_dtype, actual.dtype, expected.dtype),
        ("stride()", options.check_stride, strides(actual), strides(expected)),
    )
    for name, wanted, own, other in checks:
        if wanted and own != other:
            return f"The values for attribute '{name}' do not match: {own} != {other}."
    tolerances = options.tolerances(actual.dtype.name, expected.dtype.name)
    one, two = in_common(actual._data, expected._data)
    if one.ndim == 0:
        return scalar_text(one.item(), two.item(), tolerances, options.equal_nan)
    return elements_message(one, two, tolerances, options.equal_nan)


def strides(tensor: Tensor) -> tuple[int, ...]:
    return tuple(step // tensor._data.itemsize for step in tensor._data.strides)


def in_common(one: Any, two: Any) -> tuple[Any, Any]:
    """Return two arrays as plain ones of one dtype."""
    one, two = np.array(one), np.array(two)
    if one.dtype != two.dtype:
        kind = np.promote_types(one.dtype, two.dtype)
        one, two = one.astype(kind), two.astype(kind)
    return one, two


def elements_message(one: Any, two: Any, tolerances: tuple[float, float], equal_nan: bool) -> str:
    rtol, atol = tolerances
    inexact = CATEGORY[one.dtype] >= FLOAT
    wide = (one, two) if inexact else (one.astype(np.int64), two.astype(np.int64))
    with np.errstate(all="ignore"):
        distance = np.abs(wide[0] - wide[1])
        close = (one == two) | (np.isfinite(distance) & (distance <= atol + rtol * np.abs(wide[1])))
        if equal_nan and inexact:
            close |= np.isnan(one) & np.isnan(two)
        if close.all():
            return ""
        share = distance / np.abs(wide[1]) if inexact else (distance / np.abs(wide[1])).astype(np.float32)
    wrong = int((~close).sum())
    exact = rtol == atol == 0
    lines = [
        f"Tensor-likes are not {'equal' if exact else 'close'}!\n",
        f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})",
        greatest("absolute", np.where(close, 0, distance), "" if exact else f" (up to {atol} allowed)"),
        greatest("relative", np.where(close, 0, share), "" if exact else f" (up to {rtol} allowed)"),
    ]
    return "\n".join(lines)


def greatest(kind: str, values: Any, bound: str) -> str:
    place = tuple(int(i) for i in np.unravel_index(int(values.argmax()), values.shape))
    return f"Greatest {kind} difference: {values[place].item()} at index {place}{bound}"


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise AssertionError where things are not close (torch.testing.assert_close)."""
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    options = Options(rtol, atol, equal_nan, check_dtype, check_stride)
    found = next(mismatches(actual, expected, options), None)
    if found is not None:
        raise AssertionError(found.text() if msg is None else msg(found.text()) if callable(msg) else msg)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """Raise AssertionError where things are not close: the old name (torch.testing.assert_allclose)."""
    warnings.warn(OLD_NAME, FutureWarning, stacklevel=2)
    one, two = (thing if isinstance(thing, Tensor) else make(np.asarray(thing)) for thing in (actual, expected))
    assert_close(one, two, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


functions("torch.testing", assert_close=assert_close, assert_allclose=assert_allclose)
