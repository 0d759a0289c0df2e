"""One entry an operation: its forward on arrays beside its gradient rules, and the recording of its calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import INEXACT, Array
from gradrepl.engine.grad_mode import ON, mode
from gradrepl.engine.graph import SECOND_TIME, Node, next_sequence
from gradrepl.engine.tensor import Tensor, make, make_view

new = object.__new__
asarray = np.asarray

Rule = Callable[..., Any]
Sample = tuple[Any, ...]


class Entry(NamedTuple):
    """A saved tensor: its array, the version it had, and the tensor itself where it was an input."""

    array: Any
    counter: list[int] | None
    version: int
    tensor: Tensor | None


class Plan(NamedTuple):
    """What to keep for one combination of inputs that require grad, and how to use it.

    fields: (kind, index) of each kept thing; kinds are "tensor", "out", "shape", "dtype", "value".
    rules: for each tensor input its rule and the positions in `fields` of the rule's arguments, or None.
    """

    fields: tuple[tuple[str, int], ...]
    rules: tuple[tuple[Rule, tuple[int, ...]] | None, ...]
    frees: bool


class OpNode(Node):
    """A node made by an entry of the table of operations."""

    __slots__ = ("fix", "plan", "saved")

    op: Op
    plan: Plan
    saved: tuple[Any, ...] | None
    fix: tuple[Any, ...] | None

    def arrays(self, gradient: Any) -> Sequence[Any]:
        saved = self.saved
        if saved is None:
            raise RuntimeError(SECOND_TIME)
        values = [
            item[0]
            if type(item) is Entry and (item[1] is None or item[1][0] == item[2])
            else self.unpack(index, item, False)
            for index, item in enumerate(saved)
        ]
        return self.apply(gradient, values)

    def tensors(self, gradient: Any) -> Sequence[Any]:
        saved = self.saved
        if saved is None:
            raise RuntimeError(SECOND_TIME)
        return self.apply(gradient, [self.unpack(index, item, True) for index, item in enumerate(saved)])

    def apply(self, gradient: Any, values: list[Any]) -> Sequence[Any]:
        rules = self.plan.rules
        if self.op.variadic:
            rule, picks = rules[0]  # type: ignore[misc]
            return rule(gradient, *[values[i] for i in picks])  # type: ignore[no-any-return]
        gradients = [
            None if entry is None else entry[0](gradient, *[values[i] for i in entry[1]]) for entry in rules
        ]
        return gradients if self.fix is None else fit(gradients, self.fix)

    def unpack(self, index: int, item: Any, recorded: bool) -> Any:
        """Return a saved thing as the rules want it: a plain value, an array, or a tensor in the graph."""
        if isinstance(item, Packed):
            tensor = item.unpack()
            return tensor if recorded else tensor._data
        if type(item) is not Entry:
            return item
        array, counter, version, tensor = item
        if counter is not None and counter[0] != version:
            raise RuntimeError(self.modified(index, item))
        if not recorded:
            return array
        if tensor is not None and (tensor._data is array or tensor._data.dtype is not array.dtype):
            return tensor
        return self.as_output(index, item)

    def as_output(self, index: int, item: Entry) -> Tensor:
        """Return a saved output as the tensor that it was."""
        kind, number = self.plan.fields[index]
        tensor = make(item.array)
        tensor._counter = item.counter
        if kind == "out":
            tensor._requires_grad, tensor._grad_fn, tensor._output_nr = True, self, number
        return tensor

    def modified(self, index: int, item: Entry) -> str:
        kind = dtypes.of(item.array).tensor_type
        shape = list(item.array.shape)
        field, number = self.plan.fields[index]
        maker: Any = self if field == "out" else (item.tensor.grad_fn if item.tensor is not None else None)
        if maker is not None:
            number = number if field == "out" else (item.tensor._output_nr if item.tensor is not None else 0)
            origin = f", which is output {number} of {maker.name()},"
        else:
            origin = ""
        assert item.counter is not None
        return (
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"[torch.{kind}Tensor {shape}]{origin} is at version {item.counter[0]}; expected version {item.version} "
            "instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )

    def free(self) -> None:
        if self.plan.frees:
            self.saved = None


class MultiOutputNode(OpNode):
    """The node of an operation with several results; a rule gets a list with None where no gradient came."""

    __slots__ = ("outputs",)


class Packed:
    """A saved tensor that went through the pack hook of saved_tensors_hooks."""

    __slots__ = ("packed", "unpack_hook")

    def __init__(self, packed: Any, unpack_hook: Callable[[Any], Any]) -> None:
        self.packed = packed
        self.unpack_hook = unpack_hook

    def unpack(self) -> Tensor:
        tensor = self.unpack_hook(self.packed)
        if not isinstance(tensor, Tensor):
            raise TypeError("Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                            f"{type(tensor).__name__}")
        return tensor


class Hooks:
    """The stack of saved_tensors_hooks that are in force; empty nearly always."""

    stack: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = []


class Op:
    """An entry of the table: forward, rules, node name, and what tests and cards need.

    tensors: positions of the arguments that are tensors (annotated `Array`).
    broadcasts: pointwise; gradients are summed back to the shape of each input in one place.
    samples: arguments for the tests, shapes standing for tensors.
    """

    def __init__(self, forward: Callable[..., Any], node: str | None, **options: Any) -> None:
        self.forward = forward
        self.name: str = forward.__name__
        self.doc = forward.__doc__ or ""
        code = forward.__code__
        self.arguments = code.co_varnames[: code.co_argcount]
        annotations = forward.__annotations__
        self.tensors = tuple(i for i, a in enumerate(self.arguments) if annotations.get(a) in ("Array", "Arrays"))
        self.variadic = bool(self.tensors) and annotations[self.arguments[self.tensors[0]]] == "Arrays"
        self.broadcasts: bool = options.pop("broadcasts", False)
        self.view: bool = options.pop("view", False)
        self.several: bool = options.pop("several", False)
        self.samples: tuple[Sample, ...] = options.pop("samples", ())
        self.promotes: str = options.pop("promotes", "same")
        if options:
            raise TypeError(f"{self.name}: unknown options {sorted(options)}")
        self.rules: dict[str, Rule] = {}
        self.plans: dict[int, Plan] = {}
        base = MultiOutputNode if self.several else OpNode
        self.node = type(node, (base,), {"__slots__": (), "__module__": "builtins", "op": self}) if node else None

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
        names: list[str] = []
        rules: list[tuple[Rule, tuple[int, ...]] | None] = []
        for bit, position in enumerate(self.tensors):
            rule = self.rules.get(self.arguments[position])
            if rule is None or not mask >> bit & 1:
                rules.append(None)
                continue
            code = rule.__code__
            wanted = code.co_varnames[1 : code.co_argcount]
            names.extend(name for name in wanted if name not in names)
            rules.append((rule, tuple(names.index(name) for name in wanted)))
        fields = tuple(self.field(name) for name in names)
        return Plan(fields, tuple(rules), any(kind in ("tensor", "out") for kind, _ in fields))

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
                if argument._requires_grad:
                    mask |= 1 << bit
        if self.broadcasts:
            align(values, self.tensors, self.promotes)
        result = self.forward(*values)
        if self.several:
            return self.wrap_several(result, args, values, mask)
        if self.view:
            source = args[self.tensors[0]]
            made = "default" if mode.recording == ON else "no_grad"
            out = make_view(result, source, made)
        else:
            out = make(result)
        if mask and mode.recording == ON and self.node is not None and out._data.dtype in INEXACT:
            record(self, mask, args, values, (out,))
        return out

    def wrap_several(self, results: Sequence[Any], args: tuple[Any, ...], values: list[Any], mask: int) -> Any:
        recording = mask and mode.recording == ON and self.node is not None
        if self.view:
            made = "multi_output" if recording else "no_grad"
            outs = tuple(make_view(asarray(item), args[self.tensors[0]], made) for item in results)
        else:
            outs = tuple(make(item) for item in results)
        if recording:
            record(self, mask, args, values, outs)
        return outs

    def call_list(self, tensors: Sequence[Any], *rest: Any) -> Any:
        """Call an operation whose first argument is a sequence of tensors."""
        if not any(isinstance(tensor, Tensor) for tensor in tensors):
            return self.forward(tensors, *rest)
        arrays = [tensor._data if isinstance(tensor, Tensor) else tensor for tensor in tensors]
        out = make(self.forward(arrays, *rest))
        wanted = [isinstance(tensor, Tensor) and tensor._requires_grad for tensor in tensors]
        if any(wanted) and mode.recording == ON and self.node is not None:
            record_list(self, tensors, wanted, (arrays, *rest), out)
        return out


def constant(value: Any, kind: np.dtype[Any]) -> Array:
    """Return a Python number as a 0-d array of `kind`, from a small cache: numpy is slow at converting numbers."""
    key = (value, value.__class__, kind)
    array = constants.get(key)
    if array is None:
        array = np.array(value).astype(kind)
        array.flags.writeable = False
        if value != 0 and len(constants) < 4096:
            constants[key] = array
    return array


constants: dict[Any, Array] = {}


def align(values: list[Any], positions: tuple[int, ...], promotes: str) -> None:
    """Bring the operands of a pointwise operation to one dtype by PyTorch's promotion, in place."""
    arrays = [i for i in positions if type(values[i]) is np.ndarray]
    kind = values[arrays[0]].dtype
    for i in arrays[1:]:
        other = values[i]
        if other.dtype is not kind:
            kind = dtypes.promote(values[arrays[0]], other)
    for i in positions:
        if i not in arrays:
            kind = dtypes.beside_scalar(kind, values[i])
    if promotes == "float" and dtypes.CATEGORY[kind] < dtypes.FLOAT:
        kind = dtypes.default.float.numpy
    for i in positions:
        value = values[i]
        if type(value) is not np.ndarray:
            values[i] = constant(value, kind)
        elif value.dtype is not kind:
            values[i] = value.astype(kind)


def keep(op: Op, plan: Plan, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> tuple[Any, ...]:
    """Return what the rules will need, each tensor with the version that it has now."""
    saved = []
    for kind, index in plan.fields:
        if kind == "tensor":
            saved.append(keep_input(args[index], values[index]))
        elif kind == "out":
            out = outs[index]
            saved.append(pack(out, True) if Hooks.stack else Entry(out._data, out._counter, out._counter[0], None))  # type: ignore[index]
        elif kind == "shape":
            value = values[index]
            saved.append([array.shape for array in value] if op.variadic and index == 0 else value.shape)
        elif kind == "dtype":
            value = args[index]
            saved.append(value._data.dtype if isinstance(value, Tensor) else None)
        else:
            saved.append(values[index])
    return tuple(saved)


def keep_input(argument: Any, array: Any) -> Any:
    if not isinstance(argument, Tensor):
        return Entry(array, None, 0, None)
    counter = argument._counter
    if counter is None:
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
            "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
            "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
        )
    if Hooks.stack:
        return pack(argument, False)
    return Entry(array, counter, counter[0], argument)


def pack(tensor: Tensor, is_output: bool) -> Packed:
    pack_hook, unpack_hook = Hooks.stack[-1]
    if is_output:
        shown = make(tensor._data)
        shown._counter = tensor._counter
        tensor = shown
    return Packed(pack_hook(tensor), unpack_hook)


def edge_of(tensor: Tensor) -> Any:
    """Return where the gradient of a tensor goes: the node that made it, or itself where it is a leaf."""
    node = tensor._grad_fn if tensor._view is None else tensor.grad_fn
    return tensor if node is None else node


def record(op: Op, mask: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> None:
    """Hang the result(s) of an operation into the graph."""
    plan = op.plan(mask)
    node: Any = new(op.node)  # type: ignore[type-var]
    node.extra = None
    node.sequence = next_sequence()
    edges: list[Any] = []
    numbers: Any = None
    for bit, i in enumerate(op.tensors):
        if mask >> bit & 1:
            argument = args[i]
            edges.append(edge_of(argument))
            if argument._output_nr:
                numbers = numbers or {}
                numbers[len(edges) - 1] = argument._output_nr
        else:
            edges.append(None)
    node.edges = tuple(edges)
    node.numbers = None if numbers is None else tuple(numbers.get(i, 0) for i in range(len(edges)))
    node.plan = plan
    node.saved = keep(op, plan, args, values, outs)
    node.fix = misfits(op, mask, args, outs[0]._data) if op.broadcasts else None
    attach(node, op, outs)


def attach(node: Any, op: Op, outs: Sequence[Tensor]) -> None:
    if op.several:
        node.outputs = len(outs)
    for number, out in enumerate(outs):
        if out._data.dtype in INEXACT:
            out._requires_grad = True
            out._grad_fn = node
            out._output_nr = number


def record_list(op: Op, tensors: Sequence[Any], wanted: Sequence[bool], values: Sequence[Any], out: Tensor) -> None:
    plan = op.plan(1)
    node: Any = new(op.node)  # type: ignore[type-var]
    node.extra = None
    node.sequence = next_sequence()
    pairs = list(zip(tensors, wanted, strict=True))
    node.edges = tuple(edge_of(tensor) if want else None for tensor, want in pairs)
    node.numbers = tuple(tensor._output_nr if want else 0 for tensor, want in pairs)
    node.plan = plan
    saved = []
    for kind, index in plan.fields:
        if kind == "tensor":
            saved.append([keep_input(t, a) for t, a in zip(tensors, values[0], strict=True)])
        else:
            saved.append(keep(op, Plan(((kind, index),), (), False), (tensors, *values[1:]), values, (out,))[0])
    node.saved = tuple(saved)
    node.fix = None
    attach(node, op, (out,))


def misfits(op: Op, mask: int, args: Sequence[Any], out: Array) -> tuple[Any, ...] | None:
    """Return for each input its shape and dtype where its gradient must be brought back to them, or None."""
    shape, kind = out.shape, out.dtype
    found = False
    fix: list[Any] = []
    for bit, i in enumerate(op.tensors):
        if mask >> bit & 1:
            data = args[i]._data
            if data.shape != shape or data.dtype is not kind:
                fix.append((data.shape, data.dtype))
                found = True
                continue
        fix.append(None)
    return tuple(fix) if found else None


def fit(gradients: Sequence[Any], fix: Sequence[Any]) -> list[Any]:
    """Undo broadcasting and promotion: the one place for both."""
    return [
        gradient if target is None or gradient is None else fitters[0](gradient, *target)
        for gradient, target in zip(gradients, fix, strict=True)
    ]


fitters: list[Callable[..., Any]] = []
"""Filled by ops/shape.py with sum_to_fit, which is made of operations itself."""

TABLE: dict[str, Op] = {}
"""Every entry by its name."""


def op(node: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Op]:
    """Make a function on arrays an entry of the table; `node` is PyTorch's name of its grad_fn."""

    def enter(forward: Callable[..., Any]) -> Op:
        entry = Op(forward, node, **options)
        if entry.name in TABLE:
            raise TypeError(f"operation {entry.name} is there already")
        TABLE[entry.name] = entry
        return entry

    return enter


def methods(**named: Any) -> None:
    """Make functions methods of Tensor under the given names."""
    for name, function in named.items():
        setattr(Tensor, name, as_method(function))


def as_method(function: Any) -> Any:
    if not isinstance(function, Op):
        return function

    def method(self: Tensor, *args: Any) -> Any:
        return function(self, *args)

    method.__name__ = function.name
    method.__doc__ = function.doc
    return method
