"""The few names of torch._C that programs about autograd use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.autograd import gradients_for, like
from gradrepl.engine.derivatives.function import Function
from gradrepl.engine.derivatives.graph_tools import execution_order, will_execute
from gradrepl.engine.derivatives.saved import SavedTensor, pop_hooks, push_hooks
from gradrepl.engine.grad_mode import is_grad_enabled, mode
from gradrepl.engine.packing import Hooks
from gradrepl.engine.task import current_task_id, current_walk, queue_callback, walks_under_way
from gradrepl.engine.tensor import Size, Tensor
from gradrepl.engine.values.access import detach
from gradrepl.engine.variable import Variable


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


class Delayed(Function):
    """The identity whose backward raises."""

    @staticmethod
    def forward(ctx: Any, message: str, *inputs: Any) -> Any:
        """Return the inputs as they are."""
        ctx.message = message
        outs = tuple(map(detach, inputs))
        return outs if len(outs) > 1 else outs[0]

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Raise RuntimeError with the message."""
        raise RuntimeError(ctx.message)


class DelayedError:
    """Makes the identity of so many tensors whose backward raises (torch._C._functions.DelayedError)."""

    def __init__(self, msg: str, num_inputs: int) -> None:
        self.message = msg
        self.count = num_inputs

    def __call__(self, *inputs: Any) -> Any:
        if len(inputs) < self.count:
            raise RuntimeError(f"expected at least {self.count} inputs (got {len(inputs)})")
        return Delayed.apply(self.message, *inputs)


Delayed._backward_cls.__name__ = "Error"
UndefinedGrad.__module__ = DelayedError.__module__ = "torch._C._functions"


def unsafe_set_version_counter(tensors: Sequence[Tensor], versions: Sequence[int]) -> None:
    """Set the count of writes of each tensor."""
    for tensor, version in zip(tensors, versions, strict=True):
        if tensor._counter is not None:
            tensor._counter[0] = version


def current_node() -> Any:
    """Return the node that is being visited, None outside of a backward (torch._C._current_autograd_node)."""
    walk = current_walk()
    return None if walk is None else walk.current


def calculate_shape(output: Any, grad: Tensor, is_grads_batched: bool) -> tuple[Size, Size]:
    """Return the shape of an output and that of one gradient given for it (torch.autograd._calculate_shape)."""
    shape = output.shape if isinstance(output, Tensor) else Size(getattr(like(output), "shape", ()))
    return shape, grad.shape[1:] if is_grads_batched else grad.shape


class ImperativeEngine:
    """What runs backwards, as far as programs talk to it (torch.autograd.Variable._execution_engine)."""

    queue_callback = staticmethod(queue_callback)

    @staticmethod
    def is_checkpoint_valid() -> bool:
        """Return whether every backward that is running accumulates into all leaves."""
        return all(walk.into is None for walk in walks_under_way())


ImperativeEngine.__name__ = ImperativeEngine.__qualname__ = "_EngineBase"
ImperativeEngine.__module__ = "torch._C"
Variable._execution_engine = ImperativeEngine()  # type: ignore[attr-defined]
SPACES.setdefault("torch._C._functions", {}).update(UndefinedGrad=UndefinedGrad, DelayedError=DelayedError)
SPACES.setdefault("torch._C._autograd", {})["SavedTensor"] = SavedTensor
functions(
    "torch._C._autograd",
    _unsafe_set_version_counter=unsafe_set_version_counter,
    _push_saved_tensors_default_hooks=push_hooks,
    _pop_saved_tensors_default_hooks=pop_hooks,
    _saved_tensors_hooks_is_enabled=lambda: Hooks.disabled is None,
    _saved_tensors_hooks_get_disabled_error_message=lambda: Hooks.disabled,
)
functions(
    "torch._C",
    _is_multithreading_enabled=lambda: mode.multithreading,
    is_grad_enabled=is_grad_enabled,
    is_inference_mode_enabled=lambda: mode.inference,
    _current_graph_task_id=current_task_id,
    _current_autograd_node=current_node,
    _will_engine_execute_node=will_execute,
    _current_graph_task_execution_order=execution_order,
)
functions(
    "torch.autograd",
    is_multithreading_enabled=lambda: mode.multithreading,
    is_view_replay_enabled=lambda: False,
    _is_checkpoint_valid=ImperativeEngine.is_checkpoint_valid,
    _calculate_shape=calculate_shape,
    _tensor_or_tensors_to_tuple=lambda tensors, length: gradients_for(length, tensors),
)
