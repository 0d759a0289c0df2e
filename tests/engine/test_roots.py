"""Square roots: rounded as PyTorch's library rounds them on processors of AMD, they are equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from support.running import has_torch

from gradrepl.engine.precision.roots import MANY, sqrt


def estimates_so() -> bool:
    """Whether PyTorch starts from the estimates of AMD's processors here."""
    if not has_torch():
        return False
    import torch

    numbers = torch.linspace(2, 4, 4000)
    return int((torch.sqrt(numbers).double() != torch.sqrt(numbers.double()).float().double()).sum()) == UNEVEN


UNEVEN = 1029
"""So many of these roots are not the nearest numbers then."""


@pytest.mark.skipif(not estimates_so(), reason="PyTorch is not installed, or takes roots otherwise on this processor")
def test_roots_are_pytorchs_to_the_last_bit() -> None:
    import torch

    numbers = np.random.default_rng(1)
    for low, high in ((0, 4), (0, 1e-3), (1e20, 1e30)):
        a = numbers.uniform(low, high, MANY).astype("f4")
        np.testing.assert_array_equal(sqrt(a), torch.sqrt(torch.from_numpy(a)).numpy())


def test_what_has_no_estimate_and_what_is_large_is_as_in_numpy() -> None:
    special = np.array([0, -0.0, -1, np.inf, -np.inf, np.nan, 1e-40, 4], "f4")
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(sqrt(special), np.sqrt(special))
        assert np.signbit(sqrt(special)).tolist()[:2] == [False, True]
    for a in (np.arange(MANY + 1.0, dtype="f4"), np.arange(5.0), np.float32(9).reshape(()), np.zeros((0, 2), "f4")):
        np.testing.assert_array_equal(sqrt(a), np.sqrt(a))
    assert sqrt(np.ones((3, 2), "f4").T).flags.f_contiguous
