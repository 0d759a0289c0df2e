"""Elements picked and placed by positions along a dimension: gather, scatter and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import INT64, OF_NUMPY, Array, Fixed
from gradrepl.engine.in_place import in_place
from gradrepl.engine.once import warn_once
from gradrepl.engine.op import op
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.ops.broadcasting import expand
from gradrepl.engine.ops.reshaping import view
from gradrepl.engine.ops.shape import summed_to, where_pointwise
from gradrepl.engine.ops.view import dim_of
from gradrepl.engine.tensor import Tensor, make

Shape = tuple[int, ...]
INDEX_KINDS = (np.dtype(np.int32), INT64)
SOME = np.array([[0, 2], [1, 0]])


def lined(a: Any) -> Any:
    """Return an array that has dimensions: one number is a line of one."""
    return a if a.ndim else a.reshape(1)


def places(dim: int, index: Any) -> tuple[Any, ...]:
    """Return the numpy index at which gather and scatter look: `index` in one dimension, its own place in others."""
    index = lined(index)
    grids = list(np.ogrid[tuple(slice(0, side) for side in index.shape)])
    grids[dim] = index
    return tuple(grids)


def corner(a: Any, index: Any) -> Any:
    """Return the first part of an array, of the shape of an index."""
    return lined(a)[tuple(slice(0, side) for side in lined(index).shape)]


@op("GatherBackward0", samples=(((2, 3), 1, SOME),))
def gather_at(a: Array, dim: int, index: Fixed) -> Any:
    """The elements of a at positions along a dimension"""
    return lined(a)[places(dim, index)].reshape(index.shape) if index.size else np.empty(index.shape, a.dtype)


@op("ScatterAddBackward0", samples=(((2, 3), 1, SOME, (2, 2)),))
def scatter_add_at(a: Array, dim: int, index: Fixed, src: Array) -> Any:
    """a, with src added at positions along a dimension"""
    out = np.array(a)
    if index.size:
        np.add.at(lined(out), places(dim, index), corner(src, index))
    return out


@op("ScatterAddBackward0", zeros=1)
def scatter_into_zeros(a: Array, shape: Shape, dim: int, index: Any) -> Any:
    """Zeros of a shape, with a added at positions along a dimension"""
    whole = np.zeros(shape, a.dtype)
    if index.size:
        np.add.at(lined(whole), places(dim, index), lined(a))
    return whole


@op("ScatterBackward0", samples=(((2, 3), 1, SOME, (2, 2)),))
def scatter_at(a: Array, dim: int, index: Fixed, src: Array) -> Any:
    """a, with src put at positions along a dimension"""
    out = np.array(a)
    if index.size:
        lined(out)[places(dim, index)] = corner(src, index)
    return out


@op("ScatterBackward1", samples=(((2, 3), 1, SOME, 2.0),))
def scatter_number(a: Array, dim: int, index: Fixed, value: Any) -> Any:
    """a, with one number put at positions along a dimension"""
    out = np.array(a)
    if index.size:
        lined(out)[places(dim, index)] = value
    return out


def fitted(gradient: Any, shape: Shape, node: str) -> Any:
    """Return the gradient of a source; raises RuntimeError where an index took less than all of it, as PyTorch does."""
    own = gradient.shape
    if len(own) < len(shape) or any(
        side not in (1, found) for side, found in zip(shape[::-1], own[::-1], strict=False)
    ):
        raise RuntimeError(
            f"Function {node} returned an invalid gradient at index 1 - got {list(own)} but expected shape compatible "
            f"with {list(shape)}"
        )
    return summed_to(gradient, shape)


gather_at.grad(a=lambda g, a, dim, index: scatter_into_zeros(g, a.shape, dim, index))
scatter_into_zeros.grad(a=lambda g, dim, index: gather_at(g, dim, index))
scatter_add_at.grad(
    a=lambda g: g,
    src=lambda g, dim, index, src_shape: fitted(gather_at(g, dim, index), src_shape, "ScatterAddBackward0"),
)
scatter_at.grad(
    a=lambda g, dim, index: scatter_number(g, dim, index, 0),
    src=lambda g, dim, index, src_shape: fitted(gather_at(g, dim, index), src_shape, "ScatterBackward0"),
)
scatter_number.grad(a=lambda g, dim, index: scatter_number(g, dim, index, 0))


def check_range(index: Array, dim: int, side: int) -> None:
    """Raise what gather and scatter raise for a position out of range."""
    bad = lined(index)[lined((index < 0) | (index >= side))]
    if bad.size:
        raise RuntimeError(f"index {bad[0]} is out of bounds for dimension {dim} with size {side}")


def check_index(name: str, a: Array, dim: int, index: Array, src: Array | None = None) -> None:
    """Raise what gather and scatter raise for an index that does not fit."""
    if index.size and index.dtype not in INDEX_KINDS:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    if src is not None and src.dtype != a.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    if not index.size:
        return
    if max(index.ndim, 1) != max(a.ndim, 1):
        own = "input" if name == "gather" else "self"
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {own} tensor")
    if src is not None and max(index.ndim, 1) != max(src.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    for i, side in enumerate(index.shape):
        too_large = i != dim and i < a.ndim and side > a.shape[i]
        if name == "gather" and too_large:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(index.shape)} to be no larger than self "
                f"{list(a.shape)} apart from dimension {dim}"
            )
        if too_large or (src is not None and i < src.ndim and side > src.shape[i]):
            than_src = "" if src is None else f" and to be no larger size than src {list(src.shape)}"
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than self {list(a.shape)} apart from dimension "
                f"{dim}{than_src}"
            )
    check_range(index, dim, a.shape[dim] if a.ndim else 1)


@public("Tensor input, int dim, Tensor index, *, bool sparse_grad=False, Tensor? out=None")
def gather(input: Tensor, dim: int, index: Tensor, sparse_grad: bool = False) -> Tensor:
    """Take elements at positions along a dimension (torch.gather)."""
    place = dim_of(dim, input._data.ndim)
    check_index("gather", input._data, place, index._data)
    return gather_at.call(input, place, index)


SCATTERS = (
    "Tensor input, int dim, Tensor index, Tensor src",
    "Tensor input, int dim, Tensor index, Tensor src, *, str reduce",
    "Tensor input, int dim, Tensor index, Number value",
    "Tensor input, int dim, Tensor index, Number value, *, str reduce",
)
DEPRECATED_REDUCE = (
    "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future PyTorch "
    "release. Use torch.scatter_reduce instead for more reduction options."
)


def scattering(input: Tensor, dim: int, index: Tensor, src: Any, value: Any, reduce: Any, write: bool) -> Tensor:
    place = dim_of(dim, input._data.ndim)
    check_index("scatter", input._data, place, index._data, None if src is None else src._data)
    if reduce is not None:
        return reducing_scatter(input, place, index, src, value, reduce, write)
    entry, given = (scatter_number, value) if src is None else (scatter_at, src)
    call = in_place(entry) if write else entry
    return call(input, place, index, given)


def reducing_scatter(input: Tensor, dim: int, index: Tensor, src: Any, value: Any, reduce: str, write: bool) -> Tensor:
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if input._requires_grad or (src is not None and src._requires_grad):
        raise NotImplementedError(
            "gradrepl's builtin engine has no gradient for scatter with `reduce`. PyTorch has none either: use "
            "scatter_reduce."
        )
    if src is not None:
        warn_once(DEPRECATED_REDUCE, stacklevel=4)
    entry = scatter_reduce_at
    given = np.full(index._data.shape, value, input._data.dtype) if src is None else src._data
    result = entry.forward(input._data, dim, index._data, given, "sum" if reduce == "add" else "prod", True)
    return in_place(scatter_result)(input, result) if write else scatter_result(input, result)


@op()
def scatter_result(a: Array, result: Any) -> Any:
    """What was computed elsewhere"""
    return result


@public(
    *(f"{text}{', ' if '*' in text else ', *, '}Tensor? out=None" for text in SCATTERS), method=False, name="scatter"
)
def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, value: Any = None, reduce: Any = None) -> Tensor:
    """Put elements at positions along a dimension (torch.scatter)."""
    return scattering(input, dim, index, src, value, reduce, False)


public(*SCATTERS, name="scatter", function=False)(scatter)


@public(*SCATTERS, function=False)
def scatter_(input: Tensor, dim: int, index: Tensor, src: Any = None, value: Any = None, reduce: Any = None) -> Tensor:
    """Put elements at positions along a dimension, in place (torch.Tensor.scatter_)."""
    return scattering(input, dim, index, src, value, reduce, True)


def adding(input: Tensor, dim: int, index: Tensor, src: Tensor, write: bool) -> Tensor:
    place = dim_of(dim, input._data.ndim)
    check_index("scatter", input._data, place, index._data, src._data)
    call = in_place(scatter_add_at) if write else scatter_add_at
    return call(input, place, index, src)


@public("Tensor input, int dim, Tensor index, Tensor src, *, Tensor? out=None")
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Add elements at positions along a dimension (torch.scatter_add)."""
    return adding(input, dim, index, src, False)


@public("Tensor input, int dim, Tensor index, Tensor src", function=False)
def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Add elements at positions along a dimension, in place (torch.Tensor.scatter_add_)."""
    return adding(input, dim, index, src, True)


REDUCERS = {"sum": np.add, "prod": np.multiply, "mean": np.add, "amax": np.maximum, "amin": np.minimum}
STARTS = {"sum": 0, "mean": 0, "prod": 1, "amax": -np.inf, "amin": np.inf}


def start_value(reduce: str, kind: np.dtype[Any]) -> Any:
    value = STARTS[reduce]
    if kind.kind == "b":
        return value > 0
    if kind.kind in "iu" and abs(value) == np.inf:
        return np.iinfo(kind).min if value < 0 else np.iinfo(kind).max
    return value


@op("ScatterReduceBackward0", samples=(((2, 3), 1, SOME, (2, 2), "sum", True),))
def scatter_reduce_at(a: Array, dim: int, index: Fixed, src: Array, reduce: str, include_self: bool) -> Any:
    """a, with src reduced into it at positions along a dimension"""
    out = np.array(a)
    if not index.size:
        return out
    where = places(dim, index)
    if not include_self:
        lined(out)[where] = start_value(reduce, a.dtype)
    REDUCERS[reduce].at(lined(out), where, corner(src, index))
    if reduce == "mean":
        count = counts(a.shape, dim, index, include_self)
        out = out // count.astype(a.dtype) if a.dtype.kind in "iu" else (out / count).astype(a.dtype)
    return out


def counts(shape: Shape, dim: int, index: Any, include_self: bool) -> Array:
    """Return how many elements each place of a scattered mean is made of."""
    count = np.full(shape, int(include_self), INT64)
    np.add.at(lined(count), places(dim, index), 1)
    return np.maximum(count, 1)


def reduced_self(g: Any, a: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool, out: Any) -> Any:
    """Return the gradient of what a reducing scatter started from."""
    if reduce == "prod":
        filled = where_pointwise(plain(a) == 0, 1.0, a)
        g = g * scatter_reduce_at(filled, dim, index, src, "prod", include_self) / filled
    if reduce == "mean":
        g = g / array_like(counts(a.shape, dim, index, include_self), g)
    if reduce in ("amax", "amin"):
        g = equals(a, out) * (g / shares(a, dim, index, src, out))
    return g if include_self else scatter_number(g, dim, index, 0)


def reduced_src(g: Any, a: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool, out: Any) -> Any:
    """Return the gradient of what a reducing scatter put."""
    if reduce in ("prod", "amax", "amin"):
        check_broadcast((plain(src), index))
    if reduce == "prod":
        return multiplied_src(g, a, dim, index, src, include_self, out)
    if reduce == "mean":
        g = g / array_like(counts(a.shape, dim, index, include_self), g)
    if reduce in ("amax", "amin"):
        g = g / shares(a, dim, index, src, out)
        return equals(src, gather_at(out, dim, index)) * gather_at(g, dim, index)
    return fitted(gather_at(g, dim, index), src.shape, "ScatterReduceBackward0")


def multiplied_src(g: Any, a: Any, dim: int, index: Any, src: Any, include_self: bool, out: Any) -> Any:
    """Return the gradient of what was multiplied into a place: a single zero there takes the product of the others."""
    zero = plain(src) == 0
    total = np.zeros(a.shape, INT64)
    np.add.at(lined(total), places(dim, index), lined(zero))
    single = zero & (gather_at.forward(total, dim, index) == 1)
    others = scatter_reduce_at(a, dim, index, where_pointwise(single, 1.0, src), "prod", include_self)
    divided = gather_at(g * out, dim, index) / where_pointwise(zero, 1.0, src)
    return where_pointwise(single, gather_at(g * others, dim, index), divided)


def plain(value: Any) -> Any:
    return value._data if isinstance(value, Tensor) else value


def array_like(array: Array, gradient: Any) -> Any:
    """Return numbers beside a gradient, in its form and dtype."""
    data = plain(gradient)
    cast = array.astype(data.dtype)
    return make(cast) if isinstance(gradient, Tensor) else cast


def equals(a: Any, b: Any) -> Any:
    return array_like((plain(a) == plain(b)).astype(plain(a).dtype), a)


def shares(a: Any, dim: int, index: Any, src: Any, out: Any) -> Any:
    """Return among how many equal elements the gradient of a maximum is shared; what it started from counts always."""
    own, picked = plain(out), plain(gather_at(out, dim, index))
    total = np.array(plain(a) == own, own.dtype)
    np.add.at(lined(total), places(dim, index), lined(corner(plain(src), index) == picked).astype(own.dtype))
    return array_like(total, a)


scatter_reduce_at.grad(
    a=lambda g, a, dim, index, src, reduce, include_self, out: reduced_self(
        g, a, dim, index, src, reduce, include_self, out
    ),
    src=lambda g, a, dim, index, src, reduce, include_self, out: reduced_src(
        g, a, dim, index, src, reduce, include_self, out
    ),
)


def reduce_into(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool, write: bool
) -> Tensor:
    if reduce not in REDUCERS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    place = dim_of(dim, input._data.ndim)
    check_index("scatter", input._data, place, index._data, src._data)
    call = in_place(scatter_reduce_at) if write else scatter_reduce_at
    return call(input, place, index, src, reduce, include_self)


REDUCE = "Tensor input, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True"


@public(f"{REDUCE}, Tensor? out=None")
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool = True
) -> Tensor:
    """Reduce elements into positions along a dimension (torch.scatter_reduce)."""
    return reduce_into(input, dim, index, src, reduce, include_self, False)


@public(REDUCE, function=False)
def scatter_reduce_(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool = True
) -> Tensor:
    """Reduce elements into positions along a dimension, in place (torch.Tensor.scatter_reduce_)."""
    return reduce_into(input, dim, index, src, reduce, include_self, True)


@public("Tensor input, Tensor indices, int? dim=None, *, Tensor? out=None")
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Take elements at positions along a dimension, broadcasting, or of all elements (torch.take_along_dim)."""
    if indices._data.dtype != INT64:
        raise RuntimeError("torch.take_along_dim(): dtype of indices should be Long but got " + name_of(indices))
    if dim is None:
        return gather(view(input, (-1,)), 0, view(indices, (-1,)))
    place = dim_of(dim, input._data.ndim)
    if indices._data.ndim != input._data.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input._data.ndim} dimensions for input, and {indices._data.ndim} dimensions for indices"
        )
    rest = [list(tensor._data.shape) for tensor in (input, indices)]
    sides = [rest[0].copy(), rest[1].copy()]
    sides[0][place] = sides[1][place] = 1
    shape = np.broadcast_shapes(*map(tuple, sides))
    wide = [
        expand(tensor, (*shape[:place], own[place], *shape[place + 1 :]))
        for tensor, own in zip((input, indices), rest, strict=True)
    ]
    return gather(wide[0], place, make(np.mod(wide[1]._data, max(rest[0][place], 1))))


def name_of(tensor: Tensor) -> str:
    """Return the name of a tensor's dtype as messages have it: Float."""
    return OF_NUMPY[tensor._data.dtype].tensor_type


C_NAMES = {
    "int64": "long int",
    "int32": "int",
    "uint8": "unsigned char",
    "float32": "float",
    "float64": "double",
    "int8": "signed char",
    "int16": "short",
}


def c_name(kind: np.dtype[Any]) -> str:
    """Return the name that C++ has for a dtype."""
    return C_NAMES.get(kind.name, kind.name)
