"""A tensor's memory: strides, offsets, storages, and copies of the whole tensor."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, methods, public
from gradrepl.engine.dtype import OF_NUMPY, Array, dtype
from gradrepl.engine.formats import lies_in
from gradrepl.engine.hooks import warn_if_has_hooks
from gradrepl.engine.in_place import bump, check_version, check_writable
from gradrepl.engine.ops.view import as_strided, dim_of, geometry_of, owner
from gradrepl.engine.tensor import Tensor, c_dtype, grad_dtype_of, make

NO_DEEPCOPY = (
    "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you "
    "were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
    "https://github.com/pytorch/pytorch/pull/103001"
)


OTHER_GRADIENT = (
    "Cannot set grad_dtype to '{}' because there is already a gradient with dtype '{}'. Please clear the gradient "
    "(.grad = None) before changing grad_dtype, or ensure the new grad_dtype matches the existing gradient's dtype."
)


def address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def storage_offset(self: Tensor) -> int:
    """Return how many elements lie before the first in the storage (torch.Tensor.storage_offset)."""
    return (address(self._data) - address(owner(self._data))) // self._data.itemsize


def steps(array: Array) -> tuple[int, ...]:
    """Return the strides in elements, those of sides of 1 and of empty arrays as PyTorch lays them out."""
    found = [step // array.itemsize for step in array.strides]
    for i in reversed(range(array.ndim)):
        if array.size == 0 or (array.shape[i] == 1 and not found[i]):
            found[i] = max(array.shape[i + 1], 1) * found[i + 1] if i + 1 < array.ndim else 1
    return tuple(found)


@public("Tensor self, int? dim=None", function=False)
def stride(self: Tensor, dim: int | None = None) -> Any:
    """Return by how many elements a step along each dimension, or one, moves (torch.Tensor.stride)."""
    found = steps(self._data)
    return found if dim is None else found[dim_of(dim, len(found))]


@public("Tensor self, *, memory_format? memory_format=None", function=False)
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Return whether the elements lie one behind the other (torch.Tensor.is_contiguous)."""
    return lies_in(self._data, memory_format)


class UntypedStorage:
    """The bytes that a tensor and its views share (torch.UntypedStorage)."""

    def __init__(self, array: Array) -> None:
        self._array = owner(array)

    def data_ptr(self) -> int:
        """Return the address of the first byte."""
        return address(self._array)

    def nbytes(self) -> int:
        """Return the number of bytes."""
        return int(self._array.nbytes)

    def size(self) -> int:
        """Return the number of bytes."""
        return self.nbytes()

    def _bytes(self) -> list[int]:
        return np.frombuffer(self._array.tobytes(), np.uint8).tolist()

    def tolist(self) -> list[int]:
        """Return the bytes as numbers."""
        return self._bytes()

    def __len__(self) -> int:
        return self.nbytes()

    def __getitem__(self, index: int) -> int:
        return self._bytes()[index]

    def __repr__(self) -> str:
        lines = "".join(f" {byte}\n" for byte in self._bytes())
        return f"{lines}[torch.storage.UntypedStorage(device=cpu) of size {self.nbytes()}]"


UntypedStorage.__module__ = "torch.storage"


def deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """Return a copy with memory of its own, its gradient and attributes copied too; leaves only."""
    if not self.is_leaf:
        raise RuntimeError(NO_DEEPCOPY)
    if id(self) in memo:
        return memo[id(self)]
    other = rebuilt(own_kind(self), copied(self._data, memo), self._requires_grad, {})
    memo[id(self)] = other
    if self._grad is not None:
        other._grad = copy.deepcopy(self._grad, memo)
    other.__dict__.update(copy.deepcopy(own_attributes(self), memo))
    return other


def own_kind(tensor: Tensor) -> type[Tensor]:
    """Return the class of a tensor outside of forward mode and transforms."""
    kind = type(tensor)
    return Tensor if (kind.__module__, kind.__qualname__) == ("torch", "Tensor") else kind


def own_attributes(tensor: Tensor) -> dict[str, Any]:
    """Return the attributes that were given to a tensor."""
    return {name: value for name, value in tensor.__dict__.items() if name != "_dual"}


def copied(data: Array, memo: dict[int, Any]) -> Array:
    """Return a copy of an array as part of a copy of its whole storage, of which there is one for a memo."""
    whole = owner(data)
    if whole is data:
        return memo.setdefault(id(whole), data.copy("K"))
    if id(whole) not in memo:
        memo[id(whole)] = whole.copy("K")
    part = geometry_of(data, whole)
    return as_strided.forward(memo[id(whole)], *part).view(data.dtype)


def rebuilt(kind: type[Tensor], array: Array, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    """Return a leaf from what a pickle holds."""
    found = OF_NUMPY[array.dtype].numpy
    tensor = make(array if array.dtype is found else array.view(found))
    if kind is not Tensor:
        tensor.__class__ = kind
    tensor._requires_grad = requires_grad
    tensor.__dict__.update(attributes)
    return tensor


def reduce(self: Tensor, protocol: Any) -> Any:
    """Say how a pickle makes this tensor again: as a leaf."""
    warn_if_has_hooks(self)
    return rebuilt, (own_kind(self), self._data, self._requires_grad, own_attributes(self))


def set_(self: Tensor, source: Any = None) -> Tensor:
    """Let this tensor look into another's storage (torch.Tensor.set_)."""
    check_writable(self, self._requires_grad)
    if source is not None and source._data.dtype != self._data.dtype:
        raise RuntimeError(f"Could not set tensor of type {c_dtype(source)} to a tensor of type {c_dtype(self)}")
    self._data = np.empty(0, self._data.dtype) if source is None else source._data
    bump(self)
    return self


def resize_(self: Tensor, *size: Any) -> Tensor:
    """Change the size, keeping the elements that fit (torch.Tensor.resize_)."""
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    if self._requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    check_version(self)
    count = int(np.prod(shape, dtype=np.int64))
    flat = self._data.reshape(-1)
    if count > flat.size:
        flat = np.concatenate([flat, np.zeros(count - flat.size, flat.dtype)])
    self._data = flat[:count].reshape(shape)
    bump(self)
    return self


def get_grad_dtype(self: Tensor) -> dtype | None:
    """Return the dtype that `.grad` must have, None for any (torch.Tensor.grad_dtype); raises for a non-leaf."""
    if not self.is_leaf:
        raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
    return grad_dtype_of(self)


def set_grad_dtype(self: Tensor, value: dtype | None) -> None:
    """Let gradients be cast to a dtype before they are accumulated, None for not at all; raises for a non-leaf."""
    if value is not None and not isinstance(value, dtype):
        raise RuntimeError(f"grad_dtype must be a torch.dtype or None, but got {type(value).__name__}")
    if not self.is_leaf:
        raise RuntimeError("grad_dtype can only be set on leaf tensors.")
    if value is not None and self._grad is not None and self._grad.dtype is not value:
        raise RuntimeError(OTHER_GRADIENT.format(value.tensor_type, c_dtype(self._grad)))
    self._slow_extra().grad_dtype = value


def same_size(self: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have one shape (torch.Tensor.is_same_size)."""
    return bool(self._data.shape == other._data.shape)


methods(
    storage_offset=storage_offset,
    untyped_storage=lambda self: UntypedStorage(self._data),
    set_=set_,
    resize_=resize_,
    resize_as_=lambda self, other: resize_(self, other._data.shape),
    share_memory_=lambda self: self,
    is_same_size=same_size,
    is_set_to=lambda self, other: (
        address(self._data) == address(other._data)
        and self._data.shape == other._data.shape
        and self._data.strides == other._data.strides
    ),
    name=property(lambda self: None),
    grad_dtype=property(get_grad_dtype, set_grad_dtype),
    __deepcopy__=deepcopy,
    __reduce_ex__=reduce,
)
functions(UntypedStorage=UntypedStorage)
