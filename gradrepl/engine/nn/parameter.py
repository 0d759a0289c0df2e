"""Parameters and buffers: the tensors that a module calls its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions
from gradrepl.engine.dtype import INEXACT
from gradrepl.engine.grad_mode import INFERENCE, mode
from gradrepl.engine.quick import PARAMETERS
from gradrepl.engine.tensor import Tensor, make

SLOTS = ("_data", "_requires_grad", "_grad_fn", "_output_nr", "_grad", "_counter", "_view", "_extra")


class Parameter(Tensor):
    """A tensor that a module registers and an optimizer changes (torch.nn.Parameter); it shares `data`'s storage.

    Raises RuntimeError for a dtype that can't require gradients.
    """

    __slots__ = ()

    _may_override = False

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        source = make(np.zeros(0, dtypes.default.float.numpy)) if data is None else data.detach()
        if requires_grad and source._data.dtype not in INEXACT:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        if requires_grad and source._counter is None and mode.recording > INFERENCE:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        self = object.__new__(cls)
        for slot in SLOTS:
            setattr(self, slot, getattr(source, slot))
        self._requires_grad = requires_grad
        return self

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        pass

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(make(self._data.copy()), self._requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (Parameter, (make(self._data), self._requires_grad))

    def __repr__(self, *, tensor_contents: str | None = None) -> str:
        text = super().__repr__()
        return "Parameter containing:\n" + (text if type(self) is Parameter else f"Parameter({text})")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._prefix = f"{cls.__name__}("


PARAMETERS.append(Parameter)


class BufferMeta(type):
    """Lets isinstance(x, Buffer) see the mark on a plain tensor."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=BufferMeta):
    """A tensor that a module registers as state without gradient (torch.nn.Buffer); the result is a plain Tensor."""

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        source: Any = make(np.zeros(0, dtypes.default.float.numpy)) if data is None else data.detach()
        source._requires_grad = getattr(data, "_requires_grad", False)
        source._is_buffer, source.persistent = True, persistent
        return source


def export(module: str, *things: Any, also: tuple[str, ...] = ("torch.nn",)) -> None:
    """Put classes and functions into a module of torch, of which they then say that they come from there."""
    for thing in things:
        thing.__module__ = module
        for space in (module, *also):
            functions(space, **{thing.__name__: thing})


export("torch.nn.parameter", Parameter, Buffer)
