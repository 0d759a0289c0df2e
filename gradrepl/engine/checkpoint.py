"""Memory for time: torch.utils.checkpoint runs a function again in backward instead of keeping what it saved."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import backward
from gradrepl.engine.function import Function
from gradrepl.engine.grad_mode import enable_grad, no_grad
from gradrepl.engine.random import default_generator
from gradrepl.engine.saved import saved_tensors_hooks
from gradrepl.engine.tensor import Tensor, make

SAY_WHICH = (
    "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, calling "
    "checkpoint without use_reentrant will raise an exception. use_reentrant=False is recommended, but if you need to "
    "preserve the current default behavior, you can pass use_reentrant=True. Refer to docs for more details on the "
    "differences between the two variants."
)
NO_INPUT = "None of the inputs have requires_grad=True. Gradients will be None"


@contextmanager
def random_state(state: Any) -> Iterator[None]:
    """Run a block from an earlier state of the random numbers, and go on from the present one after it."""
    if state is None:
        yield
        return
    now = default_generator.get_state()
    default_generator.set_state(state)
    try:
        yield
    finally:
        default_generator.set_state(now)


class Recomputed:
    """What a function saves for backward, computed again when the first of it is asked for."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], state: Any) -> None:
        self.call = (function, args, kwargs)
        self.state = state
        self.count = 0
        self.tensors: list[Tensor] = []

    def pack(self, tensor: Tensor) -> int:
        """Keep the number of a saved tensor only."""
        self.count += 1
        return self.count - 1

    def keep(self, tensor: Tensor) -> Tensor:
        self.tensors.append(tensor.detach())  # type: ignore[attr-defined]
        return tensor

    def unpack(self, number: int) -> Tensor:
        """Return a saved tensor by its number; raises RuntimeError where the function saves other tensors now."""
        if not self.tensors:
            function, args, kwargs = self.call
            with enable_grad(), random_state(self.state), saved_tensors_hooks(self.keep, lambda tensor: tensor):
                function(*args, **kwargs)
        if len(self.tensors) != self.count:
            raise RuntimeError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {self.count}\nNumber of tensors saved during "
                f"recomputation: {len(self.tensors)}."
            )
        return self.tensors[number]


class CheckpointFunction(Function):
    """The reentrant way: forward without a graph, backward through a second forward."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        """Run the function and keep its arguments."""
        if not any(isinstance(arg, Tensor) and arg.requires_grad for arg in args):
            warnings.warn(NO_INPUT, UserWarning, stacklevel=4)
        ctx.run_function = run_function
        ctx.state = default_generator.get_state() if preserve_rng_state else None
        ctx.args = args
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *args: Any) -> Any:
        """Run the function again and backward through that."""
        inputs = [detached(arg) for arg in ctx.args]
        with enable_grad(), random_state(ctx.state):
            output = ctx.run_function(*inputs)
        outs = output if isinstance(output, tuple) else (output,)
        pairs = [pair for pair in zip(outs, args, strict=True) if isinstance(pair[0], Tensor) and pair[0].requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([out for out, _ in pairs], [gradient for _, gradient in pairs])
        return (None, None, *(arg.grad if isinstance(arg, Tensor) else None for arg in inputs))


def detached(arg: Any) -> Any:
    """Return a tensor on the same storage to differentiate by; anything else as it is."""
    return make(arg._data).requires_grad_(arg.requires_grad) if isinstance(arg, Tensor) else arg


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Run a function without keeping what it saves; backward runs it again (torch.utils.checkpoint.checkpoint)."""
    if use_reentrant is None:
        warnings.warn(SAY_WHICH, UserWarning, stacklevel=2)
        use_reentrant = True
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        return CheckpointFunction.apply(function, preserve_rng_state, *args)
    again = Recomputed(function, args, kwargs, default_generator.get_state() if preserve_rng_state else None)
    with saved_tensors_hooks(again.pack, again.unpack):
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Sequence[Callable[..., Any]], segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Checkpoint a chain of functions in a number of segments (torch.utils.checkpoint.checkpoint_sequential)."""
    chain = list(functions)
    size = len(chain) // segments
    cuts = [index * size for index in range(segments)]
    for start in cuts[:-1]:
        input = checkpoint(in_turn(chain[start : start + size]), input, use_reentrant=use_reentrant, **kwargs)
    return in_turn(chain[cuts[-1] :])(input)


def in_turn(chain: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    def run(input: Any) -> Any:
        for function in chain:
            input = function(input)
        return input

    return run


functions("torch.utils.checkpoint", checkpoint=checkpoint, checkpoint_sequential=checkpoint_sequential)
