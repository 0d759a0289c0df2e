"""Averages of a model's parameters over its training: torch.optim.swa_utils."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import numpy as np

from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.normalization import _BatchNorm
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.optim.cycles import each_group
from gradrepl.engine.optim.optimizer import Optimizer
from gradrepl.engine.optim.schedules import LRScheduler
from gradrepl.engine.tensor import make

Average = Callable[[Any, Any, Any], Any]


def get_swa_avg_fn() -> Average:
    """Return the function that takes one more value into a plain average (torch.optim.swa_utils.get_swa_avg_fn)."""

    def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
        with no_grad():
            return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Return the function of an exponential moving average (torch.optim.swa_utils.get_ema_avg_fn)."""
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        with no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return ema_update


def on_lists(function: Average, name: str) -> Callable[[Any, Any, Any], None]:
    """Return an average of single tensors as one that writes into a list of them."""

    def update(averaged: Any, current: Any, num_averaged: Any) -> None:
        for mean, value in zip(averaged, current, strict=True):
            mean.copy_(function(mean, value, num_averaged))

    update.__name__ = name
    return update


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """Return get_swa_avg_fn for lists of parameters (torch.optim.swa_utils.get_swa_multi_avg_fn)."""
    return on_lists(get_swa_avg_fn(), "swa_update")


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """Return get_ema_avg_fn for lists of parameters (torch.optim.swa_utils.get_ema_multi_avg_fn)."""
    return on_lists(get_ema_avg_fn(decay), "ema_update")


class AveragedModel(Module):
    """A copy of a model whose parameters are averages (torch.optim.swa_utils.AveragedModel)."""

    def __init__(
        self,
        model: Any,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Callable[[Any, Any, Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        self.register_buffer("n_averaged", make(np.array(0)))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the copy."""
        return self.module(*args, **kwargs)

    def averaged(self, model: Any) -> list[Any]:
        """Return the tensors of a model that are averaged, without history."""
        tensors = itertools.chain(model.parameters(), model.buffers() if self.use_buffers else ())
        return [tensor.detach() for tensor in tensors]

    def update_parameters(self, model: Any) -> None:
        """Take the parameters of a model into the averages; the first time they are copied."""
        own, given, count = self.averaged(self.module), self.averaged(model), self.n_averaged
        if count == 0:
            for mean, value in zip(own, given, strict=True):
                mean.copy_(value)
        else:
            single = on_lists(self.avg_fn or get_swa_avg_fn(), "update")
            (self.multi_avg_fn or single)(own, given, count)
        if not self.use_buffers:
            for kept, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
                kept.detach().copy_(buffer.detach())
        count += 1


@no_grad()  # type: ignore[untyped-decorator]
def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Compute the statistics of a model's batch norms anew from data (torch.optim.swa_utils.update_bn)."""
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None
    for batch in loader:
        model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """The rate on its way to a last one (torch.optim.swa_utils.SWALR)."""

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(each_group(optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must by one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def share(self, step: float) -> float:
        """Return how far the rate has come by a step."""
        at = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return at if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * at)) / 2

    def get_lr(self) -> list[Any]:
        self.current()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self.share(max(0, step - 1)), self.share(step)
        found = []
        for group in self.optimizer.param_groups:
            last, rate = group["swa_lr"], group["lr"]
            first = last if before == 1 else (rate - before * last) / (1 - before)
            found.append(last * now + first * (1 - now))
        return found


export(
    "torch.optim.swa_utils",
    *(AveragedModel, SWALR, update_bn, get_swa_avg_fn, get_ema_avg_fn, get_swa_multi_avg_fn, get_ema_multi_avg_fn),
    also=(),
)
