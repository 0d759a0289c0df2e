"""Constructors under the names that Python's own messages show in PyTorch: Conv2d.__init__() missing 1 required ..."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from gradrepl.engine.nn import activations, convolutions, dropout, recurrent, transformer

CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
OWN: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (convolutions, CONVOLUTIONS),
    (activations, ("Softmax", "LogSoftmax", "Softmin")),
    (recurrent, ("LSTMCell",)),
    (transformer, ("TransformerEncoderLayer", "TransformerDecoderLayer")),
)
"""Classes that in PyTorch have a constructor of their own, here one in common with others."""


def own_constructor(cls: Any) -> None:
    """Give a class its own copy of the constructor that it inherits, under its own name."""
    inherited = cls.__init__
    copy = FunctionType(
        inherited.__code__, inherited.__globals__, "__init__", inherited.__defaults__, inherited.__closure__
    )
    copy.__kwdefaults__, copy.__doc__ = inherited.__kwdefaults__, inherited.__doc__
    copy.__annotations__ = inherited.__annotations__
    copy.__qualname__ = f"{cls.__name__}.__init__"
    cls.__init__ = copy


for _module, _names in OWN:
    for _name in _names:
        own_constructor(getattr(_module, _name))
dropout.DropoutBase.__init__.__qualname__ = "_DropoutNd.__init__"
recurrent.RNN.__init__.__qualname__ = "RNNBase.__init__"
