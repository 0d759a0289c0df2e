"""The dtypes and the rules by which they meet: torch.dtype, promotion, numpy's counterparts."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
"""A numpy array. Its overloads can't follow shapes and dtypes that are known at run time only, hence Any."""


Fixed = Any
"""A tensor that no gradient goes to: an index, a mask, the classes of a loss. Nodes keep it with its version."""


class CNamed(type):
    """The type of types that have two names, as those written in C: Python's own messages show name_with_module's."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        return cls.__qualname__


HEAP_TYPE = 1 << 9
"""The flag of types that Python code makes; others, made in C, are shown with their module."""


def c_name(value: object) -> str:
    """Return the name of a value's type as Python's own messages show it: torch.Size and numpy.ndarray, but float."""
    kind = type(value)
    name: str = type.__dict__["__name__"].__get__(kind)
    return name if kind.__flags__ & HEAP_TYPE or kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def name_with_module(kind: type) -> None:
    """Let Python's own messages show a type as torch.dtype; it stays <class 'torch.dtype'>, of the name dtype."""
    type.__dict__["__name__"].__set__(kind, f"{kind.__module__}.{kind.__qualname__}")


class dtype(metaclass=CNamed):  # noqa: N801
    """An element type (torch.dtype): `category` orders bool < int < float < complex."""

    __slots__ = ("category", "itemsize", "name", "numpy", "tensor_type")

    def __init__(self, name: str, numpy: Any, category: int, tensor_type: str) -> None:
        self.name = name
        self.numpy: np.dtype[Any] = np.dtype(numpy)
        self.category = category
        self.itemsize = 2 if self.numpy.metadata else self.numpy.itemsize
        self.tensor_type = tensor_type

    @property
    def is_floating_point(self) -> bool:
        return self.category == FLOAT

    @property
    def is_complex(self) -> bool:
        return self.category == COMPLEX

    @property
    def is_signed(self) -> bool:
        return self.name not in ("bool", "uint8", "uint16", "uint32", "uint64")

    def to_complex(self) -> dtype:
        """Return the complex dtype with parts of this one (torch.dtype.to_complex)."""
        return self if self.is_complex else complex128 if self is float64 else complex64

    def to_real(self) -> dtype:
        """Return the dtype of the parts of this complex one (torch.dtype.to_real)."""
        return {complex64: float32, complex128: float64}.get(self, self)

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


dtype.__module__ = "torch"
name_with_module(dtype)

BOOL, INT, FLOAT, COMPLEX = range(4)

bool_ = dtype("bool", np.bool_, BOOL, "Bool")
uint8 = dtype("uint8", np.uint8, INT, "Byte")
uint16 = dtype("uint16", np.uint16, INT, "UInt16")
uint32 = dtype("uint32", np.uint32, INT, "UInt32")
uint64 = dtype("uint64", np.uint64, INT, "UInt64")
int8 = dtype("int8", np.int8, INT, "Char")
int16 = dtype("int16", np.int16, INT, "Short")
int32 = dtype("int32", np.int32, INT, "Int")
int64 = dtype("int64", np.int64, INT, "Long")
float16 = dtype("float16", np.float16, FLOAT, "Half")
float32 = dtype("float32", np.float32, FLOAT, "Float")
float64 = dtype("float64", np.float64, FLOAT, "Double")
complex64 = dtype("complex64", np.complex64, COMPLEX, "ComplexFloat")
complex128 = dtype("complex128", np.complex128, COMPLEX, "ComplexDouble")

REAL = (bool_, uint8, uint16, uint32, uint64, int8, int16, int32, int64, float16, float32, float64)
ALL = (*REAL, complex64, complex128)
OF_NUMPY = {kind.numpy: kind for kind in ALL}
CATEGORY = {kind.numpy: kind.category for kind in ALL}
bfloat16 = dtype("bfloat16", np.dtype(np.float32, metadata={"torch": "bfloat16"}), FLOAT, "BFloat16")
"""Numpy has no such dtype: the metadata tell these arrays, which are of the class bfloat16.Brain, from float32."""
PYTHON_TYPES = {bool: bool_, int: int64, float: float64, complex: complex128}
"""The dtypes that Python's own types stand for where a dtype is wanted."""
INEXACT = frozenset(kind.numpy for kind in ALL if kind.category >= FLOAT)
"""The numpy dtypes that can require gradients."""

FLOAT32, FLOAT64, INT64, BOOL8 = float32.numpy, float64.numpy, int64.numpy, bool_.numpy
COMPLEX128 = complex128.numpy


def refuse_new(*args: Any, **kwargs: Any) -> Any:
    """Raise what PyTorch raises for dtype()."""
    raise TypeError("cannot create 'torch.dtype' instances")


dtype.__new__ = refuse_new  # type: ignore[method-assign]


class _Default:
    """The dtype of new floating-point tensors (torch.set_default_dtype)."""

    float = float32


default = _Default()


def get_default_dtype() -> dtype:
    """Return the dtype of new floating-point tensors (torch.get_default_dtype)."""
    return default.float


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of new floating-point tensors (torch.set_default_dtype)."""
    if not isinstance(d, dtype) or not d.is_floating_point:
        start = "" if isinstance(d, dtype) else "invalid dtype object: "
        raise TypeError(f"{start}only floating-point types are supported as the default type")
    if d is bfloat16:
        raise NotImplementedError("gradrepl's builtin engine has no bfloat16 as the default type")
    default.float = d


def of(array: Array) -> dtype:
    """Return the torch dtype of an array's elements."""
    if type(array) is not np.ndarray and array.dtype.metadata:
        return bfloat16
    return OF_NUMPY[array.dtype]


def scalar_category(value: object) -> int:
    """Return the category of a Python number."""
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        return INT
    if isinstance(value, np.generic):
        return CATEGORY[value.dtype]
    return FLOAT if isinstance(value, float) else COMPLEX


def of_scalar(value: object) -> np.dtype[Any]:
    """Return the numpy dtype that a Python number takes in a new tensor."""
    category = scalar_category(value)
    if category == FLOAT:
        return default.float.numpy
    return (BOOL8, INT64, FLOAT32, np.dtype(np.complex64 if default.float is float32 else np.complex128))[category]


def beside_scalar(kind: np.dtype[Any], value: object) -> np.dtype[Any]:
    """Return the result dtype of a tensor of `kind` and a Python number: the number lifts the category only."""
    category = scalar_category(value)
    if category <= CATEGORY[kind]:
        return kind
    if category == COMPLEX and kind == FLOAT64:
        return complex128.numpy
    return of_scalar(value)


C_NAMES = {
    "bool": "bool",
    "uint8": "uint8_t",
    "uint16": "uint16_t",
    "uint32": "uint32_t",
    "uint64": "uint64_t",
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int",
    "int64": "int64_t",
    "float16": "at::Half",
    "float32": "float",
    "float64": "double",
}
"""What C++ calls the element types, which messages about conversions show."""


def fitting_number(value: Any, kind: np.dtype[Any]) -> Any:
    """Return a Python number as an element of a dtype; raises RuntimeError where the dtype can't hold it."""
    category = CATEGORY[kind]
    if category == COMPLEX:
        return value
    complicated = isinstance(value, complex)
    if complicated and not value.imag:
        value, complicated = value.real, False
    most: Any = np.iinfo(kind) if category == INT else None
    if complicated or (most is not None and not (-most.max if most.min == 0 else most.min) <= value <= most.max):
        raise RuntimeError(f"value cannot be converted to type {C_NAMES[kind.name]} without overflow")
    if most is None:
        return value
    return int(value) & (2**most.bits - 1) if most.min == 0 else int(value)


def promote(a: Array, b: Array) -> np.dtype[Any]:
    """Return the result dtype of two arrays (torch.result_type): of one category, shaped wins over 0-d."""
    x, y = a.dtype, b.dtype
    if x == y:
        return x
    if (a.ndim == 0) != (b.ndim == 0):
        shaped, single = (y, x) if a.ndim == 0 else (x, y)
        if CATEGORY[single] <= CATEGORY[shaped]:
            return shaped
        if CATEGORY[shaped] < FLOAT <= CATEGORY[single]:
            return single
    return promote_types(x, y)


def promote_all(arrays: list[Array]) -> np.dtype[Any]:
    """Return the result dtype of arrays, which those with dimensions and those of one number have among themselves."""
    if len(arrays) == 2:
        return promote(arrays[0], arrays[1])
    found: list[Array] = []
    for group in ([array for array in arrays if array.ndim], [array for array in arrays if not array.ndim]):
        if group:
            kind = group[0].dtype
            for array in group[1:]:
                kind = promote_types(kind, array.dtype)
            found.append(np.empty(group[0].shape, kind))
    return promote(found[0], found[-1])


LARGE_UNSIGNED = frozenset((uint16.numpy, uint32.numpy, uint64.numpy))


def promote_types(x: np.dtype[Any], y: np.dtype[Any]) -> np.dtype[Any]:
    """Return the smallest dtype that holds both (torch.promote_types); an int never widens a float."""
    if x == y:
        return x
    if (x in LARGE_UNSIGNED or y in LARGE_UNSIGNED) and CATEGORY[x] == CATEGORY[y] == INT:
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{OF_NUMPY[x].tensor_type} and {OF_NUMPY[y].tensor_type}"
        )
    low, high = sorted((x, y), key=CATEGORY.__getitem__)
    if CATEGORY[low] < FLOAT <= CATEGORY[high]:
        return high
    return np.promote_types(x, y)
