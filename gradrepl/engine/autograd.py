"""Gradients on demand: backward() and autograd.grad."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions
from gradrepl.engine.dtype import CATEGORY, COMPLEX, FLOAT, Array, c_name
from gradrepl.engine.dual import forward
from gradrepl.engine.grad_mode import ON, mode
from gradrepl.engine.graph import UNDEFINED, AccumulateGrad, HookCounter, Node, Walk, all_ways_lead_to
from gradrepl.engine.hooks import TensorOps, as_tensor
from gradrepl.engine.once import warn_once
from gradrepl.engine.op import edge_of
from gradrepl.engine.operands import constant
from gradrepl.engine.ops.shape import cast
from gradrepl.engine.task import in_own_mode
from gradrepl.engine.tensor import Size, Tensor, make

ndarray = np.ndarray

NO_GRAPH = "element {} of tensors does not require grad and does not have a grad_fn"
CYCLE = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient "
    "which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you "
    "have to use this function, make sure to reset the .grad fields of your parameters to None after use to break the "
    "cycle and avoid the leak."
)
UNUSED_FILLED = (
    "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
)
NOT_A_DICT = "`inputs` argument to `{}()` must be a dict, not {}. Other Mapping types are not supported."
OTHER_BATCH = (
    "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {} for the mapped dimension"
)
ONLY_INPUTS = (
    "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other parts "
    "of the graph, please use torch.autograd.backward."
)


class GradientEdge(NamedTuple):
    """A place in the graph that a gradient flows through: an output of a node (torch.autograd.graph.GradientEdge)."""

    node: Node
    output_nr: int
    ownership_token: Any = None


GradientEdge.__module__ = "torch.autograd.graph"


def place_of(thing: Any) -> tuple[Any, int]:
    """Return the edge of a tensor or GradientEdge, a leaf standing for its AccumulateGrad, and the output's number."""
    if isinstance(thing, Tensor):
        return edge_of(thing), thing._output_nr
    node = thing.node
    if not isinstance(node, Node):
        raise RuntimeError(f"GradientEdge's first object must be an autograd.graph.Node but got {c_name(node)}")
    return (node.variable if isinstance(node, AccumulateGrad) else node), thing.output_nr


def as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, (Tensor, GradientEdge)) else tuple(value)


def gradients_for(count: int, given: Any) -> tuple[Any, ...]:
    if given is None:
        return (None,) * count
    return (given,) if isinstance(given, Tensor) else tuple(given)


def start_gradient(index: int, out: Any, gradient: Any, batched: bool) -> Any:
    """Return the gradient that a backward starts with, or raise what PyTorch raises."""
    data = like(out)
    if isinstance(gradient, Tensor):
        if data is not None:
            check_gradient(index, data, gradient, batched)
        return gradient
    if gradient is not None:
        raise TypeError("gradients can be either Tensors or None, but got " + c_name(gradient))
    if not isinstance(out, (Tensor, GradientEdge)):
        raise AssertionError("Expected output to be a torch.Tensor")
    if isinstance(out, Tensor) and not out._requires_grad:
        return None
    if data is None or data.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if CATEGORY[data.dtype] != FLOAT:
        raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {dtypes.of(data)}")
    return np.ones_like(data) if data.dtype.metadata else constant(1.0, data.dtype).reshape(data.shape)


def like(out: Any) -> Array | None:
    """Return an array of the shape and dtype of an output, None where an edge's are not known."""
    if isinstance(out, GradientEdge):
        node = out.node
        return node.variable._data if isinstance(node, AccumulateGrad) else outputs_of.get(node, {}).get(out.output_nr)
    return out._data if isinstance(out, Tensor) else None


outputs_of: MutableMapping[Node, dict[int, Array]] = weakref.WeakKeyDictionary()
"""Arrays like those outputs of nodes of which somebody got the edge; they take no memory."""


def check_gradient(index: int, out: Array, gradient: Tensor, batched: bool) -> None:
    """Raise RuntimeError where the gradient given for an output does not fit it."""
    shape, wanted = gradient._data.shape, out.shape
    if (shape[1:] if batched else shape) != wanted:
        shown = Size(shape[2:] if batched else shape)
        found = f"grad_output[{index}] has a shape of {shown} and output[{index}] has a shape of {Size(wanted)}."
        if batched:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
                "dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding "
                f"output, but a mismatch was detected: {found} If you only want some tensors in `grad_output` to be "
                "considered batched, consider using vmap."
            )
        raise RuntimeError(f"Mismatch in shape: {found}")
    kinds = CATEGORY[gradient._data.dtype], CATEGORY[out.dtype]
    if kinds[0] != kinds[1] and COMPLEX in kinds:
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
            f"grad_output[{index}] has a dtype of {gradient.dtype} and output[{index}] has a dtype of {dtypes.of(out)}."
        )


Places = list[tuple[Any, int]]
NOWHERE: frozenset[int] = frozenset()
"""The leaves that a walk accumulates into where all it finds is given back."""


def run(
    outputs: Sequence[Any],
    starts: Sequence[Any],
    retain_graph: bool,
    create_graph: bool,
    places: Places | None = None,
    capture: bool = False,
) -> Walk:
    """Carry gradients from `outputs` back: into all leaves or those at `places`, or `capture` what comes to these."""
    if len(starts) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(starts)} gradients")
    begin = []
    for index, out in enumerate(outputs):
        if type(out) is Tensor and out._view is None:
            if not out._requires_grad:
                raise RuntimeError(NO_GRAPH.format(index))
            begin.append((out if out._grad_fn is None else out._grad_fn, out._output_nr))
        else:
            if isinstance(out, Tensor) and not out.requires_grad:
                raise RuntimeError(NO_GRAPH.format(index))
            begin.append(place_of(out))
    as_tensors = create_graph or forward.level is not None
    ops = TensorOps if as_tensors is create_graph else ValueOps
    walk = walks[-1](ops, as_tensors, retain_graph)
    if places is not None or HookCounter.in_play:
        prepare(walk, [edge for edge, _ in begin], places, capture)
    for index, (edge, number) in enumerate(begin):
        walk.give(edge, number, seed(outputs[index], starts[index], as_tensors))
    in_own_mode(walk, walk.run, create_graph)
    return walk


class ValueOps(TensorOps):
    """What a walk does that carries tensors for the sake of their tangents alone: `.grad` gets the values."""

    @staticmethod
    def accumulate(leaf: Tensor, gradient: Any, create_graph: bool, ours: bool = False) -> None:
        TensorOps.accumulate(leaf, gradient._data, False)


ONES = {np.dtype(kind): np.dtype(kind).type(1) for kind in ("f4", "f8")}


def straight(out: Any, retain_graph: bool, create_graph: bool) -> Walk | None:
    """Return the walk from one number of a float dtype if no hook and no anomaly mode asks for care, else None."""
    if type(out) is not Tensor or out._view is not None or HookCounter.in_play or walks[-1] is not Walk:
        return None
    if forward.level is not None:
        return None
    data, node = out._data, out._grad_fn
    if data.ndim or type(data) is not ndarray or node is None or node._outputs != 1:
        return None
    if (one := ONES.get(data.dtype)) is None:
        return None
    walk = Walk(TensorOps, create_graph, retain_graph)
    walk.buffers[node] = make(one) if create_graph else one
    walk.heap.append((0, node))
    return walk


def straight_to(
    out: Any, inputs: Sequence[Any], retain_graph: bool, create_graph: bool
) -> tuple[Tensor | None, ...] | None:
    """Return the gradients of one number by leaves if every way back ends in one of these; None is for captured()."""
    for leaf in inputs:
        if not isinstance(leaf, Tensor) or leaf._view is not None or leaf._grad_fn is not None:
            return None
    if (walk := straight(out, retain_graph, create_graph)) is None or not all_ways_lead_to(set(inputs), out._grad_fn):
        return None
    walk.into = NOWHERE
    in_own_mode(walk, walk.visit_all, create_graph)
    return tuple([own_or_unused(walk.leaves.get(leaf), index, False) for index, leaf in enumerate(inputs)])


def prepare(walk: Walk, roots: list[Any], places: Places | None, capture: bool) -> None:
    """Restrict a walk to what leads to the places that were asked for, and get ready for hooks."""
    if places is not None:
        if capture:
            walk.into = NOWHERE
            walk.captures = {(id(edge), number): slot for slot, (edge, number) in enumerate(places)}
        else:
            walk.into = {id(edge) for edge, _ in places if not isinstance(edge, Node)}
        walk.only_towards(roots, places)
        if not capture:
            walk.through |= {edge for edge, _ in places if isinstance(edge, Node)}
    if HookCounter.in_play:
        walk.count_users(roots)
        walk.roots = roots


walks: list[type[Walk]] = [Walk]
"""The last is the kind of walk that is taken; anomaly.py puts its own there."""


def seed(out: Any, start: Any, create_graph: bool) -> Any:
    """Return a start gradient in the output's dtype, in the form that the walk uses."""
    if type(start) is ndarray and not create_graph:
        return start
    data = start._data if isinstance(start, Tensor) else start
    if isinstance(out, Tensor) and data.dtype is not out._data.dtype:
        start = cast(start, out._data.dtype)
    if create_graph:
        return start if isinstance(start, Tensor) else make(start)
    return start._data if isinstance(start, Tensor) else start


def is_dict(inputs: Any, function: str) -> bool:
    """Whether inputs are a dict; raises TypeError for another mapping."""
    if isinstance(inputs, Mapping) and type(inputs) is not dict:
        raise TypeError(NOT_A_DICT.format(function, type(inputs).__name__))
    return type(inputs) is dict


def check_inputs(inputs: Sequence[Any]) -> None:
    for tensor in inputs:
        if not isinstance(tensor, (Tensor, GradientEdge)):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {c_name(tensor)}")


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` to the `.grad` of the leaves (torch.autograd.backward)."""
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        grad_tensors = grad_variables
    if inputs is not None:
        inputs = tuple(inputs.values()) if is_dict(inputs, "backward") else as_tuple(inputs)
        if not inputs:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    outputs = (tensors,) if isinstance(tensors, (Tensor, GradientEdge)) else tuple(tensors)
    gradients = gradients_for(len(outputs), grad_tensors)
    starts = [start_gradient(i, *pair, False) for i, pair in enumerate(zip(outputs, gradients, strict=False))]
    if inputs is not None:
        check_inputs(inputs)
        for tensor in inputs:
            if isinstance(tensor, Tensor):
                tensor.retain_grad()
    retain = bool(create_graph if retain_graph is None else retain_graph)
    try:
        run(outputs, starts, retain, create_graph, None if inputs is None else [place_of(tensor) for tensor in inputs])
    finally:
        if create_graph:
            warn_once(CYCLE, stacklevel=3)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """Return the gradients of `outputs` by `inputs`, touching no `.grad` (torch.autograd.grad).

    They come as a tuple; where `inputs` is a dict, under its keys.
    """
    if is_dict(inputs, "grad"):
        options = (retain_graph, create_graph, only_inputs, allow_unused, is_grads_batched, materialize_grads)
        return dict(zip(inputs, grad(outputs, tuple(inputs.values()), grad_outputs, *options), strict=True))
    retain, wanted = bool(create_graph if retain_graph is None else retain_graph), as_tuple(inputs)
    if grad_outputs is None and only_inputs and not (allow_unused or is_grads_batched or materialize_grads):
        results = straight_to(outputs, wanted, retain, create_graph)
        if results is not None:
            return results
    if materialize_grads and allow_unused is False:
        raise ValueError(UNUSED_FILLED)
    outs = as_tuple(outputs)
    if not only_inputs:
        warnings.warn(ONLY_INPUTS, FutureWarning, stacklevel=2)
    gradients = gradients_for(len(outs), grad_outputs)
    starts = [start_gradient(i, *pair, is_grads_batched) for i, pair in enumerate(zip(outs, gradients, strict=False))]
    unused = bool(materialize_grads if allow_unused is None else allow_unused)
    check_inputs(wanted)
    for tensor in wanted:
        if isinstance(tensor, Tensor) and not tensor.requires_grad:
            raise RuntimeError(undifferentiated(outs))
    if is_grads_batched:
        results = row_by_row(outs, wanted, starts, (retain, create_graph, unused))
    else:
        results = captured(outs, wanted, starts, retain, create_graph, unused)
    return filled(results, wanted, create_graph) if materialize_grads else results


def undifferentiated(outs: Sequence[Any]) -> str:
    """Return what to say of an input that does not require grad: PyTorch speaks of the outputs first."""
    for index, out in enumerate(outs):
        if isinstance(out, Tensor) and not out.requires_grad:
            return NO_GRAPH.format(index)
    return "One of the differentiated Tensors does not require grad"


def captured(
    outs: Sequence[Any], wanted: Sequence[Any], starts: Sequence[Any], retain: bool, create_graph: bool, unused: bool
) -> tuple[Tensor | None, ...]:
    """Return the gradients by `wanted`; raises RuntimeError for one that was not used unless `unused` lets it be."""
    if not wanted:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    places = [place_of(tensor) for tensor in wanted]
    walk = run(outs, starts, retain, create_graph, places, True)
    slots = [walk.captures[(id(edge), number)] for edge, number in places]
    return tuple([own_or_unused(walk.captured.get(slot), index, unused) for index, slot in enumerate(slots)])


def own_or_unused(gradient: Any, index: int, unused: bool) -> Tensor | None:
    """Return a gradient as a tensor of its own; raises RuntimeError where there is none and none is not allowed."""
    gradient = None if gradient is UNDEFINED else gradient
    if gradient is None and not unused:
        raise RuntimeError(
            f"The differentiated Tensor at index {index} appears to not have been used in the graph. Set "
            "allow_unused=True if this is the desired behavior."
        )
    return as_own(gradient)


UNBATCHED = (
    "vmap(vjp, in_dims=0, ...)(<inputs>): Got in_dim=0 for some input, but that input is a Tensor of dimensionality 0 "
    "so expected in_dim to satisfy 0 <= in_dim < 0."
)
NOT_INDEXABLE = (
    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
    "tensor to a number"
)


def batch_of(start: Any) -> int:
    """Return how many start gradients come at once; raises where they don't come as the rows of a tensor."""
    if not isinstance(start, Tensor):
        raise ValueError(UNBATCHED)
    if not start._data.ndim:
        raise IndexError(NOT_INDEXABLE)
    return len(start._data)


def row_by_row(
    outs: Sequence[Any], wanted: Sequence[Any], starts: Sequence[Any], flags: tuple[bool, bool, bool]
) -> tuple[Tensor | None, ...]:
    """Return the gradients for each row of the start gradients, stacked."""
    retain, create_graph, unused = flags
    counts = [batch_of(start) for start in starts]
    if len({*counts}) > 1:
        raise ValueError(OTHER_BATCH.format(counts))
    count = counts[0]
    if not count:
        raise IndexError("index 0 is out of bounds for dimension 0 with size 0")
    rows = [
        captured(outs, wanted, [start[i] for start in starts], retain or i + 1 < count, create_graph, unused)
        for i in range(count)
    ]
    return tuple(None if column[0] is None else stacked(column) for column in zip(*rows, strict=True))


def stacked(tensors: Sequence[Any]) -> Tensor:
    from gradrepl.engine.ops.joining import stack  # here, because few programs need it

    result: Tensor = stack(list(tensors), 0)
    return result


def filled(results: Sequence[Tensor | None], wanted: Sequence[Any], create_graph: bool) -> tuple[Tensor | None, ...]:
    """Put zeros in the place of gradients that are missing."""
    done = []
    for found, tensor in zip(results, wanted, strict=True):
        if found is None:
            if not isinstance(tensor, Tensor):
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
            found = make(np.zeros_like(tensor._data))
            found._requires_grad = create_graph
        done.append(found)
    return tuple(done)


def as_own(gradient: Array | Tensor | None) -> Tensor | None:
    return gradient if gradient is None or isinstance(gradient, Tensor) else make(np.array(gradient, subok=True))


def tensor_backward(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of this tensor to the `.grad` of the leaves (torch.Tensor.backward)."""
    if inputs is None and not create_graph and gradient is None:
        walk = straight(self, bool(retain_graph), False)
        if walk is not None:
            in_own_mode(walk, walk.run, False)
            return
    if inputs is None and not create_graph and (gradient is None or isinstance(gradient, Tensor)):
        run((self,), (start_gradient(0, self, gradient, False),), bool(retain_graph), False)
    else:
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)


tensor_backward.__name__ = "backward"
tensor_backward.__qualname__ = "Tensor.backward"
Tensor.backward = tensor_backward  # type: ignore[attr-defined]


def call_node(node: Node, *gradients: Any) -> Any:
    """Run one node on gradients of its outputs, as `y.grad_fn(gradient)` does; None for what needs no gradient."""
    if len(gradients) != node._outputs:
        raise TypeError(f"expected {node._outputs} arguments, got {len(gradients)} instead")
    for position, gradient in enumerate(gradients):
        if gradient is not None and not isinstance(gradient, Tensor):
            raise TypeError(f"argument {position} is not a Variable")
    if isinstance(node, AccumulateGrad):
        if gradients[0] is not None:
            TensorOps.accumulate(node.variable, gradients[0]._data, False)
        return ()
    recorded = mode.recording == ON
    slots = [gradient if recorded or gradient is None else gradient._data for gradient in gradients]
    given = slots[0] if node._outputs == 1 else slots
    results = node.tensors(given) if recorded else node.arrays(given)
    shown = tuple(as_tensor(result) for result in results) + (None,) * (len(node.edges) - len(results))
    return shown[0] if len(shown) == 1 else shown


Node.__call__ = call_node  # type: ignore[method-assign]
functions("torch.autograd", grad=grad, backward=backward)
