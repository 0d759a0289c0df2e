"""How an optimizer gives its state and settings as a dict and takes them back, with the hooks around both."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from gradrepl.engine.dtype import float32
from gradrepl.engine.graph import RemovableHandle, add_hook
from gradrepl.engine.tensor import Tensor


class Saving:
    """The part of Optimizer that saves and loads: its `state` and its `param_groups`."""

    state: defaultdict[Any, dict[str, Any]]
    param_groups: list[dict[str, Any]]
    defaults: dict[str, Any]

    def __init__(self) -> None:
        self._before_saving: dict[int, Any] = {}
        self._after_saving: dict[int, Any] = {}
        self._before_loading: dict[int, Any] = {}
        self._after_loading: dict[int, Any] = {}

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer) before state_dict()."""
        return add_at(self._before_saving, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer, state_dict) after state_dict(); what it returns replaces the state."""
        return add_at(self._after_saving, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer, state_dict) before load_state_dict(); what it returns is loaded instead."""
        return add_at(self._before_loading, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer) after load_state_dict()."""
        return add_at(self._after_loading, hook, prepend)

    def state_dict(self) -> dict[str, Any]:
        """Return state and settings, parameters as numbers (torch.optim.Optimizer.state_dict)."""
        for hook in self._before_saving.values():
            hook(self)
        number_of: dict[Any, int] = {}
        groups = []
        for group in self.param_groups:
            for param in group["params"]:
                number_of.setdefault(param, len(number_of))
            packed = {name: value for name, value in group.items() if name != "params"}
            groups.append({**packed, "params": [number_of[param] for param in group["params"]]})
        kept = {number_of.get(key, key): state for key, state in self.state.items()}
        return replaced(self._after_saving, self, {"state": kept, "param_groups": groups})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take state and settings back (torch.optim.Optimizer.load_state_dict)."""
        state_dict = replaced(self._before_loading, self, state_dict.copy())
        saved = copy.deepcopy(state_dict["param_groups"])
        check_groups(self.param_groups, saved)
        keys = chain.from_iterable(group["params"] for group in saved)
        params = chain.from_iterable(group["params"] for group in self.param_groups)
        param_of = dict(zip(keys, params, strict=True))
        as_float = {key for group in saved if group.get("capturable") or group.get("fused") for key in group["params"]}
        self.state = defaultdict(dict)
        for key, state in state_dict["state"].items():
            known = key in param_of
            self.state[param_of.get(key, key)] = fitted(state, param_of[key], key in as_float) if known else state
        for old, new in zip(self.param_groups, saved, strict=True):
            new["params"] = old["params"]
            if "param_names" in old:
                new.setdefault("param_names", old["param_names"])
        self.param_groups = saved
        self.defaults.setdefault("differentiable", False)
        for hook in self._after_loading.values():
            hook(self)


def add_at(hooks: dict[int, Any], hook: Callable[..., Any], prepend: bool) -> RemovableHandle:
    """Add a hook at the end of a table, or before all others."""
    others = list(hooks.items()) if prepend else []
    handle = add_hook(hooks, hook)
    for key, value in others:
        del hooks[key]
        hooks[key] = value
    return handle


def replaced(hooks: dict[int, Any], optimizer: Any, state_dict: dict[str, Any]) -> dict[str, Any]:
    """Return a state after its hooks, each of which may give another one."""
    for hook in hooks.values():
        found = hook(optimizer, state_dict)
        state_dict = state_dict if found is None else found
    return state_dict


def check_groups(groups: list[dict[str, Any]], saved: list[dict[str, Any]]) -> None:
    """Raise ValueError where saved groups are others than those of an optimizer."""
    if len(groups) != len(saved):
        raise ValueError("loaded state dict has a different number of parameter groups")
    if any(len(old["params"]) != len(new["params"]) for old, new in zip(groups, saved, strict=True)):
        raise ValueError(
            "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
        )


def fitted(value: Any, param: Any, as_float: bool, name: Any = None) -> Any:
    """Return saved state in the dtype of its parameter; only steps keep theirs.

    Tensors that have the dtype already are shared with the state they came from, as in PyTorch.
    """
    if isinstance(value, dict):
        return {key: fitted(item, param, as_float, key) for key, item in value.items()}
    if isinstance(value, Tensor):
        kept = not as_float if name == "step" else not param.is_floating_point()
        return value if kept else Tensor.to(value, float32 if name == "step" else param.dtype)  # type: ignore[attr-defined]
    if isinstance(value, Iterable):
        return type(value)(fitted(item, param, as_float) for item in value)  # type: ignore[call-arg]
    return value
