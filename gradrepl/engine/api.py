"""What torch shows to the world: functions with checked arguments, methods, operators, and where they live."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.arguments import Signature, bind
from gradrepl.engine.builtin_method import BARE, SHOWN, shown_as_builtin
from gradrepl.engine.dtype import CATEGORY, Array, of, of_scalar
from gradrepl.engine.dual import among, forward
from gradrepl.engine.grad_mode import ON, mode
from gradrepl.engine.in_place import AUGMENTED, augmented, bump, in_place
from gradrepl.engine.op import Op, as_function
from gradrepl.engine.results import Named, named
from gradrepl.engine.tensor import Tensor, add_property, make

SPACES: dict[str, dict[str, Any]] = {}
"""The names of every module: "torch", "torch.nn.functional", ... -> name -> what it holds."""


def functions(space: str = "torch", /, **named: Any) -> None:
    """Put things into a module of torch under the given names."""
    SPACES.setdefault(space, {}).update({name: as_function(thing) for name, thing in named.items()})


def own_names(**named: Any) -> dict[str, Any]:
    """Return functions by the names that they then also show themselves."""
    for name, function in named.items():
        function.__name__ = function.__qualname__ = name
    return named


def methods(**named: Any) -> None:
    """Make functions, entries or properties attributes of Tensor; entries under `__x__` become operators."""
    for name, function in named.items():
        if isinstance(function, property):
            add_property(name, function)
        else:
            setattr(Tensor, name, shown_as_builtin(name, as_function(function, name.startswith("__"))))


for _name in (SHOWN | BARE) & vars(Tensor).keys():
    setattr(Tensor, _name, shown_as_builtin(_name, vars(Tensor)[_name]))

Body = Callable[..., Any]


def public(
    *texts: str,
    name: str = "",
    function: bool = True,
    method: bool = True,
    space: str = "torch",
    alone: Body | None = None,
) -> Callable[[Body], Body]:
    """Put a function into torch and make it a method of Tensor, its arguments checked by signature strings.

    The strings are those of arguments.Signature, as PyTorch lists them in its error messages; the first that fits
    counts, and the function is called with its parameters by keyword (an `out` is dealt with here). Where only
    `input` was given, the function gets it by position and nothing is checked twice; `alone` is called then, if given.
    """

    def make(body: Body) -> Body:
        shown = name or body.__name__
        if function:
            functions(space, **{shown: checked(body, shown, texts)})
        if method:
            setattr(Tensor, shown, shown_as_builtin(shown, checked_method(body, shown, texts, alone)))
        return body

    return make


def unary(*entries: Op, writes: bool = True) -> None:
    """Expose operations of one tensor: torch.exp(x), x.exp() and, where it `writes`, x.exp_()."""
    for entry in entries:
        public("Tensor input, *, Tensor? out=None", name=entry.name)(entry.call)
        if writes:
            public("Tensor input", name=f"{entry.name}_")(in_place(entry))


def binary(*entries: Op, writes: bool = True) -> None:
    """Expose operations of two operands: torch.mul(x, y), x.mul(y) and, where it `writes`, x.mul_(y) and `x *= y`."""
    for entry in entries:
        public("Operand input, Operand other, *, Tensor? out=None", name=entry.name)(two_operands(entry))
        if writes:
            expose_write(entry, "Tensor input, Operand other")


def also(entry: Op, *names: str) -> None:
    """Expose an operation of one tensor under further names."""
    for name in names:
        public("Tensor input, *, Tensor? out=None", name=name)(entry.call)
        public("Tensor input", name=f"{name}_", function=False)(in_place(entry))


def overloaded(entry: Op, name: str = "", swapped: bool = False, numbers: bool = False) -> None:
    """Expose an operation of a tensor and a tensor or number that PyTorch lists as overloads.

    swapped: torch.NAME(2, x) has an overload of its own; numbers: it takes a number wherever it takes a tensor.
    """
    name, tail, plain = (
        name or entry.name,
        ", *, Tensor? out=None",
        ("Tensor input, Tensor other", "Tensor input, Number other"),
    )
    middle = ["Number self, Tensor other"] if swapped else []
    first, last = ("Operand input, Operand other", plain[1]) if numbers else (plain[0], plain[1] + tail)
    public(first + tail, *middle, last, name=name, method=False)(two_operands(entry))
    public(*plain, name=name, function=False)(two_operands(entry))
    public(*plain, name=f"{name}_", function=False)(two_operands(in_place(entry)))


def two_operands(entry: Any) -> Callable[..., Any]:
    """Return a call by the parameter names that signatures give."""
    body = entry.call if isinstance(entry, Op) else entry

    def call(input: Any, other: Any) -> Any:
        if isinstance(input, Tensor) or isinstance(other, Tensor):
            return body(input, other)
        return body(make(np.array(input, of_scalar(input))), other)

    return call


def expose_write(entry: Op, text: str) -> None:
    """Give Tensor the in-place form of an entry, and Python's augmented assignment where there is one."""
    write = in_place(entry)

    def call(input: Tensor, other: Any) -> Tensor:
        return write(input, other)

    public(text, name=f"{entry.name}_", function=False)(call)
    if entry.name in AUGMENTED:
        setattr(Tensor, AUGMENTED[entry.name], augmented(entry))


def needs_only_input(text: str) -> bool:
    """Whether a signature string lets its first parameter stand alone."""
    pieces = text.split(",")
    return pieces[0].startswith("Tensor ") and all("=" in piece or piece.strip() == "*" for piece in pieces[1:])


def checked(body: Callable[..., Any], name: str, texts: tuple[str, ...]) -> Callable[..., Any]:
    alone = any(map(needs_only_input, texts))
    signatures: list[Signature] = []

    @functools.wraps(body)
    def call(*args: Any, **kwargs: Any) -> Any:
        if alone and not kwargs and len(args) == 1 and type(args[0]) is Tensor:
            return body(args[0])
        if not signatures:
            signatures.extend(Signature(text, False) for text in texts)
        try:
            signature, values = bind(name, signatures, args, kwargs)
        except TypeError as error:
            return handed_over(call, args, kwargs, error)
        named = {parameter.name: value for parameter, value in zip(signature.parameters, values, strict=True)}
        out = named.pop("out", None)
        if out is not None:
            check_out(name, named, out)
        first = signature.parameters[0].name
        result = body(named.pop(first), **named)
        if out is None:
            return result
        if isinstance(result, Tensor) and name not in CONVERT and name not in RESIZES:
            check_result(result._data, out._data)
        return write_out(result, out, RESIZES.get(name, RESIZED))

    call.__name__ = name
    call.signatures = texts  # type: ignore[attr-defined]
    return call


def handed_over(call: Body, args: tuple[Any, ...], kwargs: dict[str, Any], error: TypeError) -> Any:
    """Return what classes that are no tensors, but have a __torch_function__, make of a call; raises the error else."""
    from gradrepl.engine.subclasses import dispatched, overriding, state

    if state.plain or not any(overriding((*args, *kwargs.values()))):
        raise error
    return dispatched(call, call, args, kwargs)


def checked_method(
    body: Callable[..., Any], name: str, texts: tuple[str, ...], short: Body | None = None
) -> Callable[..., Any]:
    alone = any(map(needs_only_input, texts))
    short = short or body
    signatures: list[Signature] = []

    @functools.wraps(body)
    def call(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        if alone and not args and not kwargs:
            return short(self)
        if not signatures:
            signatures.extend(Signature(text, True) for text in texts)
        signature, values = bind(name, signatures, args, kwargs)
        named = {parameter.name: value for parameter, value in zip(signature.parameters, values, strict=True)}
        return body(self, **named)

    call.__name__ = name
    return call


def check_out(name: str, named: dict[str, Any], out: Any) -> None:
    """Raise what PyTorch raises for `out=` where a gradient is wanted."""
    outs = out if isinstance(out, (tuple, list)) else (out,)
    lists = [value for value in named.values() if isinstance(value, (tuple, list))]
    given = [value for value in (*named.values(), *outs, *itertools.chain(*lists)) if isinstance(value, Tensor)]
    if forward.carrying and among(given):
        raise NotImplementedError(
            f"Trying to use forward AD with {name}_out that does not support it because it is an out= function"
        )
    if mode.recording == ON and any(tensor.requires_grad for tensor in given):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )


def write_out(result: Any, out: Any, warning: str) -> Any:
    """Copy a result into the tensor(s) given as `out`, resizing them where their shape differs.

    warning: of that, with the two shapes; may be empty.
    """
    if isinstance(result, tuple):
        if len(out) != len(result):
            raise TypeError(f"expected tuple of {len(result)} elements but got {len(out)}")
        for one, target in zip(result, out, strict=True):
            write_out(one, target, warning)
        return out_kind(result)(out)
    data = result._data
    if out._data.shape != data.shape:
        if out._data.size and warning:
            shapes = list(out._data.shape), list(data.shape)
            warnings.warn(warning.format(*shapes, out._data.size, data.size), UserWarning, stacklevel=3)
        out._data = np.empty(data.shape, out._data.dtype)
    np.copyto(out._data, data, casting="unsafe")
    bump(out)
    return out


def result_or_out(name: str, result: Any, out: Any, *given: Any) -> Any:
    """Return a result, or `out` with it in it where a function that PyTorch writes in Python was given one."""
    if out is None:
        return result
    check_out(name, {str(place): value for place, value in enumerate(given)}, out)
    check_result(result._data, out._data)
    return write_out(result, out, RESIZED)


CONVERT = frozenset(("sum", "nansum", "mean", "prod", "cumsum", "cumprod"))
"""What computes in the dtype of its `out`."""

RESIZED = (
    "An output with one or more elements was resized since it had shape {}, which does not match the required output "
    "shape {}. This behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they "
    "have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
    "t.resize_(0)."
)

RESIZED_RANGE = (
    "The number of elements in the out tensor of shape {0} is {2} which does not match the computed number of elements "
    "{3}. Note that this may occur as a result of rounding error. The out tensor will be resized to a tensor of shape "
    "({3},)."
)
RESIZES = {
    **dict.fromkeys(("zeros", "ones", "full", "empty", "eye", "linspace", "logspace", "range"), ""),
    **dict.fromkeys(("rand", "randn", "randint", "randperm", "normal"), ""),
    "arange": RESIZED_RANGE,
}
"""What takes an `out` of any dtype and shape, and what it says where the shape differs."""


def check_result(data: Array, target: Array) -> None:
    """Raise what PyTorch raises where a result can't go into an `out` of its dtype."""
    if CATEGORY[data.dtype] > CATEGORY[target.dtype]:
        found, wanted = of(data).tensor_type, of(target).tensor_type
        raise RuntimeError(f"result type {found} can't be cast to the desired output type {wanted}")


def out_kind(result: tuple[Any, ...]) -> Any:
    """Return the type of what comes back where `out` was given."""
    return named(f"{type(result).__qualname__}_out", *result.fields) if isinstance(result, Named) else tuple
