"""Operations that change a tensor's own shape: t_, squeeze_, unsqueeze_ and their kin."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.api import public
from gradrepl.engine.dual import set_tangent, tangent_of
from gradrepl.engine.grad_mode import ON, mode
from gradrepl.engine.in_place import as_it_was, bump, check_writable
from gradrepl.engine.node import start_node
from gradrepl.engine.op import Op, connect
from gradrepl.engine.ops.reshaping import further, several_dims
from gradrepl.engine.ops.view import (
    as_strided,
    dim_of,
    squeeze_all,
    squeeze_at,
    squeeze_dims,
    t,
    transpose_dims,
    unsqueeze_at,
)
from gradrepl.engine.tensor import Tensor


def again(entry: Op, node: str) -> Op:
    """Return an entry like a view's, whose node has the name of the in-place form."""
    made = Op(entry.forward, node, view=True)
    made.rules.update(entry.rules)
    return made


def turn(entry: Op, self: Tensor, *args: Any) -> Tensor:
    """Let a tensor see its storage in another shape, and hang that into the graph."""
    check_writable(self, self.requires_grad)
    before = as_it_was(self) if self._requires_grad and mode.recording == ON else None
    data = self._data
    self._data = entry.forward(data, *args)
    bump(self)
    if self._view is not None and self._counter is not None:
        self._view = self._view._replace(version=self._counter[0])
    if before is not None:
        node = start_node(entry, entry.plan(1))
        given, values = (before, *args), (data, *args)
        node.saved = tuple(keeper(index, given, values, (self,)) for keeper, index in node.plan.keepers)
        connect(node, [before])
        self._grad_fn, self._output_nr, self._requires_grad = node, 0, True
    if (tangent := tangent_of(self)) is not None:
        set_tangent(self, entry.general(tangent, *args))
    return self


T = again(t, "TBackward1")
AS_STRIDED = again(as_strided, "AsStridedBackward1")
TRANSPOSE = again(transpose_dims, "TransposeBackward1")
UNSQUEEZE = again(unsqueeze_at, "UnsqueezeBackward1")
SQUEEZE, SQUEEZE_AT, SQUEEZE_DIMS = (
    again(entry, f"SqueezeBackward{number}") for number, entry in ((3, squeeze_all), (4, squeeze_at), (5, squeeze_dims))
)


@public("Tensor input", function=False)
def t_(input: Tensor) -> Tensor:
    """Transpose a tensor of at most two dimensions, in place (torch.Tensor.t_)."""
    if input._data.ndim > 2:
        raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {input._data.ndim}D")
    return turn(T, input)


def swapping(name: str, first: str, second: str) -> None:
    def call(input: Tensor, **dims: int) -> Tensor:
        ndim = input._data.ndim
        return turn(TRANSPOSE, input, dim_of(dims[first], ndim), dim_of(dims[second], ndim))

    call.__doc__ = f"Swap two dimensions, in place (torch.Tensor.{name})."
    public(f"Tensor input, int {first}, int {second}", name=name, function=False)(call)


swapping("transpose_", "dim0", "dim1")
swapping("swapdims_", "dim0", "dim1")
swapping("swapaxes_", "axis0", "axis1")


@public("Tensor input, ints size, ints stride, int? storage_offset=None")
def as_strided_(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """See the storage in any shape and strides, in place (torch.Tensor.as_strided_)."""
    return turn(AS_STRIDED, input, size, stride, further(input, size, stride, storage_offset))


@public("Tensor input, int dim", function=False)
def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """Put in a dimension of size 1, in place (torch.Tensor.unsqueeze_)."""
    return turn(UNSQUEEZE, input, dim_of(dim, input._data.ndim + 1))


@public("Tensor input", "Tensor input, int dim", "Tensor input, ints dim", function=False)
def squeeze_(input: Tensor, dim: Any = None) -> Tensor:
    """Take out dimensions of size 1, in place (torch.Tensor.squeeze_)."""
    ndim = input._data.ndim
    if dim is None:
        return turn(SQUEEZE, input)
    if isinstance(dim, tuple):
        return turn(SQUEEZE_DIMS, input, several_dims(dim, ndim))
    return turn(SQUEEZE_AT, input, dim_of(dim, ndim))
