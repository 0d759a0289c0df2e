"""Python values as tensors: numbers, nested lists, numpy arrays, by PyTorch's rules and with its errors."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import BOOL8, CATEGORY, COMPLEX, FLOAT, INT, INT64, OF_NUMPY, Array, c_name
from gradrepl.engine.once import given, warn_once
from gradrepl.engine.tensor import Tensor

PLAIN = frozenset((bool, int, float, complex))
NESTED = frozenset((list, tuple))
MOST_DIMENSIONS = 128
COPY_CONSTRUCT = (
    "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than {}(sourceTensor)."
)
SLOW_LIST = (
    "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a "
    "single numpy.ndarray with numpy.array() before converting to a tensor."
)


def array_from(data: Any, kind: np.dtype[Any] | None) -> Array:
    """Return a new array of Python values, in the dtype that they call for where `kind` is None.

    Raises TypeError, ValueError or RuntimeError in PyTorch's words for what no tensor can be made of.
    """
    if isinstance(data, Tensor):
        return np.array(data._data, dtype=kind)
    if isinstance(data, (np.ndarray, np.generic)):
        return np.array(forward_only(known(data)), dtype=kind)
    types = plain_types(data)
    if types is not None:
        array = quick(data, types, kind)
        if array is not None:
            return array
    return slow(data, kind)


def known(data: Any) -> Array:
    """Return a numpy value as an array of one of torch's dtypes; raises TypeError or ValueError for any other."""
    array = np.asarray(data)
    if not array.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    found = OF_NUMPY.get(array.dtype)
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type {type_of_elements(array)}. The only supported types are: float64, "
            "float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and "
            "bool."
        )
    return array if array.dtype is found.numpy else array.view(found.numpy)


def forward_only(array: Array) -> Array:
    """Return an array that a tensor can be made of; raises ValueError in PyTorch's words for one that goes back."""
    if any(step < 0 for step in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with "
            "array.copy().) "
        )
    return array


def type_of_elements(array: Array) -> str:
    return f"numpy.{array.dtype.type.__name__}"


def plain_types(data: Any) -> set[type] | None:
    """Return the types of the numbers in nested lists, or None where something else is in them."""
    kind = type(data)
    if kind in PLAIN:
        return {kind}
    if kind not in NESTED:
        return None
    types = set(map(type, data))
    if types <= PLAIN:
        return types
    if not types <= NESTED:
        return None
    found: set[type] = set()
    for item in data:
        inner = plain_types(item)
        if inner is None:
            return None
        found |= inner
    return found


def kind_of_types(types: Iterable[type]) -> np.dtype[Any]:
    """Return the dtype of a tensor of Python numbers of these types."""
    found = frozenset(types)
    if complex in found:
        return dtypes.of_scalar(1j)
    if float in found or not found:
        return dtypes.default.float.numpy
    return INT64 if int in found else BOOL8


def quick(data: Any, types: set[type], kind: np.dtype[Any] | None) -> Array | None:
    """Return the array that numpy makes of plain numbers; None where the slow way knows what to say."""
    wanted = kind_of_types(types) if kind is None else kind
    if CATEGORY[wanted] == INT and (wanted is not INT64 or float in types):
        return None
    if complex in types and CATEGORY[wanted] < COMPLEX:
        return None
    try:
        return np.array(data, dtype=wanted)
    except (ValueError, OverflowError, TypeError):
        return None


def slow(data: Any, kind: np.dtype[Any] | None) -> Array:
    """Return an array of anything, item by item, as PyTorch goes through it."""
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{c_name(data)}'")
    shape = shape_of_values(data)
    wanted = inferred(data) if kind is None else kind
    if isinstance(data, (list, tuple)) and data and isinstance(data[0], np.ndarray):
        for _ in range(2 if given.always else 1):
            warn_once(SLOW_LIST, stacklevel=5)
    array = np.empty(shape, wanted)
    store(array, data)
    return array


def is_sequence(data: Any) -> bool:
    """Whether PyTorch goes into a value: what can be indexed, except mappings and tensors."""
    return hasattr(data, "__getitem__") and not isinstance(data, (dict, Tensor, np.generic))


def shape_of_values(data: Any) -> tuple[int, ...]:
    """Return the shape by the first items of nested sequences."""
    shape: list[int] = []
    while is_sequence(data) and not (isinstance(data, np.ndarray) and data.ndim == 0):
        shape.append(len(data))
        if len(shape) > MOST_DIMENSIONS:
            raise ValueError(f"too many dimensions '{c_name(data)}'")
        if not len(data):
            break
        data = data[0]
    return tuple(shape)


def inferred(data: Any) -> np.dtype[Any]:
    """Return the dtype that a value calls for."""
    if isinstance(data, Tensor):
        return np.dtype(data._data.dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        return np.dtype(known(data).dtype)
    if isinstance(data, (bool, int, float, complex)):
        return dtypes.of_scalar(data)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{c_name(data)}'")
    if is_sequence(data):
        return inferred_of_items(data)
    raise RuntimeError(f"Could not infer dtype of {c_name(data)}")


def inferred_of_items(data: Sequence[Any]) -> np.dtype[Any]:
    found: np.dtype[Any] | None = None
    for item in data:
        kind = inferred(item)
        found = kind if found is None else dtypes.promote_types(found, kind)
    return dtypes.default.float.numpy if found is None else found


def store(array: Array, data: Any) -> None:
    """Write nested values into an array; raises where their lengths or types do not fit."""
    places: list[tuple[Any, tuple[int, ...]]] = [(data, ())]
    while places:
        item, place = places.pop()
        if len(place) == array.ndim:
            array[place] = converted(item, array.dtype)
            continue
        if not is_sequence(item) and not (isinstance(item, Tensor) and item._data.ndim):
            raise TypeError("not a sequence")
        side = array.shape[len(place)]
        if len(item) != side:
            raise ValueError(f"expected sequence of length {side} at dim {len(place)} (got {len(item)})")
        places.extend((item[i], (*place, i)) for i in reversed(range(side)))


def converted(item: Any, kind: np.dtype[Any]) -> Any:
    """Return one value as an element of the dtype."""
    category = CATEGORY[kind]
    if isinstance(item, Tensor):
        item = number_of(item, category)
    if category == COMPLEX:
        return complex(item)
    if category == FLOAT:
        return float_of(item)
    return bool(item) if kind is BOOL8 else int_of(item, kind)


def number_of(tensor: Tensor, category: int) -> Any:
    if tensor._data.size != 1 and category < FLOAT:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    if tensor._data.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return tensor.__float__() if category == FLOAT else tensor._data.item()  # type: ignore[attr-defined]


def float_of(item: Any) -> float:
    if isinstance(item, (complex, str)) or not hasattr(item, "__float__"):
        raise TypeError(f"must be real number, not {c_name(item)}")
    return float(item)


def int_of(item: Any, kind: np.dtype[Any]) -> Any:
    """Return a number as an integer of the dtype; negative ones wrap where it is unsigned."""
    if not isinstance(item, (int, float, np.generic)):
        raise TypeError(f"'{c_name(item)}' object cannot be interpreted as an integer")
    most: Any = np.iinfo(kind)
    least = -most.max if most.min == 0 and isinstance(item, int) else most.min
    if isinstance(item, int) and not -(2**63) <= item < 2**63 and kind != np.uint64:
        raise ValueError("Overflow when unpacking long long")
    fits: Any = least <= item and item <= most.max
    if not fits:
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")
    return int(item) & (2**most.bits - 1) if most.min == 0 else int(item)


def warn_copy_construct(name: str) -> None:
    """Warn as torch.tensor(tensor) does."""
    warnings.warn(COPY_CONSTRUCT.format(name), UserWarning, stacklevel=4)
