"""Tensors out of nothing: from Python values, filled, counted up, and like others."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions, public
from gradrepl.engine.device import strided
from gradrepl.engine.dtype import BOOL8, CATEGORY, COMPLEX, FLOAT, INEXACT, INT64, Array
from gradrepl.engine.formats import laid_out
from gradrepl.engine.once import warn_once
from gradrepl.engine.precision.bfloat16 import rounded
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.literal import array_from, forward_only, known, warn_copy_construct

OPTIONS = "dtype? dtype=None, layout? layout=None, device? device=None, bool pin_memory=False, bool requires_grad=False"
SIZED = f"ints size, *, Tensor? out=None, {OPTIONS}"
LIKE = f"Tensor input, *, memory_format? memory_format=None, {OPTIONS}"
NO_PIN = (
    "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is available on this "
    "system."
)
NO_FLAG = "Only Tensors of floating point and complex dtype can require gradients"


def numpy_kind(dtype: Any, fallback: Any = None) -> np.dtype[Any]:
    """Return the numpy dtype for a dtype argument, or the fallback, or the default float."""
    if dtype is not None:
        return dtype.numpy
    return fallback if fallback is not None else dtypes.default.float.numpy


def leaf(array: Array, requires_grad: bool, memory_format: Any = None, **options: Any) -> Tensor:
    """Return a new leaf; grad mode does not touch its flag."""
    if options:
        check_options(**options)
    if memory_format is not None:
        array = laid_out(array, memory_format)
    tensor = make(rounded(array) if array.dtype.metadata is not None else array)
    if requires_grad:
        if tensor._data.dtype not in INEXACT:
            raise RuntimeError(NO_FLAG)
        tensor._requires_grad = True
    return tensor


def check_options(layout: Any = None, pin_memory: bool = False, **others: Any) -> None:
    """Raise for what a tensor in plain memory can't be."""
    if pin_memory:
        raise RuntimeError(NO_PIN)
    if layout is not None and layout is not strided:
        raise NotImplementedError(f"gradrepl's builtin engine has strided tensors only, not {layout}")


def sides(size: tuple[int, ...], name: str = "") -> tuple[int, ...]:
    """Return a size without negative numbers in it; raises RuntimeError in PyTorch's words."""
    for side in size:
        if side < 0:
            if name:
                raise RuntimeError(f"{name}: Dimension size must be non-negative.")
            raise RuntimeError(f"Trying to create tensor with negative dimension {side}: {list(size)}")
    return size


@public(
    "any data, *, dtype? dtype=None, device? device=None, bool pin_memory=False, bool requires_grad=False", method=False
)
def tensor(
    data: Any, dtype: Any = None, device: Any = None, pin_memory: bool = False, requires_grad: bool = False
) -> Tensor:
    """Make a leaf from numbers, nested lists, a numpy array or another tensor; copies (torch.tensor)."""
    check_options(pin_memory=pin_memory)
    if isinstance(data, Tensor):
        warn_copy_construct("torch.tensor")
    return leaf(array_from(data, None if dtype is None else dtype.numpy), requires_grad)


@public("any data, *, dtype? dtype=None, device? device=None", method=False)
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Make a tensor that shares the memory of an array, or is the tensor given, where it can (torch.as_tensor)."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray):
        array = shared(data)
        return make(array) if dtype is None else leaf(array.astype(dtype.numpy, copy=False), False)
    return leaf(array_from(data, None if dtype is None else dtype.numpy), False)


UNSPECIFIED = (
    "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass "
    "requires_grad=False explicitly to get the old behavior and silence this warning."
)


@public("any obj, *, dtype? dtype=None, device? device=None, bool? copy=None, bool? requires_grad=None", method=False)
def asarray(
    obj: Any, dtype: Any = None, device: Any = None, copy: Any = None, requires_grad: bool | None = None
) -> Tensor:
    """Make a tensor of anything, sharing memory where that can be (torch.asarray)."""
    found = as_tensor(obj, dtype=dtype)
    if requires_grad is None and found._requires_grad:
        warn_once(UNSPECIFIED, stacklevel=3)
    if copy:
        found = make(found._data.copy())
    if requires_grad is False and found._requires_grad:
        found = found.requires_grad_(False) if found.is_leaf else make(found._data)
    if requires_grad and not found._requires_grad:
        found = leaf(found._data, True)
    return found


READ_ONLY = (
    "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to "
    "this tensor will result in undefined behavior. You may want to copy the array to protect its data or make it "
    "writable before converting it to a tensor. This type of warning will be suppressed for the rest of this program."
)


def shared(data: Array) -> Array:
    """Return an array as tensors can share it, a copy of one that can't be written to.

    Raises TypeError or ValueError in PyTorch's words.
    """
    array = forward_only(known(data))
    if array.flags.writeable:
        return array
    warn_once(READ_ONLY, stacklevel=3)
    return array.copy()


def from_numpy(*args: Any) -> Tensor:
    """Make a tensor that shares the memory of a numpy array (torch.from_numpy)."""
    if len(args) != 1:
        count = len(args)
        raise TypeError(f"torch._VariableFunctionsClass.from_numpy() takes exactly one argument ({count} given)")
    if not isinstance(args[0], np.ndarray):
        kind = type(args[0])
        name = f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__
        raise TypeError(f"expected np.ndarray (got {name})")
    return make(shared(args[0]))


@public(SIZED, method=False)
def ones(size: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a tensor of ones (torch.ones)."""
    return leaf(np.ones(sides(size), numpy_kind(dtype)), requires_grad, **options)


@public(SIZED, method=False)
def zeros(size: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a tensor of zeros (torch.zeros)."""
    return leaf(np.zeros(sides(size, "zeros"), numpy_kind(dtype)), requires_grad, **options)


@public(f"ints size, *, memory_format? memory_format=None, Tensor? out=None, {OPTIONS}", method=False)
def empty(size: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a tensor whose elements nobody set (torch.empty)."""
    return leaf(np.empty(sides(size), numpy_kind(dtype)), requires_grad, **options)


@public(f"ints size, Number fill_value, *, Tensor? out=None, {OPTIONS}", method=False)
def full(size: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a tensor filled with one number (torch.full)."""
    value, inferred = plain_number(fill_value)
    return leaf(filled(sides(size), value, numpy_kind(dtype, inferred)), requires_grad, **options)


def plain_number(value: Any) -> tuple[Any, np.dtype[Any]]:
    """Return a number given as such or as a 0-d tensor, and the dtype that a new tensor of it has."""
    number = value._data.item() if isinstance(value, Tensor) else value
    if isinstance(number, np.generic):
        number = number.item()
    return number, dtypes.of_scalar(number)


def filled(shape: tuple[int, ...], value: Any, kind: np.dtype[Any]) -> Array:
    """Return an array of one number; raises RuntimeError where the dtype can't hold it."""
    return np.full(shape, dtypes.fitting_number(value, kind), kind)


@public(LIKE, method=False)
def ones_like(input: Tensor, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make ones of the shape and dtype of another tensor (torch.ones_like)."""
    return leaf(np.ones_like(input._data, numpy_kind(dtype, input._data.dtype)), requires_grad, **options)


@public(LIKE, method=False)
def zeros_like(input: Tensor, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make zeros of the shape and dtype of another tensor (torch.zeros_like)."""
    return leaf(np.zeros_like(input._data, numpy_kind(dtype, input._data.dtype)), requires_grad, **options)


@public(LIKE, method=False)
def empty_like(input: Tensor, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a tensor of the shape and dtype of another, its elements set by nobody (torch.empty_like)."""
    return leaf(np.empty_like(input._data, numpy_kind(dtype, input._data.dtype)), requires_grad, **options)


@public(LIKE.replace("Tensor input,", "Tensor input, Number fill_value,", 1), method=False)
def full_like(input: Tensor, fill_value: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a tensor like another, filled with one number (torch.full_like)."""
    value, _ = plain_number(fill_value)
    kind = numpy_kind(dtype, input._data.dtype)
    return leaf(filled(input._data.shape, value, kind), requires_grad, **options)


def newly(name: str, make_array: Callable[..., Array], text: str = "") -> None:
    """Expose Tensor.new_zeros and its kin: a size, the dtype of the tensor where none is given."""

    def call(self: Tensor, size: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
        value = [plain_number(options.pop("fill_value"))[0]] if "fill_value" in options else []
        array = make_array(sides(size), *value, numpy_kind(dtype, self._data.dtype))
        return leaf(array, requires_grad, **options)

    call.__doc__ = f"Make a tensor of a size in this tensor's dtype (torch.Tensor.{name})."
    public(f"Tensor input, ints size,{text} *, {OPTIONS}", name=name, function=False)(call)


newly("new_zeros", np.zeros)
newly("new_ones", np.ones)
newly("new_empty", np.empty)
newly("new_full", filled, " Number fill_value,")


@public(f"Tensor input, any data, *, {OPTIONS}", function=False)
def new_tensor(self: Tensor, data: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a tensor of Python values in this tensor's dtype (torch.Tensor.new_tensor)."""
    if isinstance(data, Tensor):
        warn_copy_construct("tensor.new_tensor")
    kind = numpy_kind(dtype, self._data.dtype)
    return leaf(array_from(data, kind), requires_grad, **options)


def counted(start: Any, end: Any, step: Any, dtype: Any) -> Array:
    """Return start, start + step, ... below end; raises RuntimeError in PyTorch's words."""
    values = [plain_number(value)[0] for value in (start, end, step)]
    start, end, step = values
    whole = all(isinstance(value, int) for value in values)
    kind = numpy_kind(dtype, INT64 if whole else None)
    if kind is BOOL8:
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool'")
    if CATEGORY[kind] == COMPLEX:
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{dtypes.OF_NUMPY[kind].tensor_type}'")
    check_range(start, end, step)
    if kind is INT64:
        start, end, step, whole = int(start), int(end), int(step), True
        check_range(start, end, step)
    count = -((start - end) // step) if whole else math.ceil((end - start) / step)
    if CATEGORY[kind] < FLOAT:
        return (int(start) + np.arange(count) * int(step)).astype(kind)
    return steps_of(start, step, count, kind)


def steps_of(start: float, step: float, count: int, kind: np.dtype[Any]) -> Array:
    """Return start + i * step to the bit as PyTorch's vectors of 32 bytes compute it, two of them at a time."""
    index = np.arange(count)
    exact = fused(step, index, start)
    width = 32 // kind.itemsize
    whole = count - count % (2 * width)
    if whole and CATEGORY[kind] == FLOAT:
        bases = exact[:whole:width].astype(kind).astype(np.float64)
        exact[:whole] = fused(step, np.arange(width), bases[:, None]).reshape(-1)
    return exact.astype(kind)


def fused(a: Any, b: Any, c: Any) -> Array:
    """Return a * b + c with one rounding, for small whole numbers b."""
    return np.asarray(np.longdouble(a) * b + c, dtype=np.float64)


def check_range(start: Any, end: Any, step: Any) -> None:
    if any(isinstance(value, complex) for value in (start, end, step)):
        raise RuntimeError("value cannot be converted to type double without overflow")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start:g} -> {end:g}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


@public(
    f"Number end, *, Tensor? out=None, {OPTIONS}",
    f"Number start, Number end, *, {OPTIONS}",
    f"Number start, Number end, Number step=1, *, Tensor? out=None, {OPTIONS}",
    method=False,
)
def arange(
    first: Any = None, end: Any = None, step: Any = 1, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Count from start up to, not including, end (torch.arange)."""
    start, end = (0, first) if end is None else (first, end)
    return leaf(counted(start, end, step, dtype), requires_grad, **options)


@public(f"Number start, Number end, Number step=1, *, Tensor? out=None, {OPTIONS}", name="range", method=False)
def closed_range(
    start: Any, end: Any, step: Any = 1, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Count from start to end inclusive, in floats (torch.range)."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=3,
    )
    check_range(start, end, step)
    count = math.floor((end - start) / step) + 1
    return leaf((start + np.arange(count) * step).astype(numpy_kind(dtype)), requires_grad, **options)


def spread_integers(start: Any, end: Any, steps: int) -> Array:
    """Return evenly spaced numbers that are to become integers, each product and sum rounded once."""
    step = (end - start) / max(1, steps - 1)
    index = np.arange(steps)
    return np.where(index < steps // 2, fused(step, index, start), fused(-step, steps - index - 1, end))


def spread(start: Any, end: Any, steps: int, dtype: Any) -> Array:
    """Return evenly spaced numbers, computed from both ends as PyTorch does."""
    start, end = plain_number(start)[0], plain_number(end)[0]
    fallback = dtypes.of_scalar(1j) if isinstance(start, complex) or isinstance(end, complex) else None
    kind = numpy_kind(dtype, fallback)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    if CATEGORY[kind] < FLOAT:
        start, end = int(start), int(end)
    if steps == 1:
        return np.full(1, start, kind)
    if CATEGORY[kind] < FLOAT:
        return spread_integers(start, end, steps).astype(kind)
    number = kind.type
    step = (number(end) - number(start)) / number(max(1, steps - 1))
    index = np.arange(steps)
    wide = np.complex128 if CATEGORY[kind] == COMPLEX else np.longdouble
    rising = wide(number(start)) + wide(step) * index
    falling = wide(number(end)) - wide(step) * (steps - index - 1)
    return np.where(index < steps // 2, rising, falling).astype(kind)


EVENLY = tuple(
    f"{a} start, {b} end, int steps, *, Tensor? out=None, {OPTIONS}"
    for a, b in (("Tensor", "Tensor"), ("Number", "Tensor"), ("Tensor", "Number"), ("Number", "Number"))
)


def check_ends(name: str, start: Any, end: Any) -> None:
    """Raise what PyTorch raises for tensors that are no single number."""
    found = [
        f"{which} with {value._data.ndim} dimension(s)"
        for which, value in (("start", start), ("end", end))
        if isinstance(value, Tensor)
    ]
    if any(isinstance(value, Tensor) and value._data.ndim for value in (start, end)):
        raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors, but got {' and '.join(found)}.")


@public(*EVENLY, method=False)
def linspace(
    start: Any, end: Any, steps: int, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Make evenly spaced numbers from start to end inclusive (torch.linspace)."""
    check_ends("linspace", start, end)
    return leaf(spread(start, end, steps, dtype), requires_grad, **options)


@public(*(text.replace("int steps,", "int steps, float base=10.0,") for text in EVENLY), method=False)
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Make powers of a base, their exponents evenly spaced (torch.logspace)."""
    check_ends("logspace", start, end)
    kind = numpy_kind(dtype)
    if CATEGORY[kind] < FLOAT:
        start, end = (int(plain_number(value)[0]) for value in (start, end))
    exponents = spread(start, end, steps, dtypes.float64)
    return leaf((base**exponents).astype(kind), requires_grad, **options)


@public(f"int n, *, Tensor? out=None, {OPTIONS}", f"int n, int m, *, Tensor? out=None, {OPTIONS}", method=False)
def eye(n: int, m: int | None = None, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a matrix with ones on its diagonal (torch.eye)."""
    for name, side in (("n", n), ("m", m)):
        if side is not None and side < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {side}")
    return leaf(np.eye(n, m, dtype=numpy_kind(dtype)), requires_grad, **options)


@public(f"Number s, *, {OPTIONS}", method=False)
def scalar_tensor(s: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a 0-d tensor of a number, in the default dtype (torch.scalar_tensor)."""
    value, inferred = plain_number(s)
    return leaf(filled((), value, numpy_kind(dtype, inferred if isinstance(value, complex) else None)), requires_grad)


@public(f"ints size, ints stride, *, {OPTIONS}", method=False)
def empty_strided(size: Any, stride: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Make a tensor of given strides, its elements set by nobody (torch.empty_strided)."""
    kind = numpy_kind(dtype)
    count = 1 + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    memory = np.empty(max(count, 0), kind)
    steps = tuple(step * kind.itemsize for step in stride)
    return leaf(np.lib.stride_tricks.as_strided(memory, size, steps), requires_grad, **options)


def triangle(pick: Callable[..., Any]) -> Callable[..., Tensor]:
    def call(row: int, col: int, offset: int = 0, dtype: Any = None, **options: Any) -> Tensor:
        check_options(**options)
        return make(np.stack(pick(row, offset, col)).astype(numpy_kind(dtype, INT64)))

    return call


for _name, _pick in (("tril_indices", np.tril_indices), ("triu_indices", np.triu_indices)):
    public(
        "int row, int col, int offset=0, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool pin_memory=False",
        name=_name,
        method=False,
    )(triangle(_pick))

functions(from_numpy=from_numpy, bfloat16=dtypes.bfloat16)
