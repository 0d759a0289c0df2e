"""Samples of given probabilities: bernoulli, normal, multinomial."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import public
from gradrepl.engine.dtype import CATEGORY, FLOAT, FLOAT64, INT64, Array
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import op
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.ops.drawing import bell, drawn_for, overwriting
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values import random
from gradrepl.engine.values.creation import OPTIONS, leaf, numpy_kind, sides

BAD_P = (
    "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, please "
    "report an enhancement request to PyTorch.)"
)


def check_probabilities(p: Array) -> None:
    if not bool(np.all((p >= 0) & (p <= 1))):
        raise RuntimeError(BAD_P)


def coin(p: Array, generator: Any) -> Array:
    """Return ones with the probabilities in an array, in its dtype."""
    if CATEGORY[p.dtype] < FLOAT:
        raise no_kernel("bernoulli_tensor_cpu_p_", dtypes.of(p))
    check_probabilities(p)
    kind = FLOAT64 if p.dtype == FLOAT64 else dtypes.FLOAT32
    return (random.uniform_array(p.shape, kind, generator) < p).astype(p.dtype)


def fixed_coin(shape: tuple[int, ...], kind: np.dtype[Any], p: float, generator: Any) -> Array:
    """Return ones with one probability; the numbers do not depend on the dtype."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    return (random.exact_uniforms(shape, generator) < p).astype(kind)


@op("BernoulliBackward0")
def bernoulli_each(a: Array, generator: Any) -> Any:
    """1 with the probability that each element of a gives, else 0"""
    return coin(a, generator)


bernoulli_each.grad(a=lambda g: zeros_of(g))
BERNOULLI = {"tensor": overwriting("BernoulliBackward1"), "number": overwriting("BernoulliBackward2")}


@public(
    "Tensor input, *, Generator? generator=None, Tensor? out=None",
    "Tensor input, float p, *, Generator? generator=None",
)
def bernoulli(input: Tensor, p: float | None = None, generator: Any = None) -> Tensor:
    """Draw 0 or 1 with the given probabilities (torch.bernoulli)."""
    if p is None:
        return bernoulli_each.call(input, generator)
    return make(fixed_coin(input._data.shape, input._data.dtype, p, generator))


@public(
    "Tensor input, Tensor p, *, Generator? generator=None",
    "Tensor input, float p=0.5, *, Generator? generator=None",
    function=False,
)
def bernoulli_(self: Tensor, p: Any = 0.5, generator: Any = None) -> Tensor:
    """Overwrite with 0 or 1 (torch.Tensor.bernoulli_)."""
    if not isinstance(p, Tensor):
        return BERNOULLI["number"](self, lambda a: drawn_for(a, fixed_coin, a.dtype, p, generator))
    spread = np.broadcast_to(p._data, self._data.shape)
    return BERNOULLI["tensor"](self, lambda a: coin(spread, generator).astype(a.dtype))


@op("NormalBackward1")
def normal_mean(mean: Array, std: float, generator: Any) -> Any:
    """Normals around each mean"""
    return bell(mean.shape, mean.dtype, generator, 0, std) + mean


@op("NormalBackward2")
def normal_std(mean: float, std: Array, generator: Any) -> Any:
    """Normals of each standard deviation around one mean"""
    return bell(std.shape, std.dtype, generator) * std + std.dtype.type(mean)


@op("NormalBackward3")
def normal_both(mean: Array, std: Array, generator: Any) -> Any:
    """Normals of each mean and standard deviation"""
    shape = np.broadcast_shapes(mean.shape, std.shape)
    return bell(shape, dtypes.promote(mean, std), generator) * std + mean


normal_mean.grad(mean=lambda g, mean_shape: zeros_of(g, mean_shape))
normal_std.grad(std=lambda g, std_shape: zeros_of(g, std_shape))
normal_both.grad(
    mean=lambda g, mean_shape: zeros_of(g, mean_shape),
    std=lambda g, std_shape: zeros_of(g, std_shape),
)


@public(
    "Tensor mean, Tensor std, *, Generator? generator=None, Tensor? out=None",
    "Tensor mean, float std=1, *, Generator? generator=None, Tensor? out=None",
    "float mean, Tensor std, *, Generator? generator=None, Tensor? out=None",
    f"float mean, float std, ints size, *, Generator? generator=None, Tensor? out=None, {OPTIONS}",
    method=False,
)
def normal(
    mean: Any,
    std: Any = 1,
    size: Any = None,
    generator: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Draw normals of given means and standard deviations (torch.normal)."""
    if isinstance(std, Tensor) and bool((std._data < 0).any()):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        return leaf(bell(sides(size), numpy_kind(dtype), generator, mean, std), requires_grad, **options)
    if not isinstance(std, Tensor):
        return normal_mean(mean, std, generator)
    if not isinstance(mean, Tensor):
        return normal_std(mean, std, generator)
    check_broadcast((mean._data, std._data))
    return normal_both(mean, std, generator)


@public("Tensor input, int num_samples, bool replacement=False, *, Generator? generator=None, Tensor? out=None")
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, generator: Any = None) -> Tensor:
    """Draw indices with the probabilities in each row (torch.multinomial)."""
    p = input._data
    check_multinomial(p, num_samples, replacement)
    if replacement and num_samples > 1:
        return make(with_replacement(p, num_samples, generator))
    if not bool(np.all(np.isfinite(p) & (p >= 0))):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not bool(np.all(p.sum(-1) > 0)):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    keys = p / random.exponential_array(p.shape, generator).astype(p.dtype)
    order = np.argsort(-keys, axis=-1, kind="stable")
    return make(order[..., :num_samples].astype(INT64))


def check_multinomial(p: Array, count: int, replacement: bool) -> None:
    if CATEGORY[p.dtype] < FLOAT:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {dtypes.OF_NUMPY[p.dtype].tensor_type}"
        )
    if p.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if count <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and count > p.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")


def with_replacement(p: Array, count: int, generator: Any) -> Array:
    rows = p.reshape(-1, p.shape[-1])
    if not bool(np.all(rows >= 0)):
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    drawn = []
    for row in rows:
        total = np.cumsum(row)
        if not total[-1] > 0:
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        edges = total / total[-1]
        drawn.append(np.searchsorted(edges, random.exact_uniforms((count,), generator)))
    return np.array(drawn, INT64).reshape((*p.shape[:-1], count))
