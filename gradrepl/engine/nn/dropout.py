"""Dropout as modules."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor

functional = SPACES["torch.nn.functional"]


class DropoutBase(Module):
    """What all kinds of dropout share: a probability, and whether the input is overwritten."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(DropoutBase):
    """Random elements made zero while training (torch.nn.Dropout)."""

    def forward(self, input: Tensor) -> Any:
        return functional["dropout"](input, self.p, self.training, self.inplace)


class Dropout1d(DropoutBase):
    """Random channels of sequences made zero while training (torch.nn.Dropout1d)."""

    def forward(self, input: Tensor) -> Any:
        return functional["dropout1d"](input, self.p, self.training, self.inplace)


class Dropout2d(DropoutBase):
    """Random channels of images made zero while training (torch.nn.Dropout2d)."""

    def forward(self, input: Tensor) -> Any:
        return functional["dropout2d"](input, self.p, self.training, self.inplace)


class Dropout3d(DropoutBase):
    """Random channels of volumes made zero while training (torch.nn.Dropout3d)."""

    def forward(self, input: Tensor) -> Any:
        return functional["dropout3d"](input, self.p, self.training, self.inplace)


class AlphaDropout(DropoutBase):
    """Dropout that keeps mean and variance, for SELU (torch.nn.AlphaDropout)."""

    def forward(self, input: Tensor) -> Any:
        return functional["alpha_dropout"](input, self.p, self.training)


class FeatureAlphaDropout(DropoutBase):
    """Whole channels dropped out so that mean and variance stay (torch.nn.FeatureAlphaDropout)."""

    def forward(self, input: Tensor) -> Any:
        return functional["feature_alpha_dropout"](input, self.p, self.training)


export("torch.nn.modules.dropout", Dropout, Dropout1d, Dropout2d, Dropout3d, AlphaDropout, FeatureAlphaDropout)
