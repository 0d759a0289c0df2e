"""Hooks on gradients: run in PyTorch's order, what they return checked with its words."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions
from gradrepl.engine.dtype import Array
from gradrepl.engine.graph import ALONE, RemovableHandle
from gradrepl.engine.in_place import bump, check_overlap
from gradrepl.engine.op import Op
from gradrepl.engine.ops.arithmetic import add
from gradrepl.engine.ops.indexing import copy
from gradrepl.engine.ops.shape import cast, clone
from gradrepl.engine.tensor import OWN, LeafExtra, Tensor, make

Hook = Callable[..., Any]
ndarray = np.ndarray


def as_tensor(gradient: Any) -> Tensor | None:
    """Show a gradient on its way to a hook, which may write to it."""
    if gradient is None or isinstance(gradient, Tensor):
        return gradient
    if type(gradient) is np.ndarray and not (gradient.flags.writeable or 0 in gradient.strides):
        gradient = gradient.copy()
    return make(gradient)


def back(gradient: Any, create_graph: bool) -> Any:
    """Take a gradient back from a hook, in the form that the walk uses."""
    return gradient if create_graph or gradient is None else gradient._data


def name_of(hook: Any) -> str:
    return getattr(hook, "__name__", "<unknown>")


def check_value(before: Tensor | None, result: Any, hook: Any) -> None:
    """Raise what PyTorch raises for what a hook returned in the place of one gradient."""
    if not isinstance(result, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
    if before is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if before._data.dtype != result._data.dtype:
        old, new = (f"torch.{dtypes.of(tensor._data).tensor_type}Tensor" for tensor in (before, result))
        raise RuntimeError(f"hook '{name_of(hook)}' has changed the type of value (was {old} got {new})")
    if before._data.shape != result._data.shape:
        raise RuntimeError(f"hook '{name_of(hook)}' has changed the size of value")


def check_values(before: Sequence[Tensor | None], result: Any, hook: Any) -> tuple[Any, ...]:
    """Return what a node's hook gave in the place of all gradients; None in it leaves the gradient away."""
    if not isinstance(result, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(result).__name__}'")
    if len(result) != len(before):
        raise RuntimeError(
            f"hook '{name_of(hook)}' has returned an incorrect number of values (got {len(result)}, but expected "
            f"{len(before)})"
        )
    for old, new in zip(before, result, strict=True):
        if new is not None:
            check_value(old, new, hook)
    return result


def in_layout_of(data: Array, gradient: Array) -> Array:
    """Return a gradient with the strides of its leaf, where the elements of that lie without gaps."""
    ordered = np.empty_like(data)
    if ordered.strides != data.strides:
        return np.ascontiguousarray(gradient)
    ordered[...] = gradient
    return ordered


def owns_its_memory(array: Array) -> bool:
    """Whether an array's memory is its own, or that of another array of its size that nothing else holds."""
    base = array.base
    if base is None:
        return True
    return type(base) is ndarray and base.base is None and base.size == array.size and getrefcount(base) == ALONE + 1


class TensorOps:
    """What the walk needs to know of tensors."""

    @staticmethod
    def accumulate(leaf: Tensor, gradient: Any, create_graph: bool, ours: bool = False) -> None:
        """Add to a leaf's `.grad`: in place in an ordinary backward, as a new tensor under create_graph.

        ours: whether nothing else holds the gradient, so that it need not be copied.
        """
        if not leaf._requires_grad:
            return
        before, extra = leaf._grad, leaf._extra
        if create_graph:
            leaf._grad = keep_copy(gradient) if before is None else add(before, gradient)
        elif before is None:
            data = leaf._data
            own_kind = extra is None or extra.grad_dtype is OWN
            if type(gradient) is ndarray and (gradient.dtype is data.dtype or not own_kind):
                own = gradient if ours and owns_its_memory(gradient) else gradient.copy()
            else:
                own = cast.forward(gradient, data.dtype)
            if own.ndim > 1 and own.strides != data.strides:
                own = in_layout_of(data, own)
            leaf._grad = make(own)
        else:
            if before._view is not None:
                check_overlap(before, ())
            np.add(before._data, gradient, out=before._data, casting="unsafe")
            if before._counter is not None:
                before._counter[0] += 1
            else:
                bump(before)
        if extra is not None and extra.post_accumulate:
            run_post_accumulate(leaf, extra)

    @staticmethod
    def leaf_hooks(leaf: Tensor, gradient: Any, create_graph: bool) -> Any:
        extra = leaf._extra
        if extra is None:
            return gradient
        if extra.grad_dtype not in (OWN, None):
            gradient = cast(gradient, extra.grad_dtype.numpy)
        if not extra.hooks:
            return gradient
        return TensorOps.run_tensor_hooks(extra.hooks, gradient, create_graph)

    @staticmethod
    def run_tensor_hooks(hooks: dict[int, Hook], gradient: Any, create_graph: bool) -> Any:
        """Run hooks in the order in which they were registered; a hook's result replaces the gradient."""
        current = as_tensor(gradient)
        for hook in list(hooks.values()):
            result = hook(current)
            if result is not None:
                check_value(current, result, hook)
                current = result
        return back(current, create_graph)

    @staticmethod
    def retain(reference: weakref.ref[Tensor], gradient: Any, create_graph: bool) -> None:
        """Keep the gradient of a non-leaf in its `.grad`, adding to what is there."""
        tensor = reference()
        if tensor is None or gradient is None:
            return
        new = clone(gradient) if create_graph else make(np.array(gradient))
        tensor._grad = new if tensor._grad is None else add(tensor._grad, new)

    @staticmethod
    def run_pre_hooks(hooks: dict[int, Hook], slots: Sequence[Any], create_graph: bool) -> list[Any]:
        shown = tuple(as_tensor(slot) for slot in slots)
        for hook in list(hooks.values()):
            result = hook(shown)
            if result is not None:
                shown = check_values(shown, result, hook)
        return [back(slot, create_graph) for slot in shown]

    @staticmethod
    def run_post_hooks(
        hooks: dict[int, Hook], gradients: Sequence[Any], slots: Sequence[Any], create_graph: bool
    ) -> list[Any]:
        inputs = tuple(as_tensor(gradient) for gradient in gradients)
        outputs = tuple(as_tensor(slot) for slot in slots)
        for hook in list(hooks.values()):
            result = hook(inputs, outputs)
            if result is not None:
                inputs = check_values(inputs, result, hook)
        return [back(gradient, create_graph) for gradient in inputs]


def run_post_accumulate(leaf: Tensor, extra: LeafExtra) -> None:
    for hook in list(extra.post_accumulate.values()):
        result = hook(leaf)
        if result is not None and result is not leaf:
            check_value(leaf, result, hook)
            raise RuntimeError("Tensor post accumulate grad hooks should return None.")


def keep_copy(gradient: Tensor) -> Tensor:
    """Return a copy whose making is recorded as PyTorch records it."""
    entry: Op = copy
    return entry(make(np.empty_like(gradient._data)), gradient)


def hooks_of(self: Tensor) -> dict[int, Hook]:
    """Return the hooks that register_hook hung on a tensor."""
    node = self.grad_fn
    if node is None:
        return {} if self._extra is None else self._extra.hooks
    return {} if node.extra is None else node.extra.tensor_pre.get(self._output_nr, {})


def backward_hooks(self: Tensor) -> OrderedDict[int, Hook] | None:
    """Return the hooks that register_hook hung on a tensor, None where there are none."""
    return OrderedDict(hooks_of(self)) or None


def drop_hooks(self: Tensor, hooks: None) -> None:
    """Take all hooks off (`x._backward_hooks = None`)."""
    if hooks is None:
        hooks_of(self).clear()


def post_accumulate_hooks(self: Tensor) -> OrderedDict[int, Hook] | None:
    """Return what register_post_accumulate_grad_hook hung on a leaf, None where that is nothing."""
    return OrderedDict({} if self._extra is None else self._extra.post_accumulate) or None


def keep_hooks(self: Tensor) -> None:
    """Refuse to delete the hooks."""
    raise RuntimeError("Deletion of _backwards_hooks not allowed!")


Tensor._backward_hooks = property(backward_hooks, drop_hooks, keep_hooks)  # type: ignore[attr-defined]
Tensor._post_accumulate_grad_hooks = property(post_accumulate_hooks)  # type: ignore[attr-defined]


def unserializable_hook(f: Hook) -> Hook:
    """Mark a hook that is not to be warned of when its tensor is pickled (torch.utils.hooks.unserializable_hook)."""
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f


def warn_if_has_hooks(tensor: Tensor) -> None:
    """Warn of the hooks on a tensor that is about to be pickled without them."""
    for hook in hooks_of(tensor).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(NOT_PICKLED.format(hook), UserWarning, stacklevel=3)


NOT_PICKLED = (
    "backward hook {!r} on tensor will not be serialized.  If this is expected, you can decorate the function with "
    "@torch.utils.hooks.unserializable_hook to suppress this warning"
)
functions(
    "torch.utils.hooks",
    RemovableHandle=RemovableHandle,
    unserializable_hook=unserializable_hook,
    warn_if_has_hooks=warn_if_has_hooks,
)
