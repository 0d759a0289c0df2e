"""A tensor's memory as elements of its dtype: the storages of older programs (torch.TypedStorage)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradrepl.engine.api import functions, methods
from gradrepl.engine.device import CPU
from gradrepl.engine.dtype import Array
from gradrepl.engine.ops.view import owner
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.storage import UntypedStorage

DEPRECATED = (
    "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class. "
    "This should only matter to you if you are using storages directly.  To access UntypedStorage directly, use "
    "tensor.untyped_storage() instead of tensor.storage()"
)


class TypedStorage:
    """All elements that a tensor and its views share, in the order of memory; says once that it is deprecated."""

    _warned = False

    def __init__(self, tensor: Tensor) -> None:
        if not TypedStorage._warned:
            TypedStorage._warned = True
            warnings.warn(DEPRECATED, UserWarning, stacklevel=3)
        whole = owner(tensor._data)
        flat: Array = np.lib.stride_tricks.as_strided(whole, (whole.size,), (whole.itemsize,))
        self._flat: Any = make(flat.view(tensor._data.dtype))
        self.dtype, self.device = tensor.dtype, CPU

    def untyped(self) -> UntypedStorage:
        """Return the same memory as bytes."""
        return UntypedStorage(self._flat._data)

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return self.untyped().data_ptr()

    def nbytes(self) -> int:
        """Return the number of bytes."""
        return self.untyped().nbytes()

    def element_size(self) -> int:
        """Return the number of bytes of an element."""
        return int(self._flat.itemsize)

    def size(self) -> int:
        """Return the number of elements."""
        return len(self._flat)

    def tolist(self) -> list[Any]:
        """Return the elements as numbers."""
        return list(self._flat.tolist())

    def fill_(self, value: Any) -> TypedStorage:
        """Overwrite every element."""
        self._flat.fill_(value)
        return self

    def _place(self, index: Any) -> int:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not -self.size() <= index < self.size():
            raise IndexError(f"index {index} out of range for storage of size {self.size()}")
        return int(index)

    def __getitem__(self, index: Any) -> Any:
        return self._flat[self._place(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._flat[self._place(index)] = value

    def __len__(self) -> int:
        return self.size()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __repr__(self) -> str:
        lines = "".join(f" {element}\n" for element in self.tolist())
        return f"{lines}[torch.storage.TypedStorage(dtype={self.dtype}, device=cpu) of size {self.size()}]"


TypedStorage.__module__ = "torch.storage"


def storage(self: Tensor) -> TypedStorage:
    """Return all elements of this tensor's memory (torch.Tensor.storage)."""
    return TypedStorage(self)


methods(storage=storage)
functions(TypedStorage=TypedStorage, is_storage=lambda obj: isinstance(obj, (TypedStorage, UntypedStorage)))
