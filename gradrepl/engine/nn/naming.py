"""Methods under the names that Python's own messages show in PyTorch: Conv2d.__init__() missing 1 required ..."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from gradrepl.engine.nn import activations, convolutions, dropout, recurrent, transformer
from gradrepl.engine.optim import algorithms, variants
from gradrepl.engine.optim.optimizer import watched
from gradrepl.engine.optim.saving import Saving

CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
OWN: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (convolutions, CONVOLUTIONS),
    (activations, ("Softmax", "LogSoftmax", "Softmin")),
    (recurrent, ("LSTMCell",)),
    (transformer, ("TransformerEncoderLayer", "TransformerDecoderLayer")),
)
"""Classes that in PyTorch have a constructor of their own, here one in common with others."""


OPTIMIZERS = (
    *(algorithms.SGD, algorithms.Adam, algorithms.RMSprop, algorithms.Adagrad, algorithms.Adadelta, algorithms.Adamax),
    *(variants.NAdam, variants.RAdam, variants.Rprop, variants.ASGD),
)


def own_copy(cls: Any, name: str) -> None:
    """Give a class its own copy of a method that it inherits, under its own name."""
    inherited = getattr(cls, name)
    copy = FunctionType(inherited.__code__, inherited.__globals__, name, inherited.__defaults__, inherited.__closure__)
    copy.__kwdefaults__, copy.__doc__ = inherited.__kwdefaults__, inherited.__doc__
    copy.__annotations__ = inherited.__annotations__
    copy.__qualname__ = f"{cls.__name__}.{name}"
    setattr(cls, name, copy)


for _module, _names in OWN:
    for _name in _names:
        own_copy(getattr(_module, _name), "__init__")
for _kind in OPTIMIZERS:
    own_copy(_kind, "step")
    _kind.step = watched(_kind.step)  # type: ignore[method-assign]
for _name, _method in vars(Saving).items():
    if isinstance(_method, FunctionType):
        _method.__qualname__ = f"Optimizer.{_name}"
dropout.DropoutBase.__init__.__qualname__ = "_DropoutNd.__init__"
recurrent.RNN.__init__.__qualname__ = "RNNBase.__init__"
