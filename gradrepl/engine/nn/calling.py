"""What happens around a module's forward: hooks before it, after it and on its way back."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.grad_mode import ON, mode
from gradrepl.engine.graph import Node, RemovableHandle, add_hook, next_sequence
from gradrepl.engine.op import edge_of
from gradrepl.engine.tensor import Tensor, make, make_view
from gradrepl.engine.values.access import detach

Hook = Callable[..., Any]

FIRES_EARLY = (
    "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require "
    "gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
    "#torch.nn.Module.register_full_backward_hook for more details."
)


LAST_NODE_ONLY = (
    "Using a non-full backward hook when the forward contains multiple autograd Nodes is deprecated and will be "
    "removed in future versions. This hook will be missing some grad_input. Please use register_full_backward_hook to "
    "get the documented behavior."
)


NOT_WATCHED = "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received {}"


class Calling:
    """The half of Module that runs forward, with the hooks that were registered."""

    _forward_hooks: dict[int, Hook]
    _forward_hooks_with_kwargs: dict[int, bool]
    _forward_hooks_always_called: dict[int, bool]
    _forward_pre_hooks: dict[int, Hook]
    _forward_pre_hooks_with_kwargs: dict[int, bool]
    _backward_hooks: dict[int, Hook]
    _backward_pre_hooks: dict[int, Hook]
    _is_full_backward_hook: bool | None

    def _forward_unimplemented(self, *input: Any) -> Any:
        """Compute the output; every module defines it (torch.nn.Module.forward)."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    _forward_unimplemented.__qualname__ = "_forward_unimplemented"
    forward: Callable[..., Any] = _forward_unimplemented

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._backward_hooks or self._backward_pre_hooks or self._forward_hooks or self._forward_pre_hooks:
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call hook(module, args) before forward; what it returns replaces the arguments."""
        return put(self._forward_pre_hooks, hook, prepend, self._forward_pre_hooks_with_kwargs if with_kwargs else None)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call hook(module, args, output) after forward; what it returns replaces the output."""
        handle = put(self._forward_hooks, hook, prepend, self._forward_hooks_with_kwargs if with_kwargs else None)
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Call hook(module, grad_input, grad_output) with the gradients of the last operation only; deprecated."""
        self._decide_hooks(False)
        return put(self._backward_hooks, hook, False, None)

    def _decide_hooks(self, full: bool) -> None:
        """Note of which kind the backward hooks are; raises RuntimeError where there are others."""
        if self._is_full_backward_hook is not full and self._is_full_backward_hook is not None:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._is_full_backward_hook = full

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call hook(module, grad_input, grad_output) on the way back; what it returns replaces grad_input."""
        self._decide_hooks(True)
        return put(self._backward_hooks, hook, prepend, None)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call hook(module, grad_output) on the way back; what it returns replaces grad_output."""
        return put(self._backward_pre_hooks, hook, prepend, None)


def put(table: dict[int, Hook], hook: Hook, prepend: bool, marks: dict[int, bool] | None) -> RemovableHandle:
    handle = add_hook(table, hook)
    if prepend:
        table.move_to_end(handle.id, last=False)  # type: ignore[attr-defined]
    if marks is not None:
        marks[handle.id] = True
    return handle


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the hooks before forward, forward itself, the hooks after it; watch the gradients where asked."""
    args, kwargs = before_forward(module, args, kwargs)
    watch = None
    if module._backward_pre_hooks or (module._backward_hooks and module._is_full_backward_hook):
        watch = BackwardWatch(module)
        args = watch.enter(args)
    result = module.forward(*args, **kwargs)
    for key, hook in list(module._forward_hooks.items()):
        if key in module._forward_hooks_with_kwargs:
            replaced = hook(module, args, kwargs, result)
        else:
            replaced = hook(module, args, result)
        if replaced is not None:
            result = replaced
    if module._backward_hooks and watch is None:
        watch_last_node(module, args, result)
    return result if watch is None else watch.leave(result)


def watch_last_node(module: Any, args: tuple[Any, ...], result: Any) -> None:
    """Hang the deprecated backward hooks onto the node that made the result."""
    first = result
    while not isinstance(first, Tensor):
        first = next(iter(first.values() if isinstance(first, dict) else first))
    node: Any = first.grad_fn
    if node is None:
        return
    for hook in module._backward_hooks.values():
        node.register_hook(functools.partial(hook, module))
    before = {each.grad_fn for each in args if isinstance(each, Tensor) and each.grad_fn is not None}
    if before != {function for function, _ in node.next_functions}:
        warnings.warn(LAST_NODE_ONLY, FutureWarning, stacklevel=2)


def before_forward(
    module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for key, hook in list(module._forward_pre_hooks.items()):
        if key not in module._forward_pre_hooks_with_kwargs:
            replaced = hook(module, args)
            args = args if replaced is None else as_tuple(replaced)
            continue
        replaced = hook(module, args, kwargs)
        if replaced is not None:
            if not isinstance(replaced, tuple) or len(replaced) != 2:
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {replaced}."
                )
            args, kwargs = replaced
    return args, kwargs


class BackwardHookFunctionBackward(Node):
    """A node that lets gradients through, so that hooks can be hung onto it."""

    __slots__ = ("_outputs", "kinds")

    kinds: list[tuple[tuple[int, ...], Any]]

    def arrays(self, gradient: Any) -> Sequence[Any]:
        if self._outputs == 1:
            return (gradient,)
        return [np.zeros(*kind) if part is None else part for part, kind in zip(gradient, self.kinds, strict=True)]

    def tensors(self, gradient: Any) -> Sequence[Any]:
        return [part if isinstance(part, Tensor) else make(part) for part in self.arrays(gradient)]


BackwardHookFunctionBackward.__module__ = "torch.autograd.function"


def pass_through(tensors: Sequence[Tensor]) -> tuple[list[Tensor], BackwardHookFunctionBackward]:
    """Return tensors on the same storage, behind one new node."""
    node = object.__new__(BackwardHookFunctionBackward)
    node.extra = None
    node._outputs, node.kinds = len(tensors), [(tensor._data.shape, tensor._data.dtype) for tensor in tensors]
    node.edges = tuple(edge_of(tensor) if tensor.requires_grad else None for tensor in tensors)
    node.numbers = tuple(tensor._output_nr for tensor in tensors)
    node.sequence = next_sequence()
    made = "multi_output" if len(tensors) > 1 else "custom"
    outs = [make_view(tensor._data, tensor, made) if tensor.requires_grad else detach(tensor) for tensor in tensors]
    for number, out in enumerate(outs):
        if tensors[number].requires_grad:
            out._requires_grad, out._grad_fn, out._output_nr = True, node, number
    return outs, node


class BackwardWatch:
    """Collects the gradients of one call's outputs and inputs, and calls the module's backward hooks."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.hooks = list(module._backward_hooks.values())
        self.pre_hooks = list(module._backward_pre_hooks.values())
        self.grad_outputs: tuple[Any, ...] | None = None
        self.count = 0
        self.tracks_input = False

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put a node behind the tensors among the arguments where one of them requires grad."""
        self.count = len(args)
        places = [i for i, value in enumerate(args) if isinstance(value, Tensor)]
        if mode.recording != ON or not any(args[i].requires_grad for i in places):
            return args
        outs, node = pass_through([args[i] for i in places])
        self.tracks_input = True

        def hook(grad_inputs: tuple[Any, ...], _: Any) -> Any:
            return self.on_inputs(places, grad_inputs)

        node.register_hook(hook)
        replaced = list(args)
        for i, out in zip(places, outs, strict=True):
            replaced[i] = out
        return tuple(replaced)

    def leave(self, result: Any) -> Any:
        """Put a node behind the tensors among the results."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(NOT_WATCHED.format(type(result)), UserWarning, stacklevel=4)
        results = list(as_tuple(result))
        places = [i for i, value in enumerate(results) if isinstance(value, Tensor)]
        if mode.recording != ON or not any(results[i].requires_grad for i in places):
            return result
        outs, node = pass_through([results[i] for i in places])

        def hook(grad_outputs: tuple[Any, ...]) -> Any:
            return self.on_outputs(places, len(results), grad_outputs)

        node.register_prehook(hook)
        for i, out in zip(places, outs, strict=True):
            results[i] = out
        if not isinstance(result, tuple):
            return results[0]
        return tuple(results) if type(result) is tuple else type(result)(*results)

    def on_outputs(self, places: list[int], count: int, gradients: tuple[Any, ...]) -> Any:
        shown = spread(places, count, gradients)
        for hook in self.pre_hooks:
            replaced = hook(self.module, shown)
            if replaced is not None:
                check_count(replaced, count, "pre hook returned an invalid number of grad_output")
                shown = replaced
        self.grad_outputs = shown
        if not self.tracks_input:
            warnings.warn(FIRES_EARLY, UserWarning, stacklevel=2)
            for hook in self.hooks:
                replaced = hook(self.module, (None,) * self.count, shown)
                if replaced is not None and not (isinstance(replaced, tuple) and {*replaced} <= {None}):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
        return tuple(shown[i] for i in places) if self.pre_hooks else None

    def on_inputs(self, places: list[int], gradients: tuple[Any, ...]) -> Any:
        if self.grad_outputs is None:
            return None
        shown = spread(places, self.count, gradients)
        for hook in self.hooks:
            replaced = hook(self.module, shown, self.grad_outputs)
            if replaced is not None:
                check_count(replaced, len(shown), "hook returned an invalid number of grad_input")
                shown = replaced
        self.grad_outputs = None
        return tuple(shown[i] for i in places)


def check_count(found: Any, expected: int, what: str) -> None:
    """Raise RuntimeError where a hook did not return as many gradients as it was given."""
    if len(found) != expected:
        raise RuntimeError(f"Backward {what}, got {len(found)}, but expected {expected}")


def spread(places: list[int], count: int, values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the values at their places among None."""
    spread_out = [None] * count
    for i, value in zip(places, values, strict=True):
        spread_out[i] = value
    return tuple(spread_out)
