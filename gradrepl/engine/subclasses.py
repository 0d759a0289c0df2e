"""Classes of one's own that derive from Tensor: what they compute is of their kind, as __torch_function__ has it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from gradrepl.engine.api import SPACES, functions, methods
from gradrepl.engine.builtin_method import BuiltinMethod
from gradrepl.engine.dtype import c_name
from gradrepl.engine.ops.view import alias
from gradrepl.engine.tensor import Tensor, make

Function = Callable[..., Any]

NOT_A_SUBCLASS = (
    "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your class "
    "inherits from Tensor."
)
NO_COPY = (
    "The default implementation of __deepcopy__() for non-wrapper subclasses only works for subclass types that "
    "implement new_empty() and for which that function returns another instance of the same subclass. You should "
    "either properly implement new_empty() for your subclass or override __deepcopy__() if it is intended behavior for "
    "new_empty() to return an instance of a different type."
)
NOBODY = (
    "Multiple dispatch failed for 'torch.{}'; all __torch_function__ handlers returned NotImplemented:\n\n{}"
    "\nFor more information, try re-running with TORCH_LOGS=not_implemented"
)


class NobodyError(TypeError):
    """Every __torch_function__ returned NotImplemented."""


NobodyError.__name__ = NobodyError.__qualname__ = "TypeError"
NobodyError.__module__ = "builtins"


class State(threading.local):
    """Whether calls are plain in this thread: while PyTorch's own __torch_function__ runs."""

    plain = False


state = State()


class DisableTorchFunctionSubclass:
    """A block in which classes of one's own are treated as plain tensors (torch._C.DisableTorchFunctionSubclass)."""

    def __enter__(self) -> None:
        self.before, state.plain = state.plain, True

    def __exit__(self, *exception: object) -> None:
        state.plain = self.before


DisableTorchFunctionSubclass.__module__ = "torch._C"


def as_subclass(self: Tensor, cls: Any) -> Any:
    """Return the same storage as a tensor of a class (torch.Tensor.as_subclass)."""
    if not (isinstance(cls, type) and issubclass(cls, Tensor)):
        raise TypeError(NOT_A_SUBCLASS)
    out = alias(self)
    out.__class__ = cls
    return out


def make_subclass(cls: type[Tensor], data: Tensor, require_grad: bool = False) -> Any:
    """Return a leaf of a class on a tensor's storage (torch.Tensor._make_subclass)."""
    if not isinstance(data, Tensor):
        raise TypeError(f"_make_subclass(): argument 'data' (position 2) must be Tensor, not {c_name(data)}")
    out = make(data._data)
    out._counter = data._counter
    out.__class__ = cls
    return out.requires_grad_(require_grad)


def torch_function(cls: Any, func: Function, types: Iterable[Any], args: Any = (), kwargs: Any = None) -> Any:
    """Call a function as if on plain tensors and give its results the class (torch.Tensor.__torch_function__)."""
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
        return result if func in UNCHANGED else converted(result, cls)


def converted(result: Any, cls: type[Tensor]) -> Any:
    """Return the tensors of a result in a class."""
    if cls is Tensor:
        return result
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else as_subclass(result, cls)
    if isinstance(result, (tuple, list)):
        return type(result)(converted(one, cls) for one in result)
    return result


def overriding(args: Iterable[Any]) -> Iterator[Any]:
    """Go through what has a __torch_function__ of its class's own among arguments, and among those of lists."""
    for arg in args:
        if isinstance(arg, (tuple, list)):
            yield from overriding(arg)
        elif type(arg)._overrides if isinstance(arg, Tensor) else hasattr(type(arg), "__torch_function__"):
            yield arg


def dispatched(func: Function, plain: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function through the __torch_function__ of its arguments' classes; `plain` where there is none.

    Raises TypeError where all of these return NotImplemented.
    """
    found = [] if state.plain else list(overriding((*args, *kwargs.values())))
    if not found:
        return plain(*args, **kwargs)
    kinds: list[Any] = []
    for kind in map(type, found):
        if kind not in kinds:
            place = next((i for i, other in enumerate(kinds) if issubclass(kind, other)), len(kinds))
            kinds.insert(place, kind)
    for kind in kinds:
        result = kind.__torch_function__(func, tuple(kinds), args, kwargs or None)
        if result is not NotImplemented:
            return result
    handlers = "".join(f"  - tensor subclass {kind}\n" for kind in kinds)
    raise NobodyError(NOBODY.format(func.__name__, handlers))


def dispatching(plain: Function) -> Function:
    """Return a function of a module of torch that asks its arguments' classes first."""

    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        return dispatched(call, plain, args, kwargs)

    call.asks = True  # type: ignore[attr-defined]
    return call


@functools.cache
def shown_function(name: str) -> Function:
    """Return what __torch_function__ is given for a method or property of Tensor: a function of PyTorch's name."""
    thing = vars(Tensor)[name]
    plain: Any = thing.fget if isinstance(thing, property) else getattr(Tensor, name)

    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        return plain(*args, **kwargs)

    call.__name__ = "__get__" if isinstance(thing, property) else NAMES.get(name, name)
    return call


def asking_method(name: str, plain: Function) -> Function:
    """Return a method of Tensor that asks the classes of its arguments first."""
    shown, straight = shown_function(name), TURNED.get(name)

    @functools.wraps(plain)
    def call(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        if straight and isinstance(args[0], Tensor) and not state.plain:
            return dispatched(shown_function(straight), getattr(Tensor, straight), (args[0], self), {})
        return dispatched(shown, plain, (self, *args), kwargs)

    return as_operator(call) if name in OPERATORS else call


def as_operator(method: Function) -> Function:
    """Return a method as Python wants an operator: NotImplemented where no class takes it."""

    @functools.wraps(method)
    def call(self: Tensor, other: Any) -> Any:
        try:
            return method(self, other)
        except NobodyError:
            return NotImplemented

    return call


def asking_property(name: str, plain: property) -> property:
    """Return a property of Tensor that asks the class first."""
    getter = shown_function(name)
    if name == "grad":
        UNCHANGED.add(getter)
    return property(lambda self: dispatched(getter, getter, (self,), {}), plain.fset, plain.fdel, plain.__doc__)


UNCHANGED: set[Function] = set()
"""Those whose results keep their class."""
NAMES = {
    **{f"__{name}__": name for name in ("add", "sub", "mul", "pow", "matmul", "ne", "lt", "le", "gt", "ge")},
    **{f"__i{name}__": f"{name}_" for name in ("add", "sub", "mul")},
    **{f"__r{name}__": name for name in ("add", "mul")},
    "__truediv__": "div",
    "__itruediv__": "div_",
    "__rtruediv__": "__rdiv__",
    "__mod__": "remainder",
    "__neg__": "neg",
    "__pos__": "positive",
    "__abs__": "abs",
}
"""The names of the functions behind operators, where they are not those of the operators."""
TURNED = {
    f"__r{name}__": f"__{name}__" for name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv", "matmul")
}
OPERATORS = frozenset((*TURNED, *TURNED.values()))
KEPT = frozenset(("__init__", "__new__", "__dir__", "__hash__", "__init_subclass__", "__iter__"))
KEPT |= {"__deepcopy__", "__reduce_ex__", "__torch_function__", "as_subclass", "__weakref__", "__dict__", "__array__"}
MODULES = ("torch", "torch.nn.functional", "torch.linalg", "torch.special", "torch.fft")
PLAIN = frozenset(("is_tensor", "tensor", "vmap", "cond", "compile", "typename"))


def ask_in_modules() -> None:
    """Let the functions of torch's modules ask the classes of their arguments, from now on."""
    for space in MODULES:
        names = SPACES[space]
        for name, thing in names.items():
            if isinstance(thing, FunctionType) and name not in PLAIN and not hasattr(thing, "asks"):
                names[name] = dispatching(thing)
    autograd = SPACES["torch.autograd"]
    autograd.update({name: dispatching(autograd[name]) for name in ("grad", "backward")})


def deepcopy(self: Tensor, memo: dict[int, Any]) -> Any:
    """Return a copy; raises RuntimeError where new_empty() gives another class, as it does unless it is overridden."""
    with DisableTorchFunctionSubclass():
        if type(self.new_empty(())) is not type(self):  # type: ignore[attr-defined]
            raise RuntimeError(NO_COPY)
        return Tensor.__deepcopy__(self, memo)  # type: ignore[attr-defined]


def prepare(cls: Any) -> None:
    """Make the methods of a new class that derives from Tensor ask its __torch_function__."""
    cls._overrides, cls._prefix = True, f"{cls.__name__}("
    if any(getattr(base, "_overrides", False) for base in cls.__bases__):
        return
    ask_in_modules()
    for name, thing in list(vars(Tensor).items()):
        if name in KEPT or name in vars(cls) or (name.startswith("_") and not name.startswith("__")):
            continue
        if isinstance(thing, (FunctionType, BuiltinMethod)):
            setattr(cls, name, asking_method(name, getattr(Tensor, name)))
        elif isinstance(thing, property):
            setattr(cls, name, asking_property(name, thing))

    if "__deepcopy__" not in vars(cls):
        cls.__deepcopy__ = deepcopy


methods(as_subclass=as_subclass)
Tensor._make_subclass = staticmethod(make_subclass)  # type: ignore[attr-defined]
Tensor.__torch_function__ = classmethod(torch_function)  # type: ignore[attr-defined]
functions("torch._C", DisableTorchFunctionSubclass=DisableTorchFunctionSubclass)
