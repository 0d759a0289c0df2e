"""Memory for time: torch.utils.checkpoint runs a function again in backward instead of keeping what it saved."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import backward
from gradrepl.engine.derivatives.function import Function
from gradrepl.engine.derivatives.recomputing import (
    CHECKS,
    NO_LOG,
    TIP,
    CheckpointError,
    Debug,
    Frame,
    StopRecomputationError,
    keeping_numbers,
    set_checkpoint_debug_enabled,
    set_checkpoint_early_stop,
)
from gradrepl.engine.grad_mode import enable_grad, is_grad_enabled, no_grad
from gradrepl.engine.internals import ImperativeEngine
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.random import default_generator

SAY_WHICH = (
    "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, calling "
    "checkpoint without use_reentrant will raise an exception. use_reentrant=False is recommended, but if you need to "
    "preserve the current default behavior, you can pass use_reentrant=True. Refer to docs for more details on the "
    "differences between the two variants."
)
SAY_WHICH_OF_A_CHAIN = (
    "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. In version "
    "2.9 we will raise an exception if use_reentrant is not passed. use_reentrant=False is recommended, but if you "
    "need to preserve the current default behavior, you can pass use_reentrant=True. Refer to docs for more details on "
    "the differences between the two variants."
)
NO_INPUT = "None of the inputs have requires_grad=True. Gradients will be None"
NEEDS_ALL = (
    "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` parameter to "
    ".backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() without passing "
    "the `inputs` argument."
)
NOT_REENTRANT = "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
SUPPRESSED = (
    "torch.utils.checkpoint: the forward context provided by context_fn suppressed an exception raised during the "
    "checkpointed forward. This is not supported because checkpoint cannot return a value for a failed forward."
)


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


def state_to_keep(preserve: bool) -> Any:
    return default_generator.get_state() if preserve else None


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn where no input requires grad."""
    if not any(isinstance(one, Tensor) and one.requires_grad for one in inputs):
        warnings.warn(NO_INPUT, UserWarning, stacklevel=5)


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return inputs to differentiate by: tensors on the same storage; raises RuntimeError for anything but a tuple."""
    if not isinstance(inputs, tuple):
        raise RuntimeError("Only tuple of tensors is supported. Got Unsupported input type: ", type(inputs).__name__)
    return tuple(
        make(one._data).requires_grad_(one.requires_grad) if isinstance(one, Tensor) else one for one in inputs
    )


class CheckpointFunction(Function):
    """The reentrant way: forward without a graph, backward through a second forward."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        """Run the function and keep its arguments."""
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.state = state_to_keep(preserve_rng_state)
        ctx.others = [None if isinstance(arg, Tensor) else arg for arg in args]
        ctx.places = [place for place, arg in enumerate(args) if isinstance(arg, Tensor)]
        ctx.save_for_backward(*[arg for arg in args if isinstance(arg, Tensor)])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *args: Any) -> Any:
        """Run the function again and backward through that."""
        if not ImperativeEngine.is_checkpoint_valid():
            raise RuntimeError(NEEDS_ALL)
        given = list(ctx.others)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            given[place] = tensor
        inputs = detach_variable(tuple(given))
        with enable_grad(), random_state(ctx.state):
            output = ctx.run_function(*inputs)
        outs = output if isinstance(output, tuple) else (output,)
        pairs = [pair for pair in zip(outs, args, strict=True) if isinstance(pair[0], Tensor) and pair[0].requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([out for out, _ in pairs], [gradient for _, gradient in pairs])
        return (None, None, *(arg.grad if isinstance(arg, Tensor) else None for arg in inputs))


def noop_context_fn() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Return two contexts that do nothing, for the forward and for running it again."""
    return nullcontext(), nullcontext()


Contexts = Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]]


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Contexts = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Run a function without keeping what it saves; backward runs it again (torch.utils.checkpoint.checkpoint).

    Raises ValueError for options that do not go with each other.
    """
    if use_reentrant is None:
        warnings.warn(SAY_WHICH, UserWarning, stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        debug = debug if Debug.forced is None else Debug.forced
        if debug and context_fn is not noop_context_fn:
            raise ValueError("debug=True is incompatible with non-default context_fn")
        tip = NO_LOG if debug else TIP
        return recomputed(function, args, kwargs, preserve, (context_fn, determinism_check, early_stop, tip))
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn or debug is not False:
        raise ValueError(NOT_REENTRANT)
    return CheckpointFunction.apply(function, preserve, *args)


def recomputed(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    preserve: bool,
    options: tuple[Contexts, str, bool, str],
) -> Any:
    """Run a function that is run again when the first of what it saved is asked for."""
    context_fn, check, early_stop, tip = options
    if check not in CHECKS:
        raise ValueError(f"determinism_check should be one of {list(CHECKS)}, but got {check}")
    before, again = context_fn()
    state = state_to_keep(preserve)

    def run_again(*inputs: Any) -> None:
        with random_state(state), again:
            function(*inputs, **kwargs)

    frame = Frame(run_again, CHECKS[check], early_stop)
    frame.tip = tip
    if not is_grad_enabled():
        return function(*args, **kwargs)
    frame.keep_inputs(args)
    with keeping_numbers(frame), before:
        result = function(*args, **kwargs)
        frame.finished = True
    if not frame.finished:
        raise RuntimeError(SUPPRESSED)
    return result


def checkpoint_sequential(
    functions: Sequence[Callable[..., Any]], segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Checkpoint a chain of functions in a number of segments (torch.utils.checkpoint.checkpoint_sequential)."""
    if use_reentrant is None:
        warnings.warn(SAY_WHICH_OF_A_CHAIN, UserWarning, stacklevel=2)
        use_reentrant = True
    options = {"preserve_rng_state": kwargs.pop("preserve_rng_state", True), "use_reentrant": use_reentrant}
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    chain = list(functions)
    size = len(chain) // segments
    cuts = [index * size for index in range(segments)]
    for start in cuts[:-1]:
        input = checkpoint(in_turn(chain[start : start + size]), input, **options)
    return in_turn(chain[cuts[-1] :])(input)


def in_turn(chain: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    def run(input: Any) -> Any:
        for function in chain:
            input = function(input)
        return input

    return run


for _thing in (CheckpointError, CheckpointFunction, StopRecomputationError):
    _thing.__module__ = "torch.utils.checkpoint"
functions(
    "torch.utils.checkpoint",
    checkpoint=checkpoint,
    checkpoint_sequential=checkpoint_sequential,
    CheckpointError=CheckpointError,
    CheckpointFunction=CheckpointFunction,
    check_backward_validity=check_backward_validity,
    detach_variable=detach_variable,
    noop_context_fn=noop_context_fn,
    set_checkpoint_debug_enabled=set_checkpoint_debug_enabled,
    set_checkpoint_early_stop=set_checkpoint_early_stop,
    _StopRecomputationError=StopRecomputationError,
)
