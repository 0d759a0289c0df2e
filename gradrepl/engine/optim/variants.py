"""Further optimizers: NAdam, RAdam, Rprop and ASGD, in PyTorch's order of arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.nn.parameter import export
from gradrepl.engine.optim.algorithms import Group, State, add_ratio, add_scaled, average, average_square
from gradrepl.engine.optim.optimizer import Optimizer, count_step, number, remembered, settings
from gradrepl.engine.precision.roots import sqrt


def moments(data: Any, gradient: Any, betas: tuple[Any, Any], state: State) -> tuple[Any, Any]:
    """Return the averages of gradients and of their squares after this step."""
    mean = remembered(state, "exp_avg", np.zeros_like(data))
    square = remembered(state, "exp_avg_sq", np.zeros_like(data))
    average(mean, 1 - betas[0], gradient)
    average_square(square, betas[1], gradient)
    return mean, square


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (torch.optim.NAdam)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        names = (
            "lr betas eps weight_decay momentum_decay decoupled_weight_decay maximize foreach capturable differentiable"
        )
        super().__init__(params, settings(names, locals()))

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        lr, (beta1, beta2) = number(group["lr"]), map(number, group["betas"])
        step = count_step(state)
        product = remembered(state, "mu_product", np.ones((), np.float32))
        mean, square = moments(data, gradient, (beta1, beta2), state)
        now, later = (beta1 * (1 - 0.5 * 0.96 ** (at * group["momentum_decay"])) for at in (step, step + 1))
        product *= now
        scale = sqrt(square / (1 - beta2**step))
        scale += group["eps"]
        add_ratio(data, -lr * (1 - now) / (1 - product.item()), gradient, scale)
        add_ratio(data, -lr * later / (1 - product.item() * later), mean, scale)


class RAdam(Optimizer):
    """Adam that scales its steps only once their variance is known well enough (torch.optim.RAdam)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        names = "lr betas eps weight_decay maximize foreach capturable decoupled_weight_decay differentiable"
        super().__init__(params, settings(names, locals()))

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        lr, (beta1, beta2) = number(group["lr"]), map(number, group["betas"])
        step = count_step(state)
        mean, square = moments(data, gradient, (beta1, beta2), state)
        change = mean / (1 - beta1**step) * lr
        rest = 1 - beta2**step
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * step * beta2**step / rest
        if length > 5.0:
            share = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            change = change * (math.sqrt(rest) / (sqrt(square) + group["eps"])) * math.sqrt(share)
        data -= change


class Rprop(Optimizer):
    """Steps of their own for each number, longer while its gradient keeps its sign (torch.optim.Rprop)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        names = "lr etas step_sizes foreach maximize differentiable capturable"
        options = settings(names, locals())
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, options)

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        shorter, longer = group["etas"]
        count_step(state)
        before = remembered(state, "prev", np.zeros_like(data))
        size = remembered(state, "step_size", np.full_like(data, number(group["lr"])))
        agreement = np.sign(gradient * before)
        size *= np.where(agreement > 0, longer, np.where(agreement < 0, shorter, 1.0))
        np.clip(size, *group["step_sizes"], out=size)
        gradient = np.where(agreement < 0, 0.0, gradient)
        data -= np.sign(gradient) * size
        before[...] = gradient


class ASGD(Optimizer):
    """Gradient descent that also keeps the average of the parameters (torch.optim.ASGD)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        names = "lr lambd alpha t0 weight_decay foreach maximize differentiable capturable"
        super().__init__(params, settings(names, locals()))

    def update(self, data: Any, gradient: Any, group: Group, state: State) -> None:
        lr, decay = number(group["lr"]), group["lambd"]
        step = count_step(state)
        rate = remembered(state, "eta", np.array(lr, np.float32))
        share = remembered(state, "mu", np.ones((), np.float32))
        mean = remembered(state, "ax", np.zeros_like(data))
        data *= 1 - decay * rate.item()
        add_scaled(data, -rate.item(), gradient)
        if share == 1:
            mean[...] = data
        else:
            mean += (data - mean) * share
        rate[...] = np.float32(lr / (1 + decay * lr * step) ** group["alpha"])
        share[...] = np.float32(1 / max(1, step - group["t0"]))


for _kind in (NAdam, RAdam, Rprop, ASGD):
    export(f"torch.optim.{_kind.__name__.lower()}", _kind, also=("torch.optim",))
