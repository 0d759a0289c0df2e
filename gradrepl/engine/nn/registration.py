"""What assignment to a module's attribute does: parameters, buffers and modules are registered, by rules."""

from __future__ import annotations

from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.parameter import Buffer, Parameter
from gradrepl.engine.tensor import Tensor

Module: Any = None
"""The class itself, put here by module.py."""


FUNCTIONS = {"torch.nn.functional": "torch.nn.functional", "torch": "torch._VariableFunctionsClass"}
"""Where functions are looked for that a message names, and what their place is called there."""


def type_name(value: Any) -> str:
    """Return what PyTorch's messages call a value: torch.FloatTensor, int, __main__.Net; classes by their own name."""
    if isinstance(value, Tensor):
        return f"torch.{value.dtype.tensor_type}Tensor"
    name = (value if hasattr(value, "__qualname__") else type(value)).__qualname__
    module = getattr(value, "__module__", None)
    if callable(value) and not isinstance(value, type):
        for space, owner in FUNCTIONS.items():
            found = next((each for each, thing in SPACES[space].items() if thing is value), None)
            if found is not None:
                return f"{owner}.{found}"
    return name if module in ("builtins", None) else f"{module}.{name}"


def register(module: Any, name: str, value: Any) -> bool:
    """Take an assignment `module.name = value` in where it is one of registered things; False where it is not."""
    own = module.__dict__
    if isinstance(value, Parameter):
        if own.get("_parameters") is None:
            raise AttributeError("cannot assign parameters before Module.__init__() call")
        remove(module, name, "_parameters")
        register_parameter(module, name, value)
        return True
    parameters = own.get("_parameters")
    if parameters is not None and name in parameters:
        if value is not None:
            raise TypeError(
                f"cannot assign '{type_name(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
            )
        register_parameter(module, name, value)
        return True
    return register_module(module, name, value) or register_assigned_buffer(module, name, value)


def register_module(module: Any, name: str, value: Any) -> bool:
    modules = module.__dict__.get("_modules")
    if isinstance(value, Module):
        if modules is None:
            raise AttributeError("cannot assign module before Module.__init__() call")
        remove(module, name, "_modules")
        modules[name] = value
        return True
    if modules is not None and name in modules:
        if value is not None:
            raise TypeError(
                f"cannot assign '{type_name(value)}' as child module '{name}' (torch.nn.Module or None expected)"
            )
        modules[name] = value
        return True
    return False


def register_assigned_buffer(module: Any, name: str, value: Any) -> bool:
    buffers = module.__dict__.get("_buffers")
    if isinstance(value, Buffer):
        if buffers is None:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        remove(module, name, "_buffers")
        register_buffer(module, name, value, value.__dict__["persistent"])
        return True
    if buffers is None or name not in buffers:
        return False
    if value is not None and not isinstance(value, Tensor):
        raise TypeError(
            f"cannot assign '{type_name(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
        )
    buffers[name] = value
    return True


def remove(module: Any, name: str, keep: str) -> None:
    """Forget a name everywhere but in the table where it is about to be put."""
    own = module.__dict__
    own.pop(name, None)
    for table in ("_parameters", "_buffers", "_modules"):
        if table != keep and table in own:
            own[table].pop(name, None)
    own.get("_non_persistent_buffers_set", set()).discard(name)


def check_name(module: Any, name: Any, kind: str, table: str) -> None:
    """Raise what PyTorch raises for a name that can't be registered."""
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {type_name(name)}")
    if kind == "module" and hasattr(module, name) and name not in module._modules:
        raise KeyError(f"attribute '{name}' already exists")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if kind != "module" and hasattr(module, name) and name not in getattr(module, table):
        raise KeyError(f"attribute '{name}' already exists")


def register_parameter(module: Any, name: Any, param: Any) -> None:
    """Register a parameter; raises KeyError or TypeError for a name or value that does not do."""
    if "_parameters" not in module.__dict__:
        raise AttributeError("cannot assign parameter before Module.__init__() call")
    check_name(module, name, "parameter", "_parameters")
    if param is not None and not isinstance(param, Parameter):
        raise TypeError(
            f"cannot assign '{type_name(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
        )
    module._parameters[name] = param


def register_buffer(module: Any, name: Any, tensor: Any, persistent: bool) -> None:
    """Register a buffer; raises KeyError or TypeError for a name or value that does not do."""
    if "_buffers" not in module.__dict__:
        raise AttributeError("cannot assign buffer before Module.__init__() call")
    check_name(module, name, "buffer", "_buffers")
    if tensor is not None and not isinstance(tensor, Tensor):
        raise TypeError(
            f"cannot assign '{type_name(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
        )
    module._buffers[name] = tensor
    if persistent:
        module._non_persistent_buffers_set.discard(name)
    else:
        module._non_persistent_buffers_set.add(name)


def add_module(module: Any, name: Any, child: Any) -> None:
    """Register a module below another; raises KeyError or TypeError for a name or value that does not do."""
    if child is not None and not isinstance(child, Module):
        raise TypeError(f"{type_name(child)} is not a Module subclass")
    check_name(module, name, "module", "_modules")
    module._modules[name] = child
