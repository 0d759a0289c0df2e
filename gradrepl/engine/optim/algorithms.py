"""The optimizers: SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, in PyTorch's order of arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.dtype import FLOAT32
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.optim.optimizer import Optimizer, count_step, number, remembered, settings
from gradrepl.engine.precision.fused import LARGE, between, fused, wide
from gradrepl.engine.precision.roots import sqrt
from gradrepl.engine.tensor import Tensor

Group = dict[str, Any]
State = dict[str, Any]


def average(running: Any, share: float, values: Any) -> None:
    """Move a running average towards values by a share, in place."""
    running[...] = between(running, values, share)


def average_square(running: Any, keep: float, gradient: Any) -> None:
    """Move a running average towards the squares of a gradient, in place."""
    running *= keep
    running[...] = fused(gradient * (1 - keep), gradient, running)


def add_scaled(data: Any, factor: float, values: Any) -> None:
    """Add factor · values to data, in place."""
    if data.dtype is FLOAT32 and data.size <= LARGE:
        data[...] = wide(values) * wide(factor) + data
    elif data.size > LARGE:
        data += values * factor
    else:
        data[...] = fused(factor, values, data)


def add_ratio(data: Any, factor: float, above: Any, below: Any) -> None:
    """Add factor · above / below to data, in place."""
    data += above * factor / below


def refuse_tensors(given: dict[str, Any], together: Any) -> None:
    """Raise ValueError for settings that are tensors where all parameters are updated together."""
    for name, value in given.items():
        if together and isinstance(value, Tensor):
            raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")


def check_ways(fused: Any, foreach: Any, differentiable: Any) -> None:
    """Raise RuntimeError for two ways to compute a step that exclude each other."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


class SGD(Optimizer):
    """Gradient descent, with momentum where wanted (torch.optim.SGD)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        names = "lr momentum dampening weight_decay nesterov maximize foreach differentiable fused"
        super().__init__(params, settings(names, locals()))
        check_ways(fused, foreach, differentiable)

    def remembers(self, group: Group) -> bool:
        return bool(group["momentum"])

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        momentum = group["momentum"]
        if momentum:
            fresh = "momentum_buffer" not in state or state["momentum_buffer"] is None
            if fresh:
                state.pop("momentum_buffer", None)
            buffer = remembered(state, "momentum_buffer", gradient.copy() if fresh else None)
            if not fresh:
                buffer *= momentum
                add_scaled(buffer, 1 - group["dampening"], gradient)
            gradient = fused(momentum, buffer, gradient) if group["nesterov"] else buffer
        add_scaled(data, -number(group["lr"]), gradient)


class Adam(Optimizer):
    """Steps scaled by averages of gradients and of their squares (torch.optim.Adam)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        names = (
            "lr betas eps weight_decay amsgrad maximize foreach capturable differentiable fused decoupled_weight_decay"
        )
        refuse_tensors({"lr": lr}, foreach and not capturable)
        options = settings(names, locals())
        if not any(all(isinstance(beta, kind) for beta in betas) for kind in (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        refuse_tensors({"betas[0]": betas[0], "betas[1]": betas[1]}, foreach and not capturable)
        super().__init__(params, options)
        check_ways(fused, foreach, differentiable)

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        lr, (beta1, beta2) = number(group["lr"]), map(number, group["betas"])
        step = count_step(state)
        mean = remembered(state, "exp_avg", np.zeros_like(data) if step == 1 else None)
        square = remembered(state, "exp_avg_sq", np.zeros_like(data) if step == 1 else None)
        average(mean, 1 - beta1, gradient)
        average_square(square, beta2, gradient)
        if group["amsgrad"]:
            highest = remembered(state, "max_exp_avg_sq", np.zeros_like(data) if step == 1 else None)
            np.maximum(highest, square, out=highest)
            square = highest
        scale = sqrt(square)
        scale /= math.sqrt(1 - beta2**step)
        scale += group["eps"]
        add_ratio(data, -lr / (1 - beta1**step), mean, scale)


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters themselves (torch.optim.AdamW)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        names = "lr betas eps weight_decay amsgrad foreach maximize capturable differentiable fused"
        super().__init__(params, **settings(names, locals()), decoupled_weight_decay=True)


class RMSprop(Optimizer):
    """Steps divided by the root of an average of squared gradients (torch.optim.RMSprop)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        if not alpha >= 0.0:
            raise ValueError(f"Invalid alpha value: {alpha}")
        names = "lr momentum alpha eps centered weight_decay capturable foreach maximize differentiable"
        super().__init__(params, settings(names, locals()))

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        lr, alpha, first = number(group["lr"]), group["alpha"], count_step(state) == 1
        zeros = np.zeros_like(data) if first else None
        square = remembered(state, "square_avg", zeros)
        buffer = remembered(state, "momentum_buffer", np.zeros_like(data)) if group["momentum"] > 0 else None
        average_square(square, alpha, gradient)
        if group["centered"]:
            mean = remembered(state, "grad_avg", np.zeros_like(data))
            average(mean, 1 - alpha, gradient)
            scale = sqrt(fused(-mean, mean, square))
        else:
            scale = sqrt(square)
        scale += group["eps"]
        if buffer is None:
            add_ratio(data, -lr, gradient, scale)
        else:
            buffer *= group["momentum"]
            buffer += gradient / scale
            add_scaled(data, -lr, buffer)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squared gradients (torch.optim.Adagrad)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        names = "lr lr_decay eps weight_decay initial_accumulator_value foreach maximize differentiable fused"
        super().__init__(params, settings(names, locals()))
        check_ways(fused, foreach, differentiable)
        for group in self.param_groups:
            for param in group["params"]:
                state = self.state[param]
                remembered(state, "step", np.zeros((), np.float32))
                remembered(state, "sum", np.full_like(param._data, group["initial_accumulator_value"]))

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        step = count_step(state)
        total = remembered(state, "sum", np.full_like(data, group["initial_accumulator_value"]))
        total[...] = fused(gradient, gradient, total)
        scale = sqrt(total)
        scale += group["eps"]
        add_ratio(data, -number(group["lr"]) / (1 + (step - 1) * group["lr_decay"]), gradient, scale)


class Adadelta(Optimizer):
    """Steps scaled by averages of squared gradients and of squared steps (torch.optim.Adadelta)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        names = "lr rho eps weight_decay maximize capturable foreach differentiable"
        super().__init__(params, settings(names, locals()))

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        rho, eps = group["rho"], group["eps"]
        zeros = np.zeros_like(data) if count_step(state) == 1 else None
        square = remembered(state, "square_avg", zeros)
        steps = remembered(state, "acc_delta", None if zeros is None else zeros.copy())
        average_square(square, rho, gradient)
        delta = sqrt(steps + eps) / sqrt(square + eps) * gradient
        average_square(steps, rho, delta)
        add_scaled(data, -number(group["lr"]), delta)


class Adamax(Optimizer):
    """Adam with the greatest gradient in place of the average of squares (torch.optim.Adamax)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        names = "lr betas eps weight_decay foreach maximize differentiable capturable"
        super().__init__(params, settings(names, locals()))

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        beta1, beta2 = group["betas"]
        step = count_step(state)
        mean = remembered(state, "exp_avg", np.zeros_like(data) if step == 1 else None)
        greatest = remembered(state, "exp_inf", np.zeros_like(data) if step == 1 else None)
        average(mean, 1 - beta1, gradient)
        np.maximum(greatest * beta2, np.abs(gradient) + group["eps"], out=greatest)
        add_ratio(data, -number(group["lr"]) / (1 - beta1**step), mean, greatest)


for _kind in (SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax):
    export(f"torch.optim.{_kind.__name__.lower()}", _kind, also=("torch.optim",))
