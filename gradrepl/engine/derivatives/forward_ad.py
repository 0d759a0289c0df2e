"""Forward mode: tangents carried along with values (torch.autograd.forward_ad)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.derivatives.linearizing import OTHER_SIZE, along, turned_over
from gradrepl.engine.derivatives.transforms import free_of, fresh
from gradrepl.engine.derivatives.trees import mapped
from gradrepl.engine.dtype import INEXACT, Array, c_name
from gradrepl.engine.dual import (
    NESTED,
    DualKept,
    Level,
    calls,
    forward,
    set_forward_enabled,
    set_tangent,
    suspended,
    tangent_of,
    writes,
)
from gradrepl.engine.grad_mode import ON, DecoratorContextManager, enable_grad, mode
from gradrepl.engine.in_place import in_kind, laid_out
from gradrepl.engine.node import OpNode
from gradrepl.engine.op import Op, op
from gradrepl.engine.ops.shape import clone
from gradrepl.engine.ops.view import as_strided, geometry_of, view_at
from gradrepl.engine.tensor import Tensor, make, make_leaf

NO_DERIVATIVE = re.compile(r"derivative for (\S+) is not implemented")
NO_LEVEL = "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
NOT_LAST = "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
NO_SUCH_LEVEL = (
    "Trying to access a forward AD level with an invalid index. This index was either not created or is already "
    "deleted."
)
HAS_TANGENT = (
    "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not supported."
)
TANGENT_HAS_TANGENT = "Setting a forward grad that itself has a forward gradient at the same level0 is not supported."


class Kept(NamedTuple):
    """A tensor that a custom Function keeps: `tensor` where it is none of the outputs, else the output's number."""

    array: Any
    counter: list[int]
    version: int
    tensor: Tensor | None
    number: int


class UnpackedDualTensor(NamedTuple):
    """The value of a dual tensor and its tangent, None where it has none."""

    primal: Tensor
    tangent: Tensor | None


UnpackedDualTensor.__module__ = "torch.autograd.forward_ad"


@op("Identity", view=True, samples=(((2, 3),),))
def primal_of(a: Array) -> Any:
    """a, without its tangent"""
    return a[...]


primal_of.grad(a=lambda g: g)


def check_tangent(primal: Tensor, tangent: Tensor) -> None:
    """Raise RuntimeError in PyTorch's words for a tangent that does not fit its value."""
    if tangent._data.shape != primal._data.shape:
        raise RuntimeError(OTHER_SIZE.format(list(primal._data.shape), list(tangent._data.shape)))
    if tangent_of(tangent) is not None:
        raise RuntimeError(TANGENT_HAS_TANGENT)


def check_level(level: Any, function: str) -> None:
    if level is not None and level != 0:
        raise RuntimeError(f"Invalid level given to {function}")
    if forward.level is None:
        raise RuntimeError(NO_SUCH_LEVEL)


def enter_dual_level() -> int:
    """Open the level of forward mode (torch.autograd.forward_ad.enter_dual_level); returns its number, 0."""
    if forward.level is not None:
        raise RuntimeError(NESTED)
    forward.level, forward.carrying = Level(), True
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the level: its tangents are gone (torch.autograd.forward_ad.exit_dual_level)."""
    if forward.level is None and level is None:
        raise RuntimeError("Dual level must be a positive number.")
    if forward.level is None or level not in (None, 0):
        raise RuntimeError(NOT_LAST)
    forward.level.end()
    forward.level, forward.carrying = None, False


class dual_level(DecoratorContextManager):  # noqa: N801
    """A block of forward mode (torch.autograd.forward_ad.dual_level)."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        exit_dual_level()


dual_level.__module__ = "torch.autograd.forward_ad"


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Tensor:
    """Return a view of a tensor that carries a tangent (torch.autograd.forward_ad.make_dual).

    Raises RuntimeError outside of a level and for a tangent of another shape, ValueError for a dtype that is not
    floating point or complex.
    """
    if (level is None and forward.level is None) or (level is not None and level < 0):
        raise RuntimeError(NO_LEVEL)
    for name, given in (("primal", tensor), ("tangent", tangent)):
        if not (given.is_floating_point() or given.is_complex()):
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {given.dtype}")
    check_level(level, "_make_dual")
    if tangent_of(tensor) is not None:
        raise RuntimeError(HAS_TANGENT)
    check_tangent(tensor, tangent)
    dual: Tensor = view_at(tensor, tensor._data.shape)
    set_tangent(dual, laid_as(tangent, tensor._data))
    return dual


def laid_as(tangent: Tensor, primal: Array) -> Tensor:
    """Return a tangent whose elements lie in memory as those of its value: a copy where its own do not."""
    own, wanted = tangent._data, geometry_of(primal, primal).stride
    if geometry_of(own, own).stride == wanted or 0 in wanted:
        return tangent
    copied: Any = make(laid_out(np.zeros_like(own), wanted))
    with suspended():
        placed: Tensor = copied.copy_(tangent)
    return placed


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """Return a tensor's value and its tangent (torch.autograd.forward_ad.unpack_dual)."""
    if forward.level is None or (level is not None and level < 0):
        return UnpackedDualTensor(tensor, None)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {c_name(tensor)}")
    tangent = tangent_of(tensor)
    if tangent is not None:
        check_level(level, "_fw_primal")
    with suspended():
        return UnpackedDualTensor(primal_of(tensor), tangent)


LINEAR = frozenset(("embedding_rows",))
"""Operations that are linear in their first argument and whose rule leaves a part of the gradient out."""

POINTWISE = frozenset(("hardsigmoid_entry",))
"""Operations of one tensor, pointwise, whose rule has no derivative: the tangent takes the way of a gradient."""
NO_FORWARD = {"cdist_of": "_cdist_forward", "bag_rows": "_embedding_bag"}
"""Operations that PyTorch has no forward mode for, with its names of them."""


def run(entry: Op, args: tuple[Any, ...]) -> Any:
    """Run an operation and give its results their tangents."""
    with suspended():
        out = entry.general(*args)
        outs = out if entry.several else (out,)
        for one, tangent in zip(outs, tangents_of(entry, args), strict=True):
            if one._data.dtype in INEXACT:
                set_tangent(one, tangent)
        keep_tangents(entry, outs)
    return out


def tangents_of(entry: Op, args: tuple[Any, ...]) -> Sequence[Tensor]:
    """Return the tangents of an operation's results.

    A view's tangent is the same view of the tangent. Any other comes from the rules, by going back twice: what
    they give is linear in the gradient, and its derivative by that is the product with the Jacobian.
    """
    if entry.view or entry.name in LINEAR:
        out = entry.general(tangent_of(args[0]), *args[1:])
        return out if entry.several else (out,)
    if entry.name in POINTWISE:
        return (entry.rules["a"](tangent_of(args[0]), args[0]),)
    if entry.name in NO_FORWARD:
        raise NotImplementedError(NOT_YET.format(NO_FORWARD[entry.name]))
    ins: list[Tensor] = []
    tangents: list[Tensor] = []

    def as_input(tensor: Tensor) -> Tensor:
        tangent = tangent_of(tensor)
        if tangent is None:
            return tensor
        ins.append(fresh(tensor) if mode.recording == ON else make_leaf(tensor._data))
        tangents.append(tangent)
        return ins[-1]

    given = tuple(mapped(arg, as_input) for arg in args)
    with enable_grad():
        outs = entry.general(*given)
        try:
            results = list(outs) if entry.several else [outs]
            found = along(results, *turned_over(results, ins), tangents)
        except RuntimeError as error:
            raise unsupported(error) from None
    return [own(tangent if mode.recording != ON else free_of(tangent, ins), tangents) for tangent in found]


NOT_YET = (
    "Trying to use forward AD with {} that does not support it because it has not been implemented yet.\nPlease file "
    "an issue to PyTorch at https://github.com/pytorch/pytorch/issues/new?template=feature-request.yml so that we can "
    "prioritize its implementation or submit a PR adding the implementation to derivatives.yaml"
)


def unsupported(error: RuntimeError) -> Exception:
    """Return what forward mode says where there is no derivative; any other error as it is."""
    found = NO_DERIVATIVE.fullmatch(str(error))
    return (
        NotImplementedError(f"Trying to use forward AD with {found[1]} that does not support it.") if found else error
    )


def own(tangent: Tensor, others: Sequence[Tensor]) -> Tensor:
    """Return a tangent outside of the graph where nothing is recorded, in memory of its own."""
    if any(np.may_share_memory(tangent._data, other._data) for other in others):
        with suspended():
            tangent = clone(tangent)
    return tangent if mode.recording == ON else make(tangent._data)


def keep_tangents(entry: Op, outs: Sequence[Tensor]) -> None:
    """Hang the tangents of results on what the new node kept of these."""
    node = outs[0]._grad_fn
    if not isinstance(node, OpNode) or node.op is not entry or node.saved is None:
        return
    saved = list(node.saved)
    for position, (kind, number) in enumerate(node.plan.fields):
        if kind == "out" and type(saved[position]) is tuple:
            saved[position] = DualKept(saved[position])
            saved[position].tangent = tangent_of(outs[number])
    node.saved = tuple(saved)


def write(entry: Op, in_place: Any, args: tuple[Any, ...]) -> Tensor:
    """Run an operation that writes into its first argument, on the value and on the tangent."""
    with suspended():
        (found,) = tangents_of(entry, args)
        out: Tensor = in_place(*args)
        write_tangent(out, found)
    return out


def write_tangent(tensor: Tensor, found: Tensor) -> None:
    """Make a tensor's tangent another one: in its place where it has one, as part of its base's where it is a view."""
    tangent: Any = tangent_of(tensor)
    if tangent is None and tensor._view is None:
        set_tangent(tensor, found)
        return
    if tangent is None:
        assert tensor._view is not None
        base = tensor._view.base
        if tangent_of(base) is None:
            set_tangent(base, make(np.zeros_like(base._data)))
        moved: Any = tangent_of(base)
        whole = in_kind(moved, tensor._data.dtype)
        tangent = as_strided(whole, *geometry_of(tensor._data, in_kind(base, tensor._data.dtype)._data))
        set_tangent(tensor, tangent)
    tangent.copy_(found)


def carry_through(cls: Any, ctx: Any, args: Sequence[Any], output: Any) -> None:
    """Give the results of a custom Function the tangents that its jvp computes; raises RuntimeError for misfits."""
    given = [shown_tangent(arg, ctx.materializes) for arg in args]
    own = [(arg, tangent) for arg in args if (tangent := tangent_of(arg)) is not None]
    versions = [(arg, tangent, tangent._counter[0] if tangent._counter else None) for arg, tangent in own]
    with suspended():
        before, ctx.saved = ctx.saved, tuple(plain_kept(primal_of(tensor)) for tensor in ctx.saved_for_forward or ())
        found = cls.jvp(ctx, *given)
        ctx.saved = before
    outs = output if isinstance(output, tuple) else (output,)
    tangents = found if isinstance(found, tuple) else (found,)
    if len(tangents) != len(outs):
        counts = f"(expected {len(outs)} but got {len(tangents)})"
        raise RuntimeError(f"Function's jvp returned an invalid number of forward gradients {counts}")
    for index, (out, tangent) in enumerate(zip(outs, tangents, strict=True)):
        if tangent is not None and not isinstance(tangent, Tensor):
            raise RuntimeError(f"expected Variable or None (got {c_name(tangent)}) for grad output {index}.")
        if isinstance(out, Tensor) and tangent is not None:
            if out._data.dtype not in INEXACT:
                raise RuntimeError(NOT_DIFFERENTIABLE.format(index))
            check_tangent(out, tangent)
            written = any(arg is out for arg in args)
            if any(arg is out and not was_written(before, tangent, version) for arg, before, version in versions):
                raise RuntimeError(NOT_IN_PLACE)
            if out._view is not None and not written:
                check_same_view(tangent, given)
            set_tangent(out, tangent)


NOT_DIFFERENTIABLE = (
    "Function's jvp returned a gradient at position {}, but  the corresponding forward output is not a differentiable "
    "Tensor.You should return None at that position instead."
)
NOT_IN_PLACE = (
    "An inplace custom Function is not modifying the forward mode gradients inplace. If the forward is modifying an "
    "input inplace, then the jvp function must modify the corresponding gradient inplace."
)


def was_written(before: Tensor, tangent: Tensor, version: int | None) -> bool:
    """Whether a tangent that jvp gives is the one that it got, written to since."""
    return before is tangent and (tangent._counter is None or tangent._counter[0] != version)


def check_same_view(tangent: Tensor, given: Sequence[Tensor | None]) -> None:
    """Raise RuntimeError where a Function gives a view, and its jvp no view of a tangent that it got."""
    if tangent._view is None:
        raise RuntimeError(
            "A custom Function's forward is returning a view (or an input as-is) but the jvp is not returning a view."
        )
    if not any(one is not None and one._counter is tangent._counter for one in given):
        raise RuntimeError(
            "A custom Function is returning a view but the jvp is not returning a view of the given grad input."
        )


def shown_tangent(arg: Any, materialized: bool) -> Tensor | None:
    """Return the tangent of an argument as jvp gets it."""
    tangent = tangent_of(arg)
    if tangent is None and materialized and isinstance(arg, Tensor) and arg._data.dtype in INEXACT:
        return make(np.zeros_like(arg._data))
    return tangent


def plain_kept(tensor: Tensor) -> Kept:
    """Return a tensor in the form in which a custom Function keeps it."""
    counter = tensor._counter or [0]
    return Kept(tensor._data, counter, counter[0], tensor, 0)


calls.append(run)
writes.append(write)
functions(
    "torch.autograd.forward_ad",
    dual_level=dual_level,
    enter_dual_level=enter_dual_level,
    exit_dual_level=exit_dual_level,
    make_dual=make_dual,
    unpack_dual=unpack_dual,
    UnpackedDualTensor=UnpackedDualTensor,
    _set_fwd_grad_enabled=set_forward_enabled,
)
