"""What gradcheck looks at besides the derivatives: incoming gradients that are zeros, missing or a batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.autograd import grad, stacked
from gradrepl.engine.derivatives import gradcheck_words as words
from gradrepl.engine.derivatives.function import Function as CustomFunction
from gradrepl.engine.derivatives.jacobians import Function, Inputs, differentiable, tangents, wanted
from gradrepl.engine.derivatives.vmapping import vmap
from gradrepl.engine.ops.comparison import allclose
from gradrepl.engine.tensor import Tensor, make, make_leaf
from gradrepl.engine.values.random import normal_array


class GradcheckError(RuntimeError):
    """What gradcheck raises where gradients differ from finite differences (torch.autograd.gradcheck)."""


GradcheckError.__module__ = "torch.autograd.gradcheck"


def check_multiplied(outputs: tuple[Tensor, ...], inputs: Inputs) -> None:
    """Raise GradcheckError where zeros that come in do not give zeros."""
    by = [inputs[place] for place in wanted(inputs)]
    for gradient in grad(outputs, by, [zeros_like(out) for out in outputs], allow_unused=True):
        if gradient is not None and gradient._data.any():
            raise GradcheckError("backward not multiplied by grad_output")


def zeros_like(tensor: Tensor) -> Tensor:
    return make(np.zeros_like(tensor._data))


class UndefinedGrad(CustomFunction):
    """An identity that no gradient comes back from."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        """Return the tensor."""
        return tensor

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> None:
        """Return no gradient."""


def check_undefined(func: Function, inputs: Inputs) -> None:
    """Raise GradcheckError where gradients that are missing are not taken for zeros: all of them, then each."""
    by = [inputs[place] for place in wanted(inputs)]
    outputs = differentiable(func(*inputs))
    check_undefined_outputs([UndefinedGrad.apply(out) for out in outputs], by)
    for missing in range(len(outputs) if len(outputs) > 1 else 0):
        again = differentiable(func(*inputs))
        check_undefined_outputs([UndefinedGrad.apply(o) if i == missing else o for i, o in enumerate(again)], by)


def check_undefined_outputs(outputs: list[Any], by: list[Any]) -> None:
    try:
        found = grad(outputs, by, [zeros_like(out) for out in outputs], allow_unused=True)
    except RuntimeError as error:
        warnings.warn(words.UNDEFINED_WARNING, UserWarning, stacklevel=2)
        raise GradcheckError(words.UNDEFINED_RAISES) from error
    if any(gradient is not None and gradient._data.any() for gradient in found):
        warnings.warn(words.UNDEFINED_WARNING, UserWarning, stacklevel=2)
        raise GradcheckError(words.UNDEFINED_COUNTS)


def check_undefined_tangents(func: Function, inputs: Inputs) -> None:
    """Raise GradcheckError where an input without tangent gives another one than an input whose tangent is zeros."""
    numbers = np.random.default_rng(0)
    along = {place: numbers.random(inputs[place].shape) for place in wanted(inputs)}
    for place in along:
        rest = {other: direction for other, direction in along.items() if other != place}
        pairs = zip(tangents(func, inputs, rest), tangents(func, inputs, rest, place), strict=True)
        for index, ((_, zeros), (_, without)) in enumerate(pairs):
            if zeros is not None and without is not None and not allclose(zeros, without, 1e-5, 1e-8, False):
                raise GradcheckError(
                    "Mismatch in tangent values for output with index: ",
                    index,
                    " when input: ",
                    inputs[place],
                    " has an undefined tangent value. ",
                    " Got: ",
                    zeros,
                    " but expected: ",
                    without,
                )


def check_batched(inputs: Inputs, out: Tensor, number: int) -> None:
    """Raise GradcheckError where gradients of two start gradients at once differ from those of each."""
    by = [inputs[place] for place in wanted(inputs)]

    def gradients(start: Tensor) -> tuple[Tensor, ...]:
        found = grad(out, by, start, retain_graph=True, allow_unused=True)
        return tuple(
            zeros_like(tensor) if gradient is None else gradient for gradient, tensor in zip(found, by, strict=True)
        )

    compare_batch(gradients, out, number, words.BATCHED)


def check_batched_forward(func: Function, inputs: Inputs) -> None:
    """Raise GradcheckError where two tangents at once give others than each of them."""
    for place in wanted(inputs):

        def product(tangent: Tensor, place: int = place) -> tuple[Tensor, ...]:
            plain = tuple(
                (make_leaf if i == place else make)(value._data) if isinstance(value, Tensor) else value
                for i, value in enumerate(inputs)
            )
            found = tangents(func, plain, {place: tangent._data})
            return tuple(zeros_like(out) if one is None else one for out, one in found)

        compare_batch(product, inputs[place], None, words.BATCHED_FORWARD)


def compare_batch(single: Callable[[Tensor], Any], like: Tensor, number: int | None, text: str) -> None:
    """Compare a function on two random tensors with the same function on both at once."""
    rows = [make(normal_array(like._data.shape, like._data.dtype)) for _ in range(2)]
    expected = [stacked(column) for column in zip(*map(single, rows), strict=True)]
    try:
        results = vmap(single)(stacked(rows))
    except RuntimeError as error:
        raise GradcheckError(words.BATCH_FAILED.format(error, text)) from error
    for index, (found, wanted_) in enumerate(zip(results, expected, strict=True)):
        if not allclose(found, wanted_, 1e-5, 1e-8, False):
            first = index if number is None else number
            raise GradcheckError(words.BATCH_DIFFERS.format(first, index, text, found, wanted_))
