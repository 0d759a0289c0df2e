"""State out of modules and back: state_dict and load_state_dict."""

from __future__ import annotations

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.graph import RemovableHandle, add_hook
from gradrepl.engine.tensor import Tensor

POSITIONAL = (
    "Positional args are being deprecated, use kwargs instead. Refer to "
    "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details."
)
Keys = namedtuple("Keys", ["missing_keys", "unexpected_keys"])


class IncompatibleKeys(Keys):
    """What load_state_dict returns: the keys that were missing, and those that fit nowhere."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    __str__ = __repr__


class State:
    """The half of Module that gives its state and takes it back."""

    _version = 1
    _state_since_2: tuple[str, ...] = ()
    _state_dict_pre_hooks: dict[int, Any]
    _state_dict_hooks: dict[int, Any]
    _load_state_dict_pre_hooks: dict[int, Any]
    _load_state_dict_post_hooks: dict[int, Any]

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Return parameters and persistent buffers by dotted names (torch.nn.Module.state_dict)."""
        if args:
            warnings.warn(POSITIONAL, FutureWarning, stacklevel=2)
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and not prefix else prefix
            keep_vars = args[2] if len(args) > 2 and not keep_vars else keep_vars
        for pre_hook in self._state_dict_pre_hooks.values():
            pre_hook(self, prefix, keep_vars)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = {"version": self._version}
        for name, tensor in own_state(self).items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        for name, module in self._modules.items():  # type: ignore[attr-defined]
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            hook(self, destination, prefix, {})
        return destination

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy a state into parameters and buffers (torch.nn.Module.load_state_dict).

        Raises RuntimeError for shapes that differ, and, where `strict`, for missing and unexpected keys.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        loading = Loading(state_dict, assign)
        loading.load(self, "")
        keys = IncompatibleKeys(loading.missing, loading.unexpected)
        for hook in self._load_state_dict_post_hooks.values():
            hook(self, keys)
        errors = loading.errors
        if strict:
            if loading.missing:
                errors.insert(0, f"Missing key(s) in state_dict: {quoted(loading.missing)}. ")
            if loading.unexpected:
                place = 1 if loading.missing else 0
                errors.insert(place, f"Unexpected key(s) in state_dict: {quoted(loading.unexpected)}. ")
        if errors:
            listed = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        return keys

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, prefix, keep_vars) before state_dict()."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, state_dict, prefix, metadata) after state_dict()."""
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors) before loading."""
        return add_hook(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, incompatible_keys) after load_state_dict()."""
        return add_hook(self._load_state_dict_post_hooks, hook)


def own_state(module: Any) -> dict[str, Any]:
    """Return the parameters and persistent buffers of a module itself."""
    passing = module._non_persistent_buffers_set
    buffers = {name: tensor for name, tensor in module._buffers.items() if name not in passing}
    return {name: tensor for name, tensor in {**module._parameters, **buffers}.items() if tensor is not None}


def quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class Loading:
    """One run of load_state_dict: what it found missing, unexpected and wrong on its way."""

    def __init__(self, state: Mapping[str, Any], assign: bool) -> None:
        self.state = state
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def load(self, module: Any, prefix: str) -> None:
        for hook in module._load_state_dict_pre_hooks.values():
            hook(module, self.state, prefix, {}, True, self.missing, self.unexpected, self.errors)
        own = own_state(module)
        for name, tensor in own.items():
            key = prefix + name
            if key in self.state:
                self.take(module, name, key, tensor, self.state[key])
            elif name not in module._state_since_2 or self.version(prefix) >= 2:
                self.missing.append(key)
        for key in self.state:
            if key.startswith(prefix) and key != prefix:
                first, dot, _ = key[len(prefix) :].partition(".")
                if first not in (module._modules if dot else own):
                    self.unexpected.append(key)
        for name, child in module._modules.items():
            if child is not None:
                self.load(child, f"{prefix}{name}.")

    def version(self, prefix: str) -> int:
        """Return the version in which a module wrote its state; 1 where nothing says so."""
        written = getattr(self.state, "_metadata", {}).get(prefix[:-1], {})
        return int(written.get("version") or 1)

    def take(self, module: Any, name: str, key: str, tensor: Any, value: Any) -> None:
        if not isinstance(value, Tensor):
            self.errors.append(
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                f"checkpoint but received {type(value)}"
            )
        elif value.shape != tensor.shape:
            self.errors.append(
                f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in "
                f"current model is {tensor.shape}."
            )
        elif self.assign:
            setattr(module, name, type(tensor)(value, tensor.requires_grad) if name in module._parameters else value)
        else:
            with no_grad():
                tensor.copy_(value)
