"""Every entry of the table of operations: its rules against finite differences, first and second order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from gradrepl.engine import torch as namespace
from gradrepl.engine.op import TABLE, Op

torch: Any = namespace.modules()["torch"]
namespace.load_rest()
forward_ad = torch.autograd.forward_ad

PLACES = np.array([0, 2, 2])
MASK = np.array([[True, False, True], [False, False, True]])

MORE_SAMPLES: dict[str, tuple[tuple[Any, ...], ...]] = {
    "blocks": (([(2, 2), (1, 3)],),),
    "cat_all": (([(2, 3), (1, 3)], 0), ([(2, 1), (2, 2)], 1)),
    "copy": (((2, 3), (3,)),),
    "diagonal_embed": (((2,), (3, 2), 0, 0, 1),),
    "embed": (((2,), (3, 2), (1, ...)),),
    "embed_range": (((2,), (4,), slice(1, 3)),),
    "fill": (((2, 3), 2.5),),
    "fill_tensor": (((2, 3), 0.5),),
    "fold_dim": (((2, 2), (3,), 0, 2, 1),),
    "index_add_zeros": (((3,), (4,), (PLACES,)),),
    "index_put": (((3, 2), (PLACES[:2],), (2, 2), False, ()), ((3, 2), (PLACES,), (3, 2), True, ())),
    "index_with": (((3, 2), (PLACES,), ()),),
    "look_at": (((3, 2), (1, ...)),),
    "masked_out": (((2, 3), MASK),),
    "put_along": (((2, 2), (2, 3), np.array([[0, 1], [2, 0]]), 1),),
    "reshape_alias": (((2, 3), (3, 2)),),
    "soft_margin_error": (((2, 3), np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]]), "mean"),),
    "spread_masked": (((3,), (2, 3), MASK),),
    "stack_all": (([(2, 3), (2, 3)], 1),),
    "steps_of_layer": (([(2, 3), (2, 3)], 0),),
    "strided_embed": (((2,), (2, 3), (3, 1), (2,), (3,), 1),),
    "strided_part": (((2, 3), (2, 3), (3, 1), (2,), (3,), 1),),
    "sum_all_as": (((2, 3), np.dtype(np.float64)),),
    "sum_dims_as": (((2, 3), (1,), False, np.dtype(np.float64)),),
    "take_along": (((2, 3), np.array([[0, 2], [1, 1]]), 1),),
    "where_pointwise": ((MASK, (2, 3), (2, 3)),),
    "zero": (((2, 3),),),
}
"""Samples that hold positions or masks."""

REASONS: dict[str, tuple[str, ...]] = {
    "draws random numbers; its gradient is refused": ("dirichlet_each", "gamma_each"),
    "its gradient is that of scores whose log_softmax it gets, as in PyTorch, which has no second one": (
        "ctc",
        "ctc_gradient",
    ),
    "draws random numbers; its gradient is zero": (
        *(
            "bernoulli1",
            "bernoulli2",
            "bernoulli_each",
            "cauchy0",
            "exponential0",
            "geometric0",
            "lognormal0",
            "normal0",
        ),
        *("binomial_each", "poisson_each"),
        *("normal_both", "normal_mean", "normal_std", "random0", "random1", "random2", "uniform0"),
    ),
    "has a node for its error only: it can't be differentiated, as in PyTorch": (
        *("floor_divide", "floor_divide_number", "heaviside_of", "unique_all", "unique_dim", "unique_runs"),
        *("swapped_polygamma", "class_margin_gradient", "label_margin_gradient", "huber_error_of_mixed"),
        *("bags_spread", "shares_of", "greatest_spread", "cdist_back", "hardsigmoid_gradient", "heaviside_here"),
    ),
    "changes the dtype, so steps of 1e-6 say nothing": ("cast", "relaid"),
    "works on matrices with a structure (symmetric, positive), compared with PyTorch in snippets/linalg.txt": (
        *("triangular_root", "cholesky_factor", "solve_factored", "inverse_factored", "eig", "eigh"),
    ),
    "is a rule of another entry, whose second derivative is tested here": (
        *("add_along", "at_places", "class_error_gradient", "class_error_2d_gradient", "embedding_gradient"),
        "index_into_zeros",
        *("max_windows_gradient", "mean_bins_gradient", "mean_windows_gradient", "put_at", "put_into_zeros"),
        *("scatter_into_zeros", "select_part", "shifted", "slice_part"),
    ),
    "gives a fraction that is computed before, so steps of 1e-6 say nothing; compared in snippets": ("fraction_of",),
    "takes complex numbers, compared with PyTorch in snippets/complex.txt": ("as_real", "fft_complex", "fft_to_real"),
    "takes classes, weights or pads, compared with PyTorch in snippets (functional, modules, training_words)": (
        *("binary_entropy", "class_error", "class_error_2d", "class_margin", "label_margin"),
        "remainder_of_number",
    ),
}
"""Entries with rules and without samples, by reason."""

for _name, _samples in MORE_SAMPLES.items():
    if _name in TABLE:
        TABLE[_name].samples += _samples

CASES = [(name, index) for name, entry in sorted(TABLE.items()) if entry.rules for index in range(len(entry.samples))]
STEP = 1e-6
ONCE = frozenset(("cdist_of", "hardsigmoid_entry", "weighted_bags", "greatest_of_bags"))
"""Entries whose gradients can't be differentiated again, as in PyTorch."""
BACKWARD_ONLY = frozenset(("bag_rows", "weighted_bags", "greatest_of_bags", "cdist_of"))
"""Entries that forward mode refuses, as in PyTorch."""


def tensor_of(sample: Any, generator: np.random.Generator) -> Any:
    """Return a float64 leaf for a sample: a shape is filled with numbers away from kinks, a float stands for itself."""
    if isinstance(sample, tuple):
        values = generator.uniform(0.2, 0.9, size=sample)
        return torch.tensor(values.tolist(), dtype=torch.float64).reshape(sample).requires_grad_()
    if isinstance(sample, float):
        return torch.tensor(sample, dtype=torch.float64, requires_grad=True)
    return sample


def arguments_of(entry: Op, index: int) -> list[Any]:
    generator = np.random.default_rng(7 + index)
    sample = entry.samples[index]
    if entry.variadic:
        return [[tensor_of(item, generator) for item in sample[0]], *sample[1:]]
    return [tensor_of(item, generator) if i in entry.tensors else item for i, item in enumerate(sample)]


def leaves_of(arguments: Sequence[Any]) -> list[Any]:
    flat = [item for argument in arguments for item in (argument if isinstance(argument, list) else [argument])]
    return [item for item in flat if isinstance(item, torch.Tensor) and item.requires_grad]


def total(result: Any) -> Any:
    """Return one number that depends on every differentiable result, each element with a weight of its own."""
    outs = result if isinstance(result, tuple) else (result,)
    parts = []
    for out in outs:
        if isinstance(out, torch.Tensor) and out.requires_grad:
            count = int(np.prod(out.shape))
            weights = torch.tensor([0.5 + 0.25 * (i % 5) for i in range(count)], dtype=torch.float64)
            weights = weights.reshape(tuple(out.shape))
            numbers = (out.real, out.imag * 0.5) if out.is_complex() else (out,)
            parts.extend((part * weights).sum() for part in numbers)
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def numeric(function: Callable[[], float], leaf: Any) -> list[float]:
    """Return the derivative of a number by each element of a leaf, by central differences."""
    data = leaf._data.reshape(-1) if leaf._data.ndim else leaf._data[None]
    found = []
    for i in range(data.size):
        before = data[i]
        data[i] = before + STEP
        high = function()
        data[i] = before - STEP
        low = function()
        data[i] = before
        found.append((high - low) / (2 * STEP))
    return found


@pytest.mark.parametrize(("name", "index"), CASES)
def test_the_rules_are_the_derivatives(name: str, index: int) -> None:
    entry = TABLE[name]
    arguments = arguments_of(entry, index)
    leaves = leaves_of(arguments)
    assert leaves, "a sample needs a shape or a float where a tensor stands"
    gradients = torch.autograd.grad(total(entry(*arguments)), leaves, create_graph=True, allow_unused=True)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        wanted = numeric(lambda: float(total(entry(*arguments)).item()), leaf)
        own = [0.0] * len(wanted) if gradient is None else gradient.detach().reshape(-1).tolist()
        assert own == pytest.approx(wanted, rel=1e-4, abs=1e-6)
        if gradient is not None:
            assert gradient.dtype is leaf.dtype
            assert gradient.shape == leaf.shape


@pytest.mark.parametrize(("name", "index"), [case for case in CASES if case[0] not in ONCE])
def test_the_rules_can_be_differentiated_again(name: str, index: int) -> None:
    entry = TABLE[name]
    arguments = arguments_of(entry, index)
    leaves = leaves_of(arguments)

    def slope() -> Any:
        found = torch.autograd.grad(total(entry(*arguments)), leaves, create_graph=True, allow_unused=True)
        parts = [(g * (1.0 + 0.5 * i)).sum() for i, g in enumerate(found) if g is not None and g.requires_grad]
        return sum(parts[1:], parts[0]) if parts else None

    first = slope()
    if first is None:
        return
    second = torch.autograd.grad(first, leaves, allow_unused=True)
    for leaf, gradient in zip(leaves, second, strict=True):
        wanted = numeric(lambda: float(slope().item()), leaf)
        own = [0.0] * len(wanted) if gradient is None else gradient.reshape(-1).tolist()
        assert own == pytest.approx(wanted, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(("name", "index"), [case for case in CASES if case[0] not in BACKWARD_ONLY])
def test_tangents_are_the_derivatives_along_a_direction(name: str, index: int) -> None:
    entry = TABLE[name]
    leaves = leaves_of(arguments := arguments_of(entry, index))
    generator = np.random.default_rng(3)
    directions = [generator.uniform(-1, 1, leaf._data.shape) for leaf in leaves]

    def moved(step: float) -> float:
        for leaf, direction in zip(leaves, directions, strict=True):
            leaf._data += step * direction
        return float(total(entry(*arguments)).item())

    slope = moved(STEP) - moved(-2 * STEP)
    moved(STEP)
    with forward_ad.dual_level():
        duals = iter(
            [forward_ad.make_dual(leaf, torch.from_numpy(d)) for leaf, d in zip(leaves, directions, strict=True)]
        )
        tangent = forward_ad.unpack_dual(total(entry(*with_leaves(arguments, duals)))).tangent
    assert tangent.item() == pytest.approx(slope / (2 * STEP), rel=1e-4, abs=1e-6)


def with_leaves(arguments: Sequence[Any], others: Iterator[Any]) -> list[Any]:
    """Return the arguments with other tensors in the places of the leaves."""

    def other(item: Any) -> Any:
        return next(others) if isinstance(item, torch.Tensor) and item.requires_grad else item

    return [list(map(other, item)) if isinstance(item, list) else other(item) for item in arguments]


def test_every_rule_has_a_sample_or_a_reason(tell: Callable[[str], None]) -> None:
    excused = {name for names in REASONS.values() for name in names}
    bare = {name for name, entry in TABLE.items() if entry.rules and not entry.samples}
    tell(
        f"{len(CASES)} samples of {len({name for name, _ in CASES})} operations with rules, against finite differences"
    )
    assert bare == excused, (
        f"neither sample nor reason: {sorted(bare - excused)}; a reason too many: {sorted(excused - bare)}"
    )
