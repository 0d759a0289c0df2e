"""The loss of sequences without alignment: torch.nn.functional.ctc_loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.dtype import CATEGORY, FLOAT, Array, of
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import op
from gradrepl.engine.ops.criterion import reduction_of
from gradrepl.engine.ops.refusing import without_formula
from gradrepl.engine.ops.shape import where
from gradrepl.engine.precision.precise import nearest
from gradrepl.engine.tensor import Tensor, make

WHERE = "(while checking arguments for ctc_loss_allocate_outputs)"


class Aligned(NamedTuple):
    """What is aligned: each target's classes with blanks between them, the lengths of inputs.

    quiet: whether there is no gradient where the loss is infinite.
    """

    targets: tuple[Any, ...]
    lengths: tuple[int, ...]
    quiet: bool


def log_add(*terms: Any) -> Any:
    """Return the logarithms of sums of numbers that are given by their logarithms."""
    whole = np.stack(terms)
    most = whole.max(0)
    most = np.where(np.isinf(most), 0, most).astype(whole.dtype)
    total: Any = sum(nearest(np.exp, row - most) for row in whole)
    return nearest(np.log, total) + most


def shifted(row: Any, by: int, allowed: Any = True) -> Any:
    """Return a row moved by a number of places, -inf where nothing comes or none may."""
    moved = np.full_like(row, -np.inf)
    if by < len(row):
        moved[by:] = row[: len(row) - by]
    return np.where(allowed, moved, row.dtype.type(-np.inf))


def walked(logs: Any, states: Any) -> Any:
    """Return the logarithms of the probabilities of all ways to each state at each time; logs: time x states."""
    ways = np.full(logs.shape, -np.inf, logs.dtype)
    ways[:1, :2] = logs[:1, :2]
    skips = np.zeros(len(states), bool)
    skips[2:] = states[2:] != states[:-2]
    for time in range(1, len(logs)):
        before = ways[time - 1]
        ways[time] = log_add(before, shifted(before, 1), shifted(before, 2, skips)) + logs[time]
    return ways


def surprise(logs: Any, states: Any) -> tuple[Any, Any]:
    """Return the negative log likelihood of a target, and the ways to its states."""
    if not len(logs):
        return logs.dtype.type(0.0 if len(states) == 1 else np.inf), walked(logs[:, states], states)
    ways = walked(logs[:, states], states)
    last = ways[-1, -2:]
    return -(last[0] if len(last) == 1 else log_add(last[1], last[0])), ways


@op("CtcLossBackward0")
def ctc(a: Array, aligned: Any) -> Any:
    """The negative log likelihood of each target under log probabilities a, of time x batch x class"""
    found = [
        surprise(a[:length, place], states)[0]
        for place, (states, length) in enumerate(zip(aligned.targets, aligned.lengths, strict=True))
    ]
    return np.array(found, a.dtype)


@op("NotImplemented")
def ctc_gradient(g: Array, a: Array, aligned: Any) -> Any:
    """What log probabilities get from the gradient of their ctc loss"""
    found = np.zeros_like(a)
    for place, (states, length) in enumerate(zip(aligned.targets, aligned.lengths, strict=True)):
        logs = a[:length, place]
        loss, ways = surprise(logs, states)
        if not len(logs) or (aligned.quiet and np.isinf(loss)):
            continue
        back = walked(logs[::-1][:, states[::-1]], states[::-1])[::-1, ::-1]
        both = np.full_like(logs, -np.inf)
        for state, kind in enumerate(states):
            both[:, kind] = log_add(both[:, kind], ways[:, state] + back[:, state])
        share = nearest(np.exp, both + loss - logs)
        found[:length, place] = (nearest(np.exp, logs) - share) * g[place]
    return found


ctc.grad(a=lambda g, a, aligned: ctc_gradient(g, a, aligned))
without_formula(ctc_gradient, "_ctc_loss_backward")


def numbers(lengths: Any) -> tuple[int, ...]:
    values: Any = lengths._data.tolist() if isinstance(lengths, Tensor) else lengths
    return tuple(int(value) for value in (values if isinstance(values, (list, tuple)) else [values]))


def check_lengths(lengths: tuple[int, ...], counts: tuple[int, ...], time: int, batch: int) -> None:
    """Raise RuntimeError in PyTorch's words for lengths that don't fit."""
    for name, given in (("input", lengths), ("target", counts)):
        if len(given) != batch:
            raise RuntimeError(f"{name}_lengths must be of size batch_size")
    for name, given in (("target", counts), ("input", lengths)):
        if min(given) < 0:
            raise RuntimeError(f"Expected {name}_lengths to have value at least 0, but got value {min(given)} {WHERE}")
    if max(lengths) > time:
        raise RuntimeError(f"Expected input_lengths to have value at most {time}, but got value {max(lengths)} {WHERE}")


def separate(targets: Any, counts: tuple[int, ...]) -> list[Any]:
    """Return each target's classes, out of a matrix with a row for each or of one row of all."""
    if targets.ndim == 1:
        if len(targets) != sum(counts):
            raise RuntimeError(
                f"Expected tensor to have size {sum(counts)} at dimension 0, but got size {len(targets)} for "
                f"argument #2 'targets' {WHERE}"
            )
        return list(np.split(targets, np.cumsum(counts)[:-1]))
    if targets.shape[1] < max(counts):
        raise RuntimeError(
            f"Expected tensor to have size at least {max(counts)} at dimension 1, but got size {targets.shape[1]} for "
            f"argument #2 'targets' {WHERE}"
        )
    return [row[:count] for row, count in zip(targets, counts, strict=True)]


def between_blanks(target: Any, blank: int) -> Any:
    """Return classes with a blank before, between and behind them."""
    states = np.full(2 * len(target) + 1, blank)
    states[1::2] = target
    return states


REDUCTIONS = ("none", "mean", "sum")


def torch_ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 1,
    zero_infinity: bool = False,
) -> Any:
    """Return the ctc loss; reduction: 0 none, 1 mean, 2 sum (torch.ctc_loss)."""
    batched = log_probs.dim() == 3
    rows = log_probs if batched else log_probs.unsqueeze(1)
    time, batch, classes = rows.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    lengths, counts = numbers(input_lengths), numbers(target_lengths)
    check_lengths(lengths, counts, time, batch)
    if CATEGORY[rows._data.dtype] < FLOAT:
        raise no_kernel("ctc_loss_cpu", of(rows._data))
    pieces = separate(targets._data.astype(int), counts)
    states = tuple(between_blanks(piece, blank) for piece in pieces)
    losses = ctc.call(rows, Aligned(states, lengths, zero_infinity))
    if zero_infinity:
        losses = where(losses == np.inf, make(np.zeros((), losses._data.dtype)), losses)
    if reduction == 1:
        scale = make(np.maximum(np.array(counts), 1).astype(losses._data.dtype))
        return (losses / scale).mean()
    if reduction == 2:
        return losses.sum()
    return losses if batched else losses.squeeze(0)


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Return the negative log likelihood of sequences without alignment (torch.nn.functional.ctc_loss)."""
    way = REDUCTIONS.index(reduction_of(None, None, reduction))
    return torch_ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, way, zero_infinity)


functions("torch.nn.functional", ctc_loss=ctc_loss)
functions(ctc_loss=torch_ctc_loss)
