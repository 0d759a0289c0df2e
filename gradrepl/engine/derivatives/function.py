"""Operations of one's own: torch.autograd.Function, in both styles."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.derivatives import function_words as words
from gradrepl.engine.derivatives.forward_ad import Kept, carry_through
from gradrepl.engine.derivatives.mapped import calls
from gradrepl.engine.derivatives.saved import SavedTensor
from gradrepl.engine.derivatives.tracking import among_levels, bare, levels, outside
from gradrepl.engine.dtype import CATEGORY, COMPLEX, INEXACT, c_name
from gradrepl.engine.dual import among, forward, suspended
from gradrepl.engine.grad_mode import ON, mode, no_grad
from gradrepl.engine.graph import SECOND_TIME, UNDEFINED, Node, next_sequence
from gradrepl.engine.in_place import LEAF_VIEW, bump, check_view, rebase
from gradrepl.engine.node import SAVED_INFERENCE, modified
from gradrepl.engine.once import warn_once
from gradrepl.engine.op import edge_of
from gradrepl.engine.ops.shape import cast, sum_to
from gradrepl.engine.ops.view import alias
from gradrepl.engine.packing import Hooks, Packed, pack
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.access import detach


class FunctionCtx:
    """What forward and backward get as `ctx` (torch.autograd.function.FunctionCtx)."""

    to_save: tuple[Any, ...] | None = None
    saved_for_forward: tuple[Any, ...] | None = None
    dirty_tensors: tuple[Any, ...] | None = None
    non_differentiable: tuple[Any, ...] | None = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward, where they are in `saved_tensors`."""
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for forward-mode differentiation."""
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Any) -> None:
        """Say which inputs forward wrote to."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Say which outputs have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Choose whether backward gets zeros (the default) or None for an output that was not used."""
        self.materialize_grads = value


FunctionCtx.__module__ = "torch.autograd.function"


class FunctionNode(Node, FunctionCtx):
    """The node of one call of a custom Function; the same object is its `ctx`.

    inputs: for each argument the shape and dtype where it is a tensor, else None. outputs: the shape and dtype
    of each result. saved: what save_for_backward kept; None once it was freed.
    """

    _forward_cls: Any = None
    _outputs = 1
    runs_on_nothing = True
    materializes = True
    _materialize_non_diff_grads = True
    cleared = False
    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self.extra, self.numbers, self.edges = None, None, ()
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.saved: tuple[Any, ...] | None = ()

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What save_for_backward kept; raises RuntimeError once it was freed, or where it was written to since."""
        if self.cleared:
            raise RuntimeError(words.ONLY_ONCE)
        if self.saved is None:
            raise RuntimeError(SECOND_TIME)
        found = tuple(self.unpack(item) for item in self.saved)
        self.cleared = self._forward_cls.clear_saved_tensors_on_access
        if type(self.cleared) is not bool:
            raise RuntimeError(f"clear_saved_tensors_on_access must be a bool, got {c_name(self.cleared)}")
        self.maybe_clear_saved_tensors()
        return found

    def maybe_clear_saved_tensors(self) -> None:
        """Let go of what was kept once it was looked at, where the Function wants that."""
        if self.cleared:
            self.saved = ()

    @property
    def _raw_saved_tensors(self) -> tuple[SavedTensor, ...]:
        """What save_for_backward kept, to hang hooks on; raises RuntimeError once it was freed."""
        if self.saved is None:
            raise RuntimeError(SECOND_TIME)
        return tuple(SavedOfFunction(self, index) for index in range(len(self.saved)))

    def set_materializes(self, value: Any) -> None:
        if type(value) is not bool:
            raise TypeError(words.NOT_A_FLAG)
        self.materializes = value

    def refuse_to_tell(self) -> Any:
        raise AttributeError(words.UNREADABLE)

    materialize_grads = property(refuse_to_tell, set_materializes)

    def apply(self, *gradients: Any) -> Any:
        """Call backward with gradients of the outputs, as they are."""
        boxed = (list(gradients),) if self._forward_cls.boxed_grads_call else gradients
        return user_backward(self._forward_cls)(self, *boxed)

    def __call__(self, *gradients: Any) -> Any:
        raise TypeError(f"'{type(self).__name__}' object is not callable")

    @property
    def saved_variables(self) -> tuple[Tensor | None, ...]:
        """The old name of saved_tensors."""
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors

    def unpack(self, item: Any) -> Tensor | None:
        if item is None:
            return None
        if isinstance(item, Packed):
            tensor = item.unpack()
            return tensor if item.origin is None else item.origin.given_to(tensor)
        if item.counter[0] != item.version:
            maker = self if item.tensor is None else item.tensor.grad_fn
            number = item.number if item.tensor is None else item.tensor._output_nr
            raise RuntimeError(modified(item.array, item.counter, item.version, maker, number))
        if item.tensor is not None:
            return item.tensor
        tensor = make(item.array)
        tensor._counter, tensor._output_nr = item.counter, item.number
        tensor._requires_grad, tensor._grad_fn = True, self
        return tensor

    def arrays(self, gradient: Any) -> Sequence[Any]:
        return [found._data if isinstance(found, Tensor) else found for found in self.tensors(gradient)]

    def tensors(self, gradient: Any) -> Sequence[Any]:
        slots = gradient if self._outputs > 1 else [gradient]
        given = [self.shown(slot, output) for slot, output in zip(slots, self.outputs, strict=True)]
        found = self.apply(*given)
        return self.checked(found if isinstance(found, tuple) else (found,))

    def shown(self, slot: Any, output: Any) -> Tensor | None:
        """Return a gradient as backward gets it."""
        if slot is None:
            return make(np.zeros(*output)) if self.materializes and output is not None else None
        return slot if isinstance(slot, Tensor) else make(slot)

    def checked(self, found: tuple[Any, ...]) -> list[Any]:
        """Return the gradient of each tensor argument, UNDEFINED where one is missing, None where none is wanted.

        Raises RuntimeError in PyTorch's words for what does not fit.
        """
        name, count = self.name(), len(self.inputs)
        if len(found) > count and all(gradient is None for gradient in found[count:]):
            found = found[:count]
        if len(found) != count:
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, got {len(found)})"
            )
        gradients: list[Any] = []
        for position, (gradient, expected) in enumerate(zip(found, self.inputs, strict=True)):
            if expected is None and gradient is not None:
                raise RuntimeError(
                    f"function {name} returned a gradient different than None at position {position + 1}, but the "
                    "corresponding forward input was not a Variable"
                )
            if expected is None:
                continue
            if gradient is not None and not isinstance(gradient, Tensor):
                raise RuntimeError(f"expected Variable or None (got {c_name(gradient)})")
            index = len(gradients)
            missing = None if self.edges[index] is None else UNDEFINED
            fits = gradient is not None and missing is UNDEFINED
            gradients.append(fitted(gradient, expected, name, index) if fits else missing)
        return gradients

    def free(self) -> None:
        if self.saved:
            self.saved = None

    def _register_hook(self, hook: Callable[..., Any]) -> Any:
        return self.register_hook(hook)


class SavedOfFunction(SavedTensor):
    """One of the tensors that a custom Function kept."""

    _node: Any
    _index: Any

    def _shown(self) -> Any:
        return self._node.unpack(self._node.saved[self._index])


SavedOfFunction.__name__ = SavedOfFunction.__qualname__ = "SavedTensor"
SavedOfFunction.__module__ = "torch._C._autograd"

FunctionNode.__name__ = FunctionNode.__qualname__ = "BackwardCFunction"
FunctionNode.__module__ = "torch.autograd.function"


def fitted(gradient: Any, expected: tuple[tuple[int, ...], Any], name: str, index: int) -> Tensor:
    """Return a gradient in the shape and dtype of its input; raises RuntimeError where it can't be brought there."""
    shape, kind = expected
    found = gradient._data.shape
    if found != shape:
        padded = (1,) * (len(found) - len(shape)) + shape
        if len(found) < len(shape) or any(want not in (1, have) for want, have in zip(padded, found, strict=True)):
            raise RuntimeError(
                f"Function {name} returned an invalid gradient at index {index} - got {list(found)} but expected shape "
                f"compatible with {list(shape)}"
            )
        gradient = sum_to(gradient, shape)
    if gradient._data.dtype != kind:
        if CATEGORY[gradient._data.dtype] == COMPLEX != CATEGORY[kind]:
            raise RuntimeError(words.COMPLEX_FOR_REAL)
        gradient = cast(gradient, kind)
    fit: Tensor = gradient
    return fit


def user_backward(cls: Any) -> Callable[..., Any]:
    """Return the backward that a Function defines, under either of its names."""
    if cls.backward is not Function.backward and cls.vjp is not Function.vjp:
        raise RuntimeError(words.BOTH)
    chosen: Callable[..., Any] = cls.vjp if cls.vjp is not Function.vjp else cls.backward
    return chosen


class FunctionMeta(type):
    """Gives every Function the class of its nodes, which carries its name."""

    def __init__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> None:
        super().__init__(name, bases, attributes)
        cls._backward_cls: Any = type(f"{name}Backward", (FunctionNode,), {"_forward_cls": cls})
        cls._backward_cls.__module__ = "torch.autograd.function"


FunctionMeta.__module__ = "torch.autograd.function"


class Function(metaclass=FunctionMeta):
    """The base of operations with a gradient of one's own (torch.autograd.Function)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(words.INSTANCE.format(type(self)), DeprecationWarning, stacklevel=2)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(words.LEGACY)

    generate_vmap_rule = False
    clear_saved_tensors_on_access = False
    boxed_grads_call = False

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the results; to be defined by the user, with or without `ctx` as the first argument."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Keep what backward needs; where it is defined, forward gets no `ctx`."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradient of each argument of forward; to be defined by the user."""
        raise NotImplementedError(words.NO_BACKWARD)

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Return the forward-mode derivative."""
        raise NotImplementedError(words.NOT_IMPLEMENTED.format("jvp", "forward"))

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Say how forward is mapped over a dimension, for torch.func.vmap."""
        raise NotImplementedError(words.NO_VMAP)

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record the call."""
        in_two_parts = cls.setup_context is not Function.setup_context
        if levels.count:
            check_transformable(cls)
        if in_two_parts:
            bound = inspect.signature(cls.forward).bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
            for name in bound.kwargs:
                raise TypeError(f"forward() got an unexpected keyword argument '{name}'")
        elif kwargs:
            args = placed_by_name(cls.forward, args, kwargs)
        if calls.open and levels.open and levels.open[-1] < 0 and cls.vmap is not Function.vmap:
            return calls.open[-1].meet(cls, args)
        ctx: FunctionNode = cls._backward_cls()
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        ctx.needs_input_grad = tuple(isinstance(arg, Tensor) and arg.requires_grad for arg in args)
        recording = mode.recording == ON and any(ctx.needs_input_grad)
        ctx.edges = tuple(edge_of(tensor) if recording and tensor.requires_grad else None for tensor in tensors)
        numbers = tuple(tensor._output_nr for tensor in tensors)
        ctx.numbers = numbers if any(numbers) else None
        with no_grad(), suspended():
            if in_two_parts:
                output = forward_outside(cls, args) if levels.open else cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        ctx.sequence = next_sequence()
        ctx.inputs = [(arg._data.shape, arg._data.dtype) if isinstance(arg, Tensor) else None for arg in args]
        outs = recorded(ctx, tensors, output, recording)
        if forward.carrying and among(args):
            carry_through(cls, ctx, args, outs)
        return outs


class InplaceFunction(Function):
    """The old base of Functions that write to their inputs (torch.autograd.function.InplaceFunction)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


Function.__module__ = InplaceFunction.__module__ = "torch.autograd.function"


def forward_outside(cls: type[Function], args: tuple[Any, ...]) -> Any:
    """Run a forward on plain tensors, outside of the transforms that are open; inputs that it gives are the given."""
    mapped = any(number < 0 for number in levels.open)
    with outside():
        plain = [bare(arg) for arg in args]
        meets = mapped and calls.open and cls.vmap is not Function.vmap
        output = calls.open[-1].meet(cls, plain) if meets else cls.forward(*plain)
    given = {id(inner): arg for inner, arg in zip(plain, args, strict=True)}
    results = [given.get(id(out), out) for out in (output if isinstance(output, tuple) else (output,))]
    results = [among_levels(out) if isinstance(out, Tensor) else out for out in results]
    return tuple(results) if isinstance(output, tuple) else results[0]


def check_transformable(cls: type[Function]) -> None:
    """Raise RuntimeError in PyTorch's words for a Function that can't be used inside of torch.func's transforms."""
    if cls.setup_context is Function.setup_context:
        raise RuntimeError(words.ONE_PART)
    own = cls.vmap is not Function.vmap
    if levels.mapping and own is cls.generate_vmap_rule:
        raise RuntimeError((words.TWO_RULES if own else words.NO_RULE).format(cls.__name__))


def placed_by_name(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Return the arguments with those given by name in their places; raises TypeError where one before is missing."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, one in inspect.signature(function).parameters.items() if one.kind in kinds][1:]
    for name in kwargs:
        if name not in names:
            raise TypeError(f"forward() got an unexpected keyword argument '{name}'")
        if names.index(name) < len(args):
            raise TypeError(f"forward() got multiple values for argument '{name}'")
    placed = list(args)
    for position in range(len(args), max(map(names.index, kwargs)) + 1):
        if names[position] not in kwargs:
            raise TypeError(f"forward() missing required argument: '{names[position]}' (position {position})")
        placed.append(kwargs[names[position]])
    return tuple(placed)


def recorded(ctx: FunctionNode, tensors: list[Tensor], output: Any, recording: bool) -> Any:
    """Return what forward gave, hung into the graph where that is recorded."""
    several = isinstance(output, tuple)
    results = list(output) if several else [output]
    ctx._outputs = len(results)
    ctx.outputs = [(out._data.shape, out._data.dtype) if isinstance(out, Tensor) else None for out in results]
    if not ctx._materialize_non_diff_grads:
        pairs = zip(results, ctx.outputs, strict=True)
        ctx.outputs = [None if is_among(out, ctx.non_differentiable) else kind for out, kind in pairs]
    check_marks(ctx, results, tensors if recording else None)
    given = results
    results = [
        placed(ctx, number, out, tensors, recording) if isinstance(out, Tensor) else out
        for number, out in enumerate(results)
    ]
    save(ctx, given, results, recording)
    ctx.to_save = ctx.dirty_tensors = ctx.non_differentiable = None
    return tuple(results) if several else results[0]


def check_marks(ctx: FunctionNode, results: list[Any], inputs: list[Tensor] | None) -> None:
    """Raise RuntimeError for marks that don't fit, and warn of one on what is none of the `inputs`, if given."""
    for tensor in ctx.dirty_tensors or ():
        if not isinstance(tensor, Tensor):
            raise RuntimeError("mark_dirty can only accept variables, but argument ")
        if not is_among(tensor, results):
            raise RuntimeError(words.NOT_RETURNED)
        if inputs is not None and not is_among(tensor, inputs):
            warn_once(words.NOT_AN_INPUT, stacklevel=4)
    for tensor in ctx.non_differentiable or ():
        if not isinstance(tensor, Tensor):
            raise RuntimeError("mark_non_differentiable only accepts variable arguments, but got ")


def is_among(tensor: Any, others: Sequence[Any] | None) -> bool:
    return any(tensor is other for other in others or ())


def check_dirty(tensor: Tensor, recording: bool, outputs: int) -> None:
    """Raise RuntimeError in PyTorch's words where forward wrote to what must not be written to."""
    view = tensor._view
    if recording and view is not None and outputs > 1:
        raise RuntimeError(words.VIEW_AMONG_SEVERAL)
    if recording and tensor._requires_grad and tensor._grad_fn is None:
        raise RuntimeError(words.DIRTY_LEAF)
    if recording and view is not None:
        check_view(tensor, view)
        if view.base._requires_grad and view.base._grad_fn is None:
            raise RuntimeError(LEAF_VIEW)


def placed(ctx: FunctionNode, number: int, out: Tensor, tensors: list[Tensor], recording: bool) -> Tensor:
    """Return a result of forward at its place in the graph: an input returned as it is becomes a view of itself."""
    dirty, given = is_among(out, ctx.dirty_tensors), is_among(out, tensors)
    differentiable = recording and out._data.dtype in INEXACT and not is_among(out, ctx.non_differentiable)
    if dirty:
        check_dirty(out, differentiable, ctx._outputs)
        bump(out)
    if given and not differentiable and (recording or out.requires_grad):
        return detach(out)
    if given and not dirty:
        kind = type(out)
        with no_grad():
            out = alias(out)
        if kind._overrides:
            out.__class__ = kind
        out._requires_grad, out._grad_fn = False, None
    if out._view is not None and not dirty:
        out._view = out._view._replace(made="multi_output" if ctx._outputs > 1 else "custom")
    if differentiable and dirty:
        rebase(out, ctx, number)
    elif differentiable:
        out._requires_grad, out._grad_fn, out._output_nr = True, ctx, number
    return out


def save(ctx: FunctionNode, given: list[Any], results: list[Any], recording: bool) -> None:
    """Keep what forward asked to save, an output without the graph that hangs on it."""
    kept: list[Any] = []
    for position, tensor in enumerate((ctx.to_save or ()) if recording else ()):
        if tensor is not None and not isinstance(tensor, Tensor):
            kind = type(tensor).__name__
            raise TypeError(f"save_for_backward can only save variables, but argument {position} is of type {kind}")
        if tensor is None:
            kept.append(None)
            continue
        if tensor._counter is None:
            raise RuntimeError(SAVED_INFERENCE)
        number = next((i for i, out in enumerate(given) if out is tensor and results[i]._grad_fn is ctx), -1)
        if Hooks.stack:
            kept.append(pack(tensor, *Hooks.stack[-1]))
        else:
            counter = tensor._counter
            kept.append(Kept(tensor._data, counter, counter[0], tensor if number < 0 else None, max(number, 0)))
    ctx.saved = tuple(kept)


functions("torch.autograd", Function=Function)
functions(
    "torch.autograd.function",
    Function=Function,
    FunctionCtx=FunctionCtx,
    FunctionMeta=FunctionMeta,
    InplaceFunction=InplaceFunction,
    BackwardCFunction=FunctionNode,
)
