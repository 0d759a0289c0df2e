"""Elements chosen by masks: masked_fill, masked_select, masked_scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import public
from gradrepl.engine.dtype import BOOL8, Array, Fixed, fitting_number
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.ops.gathering import c_name, name_of
from gradrepl.engine.ops.refusing import check_not_mapped
from gradrepl.engine.ops.selecting import check_single
from gradrepl.engine.ops.shape import sum_to_fit
from gradrepl.engine.ops.view import embed
from gradrepl.engine.tensor import Tensor

Shape = tuple[int, ...]


@op("MaskedFillBackward0", samples=(((2, 3), np.array([True, False, True]), 2.0),))
def masked_fill_number(a: Array, mask: Fixed, value: Any) -> Any:
    """a, with one number where the mask holds"""
    return np.where(mask, a.dtype.type(value), a)


@op("MaskedFillBackward1", samples=(((2, 3), np.array([True, False, True]), ()),))
def masked_fill_tensor(a: Array, mask: Fixed, value: Array) -> Any:
    """a, with one number, from a tensor, where the mask holds"""
    return np.where(mask, value.astype(a.dtype), a)


masked_fill_number.grad(
    a=lambda g, a_shape, a_dtype, mask: sum_to_fit(masked_fill_number(g, mask, 0), a_shape, a_dtype),
)


def masked_filling(input: Tensor, mask: Tensor, value: Any, write: bool) -> Tensor:
    if mask._data.dtype != BOOL8:
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {c_name(mask._data.dtype)}"
        )
    if isinstance(value, Tensor):
        check_single("masked_fill_", value)
        if value._data.dtype.kind == "c":
            fitting_number(value._data.item(), input._data.dtype)
        entry: Any = masked_fill_tensor
    else:
        entry = masked_fill_number
        value = fitting_number(value, input._data.dtype)
    check_broadcast((mask._data, input._data) if not write else (input._data, mask._data))
    call = in_place(entry) if write else entry
    return call(input, mask, value)


MASKED = ("Tensor input, Tensor mask, Tensor value", "Tensor input, Tensor mask, Number value")


@public(*MASKED)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """Put one number where a mask holds (torch.masked_fill)."""
    return masked_filling(input, mask, value, False)


@public(*MASKED, function=False)
def masked_fill_(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """Put one number where a mask holds, in place (torch.Tensor.masked_fill_)."""
    return masked_filling(input, mask, value, True)


@op("MaskedSelectBackward0", samples=(((2, 3), np.array([True, False, True])),))
def masked_select_at(a: Array, mask: Fixed) -> Any:
    """The elements of a where the mask holds"""
    return np.broadcast_to(a, np.broadcast_shapes(a.shape, mask.shape))[np.broadcast_to(mask, common(a, mask))]


masked_fill_tensor.grad(
    a=lambda g, a_shape, a_dtype, mask: sum_to_fit(masked_fill_number(g, mask, 0), a_shape, a_dtype),
    value=lambda g, mask, value_shape, value_dtype: sum_to_fit(
        masked_select_at(g, mask).sum(), value_shape, value_dtype
    ),
)


def common(a: Any, mask: Any) -> Shape:
    return np.broadcast_shapes(a.shape, mask.shape)


@op("MaskedScatterBackward0", zeros=1)
def spread_masked(a: Array, shape: Shape, mask: Any) -> Any:
    """Zeros of a shape, with the elements of a where the mask holds"""
    wide = np.broadcast_shapes(shape, mask.shape)
    whole = np.zeros(wide, a.dtype)
    whole[np.broadcast_to(mask, wide)] = a
    return sum_to_fit(whole, shape, a.dtype)


masked_select_at.grad(a=lambda g, a, mask: spread_masked(g, a.shape, mask))
spread_masked.grad(a=lambda g, mask: masked_select_at(g, mask))


MASK_MAPPED = (
    "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot support this because for each "
    "batch this would return a differently shaped Tensor. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues if you need this feature."
)


@public("Tensor input, Tensor mask, *, Tensor? out=None")
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Take the elements where a mask holds (torch.masked_select)."""
    if mask._data.dtype != BOOL8:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    check_not_mapped(mask, MASK_MAPPED)
    check_broadcast((mask._data, input._data))
    return masked_select_at.call(input, mask)


@op("MaskedScatterBackward0", samples=(((3,), np.array([True, False, True]), (2,)),))
def masked_scatter_at(a: Array, mask: Fixed, source: Array) -> Any:
    """a, with the first elements of source where the mask holds"""
    wide = np.broadcast_shapes(a.shape, mask.shape)
    out = np.broadcast_to(a, wide).copy()
    whole = np.broadcast_to(mask, wide)
    out[whole] = source.reshape(-1)[: int(whole.sum())]
    return out


def first_of(g: Any, mask: Any, shape: Shape) -> Any:
    """Return the gradient of the source of masked_scatter: zeros for what was not used."""
    found = masked_select_at(g, mask)
    size = int(np.prod(shape, dtype=np.int64))
    count = int((found._data if isinstance(found, Tensor) else found).size)
    return embed(found, (size,), (slice(0, count),)).reshape(shape)


masked_scatter_at.grad(
    a=lambda g, a_shape, a_dtype, mask: sum_to_fit(masked_fill_number(g, mask, 0), a_shape, a_dtype),
    source=lambda g, mask, source_shape: first_of(g, mask, source_shape),
)


def masked_placing(input: Tensor, mask: Tensor, source: Tensor, write: bool) -> Tensor:
    if mask._data.dtype != BOOL8:
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {name_of(mask)}")
    if input._data.dtype != source._data.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{name_of(input)} and "
            f"{name_of(source)}"
        )
    check_broadcast((input._data, mask._data))
    wide = np.broadcast_to(mask._data, np.broadcast_shapes(input._data.shape, mask._data.shape))
    if wide.sum() > source._data.size:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    call = in_place(masked_scatter_at) if write else masked_scatter_at
    return call(input, mask, source)


@public("Tensor input, Tensor mask, Tensor source")
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Put elements one by one where a mask holds (torch.masked_scatter)."""
    return masked_placing(input, mask, source, False)


@public("Tensor input, Tensor mask, Tensor source", function=False)
def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Put elements one by one where a mask holds, in place (torch.Tensor.masked_scatter_)."""
    return masked_placing(input, mask, source, True)
