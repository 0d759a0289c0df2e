"""Products of matrices: added up in PyTorch's order, they are equal to the last bit."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
from support.running import has_torch

from gradrepl.engine.precision.products import MANY, TALL, WIDE, multiplied

DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16, 20, 31, 32)
SIDES = [*itertools.product((1, 2, 3, 5, 8), (1, 2, 4, 5, 7, 11)), (16, 1), (7, 3), (16, 10), (4, 12), (2, 20), (8, 24)]


@cache
def adds_up_so() -> bool:
    """Whether PyTorch's library has the order for small matrices here that it has for processors of AMD with AVX512."""
    if not has_torch():
        return False
    import torch

    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    huge, ones = torch.ones(5, 10), torch.ones(4, 10)
    huge[1, 1], huge[1, 6] = 2**40, -(2**40)
    return (huge @ ones.T)[1].tolist() == [6.0] * 4


needs_torch = pytest.mark.skipif(
    not adds_up_so(), reason="PyTorch is not installed, or its library adds products in another order on this processor"
)


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape).astype("f4")


def aligned(array: np.ndarray) -> Any:
    """Return a tensor with the strides of an array; PyTorch's memory starts at multiples of 64 bytes."""
    import torch

    return torch.empty_strided(array.shape, [step // 4 for step in array.strides]).copy_(torch.from_numpy(array))


@needs_torch
@pytest.mark.parametrize("turned", ["neither", "left", "right"])
def test_products_of_matrices_are_pytorchs_to_the_last_bit(turned: str) -> None:
    for (rows, columns), depth in itertools.product(SIDES, DEPTHS):
        a, b = numbers(rows, depth), numbers(depth, columns)
        if turned == "left":
            a = numbers(depth, rows).T
        if turned == "right":
            b = numbers(columns, depth).T
        np.testing.assert_array_equal(multiplied(a, b), (aligned(a) @ aligned(b)).numpy(), f"{a.shape} {b.shape}")


@needs_torch
def test_products_of_vectors_and_of_stacks_are_pytorchs_to_the_last_bit() -> None:
    for depth in range(1, 70):
        a, b = numbers(depth), numbers(2, depth)[1]
        np.testing.assert_array_equal(multiplied(a, b), (aligned(a) @ aligned(b)).numpy(), str(depth))
    for rows, depth in itertools.product((1, 3, 4, 6, 7, 11), DEPTHS):
        for a in (numbers(rows, depth), numbers(depth, rows).T):
            b = numbers(depth)
            np.testing.assert_array_equal(multiplied(a, b), (aligned(a) @ aligned(b)).numpy(), f"{a.shape}")
    for shape in ((1, 2, 3, 4), (3, 2, 9, 4), (2, 7, 9, 7), (3, 5, 10, 11), (2, 8, 9, 16)):
        a, b = numbers(*shape[:3]), numbers(shape[0], *shape[2:])
        np.testing.assert_array_equal(multiplied(a, b), (aligned(a) @ aligned(b)).numpy(), str(shape))
        turned = numbers(shape[0], shape[3], shape[2]).swapaxes(1, 2)
        np.testing.assert_array_equal(multiplied(a, turned), (aligned(a) @ aligned(turned)).numpy(), str(shape))


def test_all_products_have_the_value_and_the_layout_that_numpy_gives() -> None:
    for rows, depth, columns in itertools.product((0, 1, 3, TALL, 33), (0, 1, 2, 5, 33), (0, 1, 5, WIDE)):
        for a in (numbers(rows, depth), numbers(depth, rows).T):
            for b in (numbers(depth, columns), numbers(columns, depth).T):
                for left, right in ((a, b), (np.stack([a, a]), np.stack([b, b]))):
                    result = multiplied(left, right)
                    np.testing.assert_allclose(result, np.matmul(left, right), rtol=1e-4, atol=1e-5)
                    assert result.flags.c_contiguous
    large = numbers(2, MANY // 2)
    np.testing.assert_allclose(multiplied(large, large[0]), large @ large[0], rtol=1e-4)
