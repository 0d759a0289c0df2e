"""Sums of floats: added in PyTorch's order, they are equal to the last bit."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
from support.running import has_torch

from gradrepl.engine.precision.summing import SHARED, add_up, chain_up, in_steps, lanes_up, squares_up, total, undoing


def capability() -> str:
    """What PyTorch's kernels use of this processor."""
    if not has_torch():
        return ""
    import torch

    return torch.backends.cpu.get_cpu_capability()


needs_torch = pytest.mark.skipif(
    capability() not in ("AVX2", "AVX512"), reason="PyTorch is not installed, or adds up otherwise without AVX2"
)
COUNTS = (*range(2, 70), 127, 128, 129, 511, 512, 513, 3000, 10_000, SHARED - 1)
SHAPES = [
    *itertools.product((1, 2, 3, 5, 8, 17, 40), repeat=2),
    *itertools.product((1, 5, 9, 33), (2, 9, 20), (1, 5, 33)),
    (520, 40),
    (40, 520),
]


def numbers(*shape: int, kind: str) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape).astype(kind)


@needs_torch
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_the_sum_of_all_is_pytorchs_to_the_last_bit(kind: str) -> None:
    import torch

    for count in COUNTS:
        a = numbers(count, kind=kind)
        assert total(a) == torch.from_numpy(a).sum().numpy(), count
        every_other = numbers(2 * count, kind=kind)[::2]
        assert total(every_other) == torch.from_numpy(every_other).sum().numpy(), count


@needs_torch
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_sums_over_axes_are_pytorchs_to_the_last_bit(kind: str) -> None:
    import torch

    for shape in SHAPES:
        for dims in itertools.chain(*(itertools.combinations(range(len(shape)), k) for k in (1, 2))):
            a = numbers(*shape, kind=kind)
            for array in (a, a.T) if a.ndim == 2 else (a,):
                expected = torch.from_numpy(array).sum(dims, keepdim=True).numpy()
                np.testing.assert_array_equal(add_up(array, dims, keepdims=True), expected, f"{shape} {dims}")


def test_what_numpy_adds_has_its_shape_and_value() -> None:
    a = np.arange(24.0).reshape(2, 3, 4)
    for array in (a, a.transpose(1, 0, 2), a.astype(int), a[:, :, ::2], a[:0], a[..., :1, :1]):
        for axis in (None, 0, -1, (0, 2), (0, 1, 2), ()):
            for keepdims in (False, True):
                expected = np.add.reduce(array, axis=axis, keepdims=keepdims)
                np.testing.assert_array_equal(add_up(array, axis, keepdims=keepdims), expected)
    assert in_steps(np.arange(20.0))[-1] == 190


def test_no_sum_is_minus_zero() -> None:
    for shape in [(count,) for count in (2, 5, 9, 20, 50, 300)] + SHAPES[1:]:
        a = np.full(shape, -0.0, "f4")
        ways = [
            total,
            chain_up,
            undoing(shape, (1,)),
            *(partial(add_up, axis=d) for d in range(a.ndim) if shape[d] > 1),
        ]
        for way in filter(None, ways):
            assert not np.signbit(way(a)).any(), shape


@needs_torch
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_norms_are_pytorchs_to_the_last_bit(kind: str) -> None:
    import torch

    for shape in [(count,) for count in COUNTS] + SHAPES:
        for dims in [(d,) for d in range(len(shape))] + [tuple(range(len(shape)))]:
            a = numbers(*shape, kind=kind)
            expected = torch.linalg.vector_norm(torch.from_numpy(a), dim=dims, keepdim=True).numpy()
            np.testing.assert_array_equal(np.sqrt(squares_up(a, dims, True)), expected, f"{shape} {dims}")


@pytest.mark.skipif(capability() != "AVX512", reason="PyTorch's softmax adds up otherwise without AVX512")
def test_the_sums_in_the_gradient_of_softmax_are_pytorchs_to_the_last_bit() -> None:
    import torch

    for shape in [(20, count) for count in COUNTS if count < 1000] + [(count,) for count in range(2, 17)]:
        g, out = numbers(*shape, kind="f4"), numbers(*shape, 1, kind="f4").reshape(shape)
        expected = torch._softmax_backward_data(torch.from_numpy(g), torch.from_numpy(out), -1, torch.float32)
        np.testing.assert_array_equal(out * (g - lanes_up(g * out, -1)), expected.numpy(), str(shape))


@needs_torch
def test_the_losses_of_classes_are_added_up_as_pytorch_does() -> None:
    import torch

    for count in COUNTS:
        a = numbers(count, 3, kind="f4")
        classes = torch.arange(count) % 3
        expected = torch.nn.functional.nll_loss(torch.from_numpy(a), classes, reduction="sum").numpy()
        assert chain_up(-a[np.arange(count), classes.numpy()]) == expected, count
