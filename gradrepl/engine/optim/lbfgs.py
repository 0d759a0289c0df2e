"""LBFGS: steps along an estimate of the Hessian's inverse, with a line search where wanted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.grad_mode import enable_grad
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.optim.optimizer import Optimizer, number, settings
from gradrepl.engine.tensor import make

ENOUGH_DECREASE, ENOUGH_FLATTENING = 1e-4, 0.9
"""The two constants of Wolfe's conditions."""


KEPT = ("al", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")
"""What is kept in the state from step to step, in PyTorch's order."""


class Point(NamedTuple):
    """A place along the line: the step that leads there, the loss, its gradient, and the slope along the line."""

    step: Any
    loss: float
    gradient: Any
    slope: Any


class LBFGS(Optimizer):
    """Quasi-Newton steps that remember the last changes of the gradient (torch.optim.LBFGS)."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        names = "lr max_iter max_eval tolerance_grad tolerance_change history_size line_search_fn"
        options = settings(names, locals())
        super().__init__(params, options)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    def flat_gradient(self) -> Any:
        """Return the gradients of all parameters in one array, zeros for a parameter without one."""
        return np.concatenate(
            [(np.zeros_like(p._data) if p._grad is None else p._grad._data).reshape(-1) for p in self._params]
        )

    def move(self, direction: Any, step: Any) -> None:
        """Move all parameters along a direction."""
        offset = 0
        for param in self._params:
            part = direction[offset : offset + param._data.size].reshape(param._data.shape)
            param._data += part * part.dtype.type(step)
            param._counter[0] += 1
            offset += param._data.size

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take up to max_iter steps; `closure` computes the loss and its gradients (torch.optim.LBFGS.step)."""
        if closure is None:
            raise TypeError("LBFGS.step() missing 1 required positional argument: 'closure'")
        run = Descent(self, enable_grad()(closure))
        return run.first if run.is_flat() else run.descend()


class Descent:
    """One call of step(): what it counts and what it remembers in the state of the first parameter."""

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Any]) -> None:
        self.optimizer = optimizer
        self.closure = closure
        self.group = optimizer.param_groups[0]
        self.state = optimizer.state[optimizer._params[0]]
        self.state.setdefault("func_evals", 0)
        self.state.setdefault("n_iter", 0)
        self.evaluations = 0
        self.first = closure()
        self.loss = float(number(self.first))
        self.count(1)
        self.gradient = optimizer.flat_gradient()

    def count(self, evaluations: int) -> None:
        self.evaluations += evaluations
        self.state["func_evals"] += evaluations

    def is_flat(self) -> bool:
        return bool(np.abs(self.gradient).max() <= self.group["tolerance_grad"])

    def descend(self) -> Any:
        """Take steps until one of the conditions to stop holds; returns the loss before them."""
        group, state = self.group, self.state
        begun = "d" in state
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self.direction()
            state["d"] = make(direction)
            state["prev_flat_grad"], state["prev_loss"] = make(self.gradient.copy()), self.loss
            state["t"] = number(group["lr"])
            if state["n_iter"] == 1:
                state["t"] *= min(1.0, 1.0 / float(np.abs(self.gradient).sum()))
            slope = self.gradient @ direction
            if slope > -group["tolerance_change"]:
                break
            self.advance(direction, slope, iteration == group["max_iter"])
            if iteration == group["max_iter"] or self.is_done(direction):
                break
        if not begun:
            state.update({name: state.pop(name) for name in KEPT if name in state})
        return self.first

    def is_done(self, direction: Any) -> bool:
        group, state = self.group, self.state
        moved = np.abs(direction * state["t"]).max()
        return bool(
            self.evaluations >= group["max_eval"]
            or self.is_flat()
            or moved <= group["tolerance_change"]
            or abs(self.loss - state["prev_loss"]) < group["tolerance_change"]
        )

    def direction(self) -> Any:
        """Return the direction of the next step: minus the gradient, times the estimate of the Hessian's inverse."""
        state = self.state
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -self.gradient
        self.remember()
        changes, steps, ro = ([item._data for item in state[name]] for name in ("old_dirs", "old_stps", "ro"))
        shares = state.setdefault("al", [None] * self.group["history_size"])
        found = -self.gradient
        for i in reversed(range(len(changes))):
            share = (steps[i] @ found) * ro[i]
            shares[i] = make(share)
            found -= changes[i] * share
        found = found * getattr(state["H_diag"], "_data", state["H_diag"])
        for i in range(len(changes)):
            found += steps[i] * (shares[i]._data - (changes[i] @ found) * ro[i])
        return found

    def remember(self) -> None:
        """Remember how the gradient changed along the last step, where that bends the right way."""
        state = self.state
        change = self.gradient - state["prev_flat_grad"]._data
        step = state["d"]._data * change.dtype.type(state["t"])
        curvature = change @ step
        if curvature <= 1e-10:
            return
        for name, value in (("old_dirs", change), ("old_stps", step), ("ro", 1 / curvature)):
            if len(state[name]) == self.group["history_size"]:
                state[name].pop(0)
            state[name].append(make(value))
        state["H_diag"] = make(curvature / (change @ change))

    def advance(self, direction: Any, slope: Any, last: bool) -> None:
        """Move along a direction, by a line search where one was asked for, and look at the loss there."""
        state, search = self.state, self.group["line_search_fn"]
        if search is None:
            self.optimizer.move(direction, state["t"])
            if not last:
                self.loss = float(number(self.closure()))
                self.gradient = self.optimizer.flat_gradient()
                self.count(1)
            return
        if search != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        start = Point(0, self.loss, self.gradient, slope)
        line = LineSearch(self.at(direction), start, self.group["max_eval"] - self.evaluations)
        found = line.find(state["t"], float(np.abs(direction).max()))
        state["t"], self.loss, self.gradient = found.step, found.loss, found.gradient
        self.count(line.evaluations)
        self.optimizer.move(direction, found.step)

    def at(self, direction: Any) -> Callable[[Any], Point]:
        """Return the function that looks at the loss a step along a direction, and goes back."""
        before = [param._data.copy() for param in self.optimizer._params]

        def look(step: Any) -> Point:
            self.optimizer.move(direction, step)
            loss = float(number(self.closure()))
            gradient = self.optimizer.flat_gradient()
            for param, data in zip(self.optimizer._params, before, strict=True):
                param._data[...] = data
            return Point(step, loss, gradient, gradient @ direction)

        return look


class LineSearch:
    """The search for a step after which the loss is lower and the line flatter: Wolfe's strong conditions."""

    def __init__(self, look: Callable[[Any], Point], start: Point, most: int) -> None:
        self.look_at = look
        self.start = start
        self.most = most
        self.evaluations = 0

    def look(self, step: Any) -> Point:
        self.evaluations += 1
        return self.look_at(step)

    def is_too_high(self, point: Point) -> bool:
        return bool(point.loss > self.start.loss + ENOUGH_DECREASE * point.step * self.start.slope)

    def is_flat(self, point: Point) -> bool:
        return bool(abs(point.slope) <= -ENOUGH_FLATTENING * self.start.slope)

    def find(self, step: Any, length: float) -> Point:
        """Return the best point found: from `step` on outwards, then inwards; length: of the direction."""
        before, point = self.start, self.look(step)
        for turn in range(self.most):
            if self.is_too_high(point) or (turn > 1 and point.loss >= before.loss):
                return self.narrow([before, point], turn, length)
            if self.is_flat(point):
                return point
            if point.slope >= 0:
                return self.narrow([before, point], turn, length)
            bounds = (point.step + 0.01 * (point.step - before.step), point.step * 10)
            before, point = point, self.look(between(before, point, bounds))
        return min(self.start, point, key=lambda one: one.loss)

    def narrow(self, ends: list[Point], turn: int, length: float) -> Point:
        """Return the best point between two ends, made closer and closer."""
        slow = False
        low, high = (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)
        for _ in range(turn, self.most):
            if abs(ends[1].step - ends[0].step) * length < 1e-9:
                break
            step, slow = inside(between(ends[0], ends[1]), ends, slow)
            point = self.look(step)
            if self.is_too_high(point) or point.loss >= ends[low].loss:
                ends[high] = point
                low, high = (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)
                continue
            done = self.is_flat(point)
            if not done and point.slope * (ends[high].step - ends[low].step) >= 0:
                ends[high] = ends[low]
            ends[low] = point
            if done:
                break
        return ends[low]


def between(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Return where the cubic through two points, with their slopes, is lowest within bounds."""
    least, most = bounds or (min(a.step, b.step), max(a.step, b.step))
    if a.step > b.step:
        a, b = b, a
    bend = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
    square = bend**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2.0
    root = math.sqrt(square)
    found = b.step - (b.step - a.step) * ((b.slope + root - bend) / (b.slope - a.slope + 2 * root))
    return float(min(max(found, least), most))


def inside(step: Any, ends: list[Point], slow: bool) -> tuple[Any, bool]:
    """Return a step that is not again too close to an end, and whether this one was close."""
    least, most = sorted(point.step for point in ends)
    margin = 0.1 * (most - least)
    if min(most - step, step - least) >= margin:
        return step, False
    if slow or step >= most or step <= least:
        return (most - margin if abs(step - most) < abs(step - least) else least + margin), False
    return step, True


export("torch.optim.lbfgs", LBFGS, also=("torch.optim",))
