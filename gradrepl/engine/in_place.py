"""Operations that write into a tensor's storage: PyTorch's rules for them, for views and for the graph."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine import tensor as tensors
from gradrepl.engine.dtype import CATEGORY, FLOAT32, FLOAT64, Array
from gradrepl.engine.dual import among, forward, writes
from gradrepl.engine.grad_mode import INFERENCE, OFF, ON, mode
from gradrepl.engine.graph import SECOND_TIME, Node, next_sequence
from gradrepl.engine.node import Written, make_analytic, start_node
from gradrepl.engine.op import TABLE, Op, connect, edge_of, short_name
from gradrepl.engine.operands import align, check_broadcast
from gradrepl.engine.ops.view import Geometry, as_strided, geometry_of, np_strided
from gradrepl.engine.tensor import Tensor, View, make, refreshers

LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
CAPTURED = (
    "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place operation "
    "(aten::{}{}) that would mutate a captured Tensor. This is not supported; please rewrite the function being "
    "transformed to explicitly accept the mutated Tensor(s) as inputs."
)
WRITTEN_BY_ROWS = (
    "vmap: gradrepl's builtin engine calls the function once for each row, so {} can't write to a tensor from outside "
    "of it. Write to a clone, or start gradrepl with --engine torch."
)
LEAF_VIEW = "a view of a leaf Variable that requires grad is being used in an in-place operation."
MADE_IN_A_MODE = (
    " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both "
    "the view and the inplace either both inside the {} block (if you don't want the inplace to be tracked) or both "
    "outside (if you want the inplace to be tracked)."
)
VIEW_ERRORS = {
    "no_grad": MADE_IN_A_MODE.format("no_grad"),
    "inference": MADE_IN_A_MODE.format("inference_mode"),
    "multi_output": " This view is the output of a function that returns multiple views. Such functions do not allow "
    "the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.",
    "custom": " This view was created inside a custom Function (or because an input was returned as-is) and the "
    "autograd logic to handle view+inplace would override the custom backward associated with the custom Function, "
    "leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom "
    "Function.",
}
"""Why the storage behind views of some makings must not be written to."""
MODES = {"no_grad": ("no_grad mode", "with grad mode enabled"), "inference": ("inference mode", "in normal mode")}
"""The mode that a view was made in, and how the mode is called in which it must not be written to."""
INFERENCE_WRITE = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
    "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
)


watchers: list[Callable[[Tensor], None]] = []
"""What is told of every tensor that is about to be written to (mutation.py)."""


def refuse_captured(name: str, overload: str) -> None:
    """Raise RuntimeError where a function inside of a transform writes to a tensor from outside."""
    text = WRITTEN_BY_ROWS if tensors.KIND._levels[-1] < 0 else CAPTURED
    raise RuntimeError(text.format(name, overload))


def check_writable(tensor: Tensor, recorded: bool) -> None:
    """Raise what PyTorch raises where a tensor must not be written to now; `recorded`: a gradient is wanted."""
    for watch in watchers:
        watch(tensor)
    if recorded and mode.recording == ON:
        view = tensor._view
        if view is not None:
            check_view(tensor, view)
            if tensor.requires_grad and view.base._grad_fn is None:
                raise RuntimeError(LEAF_VIEW)
        if tensor._requires_grad and tensor._grad_fn is None:
            raise RuntimeError(LEAF)


def check_view(tensor: Tensor, view: View) -> None:
    if view.made in VIEW_ERRORS:
        raise RuntimeError(view_error(tensor, view, "is being"))


def view_error(tensor: Tensor, view: View, what: str) -> str:
    """Return PyTorch's words for a view whose storage must not be written to; what: how it was written to."""
    node = tensor._grad_fn
    subject = "A view was" if node is None else f"Output {tensor._output_nr} of {short_name(node)} is a view"
    if view.made not in MODES and node is not None:
        return f"{subject} and {what} modified inplace." + VIEW_ERRORS[view.made]
    subject += "" if node is None else " of a view which was"
    mode_then, mode_now = MODES["inference" if view.made == "inference" else "no_grad"]
    return f"{subject} created in {mode_then} and {what} modified inplace {mode_now}." + VIEW_ERRORS[view.made]


REPEATABLE = frozenset(("zero", "fill"))
"""What may write one place of memory several times: it is always the same."""
EXPANDED = {
    **dict.fromkeys(("masked_fill_number", "masked_fill_tensor"), ("masked_fill_", "mask] = scalar")),
    **dict.fromkeys(("index_fill_number", "index_fill_tensor"), ("index_fill_", "mask] = scalar")),
    "index_put": ("index_put_", "indices] = tensor"),
}
"""What may still do so: its name, and how else it is written."""
WRITES_EXPANDED = (
    "Use of {} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. This "
    "also applies to advanced indexing e.g. tensor[{}"
)
ONE_WRITTEN_TWICE = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please "
    "clone() the tensor before performing the operation."
)
READ_AND_WRITTEN = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
    "location. Please clone() the tensor before performing the operation."
)


def check_overlap(tensor: Tensor, others: Sequence[Any], name: str = "") -> bool:
    """Raise what PyTorch raises where a write would read or write one place of memory twice, to another effect.

    name: of the operation. Returns whether it writes one place twice nevertheless, of which PyTorch warns.
    """
    data = tensor._data
    if name in REPEATABLE or not data.size:
        return False
    if any(step == 0 and side > 1 for step, side in zip(data.strides, data.shape, strict=True)):
        if name not in EXPANDED:
            raise RuntimeError(ONE_WRITTEN_TWICE)
        warnings.warn(WRITES_EXPANDED.format(*EXPANDED[name]), UserWarning, stacklevel=4)
        return True
    for other in others:
        if isinstance(other, Tensor) and other is not tensor and other._counter is tensor._counter:
            check_partial(data, other._data)
    return False


def write_changes(data: Array, result: Array) -> Array:
    """Write what differs where elements share their memory; return what they hold then."""
    changed = result != data
    data[changed] = result[changed]
    return data


def check_partial(data: Array, other: Array) -> None:
    if not (dense(data) and dense(other)):
        return
    (low, high), (other_low, other_high) = byte_bounds(data), byte_bounds(other)
    same = (low, high) == (other_low, other_high)
    if (same and data.strides != other.strides) or (not same and low < other_high and other_low < high):
        raise RuntimeError(READ_AND_WRITTEN)


def dense(array: Array) -> bool:
    """Whether the elements fill their stretch of memory without gaps."""
    low, high = byte_bounds(array)
    return bool(array.size) and high - low == array.nbytes


def byte_bounds(array: Array) -> tuple[int, int]:
    """Return the first address of an array's elements and the one behind the last."""
    bounds: tuple[int, int] = np.lib.array_utils.byte_bounds(array)
    return bounds


def bump(tensor: Tensor) -> None:
    """Count a write to the storage; raises RuntimeError, as PyTorch does after the write, outside inference mode."""
    if tensor._counter is not None:
        tensor._counter[0] += 1
    elif mode.recording > INFERENCE:
        raise RuntimeError(INFERENCE_WRITE)


def check_version(tensor: Tensor) -> None:
    """Raise RuntimeError for a change of an inference tensor outside inference mode."""
    if tensor._counter is None and mode.recording > INFERENCE:
        raise RuntimeError(INFERENCE_WRITE)


def put(tensor: Tensor, result: Any) -> None:
    """Write a result into the storage; raises RuntimeError where shape or dtype does not fit."""
    data = tensor._data
    if type(result) is np.ndarray and result.dtype is data.dtype and result.shape == data.shape:
        data[...] = result
        return
    array = np.asarray(result)
    check_category(array, data)
    check_holds(data.shape, array.shape)
    np.copyto(data, array, casting="unsafe")


def check_holds(shape: tuple[int, ...], result: tuple[int, ...]) -> None:
    """Raise what PyTorch raises where a result does not have the shape that it is to be written to."""
    if result != shape:
        raise RuntimeError(f"output with shape {list(shape)} doesn't match the broadcast shape {list(result)}")


def check_category(array: Array, data: Array) -> None:
    """Raise what PyTorch raises for numbers that a dtype can't hold."""
    if CATEGORY[array.dtype] > CATEGORY[data.dtype]:
        found, wanted = dtypes.of(array).tensor_type, dtypes.of(data).tensor_type
        raise RuntimeError(f"result type {found} can't be cast to the desired output type {wanted}")


def broadcasting(run: Callable[..., Any], values: Sequence[Any], target: Array) -> Any:
    """Run a pointwise operation; raises PyTorch's RuntimeError for shapes or dtypes that do not go together."""
    try:
        return run(values)
    except NotImplementedError:
        check_category(values[0], target)
        raise
    except ValueError:
        check_broadcast(value for value in values if isinstance(value, np.ndarray))
        raise


def is_plain(entry: Op) -> bool:
    """Whether an operation is a function of numpy's on two operands."""
    pair = entry.tensors == (0, 1) == tuple(range(len(entry.arguments)))
    return pair and entry.broadcasts and isinstance(entry.compute, np.ufunc)


@functools.cache
def in_place(entry: Op) -> Callable[..., Tensor]:
    """Return the operation that writes its result into its first argument (add -> add_)."""
    overload = ".Tensor" if is_plain(entry) else ""

    def call(self: Tensor, *args: Any) -> Tensor:
        if forward.carrying and among((self, *args)):
            return writes[0](entry, call, (self, *args))
        if tensors.KIND._levels and self._levels != tensors.KIND._levels:
            refuse_captured(f"{entry.name}_", overload)
        everything = (self, *args)
        wanted = [isinstance(everything[i], Tensor) and everything[i].requires_grad for i in entry.tensors]
        check_writable(self, any(wanted))
        shared = check_overlap(self, [everything[i] for i in entry.tensors[1:]], entry.name)
        values = [value._data if isinstance(value, Tensor) else value for value in everything]
        if entry.broadcasts:
            align(values, entry.tensors, entry.promotes)
        result = broadcasting(entry.run, values, self._data) if entry.broadcasts else entry.run(values)
        result = write_changes(self._data, result) if shared else result
        mask = sum(1 << bit for bit, want in enumerate(wanted) if want)
        if mask and mode.recording == ON and entry.node is not None:
            record_write(entry, mask, everything, values, result)
        else:
            put(self, result)
            bump(self)
        return self

    call.__name__, call.__doc__ = f"{entry.name}_", f"{entry.doc}; in place"
    return call


AUGMENTED = {"add": "__iadd__", "mul": "__imul__", "div": "__itruediv__"}


def augmented(entry: Op, otherwise: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Return what Python calls for `a += b`: shorter where nothing is recorded and both are of one kind and shape."""
    write, compute, plain = otherwise or known_operand(in_place(entry)), entry.compute, is_plain(entry)

    def call(self: Tensor, other: Any) -> Any:
        if type(other) is Tensor and plain and mode.recording == OFF and self._view is None:
            counter, x, y = self._counter, self._data, other._data
            if counter is None or other._counter is counter or watchers or forward.carrying:
                return write(self, other)
            kind = x.dtype
            if kind is y.dtype and (kind is FLOAT32 or kind is FLOAT64) and x.shape == y.shape:
                compute(x, y, x)
                counter[0] += 1
                return self
        return write(self, other)

    return call


def known_operand(write: Callable[..., Tensor]) -> Callable[..., Any]:
    def call(self: Tensor, other: Any) -> Any:
        if isinstance(other, (Tensor, int, float, complex, np.generic)):
            return write(self, other)
        return NotImplemented

    return call


def record_write(entry: Op, mask: int, args: Sequence[Any], values: list[Any], result: Any) -> None:
    """Write a result and hang the operation into the graph, between the tensor's old history and its new."""
    self = args[0]
    before = as_it_was(self)
    plan = entry.plan(mask)
    kept = ("tensor", 0) in plan.fields
    computed_in = values[0].dtype
    values[0] = before._data = self._data.copy() if kept else self._data
    node = start_node(entry, plan)
    if entry.analytic is not None and self._data.dtype.kind == "c":
        make_analytic(node, entry)
    given = (before, *args[1:])
    saved = [
        None if kind == "out" else keeper(index, given, values, ())
        for (kind, _), (keeper, index) in zip(plan.fields, plan.keepers, strict=True)
    ]
    inputs = [given[i] if mask >> bit & 1 else None for bit, i in enumerate(entry.tensors)]
    connect(node, inputs)
    put(self, result)
    bump(self)
    for position, (kind, _) in enumerate(plan.fields):
        if kind == "out":
            saved[position] = plan.keepers[position][0](0, given, values, (self,))
    node.saved = tuple(saved)
    if entry.broadcasts:
        targets = [None if tensor is None else (tensor._data.shape, tensor._data.dtype) for tensor in inputs]
        same = (self._data.shape, computed_in) if computed_in is self._data.dtype else None
        node.fix = tuple(None if target == same else target for target in targets)
    rebase(self, node)
    if self._view is not None and ("out", 0) in plan.fields:
        place_written(node, self)


def place_written(node: Any, view: Tensor) -> None:
    """Let what a node keeps of its result be, in second gradients, a part of the storage that it was written to."""
    assert view._view is not None
    base = view._view.base
    assert base._grad_fn is not None and view._grad_fn is not None
    history, shown_by, data = weakref.ref(base._grad_fn), weakref.ref(view._grad_fn), base._data

    def placed(array: Array, counter: list[int]) -> Tensor:
        tensor, whole = make(array), make(data)
        written: Any = history()
        tensor._counter = counter
        tensor._requires_grad = whole._requires_grad = True
        whole._grad_fn = written
        whole = in_kind(whole, array.dtype)
        tensor._grad_fn = look = start_node(as_strided, as_strided.plan(1))
        look.saved = (whole._data.shape, geometry_of(whole._data, whole._data).stride, *written.place)
        connect(look, [whole])
        return tensor

    kept = list(node.saved)
    for position, (kind, _) in enumerate(node.plan.fields):
        if kind == "out" and type(kept[position]) is tuple:
            array, counter, *_ = kept[position]
            kept[position] = Written(kept[position])
            kept[position].placed = functools.partial(placed, array, counter)
            kept[position].shown_by = shown_by
    node.saved = tuple(kept)


def as_it_was(tensor: Tensor) -> Tensor:
    """Return a stand-in for a tensor that is about to be written to: its flags and its place in the graph."""
    before = make(tensor._data)
    before._requires_grad = tensor._requires_grad
    before._grad_fn = tensor.grad_fn
    before._output_nr = tensor._output_nr
    return before


def rebase(tensor: Tensor, node: Any, number: int = 0) -> None:
    """Make an output of a node the newest history of a tensor; for a view, of the whole storage that it looks into."""
    view = tensor._view
    if view is None:
        move_retained(tensor, node, number)
        tensor._grad_fn, tensor._output_nr, tensor._requires_grad = node, number, True
        return
    base = view.base
    written = CopySlices(base, tensor, node)
    move_retained(base, written)
    base._grad_fn, base._output_nr, base._requires_grad = written, 0, True
    show_view(tensor, view, True)


def move_retained(tensor: Tensor, node: Node, number: int = 0) -> None:
    """Let a tensor that retains its gradient do so at its new node."""
    old = tensor._grad_fn
    if tensor.retains_grad and old is not None and old.extra is not None:
        reference = old.extra.retained.pop(tensor._output_nr, None)
        if reference is not None:
            node.extras().retained[number] = reference


class CopySlices(Node):
    """The history of a storage of which one part was written: the part's gradient goes another way.

    inner: the operation that wrote; place: the part, as strides and offset within the base, in elements of the part,
    whose dtype is `kind`. strides: those of the base in elements, None where its elements lie in order without gaps.
    """

    __slots__ = ("inner", "kind", "place", "strides")

    inner: Node | None

    def __init__(self, base: Tensor, part: Tensor, inner: Node) -> None:
        self.extra = None
        self.sequence = next_sequence()
        self.inner = inner
        self.kind = part._data.dtype
        self.place: Geometry = geometry_of(part._data, base._data)
        self.strides = None if base._data.flags.c_contiguous else geometry_of(base._data, base._data).stride
        first = edge_of(base) if base._requires_grad else None
        self.edges = (first, *inner.edges[1:])
        numbers = inner.numbers or (0,) * len(inner.edges)
        self.numbers = (base._output_nr, *numbers[1:]) if base._output_nr or any(numbers) else None

    def arrays(self, gradient: Any) -> Sequence[Any]:
        if self.inner is None:
            raise RuntimeError(SECOND_TIME)
        whole = np.array(gradient, order="C") if self.strides is None else laid_out(gradient, self.strides)
        part = as_strided.forward(at_address_of(whole, self.kind), *self.place)
        own, *others = self.inner.arrays(part.copy())
        part[...] = 0 if own is None else own
        return (whole, *others)

    def tensors(self, gradient: Any) -> Sequence[Any]:
        if self.inner is None:
            raise RuntimeError(SECOND_TIME)
        if self.strides is None:
            whole = gradient.contiguous().clone()
        else:
            whole = make(laid_out(gradient._data, self.strides)).copy_(gradient)  # type: ignore[attr-defined]
        part = as_strided(in_kind(whole, self.kind), *self.place)
        own, *others = self.inner.tensors(part.clone())
        if own is None:
            part.zero_()
        else:
            part.copy_(own)
        return (whole, *others)

    def free(self) -> None:
        if self.inner is not None:
            self.inner.free()


def at_address_of(array: Array, kind: Any) -> Array:
    """Return an array that begins where another does, to look at its memory in a dtype."""
    if array.dtype == kind:
        return array
    found: Array = np_strided(array, (max(kind.itemsize // array.itemsize, 1),), (array.itemsize,)).view(kind)
    return found


def in_kind(base: Tensor, kind: Any) -> Tensor:
    """Return a base as views of a dtype see it: the real numbers of complex ones, or complex ones of real ones."""
    if (base._data.dtype.kind == "c") == (kind.kind == "c"):
        return base
    before, mode.recording = mode.recording, ON
    try:
        if kind.kind != "c":
            return TABLE["as_real"](base)
        return TABLE["as_complex"](base if base.shape[-1:] == (2,) else base.reshape(-1, 2))  # type: ignore
    finally:
        mode.recording = before


def laid_out(gradient: Array, strides: tuple[int, ...]) -> Array:
    """Return a copy of a gradient whose elements lie in memory by strides, given in elements."""
    needed = 1 + sum((side - 1) * step for side, step in zip(gradient.shape, strides, strict=True))
    whole = as_strided.forward(np.empty(max(needed, 0), gradient.dtype), gradient.shape, strides, 0)
    whole[...] = gradient
    return whole


CopySlices.__module__ = "builtins"


def show_view(tensor: Tensor, view: View, strict: bool) -> None:
    """Give a view the grad_fn that its storage's newest history calls for: AsStridedBackward0 on the base.

    strict: raise RuntimeError where PyTorch has none for it, because of how the view was made.
    """
    base = view.base
    counter = tensor._counter
    assert counter is not None
    if not base._requires_grad:
        return
    tensor._requires_grad = True
    if view.made in VIEW_ERRORS:
        if strict:
            raise RuntimeError(view_error(tensor, view, "its base or another view of its base has been"))
        return
    tensor._view = view._replace(version=counter[0])
    plan = as_strided.plan(1)
    base = in_kind(base, tensor._data.dtype)
    node, place = start_node(as_strided, plan), geometry_of(tensor._data, base._data)
    if base is not view.base and place == geometry_of(base._data, base._data):
        node = base._grad_fn
    else:
        node.saved = tuple(keeper(index, (base, *place), (base._data, *place), ()) for keeper, index in plan.keepers)
        connect(node, [base])
    move_retained(tensor, node)
    tensor._grad_fn, tensor._output_nr, tensor._requires_grad = node, 0, True


refreshers.append(show_view)


def fill_with(tensor: Tensor, value: Array) -> None:
    """Overwrite a tensor without a trace in the graph (random fills and the like)."""
    check_writable(tensor, tensor._requires_grad)
    np.copyto(tensor._data, value, casting="unsafe")
    bump(tensor)
