"""Tensors out of nothing: from Python values, filled, random, and like others."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine import random
from gradrepl.engine.api import functions
from gradrepl.engine.dtype import INEXACT, INT64, Array
from gradrepl.engine.tensor import Tensor, make


def shape_of(size: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the shape that was given as numbers or as one sequence."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    return tuple(int(side) for side in size)


def numpy_kind(dtype: Any, fallback: Any = None) -> np.dtype[Any]:
    """Return the numpy dtype for a dtype argument, or the fallback, or the default float."""
    if dtype is not None:
        return dtype.numpy
    return fallback if fallback is not None else dtypes.default.float.numpy


def leaf(array: Array, requires_grad: bool, error: str = "") -> Tensor:
    """Return a new leaf; grad mode does not touch its flag."""
    tensor = make(array)
    if requires_grad:
        if array.dtype not in INEXACT:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        tensor._requires_grad = True
    return tensor


def plain(data: Any) -> Any:
    """Return nested Python values with tensors inside turned into their numbers."""
    if isinstance(data, Tensor):
        return data._data.tolist()
    if isinstance(data, (list, tuple)):
        return [plain(item) for item in data]
    return data


def infer_kind(array: Array) -> np.dtype[Any]:
    """Return the dtype that torch.tensor gives to Python values which numpy read as `array`."""
    if array.size == 0 or array.dtype == np.float64:
        return dtypes.default.float.numpy
    if array.dtype == np.complex128:
        return dtypes.of_scalar(1j)
    return INT64 if array.dtype.kind in "iu" else array.dtype


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a leaf from numbers, nested lists, a numpy array or another tensor; copies (torch.tensor)."""
    if isinstance(data, Tensor):
        array: Array = data._data.copy()
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.array(data)
    else:
        array = np.array(plain(data))
        array = array.astype(infer_kind(array) if dtype is None else dtype.numpy)
    if dtype is not None:
        array = array.astype(dtype.numpy)
    return leaf(array, requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor filled with one number (torch.full)."""
    kind = numpy_kind(dtype, dtypes.of_scalar(fill_value))
    return leaf(np.full(shape_of((size,)), fill_value, kind), requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor of ones (torch.ones)."""
    return leaf(np.ones(shape_of(size), numpy_kind(dtype)), requires_grad)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor of zeros (torch.zeros)."""
    return leaf(np.zeros(shape_of(size), numpy_kind(dtype)), requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Make ones of the shape and dtype of another tensor (torch.ones_like)."""
    return leaf(np.ones(input._data.shape, numpy_kind(dtype, input._data.dtype)), requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Make zeros of the shape and dtype of another tensor (torch.zeros_like)."""
    return leaf(np.zeros(input._data.shape, numpy_kind(dtype, input._data.dtype)), requires_grad)


def randn(
    *size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Draw standard normals (torch.randn)."""
    return leaf(random.normal_array(shape_of(size), numpy_kind(dtype), generator), requires_grad)


def rand(
    *size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Draw uniforms in [0, 1) (torch.rand)."""
    return leaf(random.uniform_array(shape_of(size), numpy_kind(dtype), generator), requires_grad)


functions(
    tensor=tensor,
    full=full,
    ones=ones,
    zeros=zeros,
    ones_like=ones_like,
    zeros_like=zeros_like,
    randn=randn,
    rand=rand,
    manual_seed=random.manual_seed,
)
