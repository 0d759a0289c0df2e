"""The tensor: an array, its flags, and its place in the graph."""

from __future__ import annotations

import math
import warnings
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.dtype import INEXACT, Array, c_name
from gradrepl.engine.grad_mode import INFERENCE, ON, mode
from gradrepl.engine.graph import AccumulateGrad, Node, RemovableHandle, add_hook, next_sequence

ndarray = np.ndarray
asarray = np.asarray
asanyarray = np.asanyarray
new = object.__new__
new_size = tuple.__new__


class Size(tuple[int, ...], metaclass=dtypes.CNamed):
    """A shape (torch.Size): a tuple that prints as torch.Size([2, 3]) and counts its elements."""

    __slots__ = ()

    def __new__(cls, *sides: Any) -> Size:
        shape = tuple.__new__(cls, *sides)
        if not all(type(side) is int for side in shape):
            return tuple.__new__(cls, [checked_side(index, side) for index, side in enumerate(shape)])
        return shape

    def numel(self) -> int:
        """Return the number of elements of a tensor of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Size:
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {c_name(other)}) to torch.Size")
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        return Size(other + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)


def checked_side(index: int, side: Any) -> int:
    """Return a side of a Size as an int; raises TypeError for anything else."""
    if isinstance(side, float) or not hasattr(side, "__index__"):
        raise TypeError(f"torch.Size() takes an iterable of 'int' (item {index} is '{c_name(side)}')")
    return int(side.__index__())


Size.__module__ = "torch"
dtypes.name_with_module(Size)


class View(NamedTuple):
    """How a tensor came to share another's storage.

    base: the tensor whose storage it is. made: "default", "no_grad", "inference", "multi_output" or "custom",
    which decide about in-place writes. version: the storage's version for which the view's grad_fn is right.
    """

    base: Tensor
    made: str
    version: int


class LeafExtra:
    """What few tensors have: hooks on a leaf, its AccumulateGrad, a flag that a non-leaf retains its grad.

    grad_dtype: the dtype of `.grad` where that was set, None for any; OWN for the tensor's own.
    """

    __slots__ = ("accumulator", "grad_dtype", "held", "hooks", "post_accumulate", "retains_grad")

    def __init__(self) -> None:
        self.accumulator: weakref.ref[Any] | None = None
        self.held: AccumulateGrad | None = None
        self.hooks: dict[int, Callable[..., Any]] = {}
        self.post_accumulate: dict[int, Callable[..., Any]] = {}
        self.retains_grad = False
        self.grad_dtype: dtypes.dtype | None = OWN


OWN: Any = object()
NON_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
    "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
    "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
    "you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information."
)


NOT_A_LEAF = "you can only change requires_grad flags of leaf variables."
NOT_A_LEAF_HINT = (
    " If you want to use a computed variable in a subgraph that doesn't require differentiation use "
    "var_no_grad = var.detach()."
)


class _TensorMeta(type):
    """The class of Tensor; torch.py lets it find attributes that come only when they are asked for."""


_TensorMeta.__module__ = "torch._C"


class Tensor(metaclass=_TensorMeta):
    """A multi-dimensional array that can record what is computed from it (torch.Tensor).

    `_counter` holds the version of the storage in a list shared by all views of it; it is None
    for a tensor made in inference mode. `_view` says what storage a view looks into.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_counter",
        "_data",
        "_extra",
        "_grad",
        "_grad_fn",
        "_output_nr",
        "_requires_grad",
        "_view",
    )

    _data: Array
    _requires_grad: bool
    _grad_fn: Node | None
    _output_nr: int
    _grad: Tensor | None
    _counter: list[int] | None
    _view: View | None
    _extra: LeafExtra | None

    __array_priority__ = 1000

    _outputs = 0

    _prefix = "tensor("
    """What its text begins with."""

    _may_override, _overrides = True, False
    """Whether classes that derive from it keep their kind in what they compute (subclasses.py); whether it does."""

    _levels: tuple[int, ...] = ()
    """The levels of torch.func's transforms that it was made in (tracking.py)."""

    def _slow_extra(self) -> LeafExtra:
        if self._extra is None:
            self._extra = LeafExtra()
        return self._extra

    def _accumulator(self) -> AccumulateGrad:
        """Return the node that accumulates into this leaf: the same one as long as somebody holds it."""
        extra = self._slow_extra()
        node = extra.accumulator() if extra.accumulator is not None else None
        if node is None:
            node = AccumulateGrad(self)
            extra.accumulator = weakref.ref(node)
        return node

    def _hold_accumulator(self, node: AccumulateGrad) -> None:
        """Keep the AccumulateGrad alive, because hooks hang on it."""
        self._slow_extra().held = node

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded (torch.Tensor.requires_grad)."""
        if self._view is not None:
            refresh_view(self, False)
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: Any) -> None:
        if type(value) is bool and self.grad_fn is not None:
            raise RuntimeError(NOT_A_LEAF + ("" if value else NOT_A_LEAF_HINT))
        if value is True and self._data.dtype not in INEXACT:
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        self._change_requires_grad(value)

    @requires_grad.deleter
    def requires_grad(self) -> None:
        raise RuntimeError("requires_grad must be a bool")

    def _change_requires_grad(self, value: Any) -> None:
        if type(value) is not bool:
            raise RuntimeError("requires_grad must be a bool")
        if self._counter is None and value and mode.recording > INFERENCE:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if not value and self.grad_fn is not None:
            raise RuntimeError(NOT_A_LEAF + NOT_A_LEAF_HINT)
        if value and self._data.dtype not in INEXACT:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if self._grad_fn is None:
            self._requires_grad = value

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Change in place whether operations on this leaf are recorded (torch.Tensor.requires_grad_)."""
        if type(requires_grad) is not bool:
            kind = c_name(requires_grad)
            raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {kind}")
        self._change_requires_grad(requires_grad)
        return self

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor; None for a leaf."""
        if self._view is not None:
            refresh_view(self, True)
        node = self._grad_fn
        return None if node is None or node.hidden else node

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self.grad_fn is None

    @property
    def retains_grad(self) -> bool:
        """Whether this non-leaf keeps its gradient in `.grad`."""
        return self._extra is not None and self._extra.retains_grad

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward() accumulated here, or None; warns on a non-leaf that does not retain it."""
        if self._grad is None and self._requires_grad and self.grad_fn is not None and not self.retains_grad:
            warnings.warn(NON_LEAF_GRAD, UserWarning, stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            check_new_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def retain_grad(self) -> None:
        """Make backward() keep this non-leaf's gradient in `.grad` (torch.Tensor.retain_grad)."""
        if not self._requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        node = self.grad_fn
        if node is not None and not self.retains_grad:
            self._slow_extra().retains_grad = True
            node.extras().retained[self._output_nr] = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call hook(grad) when this tensor's gradient is computed; what it returns replaces the gradient."""
        if not self._requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node = self.grad_fn
        if node is None:
            return add_hook(self._slow_extra().hooks, hook)
        return add_hook(node.extras().tensor_pre.setdefault(self._output_nr, {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call hook(tensor) after backward() accumulated into this leaf's `.grad`."""
        if not self._requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.grad_fn is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return add_hook(self._slow_extra().post_accumulate, hook)

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions, as a torch.Size."""
        return new_size(Size, self._data.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return dtypes.of(self._data)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim

    @property
    def output_nr(self) -> int:
        """Which output of its grad_fn this tensor is."""
        return self._output_nr

    @property
    def _version(self) -> int:
        if self._counter is None:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._counter[0]

    @property
    def _base(self) -> Tensor | None:
        return self._view.base if self._view is not None else None

    def _is_view(self) -> bool:
        return self._view is not None

    def is_inference(self) -> bool:
        """Whether this tensor was made in inference mode."""
        return self._counter is None

    def dim(self) -> int:
        """Return the number of dimensions."""
        return self._data.ndim

    def numel(self) -> int:
        """Return the number of elements."""
        return self._data.size

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return int(self._data.__array_interface__["data"][0])

    __hash__ = object.__hash__

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *self.__dict__})


Tensor.__module__ = "torch"


def refusing(name: str) -> Callable[..., None]:
    """Return a property's setter and deleter that says that the attribute can't be set."""

    def refuse(self: Any, value: Any = None) -> None:
        raise AttributeError(f"attribute '{name}' of 'torch._C.TensorBase' objects is not writable")

    return refuse


def add_property(name: str, found: property) -> None:
    """Make a property an attribute of Tensor, with PyTorch's words for writing to one that can't be written."""
    if found.fset is None:
        found = property(found.fget, refusing(name), refusing(name), found.__doc__)
    setattr(Tensor, name, found)


for _name, _found in list(vars(Tensor).items()):
    if isinstance(_found, property):
        add_property(_name, _found)


C_NAMES = {
    "float64": "double",
    "float32": "float",
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
    "int64": "long int",
    "int32": "int",
}
"""What C++ calls the element types, which one message of PyTorch shows."""


def c_dtype(tensor: Tensor) -> str:
    """Return what C++ calls the element type of a tensor."""
    name = dtypes.of(tensor._data).name
    return C_NAMES.get(name, name)


def grad_dtype_of(tensor: Tensor) -> dtypes.dtype | None:
    """Return the dtype that a tensor's `.grad` must have, None for any."""
    extra = tensor._extra
    return dtypes.of(tensor._data) if extra is None or extra.grad_dtype is OWN else extra.grad_dtype


def check_new_grad(tensor: Tensor, value: Any) -> None:
    """Raise what PyTorch raises for an assignment to `.grad` that does not fit."""
    if not isinstance(value, Tensor):
        raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {c_name(value)}")
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    allowed = grad_dtype_of(tensor)
    if allowed is not None and dtypes.of(value._data) is not allowed:
        raise RuntimeError(
            "attempting to assign a gradient with dtype '"
            f"{c_dtype(value)}' to a tensor with grad_dtype '{allowed.tensor_type}'. "
            "The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the "
            "tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with "
            "caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume "
            "they match."
        )
    if value._data.shape != tensor._data.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(value._data.shape)}' to a tensor of size "
            f"'{list(tensor._data.shape)}'. Please ensure that the gradient and the tensor are the same size"
        )


KIND: type[Tensor] = Tensor
"""The class of new tensors: another one inside of torch.func's transforms (tracking.py)."""


def make(data: Any) -> Tensor:
    """Return a new tensor around an array (or numpy scalar), in the state of the current mode."""
    tensor = new(KIND)
    tensor._data = data if type(data) is ndarray else asanyarray(data)
    tensor._requires_grad = False
    tensor._grad_fn = None
    tensor._output_nr = 0
    tensor._grad = None
    tensor._counter = None if mode.recording <= INFERENCE else [0]
    tensor._view = None
    tensor._extra = None
    return tensor


def make_leaf(data: Any) -> Tensor:
    """Return a new tensor around an array, to differentiate by."""
    tensor = make(data)
    tensor._requires_grad = True
    return tensor


def make_view(data: Array, source: Tensor, made: str = "default") -> Tensor:
    """Return a tensor that looks into the storage of `source`."""
    tensor = make(data)
    tensor._counter = source._counter
    if source._counter is not None:
        base, outer = source, source._view
        if outer is not None:
            base = outer.base
            if made == "default":
                made = outer.made
        if made == "no_grad" and mode.recording <= INFERENCE:
            made = "inference"
        tensor._view = View(base, made, source._counter[0])
        if base._requires_grad:
            tensor._requires_grad = True
    return tensor


def refresh_view(tensor: Tensor, strict: bool | None = None) -> None:
    """Give a view whose storage was written through another name the grad_fn that is right now.

    strict: raise RuntimeError where there is none (None: where operations are recorded).
    """
    view = tensor._view
    if view is None or tensor._counter is None:
        return
    if view.version != tensor._counter[0]:
        refreshers[0](tensor, view, mode.recording == ON if strict is None else strict)
    elif view.base._requires_grad:
        tensor._requires_grad = True


refreshers: list[Callable[[Tensor, View, bool], None]] = []
"""Filled by in_place.py, which knows the operation that a refreshed view shows."""

__all__ = ["Node", "Size", "Tensor", "View", "make", "make_view", "next_sequence"]
