"""Views as torch shows them: reshape, transpose, squeeze and their kin."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from gradrepl.engine.api import SPACES, functions, methods, public
from gradrepl.engine.builtin_method import shown_as_builtin
from gradrepl.engine.device import contiguous_format
from gradrepl.engine.dtype import OF_NUMPY
from gradrepl.engine.formats import ORDERS, lies_in
from gradrepl.engine.ops.shape import clone as clone_entry
from gradrepl.engine.ops.view import (
    as_strided,
    can_view,
    dim_of,
    owner,
    permute_dims,
    slice_at,
    squeeze_all,
    squeeze_at,
    squeeze_dims,
    t,
    transpose_dims,
    unbind_at,
    unfold_dim,
    unsqueeze_at,
    view_as,
    view_at,
    whole_shape,
)
from gradrepl.engine.precision.bfloat16 import Brain
from gradrepl.engine.tensor import Size, Tensor, make, new_size

Shape = tuple[int, ...]
ONLY_INT = {int}
NO_VIEW = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
    "contiguous subspaces). Use .reshape(...) instead."
)


def shortcut(name: str, body: Callable[..., Any], count: int | None, function: bool = False) -> None:
    """Let calls with plain ints only, `count` of them or any number, skip the check of arguments."""
    careful = getattr(Tensor, name)

    def call(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and set(map(type, args)) == ONLY_INT and (count is None or len(args) == count):
            return body(self, args) if count is None else body(self, *args)
        return careful(self, *args, **kwargs)

    call.__name__ = name
    call.__doc__ = body.__doc__
    setattr(Tensor, name, shown_as_builtin(name, call))
    if function and count is not None:
        careful_function = SPACES["torch"][name]

        def call_function(*args: Any, **kwargs: Any) -> Any:
            if not kwargs and args and type(args[0]) is Tensor and list(map(type, args[1:])) == [int] * count:
                return body(*args)
            return careful_function(*args, **kwargs)

        call_function.__name__ = name
        call_function.__doc__ = body.__doc__
        functions(**{name: call_function})


@public("Tensor input, ints shape")
def reshape(input: Tensor, *sides: Any, shape: Any = None) -> Tensor:
    """Return the elements in another shape: a view where that can be (torch.reshape)."""
    wanted = shape if shape is not None else sides[0] if isinstance(sides[0], tuple) else sides
    return view_as(input, whole_shape(wanted, input._data.size))


@public("Tensor self, dtype dtype", "Tensor self, ints size", function=False)
def view(self: Tensor, size: Any = None, dtype: Any = None) -> Tensor:
    """Return a view in another shape; raises RuntimeError where that needs a copy (torch.Tensor.view)."""
    if isinstance(dtype, tuple):
        size, dtype = dtype, None
    if dtype is not None:
        return view_as_kind(self, dtype)
    wanted = whole_shape(size, self._data.size)
    if not can_view(self._data, wanted):
        raise RuntimeError(NO_VIEW)
    return view_at(self, wanted)


def view_as_kind(self: Tensor, kind: Any) -> Tensor:
    """Return the same bytes read as another dtype."""
    data = self._data
    if isinstance(data, Brain) or kind.numpy.metadata is not None:
        raise NotImplementedError(
            "gradrepl's builtin engine can't read the bytes of bfloat16 as another dtype. Start gradrepl with "
            "--engine torch to do so."
        )
    if kind.itemsize != data.itemsize and not data.ndim:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {OF_NUMPY[data.dtype].tensor_type} as {kind.tensor_type} (different "
            "element sizes)"
        )
    if kind.itemsize != data.itemsize and (not data.ndim or data.strides[-1] != data.itemsize):
        raise RuntimeError(
            "self.stride(-1) must be 1 to view "
            f"{OF_NUMPY[data.dtype].tensor_type} as {kind.tensor_type} (different element sizes), but got "
            f"{data.strides[-1] // data.itemsize if data.ndim else 0}"
        )
    if data.ndim and data.shape[-1] * data.itemsize % kind.itemsize:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {kind.itemsize // data.itemsize} to view "
            f"{OF_NUMPY[data.dtype].tensor_type} as {kind.tensor_type} (different element sizes), but got "
            f"{data.shape[-1]}"
        )
    out = make(data.view(kind.numpy))
    out._counter = self._counter
    return out


@public("Tensor self, Tensor other", function=False, name="view_as")
def view_like(self: Tensor, other: Tensor) -> Tensor:
    """Return a view of the shape of another tensor (torch.Tensor.view_as)."""
    return view(self, other._data.shape)


@public("Tensor self, Tensor other", function=False)
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """Return the elements in the shape of another tensor (torch.Tensor.reshape_as)."""
    return reshape(self, other._data.shape)


@public("Tensor input, int start_dim=0, int end_dim=-1")
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge neighbouring dimensions into one (torch.flatten)."""
    shape = input._data.shape
    first, last = dim_of(start_dim, len(shape)), dim_of(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(input, (1,))
    if first == last:
        return input
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@public("Tensor input, int dim, ints sizes")
def unflatten(input: Tensor, dim: int, sizes: Shape) -> Tensor:
    """Split a dimension into several (torch.unflatten)."""
    shape = input._data.shape
    place = dim_of(dim, len(shape))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        split = whole_shape(sizes, shape[place])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {place} ({shape[place]}) in "
            "the input tensor"
        ) from None
    return view(input, (*shape[:place], *split, *shape[place + 1 :]))


@public("Tensor input")
def ravel(input: Tensor) -> Tensor:
    """Return all elements in one dimension (torch.ravel)."""
    return view_at(contiguous(input), (input._data.size,))


@public("Tensor input, *, memory_format? memory_format=None", function=False)
def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """Return the tensor itself, or a copy whose elements lie one behind the other (torch.Tensor.contiguous)."""
    if memory_format in ORDERS:
        return input if lies_in(input._data, memory_format) else clone_entry.call(input, memory_format)
    return input if input._data.flags.c_contiguous else clone_entry.call(input, "C")


@public("Tensor input, *, memory_format? memory_format=None")
def clone(input: Tensor, memory_format: Any = None) -> Tensor:
    """Return a copy (torch.clone)."""
    if memory_format in ORDERS:
        return clone_entry.call(input, memory_format)
    if memory_format is contiguous_format:
        return clone_entry.call(input, "C")
    return clone_entry.call(input)


@public("Tensor input, int dim=0")
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return all slices along a dimension (torch.unbind)."""
    if not input._data.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return unbind_at(input, dim_of(dim, input._data.ndim))


@public("Tensor input, int dim0, int dim1")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Swap two dimensions (torch.transpose)."""
    ndim = input._data.ndim
    return transpose_dims(input, dim_of(dim0, ndim), dim_of(dim1, ndim))


@public("Tensor input, int dim0, int dim1")
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Swap two dimensions (torch.swapdims)."""
    return transpose(input, dim0, dim1)


@public("Tensor input, int axis0, int axis1")
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Swap two dimensions (torch.swapaxes)."""
    return transpose(input, axis0, axis1)


@public("Tensor input, ints dims")
def permute(input: Tensor, dims: Shape) -> Tensor:
    """Put the dimensions in another order (torch.permute)."""
    ndim = input._data.ndim
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    order = tuple(dim_of(dim, ndim) for dim in dims)
    if len(set(order)) < ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return permute_dims(input, order)


MOVES = ("Tensor input, int source, int destination", "Tensor input, ints source, ints destination")


@public(*MOVES)
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Move dimensions to other places (torch.movedim)."""
    given, wanted = (value if isinstance(value, tuple) else (int(value),) for value in (source, destination))
    if len(given) != len(wanted):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(given)} dims) should contain the same number "
            f"of dims as destination ({list(wanted)} dims)"
        )
    ndim = input._data.ndim
    places, targets = (tuple(dim_of(dim, ndim) for dim in dims) for dims in (given, wanted))
    for name, dims, shown in (("source", places, given), ("destination", targets, wanted)):
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(shown)})")
    rest = iter(dim for dim in range(ndim) if dim not in places)
    moved = dict(zip(targets, places, strict=True))
    return permute_dims(input, tuple(moved[i] if i in moved else next(rest) for i in range(ndim)))


public(*MOVES, name="moveaxis")(movedim)


@public("Tensor input, int dim")
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Put in a dimension of size 1 (torch.unsqueeze)."""
    return unsqueeze_at(input, dim_of(dim, input._data.ndim + 1))


@public("Tensor input", "Tensor input, int dim", "Tensor input, ints dim")
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Take out dimensions of size 1 (torch.squeeze)."""
    if dim is None:
        return squeeze_all.call(input)
    if isinstance(dim, tuple):
        return squeeze_dims.call(input, several_dims(dim, input._data.ndim))
    return squeeze_at.call(input, dim_of(dim, input._data.ndim))


def several_dims(dims: Shape, ndim: int) -> Shape:
    """Return dimensions counted from the front; raises RuntimeError where one comes twice."""
    found: list[int] = []
    for dim in dims:
        place = dim_of(dim, ndim)
        if place in found:
            raise RuntimeError(f"dim {place} appears multiple times in the list of dims")
        found.append(place)
    return tuple(found)


@public("Tensor input, int dim, Tensor start, int length", "Tensor input, int dim, int start, int length")
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """Return a range along a dimension as a view (torch.narrow)."""
    if not input._data.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if isinstance(start, Tensor) and (start._data.ndim or start._data.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    place, first = dim_of(dim, input._data.ndim), int(start)
    side = input._data.shape[place]
    if not -side <= first <= side:
        raise IndexError(f"start out of range (expected to be in range of [-{side}, {side}], but got {first})")
    first += side if first < 0 else 0
    if first > side - length:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({side}).")
    return slice_at(input, place, first, first + length, 1)


@public("Tensor self, int dimension, int size, int step", function=False)
def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Return windows along a dimension as a view (torch.Tensor.unfold)."""
    place = dim_of(dimension, self._data.ndim)
    side = self._data.shape[place] if self._data.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if size > side:
        raise RuntimeError(f"maximum size for tensor at dimension {place} is {side} but size is {size}")
    return unfold_dim(self, place, size, step)


@public("Tensor input")
def adjoint(input: Tensor) -> Tensor:
    """Transpose the last two dimensions, conjugating (torch.adjoint)."""
    return flipped_last(input, "adjoint()", "Consider using x.conj().")


def flipped_last(input: Tensor, name: str, advice: str, conjugate: bool = True) -> Tensor:
    """Transpose the last two dimensions for mT, mH and adjoint; raises RuntimeError in their words."""
    ndim = input._data.ndim
    shown = name if name.startswith("Tensor") else f"tensor.{name}"
    if not ndim:
        warnings.warn(f"{name} is deprecated on 0-D tensors. {advice}", UserWarning, stacklevel=3)
        return input
    if ndim == 1:
        raise RuntimeError(
            f"{shown.replace('Tensor', 'tensor')} is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    out: Tensor = transpose_dims(input, ndim - 2, ndim - 1)
    return out.conj() if conjugate and input._data.dtype.kind == "c" else out  # type: ignore[attr-defined]


IDENTITY = "This function is the identity in these cases."
OTHER_T = (
    "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an "
    "error in a future release. Consider `x.mT` to transpose batches of matrices or `x.permute(*torch.arange(x.ndim - "
    "1, -1, -1))` to reverse the dimensions of a tensor."
)


def reversed_dims(self: Tensor) -> Tensor:
    """The tensor with its dimensions in reverse order (torch.Tensor.T)."""
    ndim = self._data.ndim
    if ndim == 0:
        warnings.warn(f"Tensor.T is deprecated on 0-D tensors. {IDENTITY}", UserWarning, stacklevel=2)
    elif ndim != 2:
        warnings.warn(OTHER_T, UserWarning, stacklevel=2)
    return permute_dims(self, tuple(reversed(range(ndim))))


def hermitian(self: Tensor) -> Tensor:
    """The matrix transposed and conjugated (torch.Tensor.H)."""
    ndim = self._data.ndim
    if ndim not in (0, 2):
        batches = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{batches}")
    return flipped_last(self, "Tensor.H", "Consider using x.conj().")


@public("Tensor input", name="t")
def t_checked(input: Tensor) -> Tensor:
    """Transpose a tensor of at most two dimensions (torch.t)."""
    if input._data.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input._data.ndim}D")
    return t.call(input)


@public("Tensor self, int? dim=None", function=False)
def size(self: Tensor, dim: int | None = None) -> Any:
    """Return the shape, or the size of one dimension (torch.Tensor.size)."""
    shape = self._data.shape
    return new_size(Size, shape) if dim is None else shape[dim_of(dim, len(shape))]


@public("Tensor input, ints size, ints stride, int? storage_offset=None", name="as_strided")
def strided_view(input: Tensor, size: Shape, stride: Shape, storage_offset: int | None = None) -> Tensor:
    """Return a view of the storage of any shape and strides (torch.as_strided)."""
    return as_strided(input, size, stride, further(input, size, stride, storage_offset))


def further(input: Tensor, size: Shape, stride: Shape, storage_offset: int | None) -> int:
    """Return how many elements behind a tensor's first one a view begins; raises RuntimeError where it can't be."""
    from gradrepl.engine.values.storage import storage_offset as offset_of

    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(step < 0 for step in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}")
    start = offset_of(input)
    offset = start if storage_offset is None else storage_offset
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    unit, total = input._data.itemsize, owner(input._data).nbytes
    needed = (offset + 1 + sum((side - 1) * step for side, step in zip(size, stride, strict=True))) * unit
    if 0 not in size and needed > total:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {unit} "
            f"requiring a storage size of {needed} are out of bounds for storage of size {total}"
        )
    return offset - start


for _name, _body, _count, _function in (
    ("view", lambda self, sides: view(self, sides), None, False),
    ("reshape", lambda self, sides: reshape(self, sides), None, False),
    ("permute", lambda self, sides: permute(self, sides), None, False),
    ("unsqueeze", unsqueeze, 1, True),
    ("squeeze", squeeze, 1, True),
    ("transpose", transpose, 2, True),
    ("size", size, 1, False),
):
    shortcut(_name, _body, _count, _function)

methods(
    T=property(reversed_dims),
    H=property(hermitian),
    mT=property(lambda self: flipped_last(self, "Tensor.mT", IDENTITY, False)),
    mH=property(lambda self: flipped_last(self, "Tensor.mH", "Consider using x.conj().")),
)
