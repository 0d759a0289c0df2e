"""The few names of torch._C that programs about autograd use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.function import Function
from gradrepl.engine.hooks import walks_under_way
from gradrepl.engine.saved import SavedTensor
from gradrepl.engine.tensor import Tensor


class Undefined(Function):
    """The identity whose backward gives no gradient."""

    @staticmethod
    def forward(ctx: Any, input: Any) -> Any:
        """Return the input as it is."""
        return input

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return no gradient."""
        return None


class UndefinedGrad:
    """Makes the identity whose backward gives no gradient (torch._C._functions.UndefinedGrad)."""

    def __call__(self, *inputs: Any) -> Any:
        return Undefined.apply(*inputs)


UndefinedGrad.__module__ = "torch._C._functions"


def unsafe_set_version_counter(tensors: Sequence[Tensor], versions: Sequence[int]) -> None:
    """Set the count of writes of each tensor."""
    for tensor, version in zip(tensors, versions, strict=True):
        if tensor._counter is not None:
            tensor._counter[0] = version


def current_graph_task_id() -> int:
    """Return a number for the backward that is running, -1 where there is none."""
    return id(walks_under_way[-1]) if walks_under_way else -1


SPACES.setdefault("torch._C._functions", {})["UndefinedGrad"] = UndefinedGrad
SPACES.setdefault("torch._C._autograd", {})["SavedTensor"] = SavedTensor
functions("torch._C._autograd", _unsafe_set_version_counter=unsafe_set_version_counter)
functions("torch._C", _current_graph_task_id=current_graph_task_id)
functions(
    "torch.autograd",
    is_multithreading_enabled=lambda: True,
    is_view_replay_enabled=lambda: False,
)
