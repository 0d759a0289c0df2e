"""Modules: objects that hold parameters, buffers and other modules (torch.nn.Module)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, Self

from gradrepl.engine.absent import attribute_error
from gradrepl.engine.api import functions
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn import registration
from gradrepl.engine.nn.calling import Calling
from gradrepl.engine.nn.parameter import Parameter, export
from gradrepl.engine.nn.state import State
from gradrepl.engine.tensor import Tensor

HOOK_TABLES = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


class Module(Calling, State):
    """A part of a network: it finds the parameters, buffers and modules that are assigned to it (torch.nn.Module).

    `_parameters`, `_buffers` and `_modules` hold what was registered, by name; `training` says which mode it is in.
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    dump_patches = False
    call_super_init = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            raise TypeError(unwanted(type(self).__name__, args, kwargs))
        put = super().__setattr__
        put("training", True)
        put("_parameters", {})
        put("_buffers", {})
        put("_non_persistent_buffers_set", set())
        for table in HOOK_TABLES:
            put(table, OrderedDict())
            if table == "_backward_hooks":
                put("_is_full_backward_hook", None)
        put("_modules", {})
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            found = own.get(table)
            if found is not None and name in found:
                return found[name]
        raise attribute_error(
            "torch.nn.Module", name, f"'{type(self).__name__}' object has no attribute '{name}'", self
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if registration.register(self, name, value):
            return
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make a parameter part of this module (torch.nn.Module.register_parameter)."""
        registration.register_parameter(self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make a tensor part of this module's state, without gradient (torch.nn.Module.register_buffer)."""
        registration.register_buffer(self, name, tensor, persistent)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make another module part of this one (torch.nn.Module.add_module)."""
        registration.add_module(self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Make another module part of this one (torch.nn.Module.register_module)."""
        self.add_module(name, module)

    def _named_members(
        self, members: Callable[[Module], Any], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for module_prefix, module in modules:
            for name, value in members(module):
                if value is None or value in seen:
                    continue
                if remove_duplicate:
                    seen.add(value)
                yield module_prefix + ("." if module_prefix else "") + name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Go through the parameters and their names (torch.nn.Module.named_parameters)."""
        yield from self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Go through the parameters (torch.nn.Module.parameters)."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Go through the buffers and their names (torch.nn.Module.named_buffers)."""
        yield from self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Go through the buffers (torch.nn.Module.buffers)."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Go through the modules directly below and their names (torch.nn.Module.named_children)."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Go through the modules directly below (torch.nn.Module.children)."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Go through this module and all below, and their names (torch.nn.Module.named_modules)."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, prefix + ("." if prefix else "") + name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Go through this module and all below (torch.nn.Module.modules)."""
        for _, module in self.named_modules():
            yield module

    def get_submodule(self, target: str) -> Module:
        """Return the module of a dotted name; raises AttributeError (torch.nn.Module.get_submodule)."""
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter of a dotted name; raises AttributeError (torch.nn.Module.get_parameter)."""
        return self._member(target, Parameter, "an nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer of a dotted name; raises AttributeError (torch.nn.Module.get_buffer)."""
        return self._member(target, None, "a buffer")

    def _member(self, target: str, wanted: type | None, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        found = getattr(module, name)
        if not (name in module._buffers if wanted is None else isinstance(found, wanted)):
            raise AttributeError(f"`{name}` is not {kind}")
        return found

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Call fn on every module below and on this one (torch.nn.Module.apply)."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Go into training mode, or out of it (torch.nn.Module.train)."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Go into evaluation mode (torch.nn.Module.eval)."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether operations on the parameters are recorded (torch.nn.Module.requires_grad_)."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters, or make them zeros (torch.nn.Module.zero_grad)."""
        for parameter in self.parameters():
            clear_gradient(parameter, set_to_none)

    def _apply(self, change: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Replace the storage of every parameter, gradient and buffer by change(tensor)."""
        for module in self.children() if recurse else ():
            module._apply(change)
        for parameter in self._parameters.values():
            if parameter is not None:
                with no_grad():
                    parameter.data = change(parameter)  # type: ignore[attr-defined]
                    if parameter._grad is not None:
                        parameter._grad = change(parameter._grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = change(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Change the dtype of parameters and buffers; the device is the CPU always (torch.nn.Module.to)."""
        if kwargs.get("copy"):
            raise RuntimeError(".to() does not accept copy argument")
        dtype = next((value for value in (*args, *kwargs.values()) if type(value).__qualname__ == "dtype"), None)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        plain = {name: value for name, value in kwargs.items() if name != "memory_format"}

        def convert(t: Any) -> Any:
            if dtype is not None and not (t.is_floating_point() or t.is_complex()):
                return t
            return t.to(*args, **(kwargs if t.dim() in (4, 5) else plain))

        return self._apply(convert)

    def type(self, dst_type: Any) -> Self:
        """Change the dtype of all parameters and buffers (torch.nn.Module.type)."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Make all floating-point parameters and buffers float32 (torch.nn.Module.float)."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Make all floating-point parameters and buffers float64 (torch.nn.Module.double)."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Self:
        """Make all floating-point parameters and buffers float16 (torch.nn.Module.half)."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Self:
        """Make all floating-point parameters and buffers bfloat16 (torch.nn.Module.bfloat16)."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def cpu(self) -> Self:
        """Return this module: everything is on the CPU already (torch.nn.Module.cpu)."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Self:
        """Raise what PyTorch raises without a GPU (torch.nn.Module.cuda)."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self) -> Self:
        """Return this module: there are no other processes to share it with (torch.nn.Module.share_memory)."""
        return self

    def extra_repr(self) -> str:
        """Return what repr() shows between the parentheses (torch.nn.Module.extra_repr)."""
        return ""

    def _get_name(self) -> str:
        return self.__class__.__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        inner = [*lines, *children]
        return f"{self._get_name()}(" + ("\n  " + "\n  ".join(inner) + "\n" if inner else "") + ")"


def unwanted(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return PyTorch's words for arguments that Module.__init__ does not take."""
    if kwargs:
        return f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
    return f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given"


def indented(text: str) -> str:
    """Return a text with all lines but the first moved in."""
    return text.replace("\n", "\n  ")


def clear_gradient(parameter: Any, set_to_none: bool) -> None:
    """Forget a gradient, or make it zero and cut it off from its graph."""
    if set_to_none or parameter._grad is None:
        parameter._grad = None
        return
    gradient = parameter._grad
    if gradient._grad_fn is not None:
        gradient.detach_()
    else:
        gradient._requires_grad = False
    gradient.zero_()


for _half in (Calling, State):
    for _name, _member in list(vars(_half).items()):
        if isinstance(_member, FunctionType) and _member.__qualname__.startswith(_half.__name__):
            _member.__qualname__ = f"Module.{_name}"
registration.Module = Module
export("torch.nn.modules.module", Module)
functions("torch.nn.modules")
