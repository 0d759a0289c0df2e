"""Short ways for the most frequent calls of an operation: what is not quite ordinary goes the way of every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32, FLOAT64, INEXACT
from gradrepl.engine.dual import forward
from gradrepl.engine.grad_mode import INFERENCE, ON, mode
from gradrepl.engine.graph import next_sequence
from gradrepl.engine.node import keep
from gradrepl.engine.operands import DOUBLES, SINGLES, Numbers, check_broadcast
from gradrepl.engine.packing import Hooks
from gradrepl.engine.precision.half import HALF
from gradrepl.engine.tensor import Tensor, make_view, refresh_view

new = object.__new__
asanyarray = np.asanyarray
ndarray = np.ndarray

Call = Callable[..., Any]

KIND: type[Tensor] = Tensor
"""The class of new tensors: see tensor.py."""


PARAMETERS: list[type[Tensor]] = []
"""Filled by nn/parameter.py."""


def is_parameter(value: Any) -> bool:
    """Whether a value is a parameter without a tangent: to an operation the same as a plain tensor."""
    return type(value) in PARAMETERS and not forward.carrying


def is_plain(value: Any) -> bool:
    """Whether a short way can take a value."""
    return type(value) is Tensor or is_parameter(value)


def short_way(entry: Any, otherwise: Call) -> Call:
    """Return the function behind an entry's methods: shorter for the most frequent kinds of call.

    Whatever is not quite ordinary goes to `otherwise`, the way of every operation; both give the same.
    """
    plain = entry.node is not None and not (entry.several or entry.variadic or entry.fixed or entry.zeros)
    if plain and entry.tensors == (0, 1) and len(entry.arguments) == 2 and not entry.view:
        call = two_tensors(entry, otherwise)
        call = with_number(entry, call, otherwise) if entry.broadcasts else first_a_tensor(call, otherwise)
    elif plain and entry.tensors == (0,):
        call = single(entry, otherwise)
    else:
        call = every(otherwise)
    call.__name__ = entry.name
    call.__doc__ = entry.doc
    return call


def every(otherwise: Call) -> Call:
    def call(input: Any, *args: Any) -> Any:
        return otherwise(input, *args)

    return call


def single(entry: Any, otherwise: Call) -> Call:
    """One tensor, and plain arguments behind it."""
    forward, plan_of, plans, node_class, view = entry.forward, entry.plan, entry.plans, entry.node, entry.view
    choosy = entry.broadcasts or entry.refused is not None

    def call(input: Any, *args: Any) -> Any:
        if (type(input) is not Tensor and not is_parameter(input)) or type(x := input._data) is not ndarray:
            return otherwise(input, *args)
        kind = x.dtype
        if kind is not FLOAT32 and kind is not FLOAT64 and (choosy or kind is HALF or kind.kind == "c"):
            return otherwise(input, *args)
        if input._view is not None:
            refresh_view(input)
        recording = mode.recording
        if view:
            out = make_view(forward(x, *args), input, "default" if recording == ON else "no_grad")
        else:
            data = forward(x, *args)
            out = new(KIND)
            out._data = data if type(data) is ndarray else asanyarray(data)
            out._grad_fn = out._grad = out._view = out._extra = None
            out._requires_grad, out._output_nr = False, 0
            out._counter = None if recording <= INFERENCE else [0]
        if recording == ON and input._requires_grad and input._counter is not None and out._data.dtype in INEXACT:
            node = node_class()
            node.extra = node.fix = None
            node.plan = plan = plans.get(1) or plan_of(1)
            node.sequence = next_sequence()
            node.edges = (input if input._grad_fn is None else input._grad_fn,)
            node.numbers = (input._output_nr,) if input._output_nr else None
            out._requires_grad, out._grad_fn = True, node
            if plan.shape_alone:
                node.saved = (x.shape,)
            elif plan.own_saved and not Hooks.stack:
                node.saved = ((x, input._counter, input._counter[0], input), *args)
            else:
                node.saved = keep(plan, (input, *args), (x, *args), (out,))
        return out

    return call


def with_number(entry: Any, two: Call, otherwise: Call) -> Call:
    """A tensor of a float dtype and a number that was met before; two tensors go to `two`."""
    compute, plan_of, plans, node_class = entry.compute, entry.plan, entry.plans, entry.node

    def call(a: Any, b: Any) -> Any:
        if type(a) is not Tensor and not is_parameter(a):
            return otherwise(a, b)
        if type(b) is Tensor:
            return two(a, b)
        x = a._data
        kind = x.dtype
        known = SINGLES if kind is FLOAT32 else DOUBLES if kind is FLOAT64 else NONE
        try:
            kept = known[type(b)][b]
        except (KeyError, TypeError):
            return two(a, b) if is_parameter(b) else otherwise(a, b)
        if a._view is not None:
            refresh_view(a)
        recording = mode.recording
        data = compute(x, kept[0])
        out = new(KIND)
        out._data = data if type(data) is ndarray else asanyarray(data)
        out._grad_fn = out._grad = out._view = out._extra = None
        out._requires_grad = False
        out._output_nr = 0
        out._counter = None if recording <= INFERENCE else [0]
        if recording == ON and a._requires_grad:
            node = node_class()
            node.extra = node.fix = node.numbers = None
            node.plan = plan = plans.get(1) or plan_of(1)
            node.sequence = next_sequence()
            out._requires_grad, out._grad_fn = True, node
            inputs = plan.inputs
            node.saved = () if inputs == () else (kept,) if inputs == ONE else keep(plan, (a, b), (x, kept[0]), (out,))
            source = a._grad_fn
            node.edges = (a if source is None else source, None)
            if a._output_nr:
                node.numbers = (a._output_nr, 0)
        return out

    return call


ONE = (1,)
ANY = ((), ())
NONE: Numbers = {}


def first_a_tensor(two: Call, otherwise: Call) -> Call:
    def call(a: Any, b: Any) -> Any:
        return two(a, b) if is_plain(a) and is_plain(b) else otherwise(a, b)

    return call


def spread(compute: Call, x: Any, y: Any) -> Any:
    """Run a pointwise function on arrays of two shapes; numpy is twice as fast where a single number has no axes."""
    if y.size == 1 and y.ndim <= x.ndim:
        return compute(x, y.reshape(()))
    if x.size == 1 and x.ndim <= y.ndim:
        return compute(x.reshape(()), y)
    return compute(x, y)


def two_tensors(entry: Any, otherwise: Call) -> Call:
    """Two tensors of one float dtype."""
    compute, plan_of, plans, node_class = entry.compute, entry.plan, entry.plans, entry.node
    broadcasts = entry.broadcasts

    def call(a: Any, b: Any) -> Any:
        x, y = a._data, b._data
        kind = x.dtype
        if (kind is not FLOAT32 and kind is not FLOAT64) or y.dtype is not kind:
            return otherwise(a, b)
        if a._view is not None:
            refresh_view(a)
        if b._view is not None:
            refresh_view(b)
        recording = mode.recording
        shape, other_shape = (x.shape, y.shape) if broadcasts else ANY
        alike = shape == other_shape
        try:
            if alike:
                data = compute(x, y)
            else:
                data = compute(x, y.reshape(())) if other_shape == ONE and shape else spread(compute, x, y)
        except ValueError:
            if broadcasts:
                check_broadcast((x, y))
            raise
        out = new(KIND)
        out._data = data if type(data) is ndarray else asanyarray(data)
        out._grad_fn = out._grad = out._view = out._extra = None
        out._requires_grad = False
        out._output_nr = 0
        out._counter = None if recording <= INFERENCE else [0]
        mask = (1 if a._requires_grad else 0) + (2 if b._requires_grad else 0)
        if mask and recording == ON:
            node = node_class()
            node.extra = node.fix = node.numbers = None
            node.plan = plan = plans.get(mask) or plan_of(mask)
            node.sequence = next_sequence()
            out._requires_grad, out._grad_fn = True, node
            inputs, one, two = plan.inputs, a._counter, b._counter
            if inputs is None or one is None or two is None or Hooks.stack:
                node.saved = keep(plan, (a, b), (x, y), (out,))
            elif len(inputs) == 2:
                kept, other = (x, one, one[0], a), (y, two, two[0], b)
                node.saved = (other, kept) if inputs[0] else (kept, other)
            elif inputs:
                node.saved = ((y, two, two[0], b),) if inputs[0] else ((x, one, one[0], a),)
            else:
                node.saved = ()
            source, other_source = a._grad_fn, b._grad_fn
            first = None if mask == 2 else a if source is None else source
            node.edges = (first, None if mask == 1 else b if other_source is None else other_source)
            if a._output_nr or b._output_nr:
                node.numbers = (a._output_nr, b._output_nr)
            if not alike:
                wide = out._data.shape
                fix_a = (shape, kind) if mask & 1 and shape != wide else None
                fix_b = (other_shape, kind) if mask > 1 and other_shape != wide else None
                if fix_a or fix_b:
                    node.fix = (fix_a, fix_b)
        return out

    return call
