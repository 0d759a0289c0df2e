"""Tensors in other dtypes: to(), type(), float() and their kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions, methods, public
from gradrepl.engine.arguments import Signature, invalid
from gradrepl.engine.device import (
    CPU,
    contiguous_format,
    device,
    layout,
    memory_format,
    preserve_format,
    require_cpu,
    strided,
)
from gradrepl.engine.dtype import CATEGORY, OF_NUMPY, Array, c_name
from gradrepl.engine.formats import ORDERS, laid_out
from gradrepl.engine.once import warn_once
from gradrepl.engine.op import data_of, op
from gradrepl.engine.ops.arithmetic import add
from gradrepl.engine.ops.shape import cast
from gradrepl.engine.precision.bfloat16 import promoted
from gradrepl.engine.tensor import Size, Tensor, make
from gradrepl.engine.values.creation import sides
from gradrepl.engine.values.literal import array_from

TAIL = "bool non_blocking=False, bool copy=False, *, memory_format? memory_format=None"
THIS = "Tensor self, "


DISCARDED = "Casting complex values to real discards the imaginary part"


@op("ToCopyBackward0")
def relaid(a: Array, kind: Any, wanted: Any) -> Any:
    """a, in the numpy dtype `kind`, its elements in memory as in a format"""
    return laid_out(cast.forward(a, kind), wanted)


relaid.grad(a=lambda g, a_dtype: g if data_of(g).dtype is a_dtype else cast(g, a_dtype))


def converted(tensor: Tensor, wanted: dtypes.dtype, copy: bool = False, form: Any = None) -> Tensor:
    """Return a tensor in a dtype and format: itself where it has them, unless a copy is wanted."""
    kind = wanted.numpy
    if tensor._data.dtype.kind == "c" and kind.kind not in "cb":
        warn_once(DISCARDED, stacklevel=4)
    if form in ORDERS and (copy or tensor.dtype is not wanted or laid_out(tensor._data, form) is not tensor._data):
        return relaid.call(tensor, kind, form)
    if tensor.dtype is wanted and not copy:
        return tensor
    return cast.call(tensor, kind)


@public(
    f"{THIS}device? device=None, dtype? dtype=None, {TAIL}",
    f"{THIS}kind dtype, {TAIL}",
    f"{THIS}Tensor tensor, {TAIL}",
    function=False,
)
def to(
    self: Tensor,
    dtype: Any = None,
    tensor: Any = None,
    copy: bool = False,
    memory_format: Any = None,
    **options: Any,
) -> Tensor:
    """Return the tensor in another dtype, or like another tensor (torch.Tensor.to)."""
    if tensor is not None:
        dtype = tensor.dtype
    dtype = dtypes.PYTHON_TYPES.get(type(dtype), dtype)
    return converted(self, self.dtype if dtype is None else dtype, copy, memory_format)


def caster(name: str, kind: dtypes.dtype) -> None:
    def call(self: Tensor, memory_format: Any = None) -> Tensor:
        return converted(self, kind, form=memory_format)

    call.__doc__ = f"Return the tensor as {kind!r} (torch.Tensor.{name})."
    public(f"{THIS}*, memory_format? memory_format=None", name=name, function=False)(call)


CASTS = {
    "float": dtypes.float32,
    "double": dtypes.float64,
    "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16,
    "long": dtypes.int64,
    "int": dtypes.int32,
    "short": dtypes.int16,
    "char": dtypes.int8,
    "byte": dtypes.uint8,
    "bool": dtypes.bool_,
    "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128,
}
for _name, _kind in CASTS.items():
    caster(_name, _kind)


class _TypeOfTensor(type):
    """The metaclass of torch.FloatTensor and its kin: an instance is any tensor of the dtype."""

    kind: dtypes.dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.kind

    def __call__(cls, *args: Any, device: Any = None, **unknown: Any) -> Tensor:
        check_keywords(args, device, unknown)
        return new_of_kind(cls.kind.numpy, args)


LEGACY = {
    f"{kind.tensor_type}Tensor": _TypeOfTensor(f"{kind.tensor_type}Tensor", (), {"kind": kind, "__module__": "torch"})
    for kind in CASTS.values()
    if kind.category != dtypes.COMPLEX
}


def new_of_kind(kind: np.dtype[Any], args: tuple[Any, ...]) -> Tensor:
    """Make a tensor of sizes or of data, as the constructors of old PyTorch do."""
    if not args:
        return make(np.empty(0, kind))
    first = args[0]
    if isinstance(first, Size) or type(first) is int:
        return make(np.empty(sides(first if isinstance(first, Size) else checked_sizes(args)), kind))
    if len(args) > 1:
        raise TypeError(invalid("new", NEW, args, {}))
    if isinstance(first, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{c_name(first)}'")
    if isinstance(first, Tensor):
        return alias_of(first, kind)
    if not hasattr(first, "__len__"):
        raise TypeError(f"new(): data must be a sequence (got {c_name(first)})")
    return make(array_from(first, kind))


def alias_of(tensor: Tensor, kind: np.dtype[Any]) -> Tensor:
    """Return a tensor on the same storage; raises TypeError for another dtype."""
    if tensor._data.dtype != kind:
        wanted, found = (C_NAMES.get(k.name, k.name) for k in (kind, tensor._data.dtype))
        rest = (
            "device=cpu, layout=Strided, requires_grad=false (default), pinned_memory=false (default), "
            "memory_format=(nullopt))"
        )
        raise TypeError(f"expected TensorOptions(dtype={wanted}, {rest} (got TensorOptions(dtype={found}, {rest})")
    return tensor.detach()  # type: ignore[attr-defined]


C_NAMES = {"int64": "long int", "int32": "int", "float32": "float", "float64": "double", "uint8": "unsigned char"}


def checked_sizes(args: tuple[Any, ...]) -> tuple[int, ...]:
    for position, side in enumerate(args):
        if not isinstance(side, int):
            raise TypeError(
                f"new(): argument 'size' failed to unpack the object at pos {position + 1} with error \"type must be "
                f'tuple of ints,but got {c_name(side)}"'
            )
    return args


NEW = [
    Signature(text, method=False)
    for text in (
        "*, device? device=None",
        "Storage storage",
        "Tensor other",
        "ints size, *, device? device=None",
        "any data, *, device? device=None",
    )
]
"""The ways to call torch.Tensor, as PyTorch lists them."""


def check_keywords(args: tuple[Any, ...], device: Any, unknown: dict[str, Any]) -> None:
    """Raise PyTorch's TypeError for keywords that no way to call torch.Tensor has, and for other devices."""
    if unknown:
        raise TypeError(invalid("new", NEW, args, unknown))
    require_cpu(device)


def construct(cls: type[Tensor], *args: Any, device: Any = None, **unknown: Any) -> Tensor:
    """Make a tensor of the default dtype of sizes or of data (torch.Tensor)."""
    check_keywords(args, device, unknown)
    kind = dtypes.default.float.numpy
    first = args[0] if args else None
    same = isinstance(first, Tensor)
    tensor = alias_of(first, first._data.dtype) if same and first is not None else new_of_kind(kind, args)
    if cls is not Tensor:
        tensor.__class__ = cls
    return tensor


Tensor.__new__ = staticmethod(construct)  # type: ignore[assignment]


def only_with_cuda(device: Any = None) -> None:
    """Raise what PyTorch built for the CPU raises for questions about a graphics card."""
    require_cpu("cuda")


@public("Tensor input", method=False)
def numel(input: Tensor) -> int:
    """Return the number of elements (torch.numel)."""
    return input._data.size


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Return the name of the tensor's type, or the tensor in another dtype (torch.Tensor.type)."""
    if dtype is None:
        return f"torch.{self.dtype.tensor_type}Tensor"
    if isinstance(dtype, _TypeOfTensor):
        return converted(self, dtype.kind)
    if isinstance(dtype, dtypes.dtype):
        return converted(self, dtype)
    if isinstance(dtype, type):
        name = dtype.__name__ if dtype.__module__ == "builtins" else f"{dtype.__module__}.{dtype.__name__}"
        raise ValueError(f"invalid type: '{name}'")
    if not isinstance(dtype, str):
        raise TypeError("dtype must be a type, str, or dtype object")
    found = LEGACY.get(dtype.removeprefix("torch."))
    if found is None or not dtype.startswith("torch."):
        raise ValueError(f"invalid type: '{dtype}'")
    return converted(self, found.kind)


@public(f"{THIS}Tensor other", function=False)
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """Return the tensor in the dtype of another (torch.Tensor.type_as)."""
    return converted(self, other.dtype)


@public(f"{THIS}*, memory_format? memory_format=None", function=False)
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """Return the tensor itself: all of them are on the CPU (torch.Tensor.cpu)."""
    return self


def cuda(self: Tensor, device: Any = None, **options: Any) -> Tensor:
    """Raise what PyTorch built without CUDA raises (torch.Tensor.cuda)."""
    require_cpu("cuda" if device is None else device)
    return self


def constant(value: Any) -> Any:
    return property(lambda self: value)


def asks(name: str, question: Callable[[Tensor], bool]) -> None:
    public("Tensor input", name=name)(lambda input: question(input))


asks("is_floating_point", lambda tensor: CATEGORY[tensor._data.dtype] == dtypes.FLOAT)
asks("is_complex", lambda tensor: CATEGORY[tensor._data.dtype] == dtypes.COMPLEX)
asks("is_signed", lambda tensor: tensor.dtype.is_signed)
asks("is_conj", lambda tensor: False)
asks("is_neg", lambda tensor: False)
asks("is_inference", lambda tensor: tensor._counter is None)
asks("is_nonzero", bool)


@public("dtype type1, dtype type2", method=False)
def promote_types(type1: Any, type2: Any) -> Any:
    """Return the smallest dtype that holds both (torch.promote_types)."""
    if dtypes.bfloat16 in (type1, type2):
        return promoted(type1, type2)
    return OF_NUMPY[dtypes.promote_types(type1.numpy, type2.numpy)]


@public(
    "Tensor tensor, Tensor other",
    "Number scalar, Tensor tensor",
    "Tensor tensor, Number other",
    "Number scalar1, Number scalar2",
    method=False,
)
def result_type(first: Any, **others: Any) -> Any:
    """Return the dtype that an operation on two operands has (torch.result_type)."""
    (second,) = others.values()
    tensors = [value for value in (first, second) if isinstance(value, Tensor)]
    if any(tensor.dtype is dtypes.bfloat16 for tensor in tensors):
        return add(first, second).dtype
    if len(tensors) == 2:
        return OF_NUMPY[dtypes.promote(first._data, second._data)]
    numbers = [value for value in (first, second) if not isinstance(value, Tensor)]
    kind = tensors[0]._data.dtype if tensors else dtypes.of_scalar(numbers.pop())
    return OF_NUMPY[dtypes.beside_scalar(kind, numbers[0])]


@public("dtype from_, dtype to", method=False)
def can_cast(from_: Any, to: Any) -> bool:
    """Return whether PyTorch lets a result of one dtype be written into another (torch.can_cast)."""
    if from_.category > to.category:
        return False
    return not (to.category == dtypes.INT and from_.category == dtypes.INT and from_.is_signed and not to.is_signed)


methods(
    type=type_,
    cuda=cuda,
    device=constant(CPU),
    layout=constant(strided),
    is_cuda=constant(False),
    is_cpu=constant(True),
    is_meta=constant(False),
    is_mps=constant(False),
    is_xpu=constant(False),
    is_sparse=constant(False),
    is_sparse_csr=constant(False),
    is_quantized=constant(False),
    is_mkldnn=constant(False),
    is_nested=constant(False),
    itemsize=property(lambda self: self.dtype.itemsize),
    nbytes=property(lambda self: self._data.size * self.dtype.itemsize),
    element_size=lambda self: self.dtype.itemsize,
    nelement=lambda self: self._data.size,
    ndimension=lambda self: self._data.ndim,
    get_device=lambda self: -1,
    is_pinned=lambda self, device=None: False,
    is_shared=lambda self: False,
    new=lambda self, *args: new_of_kind(self._data.dtype, args),
)
functions(
    **LEGACY,
    device=device,
    layout=layout,
    memory_format=memory_format,
    strided=strided,
    contiguous_format=contiguous_format,
    preserve_format=preserve_format,
    get_default_device=lambda: CPU,
    is_tensor=lambda obj: isinstance(obj, Tensor),
    cfloat=dtypes.complex64,
    cdouble=dtypes.complex128,
)
functions("torch.cuda", is_available=lambda: False, device_count=lambda: 0, is_initialized=lambda: False)
functions("torch.cuda", memory_allocated=lambda device=None: 0, memory_reserved=lambda device=None: 0)
functions("torch.cuda", **dict.fromkeys(("get_device_name", "current_device", "synchronize"), only_with_cuda))
functions("torch.backends.mps", is_available=lambda: False, is_built=lambda: False)
functions("torch.backends.cuda", is_built=lambda: False)
