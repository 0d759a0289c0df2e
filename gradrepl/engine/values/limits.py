"""What numbers a dtype holds: torch.finfo and torch.iinfo."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions


class finfo(metaclass=dtypes.CNamed):  # noqa: N801
    """The limits of a floating-point dtype (torch.finfo)."""

    def __init__(self, type: dtypes.dtype | None = None) -> None:
        kind = dtypes.default.float if type is None else type
        if not isinstance(kind, dtypes.dtype):
            raise TypeError(f"finfo(): argument 'type' (position 1) must be torch.dtype, not {kind.__class__.__name__}")
        if kind.category < dtypes.FLOAT:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        if kind is dtypes.bfloat16:
            self.set_bfloat16()
            return
        known = np.finfo(kind.numpy)
        self.dtype = str(known.dtype)
        self.bits = int(known.bits)
        self.eps, self.max, self.min = float(known.eps), float(known.max), float(known.min)
        self.tiny = self.smallest_normal = float(known.tiny)
        self.resolution = float(str(known.resolution))

    def set_bfloat16(self) -> None:
        self.dtype, self.bits, self.eps, self.resolution = "bfloat16", 16, 2.0**-7, 0.01
        self.max = (2.0 - 2.0**-7) * 2.0**127
        self.min, self.tiny = -self.max, 2.0**-126
        self.smallest_normal = self.tiny

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


class iinfo(metaclass=dtypes.CNamed):  # noqa: N801
    """The limits of an integer dtype (torch.iinfo)."""

    def __init__(self, type: Any) -> None:
        if not isinstance(type, dtypes.dtype):
            raise TypeError(f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {type.__class__.__name__}")
        if type.category == dtypes.BOOL:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if type.category != dtypes.INT:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        known = np.iinfo(type.numpy)
        self.dtype, self.bits, self.min, self.max = type.name, known.bits, int(known.min), int(known.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


finfo.__module__ = iinfo.__module__ = "torch"
dtypes.name_with_module(finfo)
dtypes.name_with_module(iinfo)
functions(finfo=finfo, iinfo=iinfo)
