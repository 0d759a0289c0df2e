"""Borders around the last dimensions as modules: ZeroPad2d, ReflectionPad2d and their kin."""

from __future__ import annotations

from typing import Any, ClassVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.ops.windows import spread
from gradrepl.engine.tensor import Tensor

functional = SPACES["torch.nn.functional"]


class Padding(Module):
    """What all borders share: how wide they are; dims: of how many dimensions; mode: what they are made of."""

    dims: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = spread(padding, 2 * self.dims)

    def forward(self, input: Tensor) -> Any:
        return functional["pad"](input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPadding(Padding):
    """A border of one number."""

    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Any:
        return functional["pad"](input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ZeroPadding(ConstantPadding):
    """A border of zeros."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPadding(Padding):
    """A border that is what lies on the other side."""

    mode = "circular"

    def forward(self, input: Tensor) -> Any:
        least, ndim = self.dims + 1, input.dim()
        if ndim not in (least, least + 1):
            raise ValueError(f"expected {least}D or {least + 1}D input (got {ndim}D input)")
        return super().forward(input)


BASES: dict[str, tuple[type[Padding], dict[str, str]]] = {
    "ConstantPad": (ConstantPadding, {}),
    "ZeroPad": (ZeroPadding, {}),
    "ReflectionPad": (Padding, {"mode": "reflect"}),
    "ReplicationPad": (Padding, {"mode": "replicate"}),
    "CircularPad": (CircularPadding, {}),
}
"""For each kind of border what it is based on and what its own classes add."""

for _name, (_base, _more) in BASES.items():
    for _dims in (1, 2, 3):
        _doc = f"A border around the last {_dims} dimensions (torch.nn.{_name}{_dims}d)."
        _kind = type(f"{_name}{_dims}d", (_base,), {"dims": _dims, "__doc__": _doc, **_more})
        export("torch.nn.modules.padding", _kind)
