"""Means and variances of rows: taken in PyTorch's order, they are equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from support.running import has_torch

from gradrepl.engine.precision.moments import LONG, row_moments


def capability() -> str:
    """What PyTorch's kernels use of this processor."""
    if not has_torch():
        return ""
    import torch

    return torch.backends.cpu.get_cpu_capability()


@pytest.mark.skipif(capability() != "AVX512", reason="PyTorch is not installed, or takes moments otherwise here")
def test_moments_of_rows_are_pytorchs_to_the_last_bit() -> None:
    import torch

    for count in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 30, 64, 100, LONG - 1):
        rows = np.random.default_rng(count).standard_normal((30, count)).astype("f4")
        _, means, inverses = torch.native_layer_norm(torch.from_numpy(rows), [count], None, None, 1e-5)
        mean, variance = row_moments(rows)
        np.testing.assert_array_equal(mean, means[:, 0].numpy(), str(count))
        np.testing.assert_array_equal(1 / np.sqrt(variance + np.float32(1e-5)), inverses[:, 0].numpy(), str(count))


def test_moments_of_rows_are_means_and_variances() -> None:
    for count in (1, 7, 8, 20, LONG - 1):
        rows = np.random.default_rng(count).standard_normal((3, count)).astype("f4")
        mean, variance = row_moments(rows)
        np.testing.assert_allclose(mean, rows.mean(1), atol=1e-6)
        np.testing.assert_allclose(variance, rows.var(1), rtol=1e-5, atol=1e-9)
