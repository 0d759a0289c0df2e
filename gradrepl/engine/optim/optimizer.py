"""What all optimizers share: groups of parameters, state, and the step over them (torch.optim.Optimizer)."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.grad_mode import enable_grad
from gradrepl.engine.graph import RemovableHandle, add_hook
from gradrepl.engine.in_place import LEAF
from gradrepl.engine.nn.module import clear_gradient
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.nn.registration import type_name
from gradrepl.engine.optim.saving import Saving
from gradrepl.engine.precision.fused import fused
from gradrepl.engine.tensor import Tensor, make

DUPLICATES = (
    "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
    "see github.com/pytorch/pytorch/issues/40967 for more information"
)
Update = Callable[[Any, Any, dict[str, Any], dict[str, Any]], None]


def watched(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return an optimizer's step with its hooks around it; it is counted, for schedules that come too early."""

    @functools.wraps(step)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        for hook in self._pre_hooks.values():
            changed = hook(self, (self, *args), kwargs)
            if changed is not None:
                (_, *args), kwargs = checked_change(step, changed)
        self._steps += 1
        found = step(self, *args, **kwargs)
        for hook in self._post_hooks.values():
            hook(self, (self, *args), kwargs)
        return found

    return call


def checked_change(step: Callable[..., Any], changed: Any) -> Any:
    """Return what a hook before a step makes of its arguments; raises RuntimeError for no pair of them."""
    if isinstance(changed, tuple) and len(changed) == 2:
        return changed
    raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}.")


class Optimizer(Saving):
    """Changes parameters by their gradients (torch.optim.Optimizer).

    param_groups: dicts with the parameters under "params" beside the settings; state: what was remembered of each
    parameter. A subclass gives `update(data, gradient, group, state)`, which changes the array `data` in place.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + type_name(params)
            )
        super().__init__()
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._pre_hooks: dict[int, Any] = {}
        self._post_hooks: dict[int, Any] = {}
        self._steps = 0
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "step" in cls.__dict__:
            cls.step = watched(cls.step)  # type: ignore[method-assign]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take more parameters in, with settings of their own (torch.optim.Optimizer.add_param_group)."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        param_group["params"] = as_list(param_group["params"])
        separate_names(param_group)
        for param in param_group["params"]:
            check_param(param, self.defaults.get("differentiable", False))
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        params = param_group["params"]
        if len(params) != len(set(params)):
            warnings.warn(DUPLICATES, UserWarning, stacklevel=3)
        check_names(param_group, self.param_groups)
        known = {param for group in self.param_groups for param in group["params"]}
        if not known.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def __repr__(self) -> str:
        text = f"{self.__class__.__name__} ("
        for index, group in enumerate(self.param_groups):
            text += f"\nParameter Group {index}\n"
            text += "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
        return text + ")"

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or make them zeros (torch.optim.Optimizer.zero_grad)."""
        for group in self.param_groups:
            for param in group["params"]:
                if param._grad is not None:
                    clear_gradient(param, set_to_none)

    def update(self, data: Any, gradient: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Change one parameter's array in place by its gradient's array."""
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; `closure` computes the loss anew (torch.optim.Optimizer.step)."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            self.step_group(group)
        return loss

    def step_group(self, group: dict[str, Any]) -> None:
        decay, maximize, state_of = group.get("weight_decay", 0), group.get("maximize", False), self.state
        for param in group["params"]:
            if param._grad is None:
                continue
            gradient = param._grad._data
            if group.get("differentiable"):
                refuse_recording(param)
            if maximize:
                gradient = -gradient
            if decay and group.get("decoupled_weight_decay", False):
                np.multiply(param._data, 1 - number(group["lr"]) * number(decay), out=param._data)
            elif decay:
                gradient = fused(number(decay), param._data, gradient)
            self.update(param._data, gradient, group, state_of[param] if self.remembers(group) else {})
            if param._counter is not None:
                param._counter[0] += 1

    def remembers(self, group: dict[str, Any]) -> bool:
        """Whether the settings of a group make the optimizer keep state."""
        return True

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(optimizer, args, kwargs) before every step."""
        return add_hook(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(optimizer, args, kwargs) after every step."""
        return add_hook(self._post_hooks, hook)


def as_list(params: Any) -> list[Any]:
    if isinstance(params, Tensor):
        return [params]
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
            "will change between runs. Please use a list instead."
        )
    return list(params)


def separate_names(group: dict[str, Any]) -> None:
    """Put the names of parameters that came as (name, parameter) pairs beside them."""
    names = [param[0] for param in group["params"] if isinstance(param, tuple)]
    if names and len(names) < len(group["params"]):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    if names:
        group["param_names"] = names
        group["params"] = [param for _, param in group["params"]]


def check_names(group: dict[str, Any], others: list[dict[str, Any]]) -> None:
    named = "param_names" in group
    if any(("param_names" in other) != named for other in others):
        raise ValueError(
            "all optimizer param groups should be with/without names. "
            f"cannot add param group {'with' if named else 'without'} names to the optimizer"
        )


def check_param(param: Any, differentiable: bool) -> None:
    if not isinstance(param, Tensor):
        raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type_name(param)}")
    if not (differentiable or param.is_leaf or param.retains_grad):
        raise ValueError("can't optimize a non-leaf Tensor")


def refuse_recording(param: Any) -> None:
    """Raise what a step that is to be part of the graph raises."""
    if param.requires_grad and param.is_leaf:
        raise RuntimeError(LEAF)
    raise NotImplementedError(
        "gradrepl's builtin engine has no differentiable steps of optimizers. Start gradrepl with --engine torch to "
        "use them."
    )


def number(value: Any) -> Any:
    """Return a setting that may be a tensor as a number."""
    return value._data.item() if isinstance(value, Tensor) else value


NOT_NEGATIVE = {
    "lr": "learning rate",
    "lr_decay": "lr_decay value",
    "eps": "epsilon value",
    "momentum": "momentum value",
    "weight_decay": "weight_decay value",
    "initial_accumulator_value": "initial_accumulator_value value",
    "momentum_decay": "momentum_decay value",
}
"""Settings that must not be negative, and what PyTorch calls them in its messages, in the order in which it checks."""


def settings(names: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return an optimizer's settings, by their names in the order of its groups, out of its constructor's locals().

    Raises PyTorch's ValueError for one that can't be.
    """
    chosen = {name: given[name] for name in names.split()}
    if isinstance(chosen["lr"], Tensor) and chosen["lr"].numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    for name, shown in NOT_NEGATIVE.items():
        if name in chosen and not number(chosen[name]) >= 0.0:
            raise ValueError(f"Invalid {shown}: {chosen[name]}")
    for index in (0, 1) if "betas" in chosen else ():
        beta = chosen["betas"][index]
        if not 0.0 <= number(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
    return chosen


def remembered(state: dict[str, Any], name: str, array: Any) -> Any:
    """Return the array of a name in the state, put there as a tensor where it is not yet."""
    if name not in state:
        state[name] = make(array)
    return state[name]._data


def count_step(state: dict[str, Any]) -> float:
    """Count a step in the state and return its number."""
    count = remembered(state, "step", np.zeros((), np.float32))
    count += 1
    return float(count)


export("torch.optim.optimizer", Optimizer, also=("torch.optim",))
