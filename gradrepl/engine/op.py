"""One entry an operation: its forward on arrays beside its gradient rules, and the recording of its calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.derivatives.saved_names import AT_ONCE, COMMON, NAMES
from gradrepl.engine.dtype import INEXACT, Array
from gradrepl.engine.dual import among, calls, forward
from gradrepl.engine.grad_mode import ON, mode
from gradrepl.engine.kernels import check_gradient, refuse, without
from gradrepl.engine.node import (
    SHORT,
    TENSORS,
    AnalyticNode,
    ListNode,
    MultiOutputNode,
    OpNode,
    Plan,
    Rule,
    keep,
    make_analytic,
    start_node,
)
from gradrepl.engine.operands import align, check_broadcast
from gradrepl.engine.precision import bfloat16, half
from gradrepl.engine.quick import is_parameter, short_way
from gradrepl.engine.tensor import Tensor, make, make_view, refresh_view

np.seterr(all="ignore")  # infinities and nan are values, as in PyTorch

asanyarray = np.asanyarray
ndarray = np.ndarray

TABLE: dict[str, Op] = {}
"""Every entry by its name."""


class Op:
    """An entry of the table: forward, rules, node name, and what tests and cards need.

    tensors: positions of the arguments that are tensors (annotated `Array`, or `Arrays` for a sequence). fixed:
    those of tensors that no gradient goes to (annotated `Fixed`).
    broadcasts: pointwise; dtypes are promoted, and gradients are summed back to the shape of each input
    in one place. promotes: "float" where ints give floats. view: the result looks into the first
    argument's storage. several: the forward returns a tuple of results. compute: what the forward comes to
    on operands of one float dtype, where that is a function of numpy's that can be called directly.
    zeros: how many inputs PyTorch's node has before ours, zeros that need no gradient.
    samples: arguments for the tests; tuples of ints at the place of a tensor are shapes.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        node: str | None,
        *,
        broadcasts: bool = False,
        promotes: str = "same",
        view: bool = False,
        several: bool = False,
        zeros: int = 0,
        compute: Callable[..., Any] | None = None,
        samples: Sequence[tuple[Any, ...]] = (),
    ) -> None:
        code = forward.__code__
        self.forward = forward
        self.compute = compute or forward
        self.name: str = forward.__name__
        self.doc = forward.__doc__ or ""
        self.arguments = code.co_varnames[: code.co_argcount]
        kinds = [forward.__annotations__.get(argument) for argument in self.arguments]
        self.tensors = tuple(i for i, kind in enumerate(kinds) if kind in ("Array", "Arrays"))
        self.fixed = tuple(i for i, kind in enumerate(kinds) if kind == "Fixed")
        self.variadic = "Arrays" in kinds
        self.broadcasts = broadcasts
        self.promotes = promotes
        self.view = view
        self.several = several
        self.zeros = zeros
        exact = view or isinstance(compute, np.ufunc) or {"kind", "dtype", "draw"} & {*self.arguments}
        self.widens = not (exact or node is None or self.name in half.STEPWISE)
        self.strips = not (view or self.name in half.STEPWISE_IN_BOTH or self.name == "cast")
        self.refused = without(self.name)
        self.samples = tuple(samples)
        self.rules: dict[str, Rule] = {}
        self.plans: dict[int, Plan] = {}
        base = ListNode if self.variadic else MultiOutputNode if several else OpNode
        self.node: Any = type(node, (base,), {"__slots__": (), "__module__": "builtins", "op": self}) if node else None
        self.analytic: Any = None
        self.call = short_way(self, self.general)
        self.operator = short_way(self, as_operator(self))

    def grad(self, **rules: Rule) -> None:
        """Give the gradient rule of each tensor argument.

        A rule's first parameter is the gradient of the result; the names of the others say what it needs:
        an argument by its name, `out` (or `out0`, `out1`), `NAME_shape` or `NAME_dtype`. Nothing else is kept.
        Rules are written with operators and with other entries, so that they run on arrays (an ordinary
        backward) and on tensors (create_graph=True).
        """
        self.rules.update(rules)

    def plan(self, mask: int) -> Plan:
        """Return the plan for the tensor arguments in the bits of `mask`, making it once."""
        plan = self.plans.get(mask)
        if plan is None:
            first = not self.plans
            plan = self.plans[mask] = self.make_plan(mask)
            for tell in planned if first else ():
                tell(self)
        return plan

    def make_plan(self, mask: int) -> Plan:
        wanted: list[tuple[Rule, tuple[str, ...]] | None] = [None] * self.zeros
        for bit, position in enumerate(self.tensors):
            rule = self.rules.get(self.arguments[position])
            if rule is None or not mask >> bit & 1:
                wanted.append(None)
            else:
                wanted.append((rule, rule.__code__.co_varnames[1 : rule.__code__.co_argcount]))
        names = dict.fromkeys(name for entry in wanted if entry for name in entry[1])
        fields = sorted((self.field(name) for name in names), key=self.place_of)
        rules = tuple(
            None if entry is None else (entry[0], tuple(fields.index(self.field(name)) for name in entry[1]))
            for entry in wanted
        )
        plan = Plan(tuple(fields), rules, self.arguments, self.variadic or self.several)
        plan.put_in_order([self.zeros + bit for bit in self.order_of_rules()])
        return plan

    def place_of(self, field: tuple[str, int]) -> tuple[int, str]:
        """Return the place of something kept: inputs, results, then all else; PyTorch goes by its names of them."""
        kind, index = field
        if kind not in TENSORS:
            return 2, ""
        own = NAMES.get(self.name, {})
        if kind == "out":
            return 1, own.get(f"out{index}" if self.several else "out", f"result{index}")
        name = self.arguments[index]
        return 0, own.get(name, COMMON.get(name, name))

    def order_of_rules(self) -> list[int]:
        """Return the places of the tensor arguments in the order of their rules: PyTorch goes by its names of them."""
        names = COMMON | NAMES.get(self.name, {})
        theirs = [names.get(self.arguments[position], self.arguments[position]) for position in self.tensors]
        places = range(len(theirs))
        return list(places) if self.name in AT_ONCE else sorted(places, key=theirs.__getitem__)

    def field(self, name: str) -> tuple[str, int]:
        if name in self.arguments:
            index = self.arguments.index(name)
            return ("tensor" if index in self.tensors else "fixed" if index in self.fixed else "value", index)
        if name.startswith("out"):
            return ("out", int(name[3:] or 0))
        argument, _, kind = name.rpartition("_")
        if kind in ("shape", "dtype", "strides") and argument in self.arguments:
            return (kind, self.arguments.index(argument))
        raise TypeError(f"{self.name}: the rule asks for {name!r}, which is neither an argument nor a result")

    def __call__(self, *args: Any) -> Any:
        """Run on tensors (recording where wanted) or, with no tensor among the arguments, on arrays."""
        kind = type(args[0])
        if kind is Tensor or (kind is not ndarray and is_parameter(args[0])):
            return self.call(*args)
        return self.general(*args)

    def general(self, *args: Any) -> Any:
        """Run any call, ordinary or not."""
        if forward.carrying and among(args):
            return calls[0](self, args)
        if self.variadic:
            return self.call_list(*args)
        for i in self.tensors:
            if type(args[i]) is not ndarray and isinstance(args[i], Tensor):
                return self.call_tensors(args)
        return self.run(args)

    def run(self, values: Sequence[Any]) -> Any:
        """Run the forward on arrays; those of 16 bits are computed in float32, and the result is rounded once."""
        if self.refused is not None and getattr(values[self.tensors[0]], "dtype", None) in self.refused:
            refuse(self.refused, [values[i] for i in self.tensors], self.broadcasts)
        if self.widens and getattr(values[self.tensors[0]], "dtype", None) is half.HALF:
            return half.computed(self.forward, values)
        if self.strips and bfloat16.use.seen:
            return bfloat16.computed(self.forward, values)
        return self.forward(*values)

    def call_tensors(self, args: tuple[Any, ...]) -> Any:
        on = mode.recording == ON
        values = list(args)
        mask = 0
        for bit, i in enumerate(self.tensors):
            argument = args[i]
            if isinstance(argument, Tensor):
                values[i] = argument._data
                if argument._view is not None:
                    refresh_view(argument)
                if argument._requires_grad:
                    mask |= 1 << bit
        for i in self.fixed:
            values[i] = data_of(args[i])
        if self.broadcasts:
            align(values, self.tensors, self.promotes)
        if bfloat16.use.seen and self.name in bfloat16.ONE_DTYPE:
            bfloat16.refuse_others(self.forward, values)
        try:
            result = self.run(values)
        except ValueError:
            if self.broadcasts:
                check_broadcast(values[i] for i in self.tensors)
            raise
        recording = mask and on and self.node is not None
        if self.several:
            outs = self.wrap_several(result, args, bool(recording))
        elif self.view:
            outs = (make_view(result, args[self.tensors[0]], "default" if on else "no_grad"),)
        else:
            outs = (make(result),)
        if recording:
            record(self, mask, args, values, outs)
        return outs if self.several else outs[0]

    def wrap_several(self, results: Sequence[Any], args: Sequence[Any], recording: bool) -> tuple[Tensor, ...]:
        if not self.view:
            return tuple(make(item) for item in results)
        made = "multi_output" if mode.recording == ON else "no_grad"
        return tuple(make_view(asanyarray(item), args[self.tensors[0]], made) for item in results)

    def call_list(self, tensors: Sequence[Any], *rest: Any) -> Any:
        """Call an operation whose first argument is a sequence of tensors."""
        if not any(isinstance(tensor, Tensor) for tensor in tensors):
            return self.forward(tensors, *rest)
        arrays = [tensor._data if isinstance(tensor, Tensor) else tensor for tensor in tensors]
        out = make(self.forward(arrays, *rest))
        wanted = [isinstance(tensor, Tensor) and tensor._requires_grad for tensor in tensors]
        if any(wanted) and mode.recording == ON and self.node is not None:
            node = start_node(self, self.plan(1))
            node.saved = keep(node.plan, (tensors, *rest), (arrays, *rest), (out,))
            connect(node, [tensor if want else None for tensor, want in zip(tensors, wanted, strict=True)])
            attach(node, (out,))
        return out


planned: list[Callable[[Op], None]] = []
"""Filled by derivatives/saved.py: what an entry is shown to when it is first recorded."""


def op(node: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a function on arrays an entry of the table; `node` is PyTorch's name of its grad_fn."""

    def enter(forward: Callable[..., Any]) -> Op:
        entry = Op(forward, node, **options)
        if entry.name in TABLE:
            raise TypeError(f"operation {entry.name} is there already")
        TABLE[entry.name] = entry
        return entry

    return enter


def data_of(value: Any) -> Any:
    """Return a tensor's array, and anything else as it is."""
    return value._data if isinstance(value, Tensor) else value


def edge_of(tensor: Tensor) -> Any:
    """Return where the gradient of a tensor goes: the node that made it, or itself where it is a leaf."""
    node = tensor._grad_fn if tensor._view is None else tensor.grad_fn
    return tensor if node is None else node


def short_name(node: Any) -> str:
    """Return a node's name as PyTorch's messages have it: Mul for MulBackward0."""
    return SHORT.sub("", node.name())


def analytic(*entries: Op) -> None:
    """Say of operations that on complex numbers they are analytic functions: gradients are g · conj(derivative)."""
    for entry in entries:
        names = {"__slots__": (), "__module__": "builtins", "op": entry}
        entry.analytic = type(entry.node.__name__, (AnalyticNode, entry.node), names)


def connect(node: Any, inputs: Sequence[Tensor | None]) -> None:
    """Set the edges of a node to its inputs; None where no gradient is wanted."""
    node.edges = tuple([None if tensor is None else edge_of(tensor) for tensor in inputs])
    node.numbers = None
    for tensor in inputs:
        if tensor is not None and tensor._output_nr:
            node.numbers = tuple(0 if tensor is None else tensor._output_nr for tensor in inputs)
            break


def attach(node: Any, outs: Sequence[Tensor]) -> None:
    """Make a node the grad_fn of its results; those that can't require grad are left alone."""
    if isinstance(node, MultiOutputNode):
        node._outputs = len(outs)
    for number, out in enumerate(outs):
        if out._data.dtype in INEXACT:
            out._requires_grad = True
            out._grad_fn = node
            out._output_nr = number


def record(entry: Op, mask: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> None:
    """Hang the results of an operation into the graph."""
    if outs[0]._data.dtype not in INEXACT and all(out._data.dtype not in INEXACT for out in outs):
        return
    node = start_node(entry, entry.plan(mask))
    if outs[0]._data.dtype.kind == "c":
        check_gradient(entry.name)
        if entry.analytic is not None:
            make_analytic(node, entry)
    inputs = [args[i] if mask >> bit & 1 else None for bit, i in enumerate(entry.tensors)]
    connect(node, [None] * entry.zeros + inputs)
    if entry.broadcasts or (len(inputs) > 1 and mixed(inputs)):
        node.fix = misfits(inputs, outs[0]._data)
    attach(node, outs)
    node.saved = keep(node.plan, args, values, outs)


def mixed(inputs: Sequence[Tensor | None]) -> bool:
    """Whether gradients of several dtypes are wanted."""
    return len({tensor._data.dtype for tensor in inputs if tensor is not None}) > 1


def misfits(inputs: Sequence[Tensor | None], out: Array) -> tuple[Any, ...] | None:
    """Return for each input its shape and dtype where its gradient must be brought back to them, or None."""
    shape, kind = out.shape, out.dtype
    fix = tuple(
        (data.shape, data.dtype)
        if tensor is not None and ((data := tensor._data).shape != shape or data.dtype is not kind)
        else None
        for tensor in inputs
    )
    return fix if any(fix) else None


def as_operator(entry: Op) -> Callable[..., Any]:
    """Return an entry as Python wants an operator: NotImplemented for an operand that it does not know."""

    def call(a: Any, *others: Any) -> Any:
        if others and not isinstance(others[0], (Tensor, int, float, complex, np.generic)):
            return NotImplemented
        return entry.general(a, *others)

    return call


def as_function(function: Any, operator: bool = False) -> Any:
    """Return an entry as a plain function, which Python binds to an instance as a method."""
    if not isinstance(function, Op):
        return function
    return function.operator if operator else function.call
