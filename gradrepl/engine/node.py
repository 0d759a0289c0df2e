"""The node of a recorded operation: what it kept, and how its rules are run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import INEXACT
from gradrepl.engine.dual import DualKept, set_tangent
from gradrepl.engine.graph import SECOND_TIME, Node, next_sequence
from gradrepl.engine.operands import Kept
from gradrepl.engine.packing import Hooks, Packed, pack
from gradrepl.engine.tensor import Tensor, make

Rule = Callable[..., Any]
Run = Callable[[Any, Any], Sequence[Any]]
ndarray = np.ndarray

SHORT = re.compile(r"Backward0?(?=\d*$)")
"""What PyTorch's messages leave out of a node's name: Mul for MulBackward0, Pow1 for PowBackward1."""

SAVED_INFERENCE = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it "
    "in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
)


TENSORS = ("tensor", "out", "fixed")


class Plan:
    """What to keep for one combination of inputs that require grad, and how to use it.

    fields: (kind, index) of each kept thing; first the tensors, of kind "tensor", "out" or "fixed", then
    the rest, of kind "shape", "dtype" or "value". tensors: how many of them are tensors.
    fixed: the positions of those that rules always get as arrays.
    rules: for each tensor input its rule and the positions in `fields` of the rule's arguments, or None.
    only: (edge, rule, positions) where there is one rule, else None. ordered: all of them in the order in which they
    run, as in PyTorch: where second gradients add up, it shows.
    keepers: for each field the function that keeps it, and its index.
    inputs: the indices of what is kept where that is inputs alone, else None.
    own_saved: whether what is kept is just the arguments, in their order, the first a tensor.
    shape_alone: whether what is kept is just the shape of the first argument.
    each_one: whether there are two rules, each with one argument.
    run: the way the rules are run on arrays, shorter for the most frequent plans.
    """

    __slots__ = (
        "each_one",
        "fields",
        "fixed",
        "inputs",
        "keepers",
        "only",
        "ordered",
        "own_saved",
        "rules",
        "run",
        "shape_alone",
        "tensors",
    )

    def __init__(self, fields: Fields, rules: Rules, arguments: Sequence[str], plural: bool) -> None:
        self.fields = fields
        self.rules = rules
        self.tensors = sum(kind in TENSORS for kind, _ in fields)
        self.fixed = tuple(position for position, (kind, _) in enumerate(fields) if kind == "fixed")
        present = [(edge, *entry) for edge, entry in enumerate(rules) if entry is not None]
        self.only = present[0] if len(present) == 1 else None
        self.ordered = present
        self.keepers = tuple((KEEPERS[kind], index) for kind, index in fields)
        alone = all(kind == "tensor" for kind, _ in fields)
        self.inputs = tuple(index for _, index in fields) if alone else None
        self.own_saved = list(fields) == [("value" if i else "tensor", i) for i in range(len(arguments))]
        self.shape_alone = list(fields) == [("shape", 0)]
        self.each_one = len(rules) == 2 and all(entry is not None and len(entry[1]) == 1 for entry in rules)
        self.run = OpNode.every if plural or self.fixed else runner(self)

    def put_in_order(self, edges: Sequence[int]) -> None:
        """Say in which order the rules of the edges run."""
        place = {edge: number for number, edge in enumerate(edges)}
        self.ordered = sorted(self.ordered, key=lambda entry: place[entry[0]])
        self.each_one = self.each_one and list(edges) == [1, 0]

    def at_length(self) -> Plan:
        """Return this plan without its short way: for nodes that do more than run the rules."""
        plan = copy(self)
        plan.run = OpNode.every
        return plan


Fields = tuple[tuple[str, int], ...]
Rules = tuple[tuple[Rule, tuple[int, ...]] | None, ...]


def start_node(entry: Any, plan: Plan) -> Any:
    """Return a new node of an entry, its edges still to be set."""
    node = entry.node()
    node.extra = None
    node.fix = None
    node.plan = plan
    node.sequence = next_sequence()
    return node


class OpNode(Node):
    """A node made by an entry of the table of operations.

    saved: what the rules need, in the order of plan.fields; None once it was freed.
    fix: for each edge the (shape, dtype) that its gradient must be brought back to, or None.
    """

    __slots__ = ("fix", "plan", "saved")

    op: Any
    plan: Plan
    saved: tuple[Any, ...] | None
    fix: tuple[Any, ...] | None

    def arrays(self, gradient: Any) -> Sequence[Any]:
        if self.saved is None:
            raise RuntimeError(SECOND_TIME)
        return self.plan.run(self, gradient)

    def every(self, gradient: Any) -> Sequence[Any]:
        """Run the rules of any plan on arrays."""
        saved = self.saved
        assert saved is not None
        count = self.plan.tensors
        if not count:
            return self.apply(gradient, saved)
        values = list(saved)
        for index in range(count):
            item = saved[index]
            if type(item) is tuple and ((counter := item[1]) is None or counter[0] == item[2]):
                values[index] = item[0]
            else:
                values[index] = self.unpack(index, item, False)
        return self.apply(gradient, values)

    def tensors(self, gradient: Any) -> Sequence[Any]:
        saved = self.saved
        if saved is None:
            raise RuntimeError(SECOND_TIME)
        count = self.plan.tensors
        values = list(saved)
        for index in range(count):
            item = saved[index]
            tensor = item[3] if type(item) is tuple else None
            if tensor is not None and item[1][0] == item[2] and tensor._data is item[0]:
                values[index] = tensor
            else:
                values[index] = self.unpack(index, item, True)
        for index in self.plan.fixed:
            values[index] = as_arrays(values[index])
        return self.apply(gradient, values)

    def apply(self, gradient: Any, values: Sequence[Any]) -> Sequence[Any]:
        plan, fix = self.plan, self.fix
        if plan.only is not None:
            edge, rule, picks = plan.only
            found = rule(gradient, *values) if len(values) < 2 else rule(gradient, *[values[i] for i in picks])
            if fix is not None and (target := fix[edge]) is not None and found is not None:
                found = fitters[0](found, *target)
            return (found,) if not edge else (*(None,) * edge, found)
        gradients: Sequence[Any]
        if plan.each_one:
            (rule, (pick,)), (other_rule, (other_pick,)) = plan.rules  # type: ignore[misc]
            later = other_rule(gradient, values[other_pick])
            gradients = (rule(gradient, values[pick]), later)
        else:
            gradients = [None] * len(plan.rules)
            for edge, rule, picks in plan.ordered:
                gradients[edge] = rule(gradient, *[values[i] for i in picks])
        return gradients if fix is None else fit(gradients, fix)

    def unpack(self, index: int, item: Any, recorded: bool) -> Any:
        """Return a saved tensor as the rules want it: an array, or a tensor in the graph."""
        if isinstance(item, Packed):
            tensor = item.unpack()
            if not recorded:
                return tensor._data
            if item.origin is not None:
                return item.origin.given_to(tensor)
            return self.as_output(index, (tensor._data, tensor._counter, 0, None))
        if isinstance(item, list):
            return [self.unpack(index, one, recorded) for one in item]
        array, counter, version, tensor = item
        if counter is not None and counter[0] != version:
            raise RuntimeError(self.modified(index, item))
        if not recorded or array is None:
            return array
        if tensor is not None and (tensor._data is array or tensor._data.dtype is not array.dtype):
            return tensor
        return self.as_output(index, item)

    def as_output(self, index: int, item: Kept) -> Tensor:
        """Return a saved output (or a constant) as the tensor that it was."""
        if isinstance(item, Written):
            return item.placed()
        kind, number = self.plan.fields[index]
        tensor = make(item[0])
        if kind == "out":
            tensor._counter = item[1]
            tensor._requires_grad, tensor._grad_fn, tensor._output_nr = True, self, number
        if isinstance(item, DualKept):
            set_tangent(tensor, item.tangent)
        return tensor

    def modified(self, index: int, item: Kept) -> str:
        """Return PyTorch's words for a saved tensor that was written to in the meantime."""
        array, counter, version, tensor = item
        assert counter is not None
        kind, number = self.plan.fields[index]
        if kind == "out" and array.dtype in INEXACT:
            maker = item.shown_by() if isinstance(item, Written) else None
            return modified(array, counter, version, maker or self, number)
        maker, number = (None, 0) if tensor is None else (tensor.grad_fn, tensor._output_nr)
        return modified(array if tensor is None else tensor._data, counter, version, maker, number)

    def free(self) -> None:
        if self.plan.tensors:
            self.saved = None


class Written(tuple[Any, ...]):
    """A kept result that was written into a view: `placed` gives it as the tensor that the view is in the graph.

    shown_by: the node that the view shows, as long as it does.
    """

    placed: Callable[[], Tensor]
    shown_by: Callable[[], Node | None]


def as_arrays(value: Any) -> Any:
    """Return a tensor, or those in a list, as arrays."""
    if isinstance(value, list):
        return list(map(as_arrays, value))
    return value._data if isinstance(value, Tensor) else value


def runner(plan: Plan) -> Run:
    """Return how a plan's rules are run on arrays: shorter ways for one rule with at most one tensor kept, and for
    two rules with a tensor each or with nothing."""
    if plan.only is not None and plan.only[2] == tuple(range(len(plan.fields))) and plan.tensors < 2:
        edge, rule, _ = plan.only
        return one_rule_with_a_tensor(edge, rule, len(plan.fields) > 1) if plan.tensors else one_rule(edge, rule)
    if len(plan.rules) == 2 and None not in plan.rules and not plan.fields:
        return two_rules_alone(*[entry[0] for entry in plan.rules if entry])
    if plan.each_one and len(plan.fields) == plan.tensors == 2:
        return two_rules_with_a_tensor_each(*plan.rules)
    return OpNode.every


UNCHANGED = (lambda g: g).__code__.co_code


def passes_on(rule: Rule) -> bool:
    """Whether a rule gives the gradient itself: it need not be called then."""
    return rule.__code__.co_code == UNCHANGED and rule.__code__.co_argcount == 1


def one_rule(edge: int, rule: Rule) -> Run:
    before, same = (None,) * edge, passes_on(rule)

    def run(node: Any, gradient: Any) -> Sequence[Any]:
        found, fix = gradient if same else rule(gradient, *node.saved), node.fix
        if fix is not None and (target := fix[edge]) is not None and found is not None:
            found = fitters[0](found, *target)
        return (*before, found) if edge else (found,)

    return run


def one_rule_with_a_tensor(edge: int, rule: Rule, more: bool) -> Run:
    before = (None,) * edge

    def run(node: Any, gradient: Any) -> Sequence[Any]:
        item, fix = node.saved[0], node.fix
        known = gradient.__class__ is ndarray and item.__class__ is tuple and item[1] and item[1][0] == item[2]
        array = item[0] if known else array_of(node, 0, gradient)
        found = rule(gradient, array, *node.saved[1:]) if more else rule(gradient, array)
        if fix is not None and (target := fix[edge]) is not None and found is not None:
            found = fitters[0](found, *target)
        return (*before, found) if edge else (found,)

    return run


def two_rules_alone(first: Rule, second: Rule) -> Run:
    same, other_same = passes_on(first), passes_on(second)

    def run(node: Any, gradient: Any) -> Sequence[Any]:
        found = gradient if same else first(gradient)
        other_found = gradient if other_same else second(gradient)
        if node.fix is not None:
            target, other_target = node.fix
            found = found if target is None else fitters[0](found, *target)
            other_found = other_found if other_target is None else fitters[0](other_found, *other_target)
        return found, other_found

    return run


def two_rules_with_a_tensor_each(first: Any, second: Any) -> Run:
    (rule, (pick,)), (other_rule, (other_pick,)) = first, second

    def run(node: Any, gradient: Any) -> Sequence[Any]:
        one, two = node.saved[pick], node.saved[other_pick]
        alike = type(gradient) is ndarray and type(one) is type(two) is tuple and one[1] and two[1]
        if alike and one[1][0] == one[2] and two[1][0] == two[2]:
            found = (rule(gradient, one[0]), other_rule(gradient, two[0]))
        else:
            array, other = array_of(node, pick, gradient), array_of(node, other_pick, gradient)
            found = (rule(gradient, array), other_rule(gradient, other))
        return found if node.fix is None else fit(found, node.fix)

    return run


def array_of(node: Any, index: int, gradient: Any) -> Any:
    """Return a saved tensor's array; beside a gradient that is a numpy scalar, a 0-d array as such a scalar too."""
    item = node.saved[index]
    if item.__class__ is tuple and ((counter := item[1]) is None or counter[0] == item[2]):
        array = item[0]
    else:
        array = node.unpack(index, item, False)
    if gradient.__class__ is ndarray or array.ndim:
        return array
    return array[()]  # numpy multiplies two scalars ten times as fast as a scalar and a 0-d array


STRANGE = {name: f"CPU{name}Type" for name in ("Bool", "BFloat16", "ComplexFloat", "ComplexDouble")}
"""The tensor types that have no name of the form torch.FloatTensor."""


def modified(array: Any, counter: list[int], version: int, maker: Node | None, number: int) -> str:
    """Return PyTorch's words for a tensor that was written to after it had been saved; maker: what had made it."""
    kind = dtypes.of(array).tensor_type
    origin = f", which is output {number} of {SHORT.sub('', maker.name())}," if maker is not None else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{STRANGE.get(kind, f'torch.{kind}Tensor')} {list(array.shape)}]{origin} is at version {counter[0]}; "
        f"expected version {version} instead. Hint: {hints[-1]}"
    )


hints = [
    "enable anomaly detection to find the operation that failed to compute its gradient, with "
    "torch.autograd.set_detect_anomaly(True, check_nan=False)."
]
"""The last is what to do about such an error; anomaly.py puts its own there."""


class AnalyticNode(OpNode):
    """The node of an analytic function of complex numbers: its rule gets what was kept for it conjugated."""

    __slots__ = ()

    def apply(self, gradient: Any, values: Sequence[Any]) -> Sequence[Any]:
        return super().apply(gradient, [conjugate[0](value) for value in values])


def make_analytic(node: Any, entry: Any) -> None:
    """Turn a new node of an entry into an analytic one."""
    node.__class__ = entry.analytic
    node.plan = node.plan.at_length()


conjugate: list[Callable[[Any], Any]] = []
"""Filled by ops/arithmetic.py with conj_of, which is made of an operation itself."""


class ListNode(OpNode):
    """The node of an operation on a sequence of tensors: one rule gives the gradients of all."""

    __slots__ = ()

    def apply(self, gradient: Any, values: Sequence[Any]) -> Sequence[Any]:
        assert self.plan.only is not None
        _, rule, picks = self.plan.only
        found: Sequence[Any] = rule(gradient, *[values[i] for i in picks])
        return found


class MultiOutputNode(OpNode):
    """The node of an operation with several results; a rule gets a list with None where no gradient came."""

    __slots__ = ("_outputs",)

    def apply(self, gradient: Any, values: Sequence[Any]) -> Sequence[Any]:
        return super().apply(gradient if self._outputs > 1 else (gradient,), values)


def keep(plan: Plan, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> tuple[Any, ...]:
    """Return what the rules will need: tensors with the version that they have now, shapes, plain values."""
    return tuple([keeper(index, args, values, outs) for keeper, index in plan.keepers])


def keep_input(index: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> Any:
    argument = args[index]
    if argument.__class__ in NUMBERS:
        return (values[index], None, argument, None)
    if isinstance(argument, Tensor):
        counter = argument._counter
        if counter is None:
            raise RuntimeError(SAVED_INFERENCE)
        if Hooks.stack:
            return pack(argument, *Hooks.stack[-1])
        return (values[index], counter, counter[0], argument)
    if isinstance(argument, np.generic):
        return (values[index], None, argument.item(), None)
    return [keep_input(i, argument, values[index], outs) for i in range(len(argument))]


def keep_fixed(index: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> Any:
    argument = args[index]
    if type(argument) is tuple:
        arrays = [item._data if isinstance(item, Tensor) else item for item in argument]
        return [keep_fixed(i, argument, arrays, outs) for i in range(len(argument))]
    tensor = isinstance(argument, Tensor)
    return keep_input(index, args, values, outs) if tensor else (values[index], None, None, None)


NUMBERS = frozenset((int, float, bool, complex))


def keep_output(index: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> Any:
    out = outs[index]
    counter = out._counter
    assert counter is not None
    if Hooks.stack:
        shown = make(out._data)
        shown._counter = counter
        shown._requires_grad, shown._grad_fn, shown._output_nr = out._requires_grad, out._grad_fn, out._output_nr
        return pack(shown, *Hooks.stack[-1], is_input=False)
    return (out._data, counter, counter[0], None)


def keep_shape(index: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> Any:
    value = values[index]
    return [array.shape for array in value] if isinstance(value, list) else value.shape


def keep_strides(index: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> Any:
    value = values[index]
    return tuple([step // value.itemsize for step in value.strides])


def keep_dtype(index: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> Any:
    value = args[index]
    if isinstance(value, (list, tuple)):
        return [item._data.dtype for item in value]
    return value._data.dtype if isinstance(value, Tensor) else None


def keep_value(index: int, args: Sequence[Any], values: Sequence[Any], outs: Sequence[Tensor]) -> Any:
    return values[index]


KEEPERS: dict[str, Callable[..., Any]] = {
    "tensor": keep_input,
    "fixed": keep_fixed,
    "out": keep_output,
    "shape": keep_shape,
    "strides": keep_strides,
    "dtype": keep_dtype,
    "value": keep_value,
}


def fit(gradients: Sequence[Any], fix: Sequence[Any]) -> list[Any]:
    """Undo broadcasting and promotion: the one place for both."""
    fitted = list(gradients)
    for edge, target in enumerate(fix):
        if target is not None and fitted[edge] is not None:
            fitted[edge] = fitters[0](fitted[edge], *target)
    return fitted


fitters: list[Callable[..., Any]] = []
"""Filled by ops/shape.py with sum_to_fit, which is made of operations itself."""
