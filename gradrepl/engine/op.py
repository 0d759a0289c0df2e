"""One entry an operation: its forward on arrays beside its gradient rules, and the recording of its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine import bfloat16
from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import FLOAT32, FLOAT64, INEXACT, Array
from gradrepl.engine.grad_mode import INFERENCE, ON, mode
from gradrepl.engine.graph import next_sequence
from gradrepl.engine.node import (
    KEEPERS,
    SHORT,
    AnalyticNode,
    Kept,
    ListNode,
    MultiOutputNode,
    OpNode,
    Plan,
    Rule,
    keep,
    runner,
)
from gradrepl.engine.packing import Hooks
from gradrepl.engine.tensor import Tensor, make, make_view, refresh_view

np.seterr(all="ignore")  # infinities and nan are values, as in PyTorch

new = object.__new__
asanyarray = np.asanyarray
ndarray = np.ndarray

TABLE: dict[str, Op] = {}
"""Every entry by its name."""


class Op:
    """An entry of the table: forward, rules, node name, and what tests and cards need.

    tensors: positions of the arguments that are tensors (annotated `Array`, or `Arrays` for a sequence).
    broadcasts: pointwise; dtypes are promoted, and gradients are summed back to the shape of each input
    in one place. promotes: "float" where ints give floats. view: the result looks into the first
    argument's storage. several: the forward returns a tuple of results.
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
        samples: Sequence[tuple[Any, ...]] = (),
    ) -> None:
        code = forward.__code__
        self.forward = forward
        self.name: str = forward.__name__
        self.doc = forward.__doc__ or ""
        self.arguments = code.co_varnames[: code.co_argcount]
        kinds = [forward.__annotations__.get(argument) for argument in self.arguments]
        self.tensors = tuple(i for i, kind in enumerate(kinds) if kind in ("Array", "Arrays"))
        self.variadic = "Arrays" in kinds
        self.broadcasts = broadcasts
        self.promotes = promotes
        self.view = view
        self.several = several
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
            plan = self.plans[mask] = self.make_plan(mask)
        return plan

    def make_plan(self, mask: int) -> Plan:
        wanted: list[tuple[Rule, tuple[str, ...]] | None] = []
        for bit, position in enumerate(self.tensors):
            rule = self.rules.get(self.arguments[position])
            if rule is None or not mask >> bit & 1:
                wanted.append(None)
            else:
                wanted.append((rule, rule.__code__.co_varnames[1 : rule.__code__.co_argcount]))
        names = dict.fromkeys(name for entry in wanted if entry for name in entry[1])
        fields = sorted((self.field(name) for name in names), key=lambda field: field[0] not in ("tensor", "out"))
        rules = tuple(
            None if entry is None else (entry[0], tuple(fields.index(self.field(name)) for name in entry[1]))
            for entry in wanted
        )
        present = [(edge, *entry) for edge, entry in enumerate(rules) if entry is not None]
        count = sum(kind in ("tensor", "out") for kind, _ in fields)
        keepers = tuple((KEEPERS[kind], index) for kind, index in fields)
        only = present[0] if len(present) == 1 else None
        run = OpNode.every if self.variadic else runner(count, len(fields), rules, only)
        return Plan(
            tuple(fields), count, rules, only, keepers, lone_field(fields), own_saved(fields, self.arguments), run
        )

    def field(self, name: str) -> tuple[str, int]:
        if name in self.arguments:
            index = self.arguments.index(name)
            return ("tensor" if index in self.tensors else "value", index)
        if name.startswith("out"):
            return ("out", int(name[3:] or 0))
        argument, _, kind = name.rpartition("_")
        if kind in ("shape", "dtype") and argument in self.arguments:
            return (kind, self.arguments.index(argument))
        raise TypeError(f"{self.name}: the rule asks for {name!r}, which is neither an argument nor a result")

    def __call__(self, *args: Any) -> Any:
        """Run on tensors (recording where wanted) or, with no tensor among the arguments, on arrays."""
        return self.call(*args) if type(args[0]) is Tensor else self.general(*args)

    def general(self, *args: Any) -> Any:
        """Run any call, ordinary or not."""
        if self.variadic:
            return self.call_list(*args)
        for i in self.tensors:
            if isinstance(args[i], Tensor):
                return self.call_tensors(args)
        return self.forward(*args)

    def call_tensors(self, args: tuple[Any, ...]) -> Any:
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
        if self.broadcasts:
            align(values, self.tensors, self.promotes)
        brains = bfloat16.use.seen and not self.view and self.name != "cast" and bfloat16.among(values)
        if brains:
            values = [bfloat16.stripped(value) for value in values]
        try:
            result = self.forward(*values)
        except ValueError:
            if self.broadcasts:
                check_broadcast(values[i] for i in self.tensors)
            raise
        if brains:
            result = bfloat16.rewrapped(result)
        recording = mask and mode.recording == ON and self.node is not None
        if self.several:
            outs = self.wrap_several(result, args, bool(recording))
        elif self.view:
            outs = (make_view(result, args[self.tensors[0]], "default" if mode.recording == ON else "no_grad"),)
        else:
            outs = (make(result),)
        if recording:
            record(self, mask, args, values, outs)
        return outs if self.several else outs[0]

    def wrap_several(self, results: Sequence[Any], args: Sequence[Any], recording: bool) -> tuple[Tensor, ...]:
        if not self.view:
            return tuple(make(item) for item in results)
        made = "multi_output" if recording else "no_grad"
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


def lone_field(fields: Sequence[tuple[str, int]]) -> int | None:
    """Return the index of the one input that is kept; None where nothing is, -1 where it is something else."""
    if not fields:
        return None
    return fields[0][1] if len(fields) == 1 and fields[0][0] == "tensor" else -1


def own_saved(fields: Sequence[tuple[str, int]], arguments: Sequence[str]) -> bool:
    """Whether what is kept is just the arguments, in their order, the first a tensor."""
    return list(fields) == [("value" if i else "tensor", i) for i in range(len(arguments))]


def op(node: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a function on arrays an entry of the table; `node` is PyTorch's name of its grad_fn."""

    def enter(forward: Callable[..., Any]) -> Op:
        entry = Op(forward, node, **options)
        if entry.name in TABLE:
            raise TypeError(f"operation {entry.name} is there already")
        TABLE[entry.name] = entry
        return entry

    return enter


def constant(value: Any, kind: np.dtype[Any]) -> Array:
    """Return a Python number as a 0-d array of `kind`, from a small cache: numpy is slow at converting numbers."""
    key = (value, value.__class__, kind)
    kept = constants.get(key)
    if kept is None:
        array = np.array(value).astype(kind)
        array.flags.writeable = False
        kept = (array, None, 0, None)
        if (value != 0 or value.__class__ is int) and len(constants) < 4096:
            constants[key] = kept
    return kept[0]


constants: dict[Any, Kept] = {}
"""Numbers as the arrays that they become, in the form in which a node keeps them; zero is left out for its sign."""


def align(values: list[Any], positions: tuple[int, ...], promotes: str) -> None:
    """Bring the operands of a pointwise operation to one dtype by PyTorch's promotion, in place."""
    if bfloat16.use.seen and bfloat16.among(values):
        bfloat16.align_brains(values, positions)
        if bfloat16.among(values):
            return
    arrays = [i for i in positions if type(values[i]) is ndarray]
    kind = values[arrays[0]].dtype
    for i in arrays[1:]:
        if values[i].dtype is not kind:
            kind = dtypes.promote(values[arrays[0]], values[i])
    for i in positions:
        if i not in arrays:
            kind = dtypes.beside_scalar(kind, values[i])
    if promotes == "float" and dtypes.CATEGORY[kind] < dtypes.FLOAT:
        kind = dtypes.default.float.numpy
    for i in positions:
        value = values[i]
        if type(value) is not ndarray:
            values[i] = constant(value, kind)
        elif value.dtype is not kind:
            values[i] = value.astype(kind)


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


def start_node(entry: Op, plan: Plan) -> Any:
    node = new(entry.node)
    node.extra = None
    node.fix = None
    node.plan = plan
    node.sequence = next_sequence()
    return node


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
    if all(out._data.dtype not in INEXACT for out in outs):
        return
    node = start_node(entry, entry.plan(mask))
    if entry.analytic is not None and outs[0]._data.dtype.kind == "c":
        node.__class__ = entry.analytic
    node.saved = keep(node.plan, args, values, outs)
    inputs = [args[i] if mask >> bit & 1 else None for bit, i in enumerate(entry.tensors)]
    connect(node, inputs)
    if entry.broadcasts:
        node.fix = misfits(inputs, outs[0]._data)
    attach(node, outs)


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


def check_broadcast(arrays: Iterable[Array]) -> None:
    """Raise what PyTorch raises for shapes that do not go together."""
    shape: tuple[int, ...] = ()
    for array in arrays:
        a, b = shape, array.shape
        for back in range(1, min(len(a), len(b)) + 1):
            if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
                raise RuntimeError(
                    f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at non-singleton "
                    f"dimension {max(len(a), len(b)) - back}"
                ) from None
        shape = np.broadcast_shapes(a, b)


def as_operator(entry: Op) -> Callable[..., Any]:
    """Return an entry as Python wants an operator: NotImplemented for an operand that it does not know."""

    def call(a: Any, *others: Any) -> Any:
        if others and not isinstance(others[0], (Tensor, int, float, complex, np.generic)):
            return NotImplemented
        return entry.general(a, *others)

    return call


def short_way(entry: Op, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function behind an entry's methods: shorter for the most frequent kinds of call.

    Whatever is not quite ordinary goes to `otherwise`, the way of every operation; both give the same.
    """
    plain = entry.node is not None and not (entry.several or entry.view or entry.variadic)
    if plain and entry.tensors == (0, 1) and len(entry.arguments) == 2:
        call = pair(entry, otherwise)
    elif plain and entry.tensors == (0,):
        call = single(entry, otherwise)
    else:
        call = every(otherwise)
    call.__name__ = entry.name
    call.__doc__ = entry.doc
    return call


def every(otherwise: Callable[..., Any]) -> Callable[..., Any]:
    def call(input: Any, *args: Any) -> Any:
        return otherwise(input, *args)

    return call


def single(entry: Op, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """One tensor, and plain arguments behind it."""
    forward, plan_of, broadcasts = entry.forward, entry.plan, entry.broadcasts

    def call(input: Any, *args: Any) -> Any:
        if type(input) is not Tensor:
            return otherwise(input, *args)
        x = input._data
        kind = x.dtype
        if (broadcasts and kind is not FLOAT32 and kind is not FLOAT64) or type(x) is not ndarray:
            return otherwise(input, *args)
        if input._view is not None:
            refresh_view(input)
        out = make(forward(x, *args))
        if input._requires_grad and mode.recording == ON and out._data.dtype in INEXACT:
            plan = plan_of(1)
            node = start_node(entry, plan)
            if not plan.keepers:
                node.saved = ()
            elif plan.own_saved and not Hooks.stack and input._counter is not None:
                node.saved = ((x, input._counter, input._counter[0], input), *args)
            else:
                node.saved = keep(plan, (input, *args), (x, *args), (out,))
            node.edges = (input if input._grad_fn is None else input._grad_fn,)
            node.numbers = (input._output_nr,) if input._output_nr else None
            out._requires_grad, out._grad_fn = True, node
        return out

    return call


def pair(entry: Op, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Two operands of one float dtype, or one and a number. The busiest lines of the engine."""
    forward, plan_of, plans, node_class = entry.forward, entry.plan, entry.plans, entry.node
    broadcasts = entry.broadcasts

    def call(a: Any, b: Any) -> Any:
        if type(a) is not Tensor:
            return otherwise(a, b)
        x = a._data
        kind = x.dtype
        if kind is not FLOAT32 and kind is not FLOAT64:
            return otherwise(a, b)
        mask = 1 if a._requires_grad else 0
        constant_b = None
        if b.__class__ in NUMBERS and broadcasts:
            constant_b = constants.get((b, b.__class__, kind))
            if constant_b is None:
                return otherwise(a, b)
            y = constant_b[0]
        elif type(b) is Tensor and b._data.dtype is kind:
            y = b._data
            if b._view is not None:
                refresh_view(b)
            if b._requires_grad:
                mask += 2
        else:
            return otherwise(a, b)
        if a._view is not None:
            refresh_view(a)
            mask |= 1 if a._requires_grad else 0
        try:
            data = forward(x, y)
        except ValueError:
            if broadcasts:
                check_broadcast((x, y))
            raise
        recording = mode.recording
        out = new(Tensor)
        out._data = data if type(data) is ndarray else asanyarray(data)
        out._grad_fn = out._grad = out._view = out._extra = None
        out._requires_grad = False
        out._output_nr = 0
        out._counter = None if recording == INFERENCE else [0]
        if mask and recording == ON:
            plan = plans.get(mask) or plan_of(mask)
            node = new(node_class)
            node.extra = node.fix = node.numbers = None
            node.plan = plan
            node.sequence = next_sequence()
            lone = plan.lone
            if lone is None:
                node.saved = ()
            elif lone == 1 and constant_b is not None:
                node.saved = (constant_b,)
            elif lone >= 0 and not Hooks.stack and (counter := (b if lone else a)._counter) is not None:
                node.saved = ((y if lone else x, counter, counter[0], b if lone else a),)
            else:
                node.saved = keep(plan, (a, b), (x, y), (out,))
            first = None if mask == 2 else a if a._grad_fn is None else a._grad_fn
            second = None if mask == 1 else b if b._grad_fn is None else b._grad_fn
            node.edges = (first, second)
            if a._output_nr or (mask > 1 and b._output_nr):
                node.numbers = (a._output_nr, b._output_nr if mask > 1 else 0)
            if broadcasts:
                shape = out._data.shape
                fix_a = (x.shape, kind) if mask & 1 and x.shape != shape else None
                fix_b = (y.shape, kind) if mask > 1 and y.shape != shape else None
                if fix_a or fix_b:
                    node.fix = (fix_a, fix_b)
            out._requires_grad, out._grad_fn = True, node
        return out

    return call


NUMBERS = frozenset((int, float))


def as_function(function: Any, operator: bool = False) -> Any:
    """Return an entry as a plain function, which Python binds to an instance as a method."""
    if not isinstance(function, Op):
        return function
    return function.operator if operator else function.call
