"""Names of PyTorch's past: Variable, which makes tensors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions
from gradrepl.engine.arguments import type_name
from gradrepl.engine.dtype import INEXACT
from gradrepl.engine.tensor import Tensor, make

NO_VOLATILE = "volatile was removed and now has no effect. Use `with torch.no_grad():` instead."


class VariableMeta(type):
    """Makes every tensor an instance of Variable."""

    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, Tensor)


class Variable(metaclass=VariableMeta):
    """Makes a tensor on the same storage, cut off from the graph (torch.autograd.Variable)."""

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        """Return a tensor around the data; raises TypeError for anything but a tensor."""
        if volatile is not None:
            warnings.warn(NO_VOLATILE, UserWarning, stacklevel=2)
        if data is None:
            data = make(np.zeros(0, dtypes.default.float.numpy))
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type_name(data)}")
        tensor = make(data._data)
        if requires_grad and data._data.dtype not in INEXACT:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        return tensor.requires_grad_() if requires_grad else tensor


Variable.__module__ = "torch.autograd.variable"
functions("torch.autograd", Variable=Variable)
functions("torch.autograd.variable", Variable=Variable)
