"""Numbers out of tensors: item, tolist, numpy, and Python's own conversions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradrepl.engine import tensor as tensors
from gradrepl.engine.api import functions, methods
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array, c_name
from gradrepl.engine.grad_mode import INFERENCE, ON, mode
from gradrepl.engine.once import warn_once
from gradrepl.engine.tensor import Tensor, make

NEEDS_DETACH = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
LOSES_GRAD = (
    "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
    "Consider using tensor.detach() first."
)


ITEM_WHILE_MAPPING = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, "
    "please try to rewrite what you're doing with other operations. If error is occurring somewhere inside PyTorch "
    "internals, please file a bug report."
)
TRUTH_WHILE_MAPPING = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that "
    "yet, please file an issue at https://github.com/pytorch/pytorch/issues ."
)


def item(self: Tensor) -> Any:
    """Return the single element as a Python number; raises RuntimeError for any other count of elements."""
    if mode.mapping:
        raise RuntimeError(ITEM_WHILE_MAPPING)
    if self._data.size != 1:
        raise RuntimeError(f"a Tensor with {self._data.size} elements cannot be converted to Scalar")
    return self._data.item()


NO_STORAGE = "Cannot access data pointer of Tensor that doesn't have storage"


def tolist(self: Tensor) -> Any:
    """Return the elements as nested lists, or as a number for a 0-d tensor."""
    if mode.mapping:
        raise RuntimeError(NO_STORAGE)
    return self._data.tolist()


def numpy(self: Tensor, *, force: bool = False) -> Array:
    """Return an array that shares this tensor's memory; raises RuntimeError where it requires grad."""
    if self._requires_grad and not force and mode.recording == ON:
        raise RuntimeError(NEEDS_DETACH)
    if self._data.dtype.metadata:
        raise TypeError("Got unsupported ScalarType BFloat16")
    if mode.mapping or (self._levels and tensors.KIND._levels):
        raise RuntimeError(NO_STORAGE)
    return self._data[...]


def as_array(self: Tensor, dtype: Any = None) -> Array:
    """Give numpy the array that it asks for."""
    found = numpy(self)
    return found if dtype is None else found.astype(dtype, copy=False)


as_array.__name__, as_array.__qualname__ = "__array__", "Tensor.__array__"


def wrap_array(self: Tensor, array: Array) -> Tensor:
    """Take a result of a numpy function on this tensor back as a tensor."""
    return make(array.astype(np.uint8) if array.dtype == np.bool_ else array)


def scalar(self: Tensor) -> Any:
    """Return the number that int() and complex() start from."""
    if mode.mapping:
        raise RuntimeError(ITEM_WHILE_MAPPING)
    if self._data.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return self._data.item()


def real(value: Any, kind: str) -> Any:
    """Return a number that is no complex one; raises RuntimeError for one that is."""
    if isinstance(value, complex):
        if value.imag:
            raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
        return value.real
    return value


def as_float(self: Tensor) -> float:
    """Return the single element as a float; warns where the tensor requires grad."""
    if self._requires_grad:
        warn_once(LOSES_GRAD)
    return float(real(scalar(self), "double"))


def as_index(self: Tensor) -> int:
    """Return the number that a list index or range() asks for."""
    if self._data.size != 1 or CATEGORY[self._data.dtype] >= FLOAT:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(self._data.item())


def truth(self: Tensor) -> bool:
    """Return whether the single element is not zero."""
    if mode.mapping:
        raise RuntimeError(TRUTH_WHILE_MAPPING)
    if self._data.size == 0:
        raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
    if self._data.size > 1:
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(self._data.item())


def contains(self: Tensor, element: Any) -> bool:
    """Return whether some element equals a number or tensor."""
    if not isinstance(element, (Tensor, int, float, complex)):
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
    return bool(np.any(self._data == (element._data if isinstance(element, Tensor) else element)))


def detach(self: Tensor) -> Tensor:
    """Return a tensor on the same storage that is cut off from the graph (torch.Tensor.detach)."""
    out = make(self._data)
    out._counter = self._counter
    return out


def detach_(self: Tensor) -> Tensor:
    """Cut this tensor off from the graph, in place; raises RuntimeError for a view (torch.Tensor.detach_)."""
    if self._counter is None or mode.recording <= INFERENCE:
        return self
    if self._view is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
            "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
            "detach_() cannot be called on these gradients. To fix this error, please refer to the "
            "Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
        )
    self.__dict__.pop("_dual", None)
    self._grad_fn, self._requires_grad, self._output_nr = None, False, 0
    return self


def get_data(self: Tensor) -> Tensor:
    """Return a tensor on the same storage with a version counter of its own."""
    return make(self._data)


def set_data(self: Tensor, value: Any) -> None:
    """Put another tensor's storage under this name, flags and history unchanged."""
    if not isinstance(value, Tensor):
        raise TypeError("Variable data has to be a tensor, but got " + c_name(value))
    if self._counter is None and mode.recording > INFERENCE:
        raise RuntimeError("Inference tensors do not track version counter.")
    if self._requires_grad and CATEGORY[value._data.dtype] < FLOAT:
        raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
    self._data = value._data


def keep_data(self: Tensor) -> None:
    raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")


def length(self: Tensor) -> int:
    """Return the size of the first dimension."""
    if self._data.ndim == 0:
        raise TypeError("len() of a 0-d tensor")
    return len(self._data)


def turned_round(self: Tensor) -> Any:
    """Return a tensor with its first dimension turned round, as reversed() asks for it."""
    return self.flip(0) if self._data.ndim else self  # type: ignore[attr-defined]


def iterate(self: Tensor) -> Iterator[Tensor]:
    """Go through the first dimension."""
    if self._data.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))  # type: ignore[attr-defined]


methods(
    item=item,
    tolist=tolist,
    numpy=numpy,
    detach=detach,
    detach_=detach_,
    __array__=as_array,
    __array_wrap__=wrap_array,
    __float__=as_float,
    __int__=lambda self: int(real(scalar(self), "int64_t")),
    __complex__=lambda self: complex(scalar(self)),
    __index__=as_index,
    __bool__=truth,
    __contains__=contains,
    __len__=length,
    __iter__=iterate,
    __reversed__=turned_round,
    data=property(get_data, set_data, keep_data),
)
functions(detach=detach, detach_=detach_)
