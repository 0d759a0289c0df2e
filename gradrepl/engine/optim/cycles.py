"""Schedules with a plan or a memory of their own: OneCycleLR, ReduceLROnPlateau, SequentialLR."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from typing import Any

from gradrepl.engine.nn.parameter import export
from gradrepl.engine.optim.optimizer import Optimizer
from gradrepl.engine.optim.schedules import LRScheduler, Several, check_optimizer


class OneCycleLR(LRScheduler):
    """The rate up to a maximum and far down again, once (torch.optim.lr_scheduler.OneCycleLR)."""

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = count_of_steps(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = phases_of(self.total_steps, pct_start, three_phase)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        if last_epoch == -1:
            for group, high in zip(optimizer.param_groups, each_group(optimizer, max_lr), strict=True):
                group["initial_lr"] = high / div_factor
                group["max_lr"] = high
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                self.set_momenta(each_group(optimizer, base_momentum), each_group(optimizer, max_momentum))
        super().__init__(optimizer, last_epoch)

    def set_momenta(self, lows: list[Any], highs: list[Any]) -> None:
        for group, low, high in zip(self.optimizer.param_groups, lows, highs, strict=True):
            set_momentum(group, high)
            group["max_momentum"], group["base_momentum"] = high, low

    def anneal(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)

    def get_lr(self) -> list[Any]:
        self.current()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        rates = []
        for group in self.optimizer.param_groups:
            start = 0.0
            for phase in self._schedule_phases:
                end = phase["end_step"]
                if step <= end or phase is self._schedule_phases[-1]:
                    share = (step - start) / (end - start)
                    rates.append(self.anneal(group[phase["start_lr"]], group[phase["end_lr"]], share))
                    if self.cycle_momentum:
                        ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                        set_momentum(group, self.anneal(*ends, share))
                    break
                start = end
        return rates


def set_momentum(group: dict[str, Any], value: float) -> None:
    """Set a group's momentum, or what stands for it in Adam and its kin."""
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


Phase = dict[str, Any]


def phase_of(end: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> Phase:
    return {
        "end_step": end,
        "start_lr": start_lr,
        "end_lr": end_lr,
        "start_momentum": start_momentum,
        "end_momentum": end_momentum,
    }


def phases_of(total: int, share: float, three: bool) -> list[Phase]:
    """Return for each phase its end, and between which settings rate and momentum move in it."""
    if share < 0 or share > 1 or not isinstance(share, float):
        raise ValueError(f"Expected float between 0 and 1 pct_start, but got {share}")
    top = float(share * total) - 1
    up = phase_of(top, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three:
        return [up, phase_of(total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    return [
        up,
        phase_of(float(2 * share * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
        phase_of(total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
    ]


def count_of_steps(total: int | None, epochs: int | None, steps: int | None) -> int:
    if total is not None:
        if total <= 0 or not isinstance(total, int):
            raise ValueError(f"Expected positive integer total_steps, but got {total}")
        return total
    if epochs is None or steps is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, value in (("epochs", epochs), ("steps_per_epoch", steps)):
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return epochs * steps


def each_group(optimizer: Optimizer, value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value] * len(optimizer.param_groups)


class ReduceLROnPlateau(LRScheduler):
    """The rate times a factor where a figure has stopped improving (torch.optim.lr_scheduler.ReduceLROnPlateau)."""

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Any = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        self.factor = factor
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.default_min_lr = min_lr if not isinstance(min_lr, (list, tuple)) else None
        if isinstance(min_lr, (list, tuple)) and len(min_lr) != len(optimizer.param_groups):
            raise ValueError(f"expected {len(optimizer.param_groups)} min_lrs, got {len(min_lr)}")
        self.min_lrs = each_group(optimizer, min_lr)
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]
        if mode not in ("min", "max"):
            raise ValueError("mode " + mode + " is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError("threshold mode " + threshold_mode + " is unknown!")
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self._reset()

    def _reset(self) -> None:
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def _is_better(self, a: float, best: float) -> bool:
        """Whether a figure is better than the best by more than the threshold."""
        sign = 1 if self.mode == "max" else -1
        step = sign * self.threshold
        limit = best * (1.0 + step) if self.threshold_mode == "rel" else best + step
        return a > limit if self.mode == "max" else a < limit

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take the figure of an epoch (torch.optim.lr_scheduler.ReduceLROnPlateau.step)."""
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def reduce(self) -> None:
        """Make the rates smaller, but for those that are at their least."""
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            rate = max(group["lr"] * self.factor, least)
            if group["lr"] - rate > self.eps:
                group["lr"] = rate


class SequentialLR(Several, LRScheduler):
    """One schedule after another, from given epochs on (torch.optim.lr_scheduler.SequentialLR)."""

    def __init__(
        self, optimizer: Optimizer, schedulers: list[Any], milestones: list[int], last_epoch: int = -1
    ) -> None:
        if len(schedulers) < 1:
            raise ValueError(f"{type(self).__name__} expects at least one scheduler, but got no scheduler.")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in schedulers:
            scheduler.last_epoch -= 1
        self.restart(schedulers[0], None)
        self._last_lr = schedulers[0].get_last_lr()

    def restart(self, scheduler: Any, epoch: int | None) -> None:
        scheduler._is_initial = True
        scheduler._step_count = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step() if epoch is None else scheduler.step(epoch)
        scheduler._is_initial = False

    def step(self) -> None:  # type: ignore[override]
        """Go on to the next epoch of the schedule whose turn it is."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            self.restart(scheduler, 0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


export("torch.optim.lr_scheduler", OneCycleLR, ReduceLROnPlateau, SequentialLR, also=())
