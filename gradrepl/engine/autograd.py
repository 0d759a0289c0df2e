"""Gradients on demand: backward(), autograd.grad, hooks on saved tensors."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import CATEGORY, COMPLEX, Array
from gradrepl.engine.grad_mode import mode, set_mode
from gradrepl.engine.graph import HookCounter, Node, Walk
from gradrepl.engine.node import Hooks
from gradrepl.engine.op import constant, edge_of
from gradrepl.engine.ops.arithmetic import add
from gradrepl.engine.ops.shape import clone
from gradrepl.engine.tensor import Tensor, make

NO_GRAPH = "element {} of tensors does not require grad and does not have a grad_fn"


def as_tensor(gradient: Any) -> Tensor | None:
    """Show a gradient on its way to a hook."""
    return gradient if gradient is None or isinstance(gradient, Tensor) else make(gradient)


def back(gradient: Any, create_graph: bool) -> Any:
    """Take a gradient back from a hook, in the form that the walk uses."""
    return gradient if create_graph or gradient is None else gradient._data


class TensorOps:
    """What the walk needs to know of tensors."""

    @staticmethod
    def accumulate(leaf: Tensor, gradient: Any, create_graph: bool) -> None:
        """Add to a leaf's `.grad`: in place in an ordinary backward, as a new tensor under create_graph."""
        if not leaf._requires_grad:
            return
        before = leaf._grad
        if create_graph:
            leaf._grad = clone(gradient) if before is None else add(before, gradient)
        elif before is None:
            same = type(gradient) is np.ndarray and gradient.dtype is leaf._data.dtype
            leaf._grad = make(gradient.copy() if same else np.array(gradient, dtype=leaf._data.dtype))
        else:
            np.add(before._data, gradient, out=before._data)
            if before._counter is not None:
                before._counter[0] += 1
        extra = leaf._extra
        if extra is not None:
            for hook in list(extra.post_accumulate.values()):
                if hook(leaf) is not None:
                    raise RuntimeError("Tensor post accumulate grad hooks should return None.")

    @staticmethod
    def leaf_hooks(leaf: Tensor, gradient: Any, create_graph: bool) -> Any:
        if leaf._extra is None or not leaf._extra.hooks:
            return gradient
        return TensorOps.run_tensor_hooks(leaf._extra.hooks, gradient, create_graph)

    @staticmethod
    def run_tensor_hooks(hooks: dict[int, Callable[..., Any]], gradient: Any, create_graph: bool) -> Any:
        """Run hooks in the order in which they were registered; a hook's result replaces the gradient."""
        if gradient is None:
            return None
        current = as_tensor(gradient)
        for hook in list(hooks.values()):
            result = hook(current)
            if result is not None:
                if not isinstance(result, Tensor):
                    raise TypeError(f"hook returned an object of type {type(result).__name__}; expected a Tensor")
                current = result
        return back(current, create_graph)

    @staticmethod
    def retain(reference: weakref.ref[Tensor], gradient: Any, create_graph: bool) -> None:
        """Keep the gradient of a non-leaf in its `.grad`, adding to what is there."""
        tensor = reference()
        if tensor is None or gradient is None:
            return
        new = gradient if create_graph else make(np.array(gradient))
        tensor._grad = new if tensor._grad is None else add(tensor._grad, new)

    @staticmethod
    def run_pre_hooks(hooks: dict[int, Callable[..., Any]], slots: Sequence[Any], create_graph: bool) -> list[Any]:
        shown = tuple(as_tensor(slot) for slot in slots)
        for hook in list(hooks.values()):
            result = hook(shown)
            if result is not None:
                shown = result if isinstance(result, tuple) else (result,)
        return [back(slot, create_graph) for slot in shown]

    @staticmethod
    def run_post_hooks(
        hooks: dict[int, Callable[..., Any]],
        gradients: Sequence[Any],
        slots: Sequence[Any],
        create_graph: bool,
    ) -> list[Any]:
        inputs = tuple(as_tensor(gradient) for gradient in gradients)
        outputs = tuple(as_tensor(slot) for slot in slots)
        for hook in list(hooks.values()):
            result = hook(inputs, outputs)
            if result is not None:
                inputs = result if isinstance(result, tuple) else (result,)
        return [back(gradient, create_graph) for gradient in inputs]


def as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) or value is None else tuple(value)


def start_gradient(out: Tensor, gradient: Any) -> Any:
    """Return the gradient that a backward starts with, or raise what PyTorch raises."""
    if gradient is None:
        if not out._requires_grad:
            return None
        if out._data.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if CATEGORY[out._data.dtype] == COMPLEX:
            raise RuntimeError(
                f"grad can be implicitly created only for real scalar outputs but got {dtypes.of(out._data)}"
            )
        return constant(1.0, out._data.dtype).reshape(out._data.shape)
    if not isinstance(gradient, Tensor):
        raise TypeError("gradients can be either Tensors or None, but got " + type(gradient).__name__)
    return gradient


def check_shape(index: int, out: Tensor, gradient: Any) -> None:
    shape = gradient._data.shape if isinstance(gradient, Tensor) else gradient.shape
    if shape != out._data.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {make_size(shape)} and output[{index}] has a "
            f"shape of {make_size(out._data.shape)}."
        )


def make_size(shape: tuple[int, ...]) -> str:
    return f"torch.Size({list(shape)})"


def run(
    outputs: Sequence[Tensor],
    gradients: Sequence[Any],
    retain_graph: bool | None,
    create_graph: bool,
    into: Sequence[Tensor] | None,
    capture: Sequence[Tensor] | None,
) -> Walk:
    """Carry gradients from `outputs` back: into leaves' `.grad`, or to `capture` (autograd.grad)."""
    walk = Walk(TensorOps, create_graph, create_graph if retain_graph is None else retain_graph)
    starts = []
    for index, out in enumerate(outputs):
        gradient = gradients[index]
        starts.append(start_gradient(out, gradient))
        if gradient is not None:
            check_shape(index, out, gradient)
    for index, out in enumerate(outputs):
        if not out._requires_grad:
            raise RuntimeError(NO_GRAPH.format(index))
    roots = [edge_of(out) for out in outputs]
    if into is not None or capture is not None:
        aim(walk, roots, into, capture)
    if HookCounter.in_play:
        walk.count_users(roots)
    for index, root in enumerate(roots):
        give_start(walk, root, outputs[index]._output_nr, starts[index])
    enabled, inference = mode.enabled, mode.inference
    set_mode(create_graph, inference)
    try:
        walk.run()
    finally:
        set_mode(enabled, inference)
    return walk


def give_start(walk: Walk, root: Any, number: int, start: Any) -> None:
    if walk.create_graph:
        walk.give(root, number, start if isinstance(start, Tensor) else make(start))
    else:
        walk.give(root, number, start._data if isinstance(start, Tensor) else start)


def aim(walk: Walk, roots: Sequence[Any], into: Sequence[Tensor] | None, capture: Sequence[Tensor] | None) -> None:
    """Restrict a walk to what leads to the tensors that were asked for."""
    if capture is not None:
        edges = [(edge_of(tensor), tensor._output_nr) for tensor in capture]
        walk.into = set()
        walk.captures = {(id(edge), number): slot for slot, (edge, number) in enumerate(edges)}
        walk.only_towards(roots, edges)
    elif into is not None:
        edges = [(edge_of(tensor), tensor._output_nr) for tensor in into]
        walk.into = {id(edge) for edge, _ in edges if not isinstance(edge, Node)}
        walk.only_towards(roots, edges)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` to the `.grad` of the leaves (torch.autograd.backward)."""
    outputs = as_tuple(tensors)
    gradients = (None,) * len(outputs) if grad_tensors is None else as_tuple(grad_tensors)
    if inputs is not None:
        inputs = as_tuple(inputs)
        if not inputs:
            raise RuntimeError("`inputs` argument to `backward` cannot be empty.")
    run(outputs, gradients, retain_graph, create_graph, inputs, None)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    is_grads_batched: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` by `inputs`, touching no `.grad` (torch.autograd.grad)."""
    outs, wanted = as_tuple(outputs), as_tuple(inputs)
    gradients = (None,) * len(outs) if grad_outputs is None else as_tuple(grad_outputs)
    if not all(tensor._requires_grad for tensor in wanted):
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    walk = run(outs, gradients, retain_graph, create_graph, None, wanted)
    slots = walk.captures
    results: list[Tensor | None] = []
    for tensor in wanted:
        found = walk.captured.get(slots[(id(edge_of(tensor)), tensor._output_nr)])
        if found is None and not (allow_unused or materialize_grads):
            raise RuntimeError(
                f"The differentiated Tensor at index {len(results)} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
        if found is None and materialize_grads:
            found = np.zeros_like(tensor._data)
        results.append(as_own(found))
    return tuple(results)


def as_own(gradient: Array | Tensor | None) -> Tensor | None:
    return gradient if gradient is None or isinstance(gradient, Tensor) else make(np.array(gradient))


def tensor_backward(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of this tensor to the `.grad` of the leaves (torch.Tensor.backward)."""
    backward(self, gradient, retain_graph, create_graph, inputs)


Tensor.backward = tensor_backward  # type: ignore[attr-defined]


class saved_tensors_hooks:  # noqa: N801
    """Pass every tensor that is saved for backward through a pair of hooks (torch.autograd.graph)."""

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        Hooks.stack.append((self.pack_hook, self.unpack_hook))

    def __exit__(self, *exception: object) -> None:
        Hooks.stack.pop()


saved_tensors_hooks.__module__ = "torch.autograd.graph"
