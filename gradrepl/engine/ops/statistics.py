"""Covariance, differences as slopes, windows of signals and other functions made of operations."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES, functions, methods, public, two_operands
from gradrepl.engine.dtype import BOOL8, Array
from gradrepl.engine.grad_mode import ON, mode
from gradrepl.engine.in_place import fill_with, in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.complexes import from_parts
from gradrepl.engine.ops.indexing import fill, fill_tensor
from gradrepl.engine.ops.shape import where, zeros_of
from gradrepl.engine.results import named
from gradrepl.engine.tensor import Tensor, make

NO_FREEDOM = "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations."


KINDS_OF_WEIGHTS = {"fweights": ("iu", "integral"), "aweights": ("f", "floating point")}


def check_weights(name: str, weights: Tensor, count: int) -> None:
    """Raise what cov raises for weights that are none."""
    data, (kinds, words) = weights._data, KINDS_OF_WEIGHTS[name]
    expected = f"cov(): expected {name} to have"
    if data.ndim > 1:
        raise RuntimeError(f"{expected} one or fewer dimensions but got {name} with {data.ndim} dimensions")
    if data.dtype.kind not in kinds:
        raise RuntimeError(f"{expected} {words} dtype but got {name} with {dtypes.of(data).tensor_type} dtype")
    if data.size != count:
        raise RuntimeError(
            f"{expected} the same numel as there are observations in the input but got {data.size} != {count}"
        )
    if (data < 0).any():
        raise RuntimeError(f"cov(): {name} cannot be negative")


@public("Tensor input, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None")
def cov(input: Any, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """Return the covariances of variables in rows (torch.cov)."""
    if input.dim() > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    if input._data.dtype == BOOL8:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input.view(1, -1) if input.dim() < 2 else input
    count = rows.shape[1]
    weights = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is not None:
            check_weights(name, given, count)
            weights = given if weights is None else weights * given
    if weights is None:
        total: Any = count
        mean = rows.sum(1) / count
    else:
        total = weights.sum()
        mean = (rows * weights).sum(1) / total
    norm = total - correction if aweights is None else total - correction * (weights * aweights).sum() / total
    if norm <= 0:
        warnings.warn(NO_FREEDOM, UserWarning, stacklevel=4)
        norm = 0.0
    apart = rows - mean.unsqueeze(1)
    other = apart if weights is None else apart * weights
    return (apart.mm(other.t().conj()) / norm).squeeze()


@public("Tensor input")
def corrcoef(input: Any) -> Any:
    """Return the correlations of variables in rows (torch.corrcoef)."""
    found = cov(input)
    if not found.dim():
        return found / found
    whole = found.is_complex()
    spread = (found.diag().real if whole else found.diag()).sqrt()
    ratio = found / spread.view(-1, 1) / spread.view(1, -1)
    return from_parts(ratio.real.clamp(-1, 1), ratio.imag.clamp(-1, 1)) if whole else ratio.clamp(-1, 1)


def unravel_index(indices: Any, shape: Any) -> tuple[Tensor, ...]:
    """Return flat positions as an index for each dimension (torch.unravel_index)."""
    sides = (shape,) if isinstance(shape, int) else tuple(shape)
    flat = np.asarray(indices._data) % max(math.prod(sides), 1)
    return tuple(make(np.asarray(part, np.int64)) for part in np.unravel_index(flat, sides))


WINDOWS: dict[str, tuple[float, float]] = {"hann_window": (0.5, 0.5), "hamming_window": (0.54, 0.46)}
"""For each window of the form alpha - beta * cos its alpha and beta."""


def cosine_window(name: str) -> Any:
    alpha, beta = WINDOWS[name]

    def window(
        window_length: int, periodic: bool = True, alpha: float = alpha, beta: float = beta, **options: Any
    ) -> Any:
        if window_length < 0:
            raise RuntimeError(f"{name} requires non-negative window_length, got window_length={window_length}")
        count = window_length + periodic
        if count < 2:
            return SPACES["torch"]["ones"](window_length, **options)
        values = alpha - beta * np.cos(2 * np.pi * np.arange(count) / (count - 1))
        return SPACES["torch"]["tensor"](values[:window_length].tolist(), **options)

    window.__name__ = name
    window.__doc__ = f"Return a window of cosines (torch.{name})."
    return window


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Any:
    """Return a window of triangles (torch.bartlett_window)."""
    count = window_length + periodic
    values = np.bartlett(count)[:window_length] if count > 1 else np.ones(window_length)
    return SPACES["torch"]["tensor"](values.tolist(), **options)


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Any:
    """Return a window of two cosines (torch.blackman_window)."""
    count = window_length + periodic
    if window_length < 2:
        return SPACES["torch"]["ones"](window_length, **options)
    steps = np.arange(count, dtype=np.float32) * np.float32(np.pi / (count - 1))
    values = np.float32(0.08) * np.cos(steps * 4) - np.float32(0.5) * np.cos(steps * 2) + np.float32(0.42)
    return SPACES["torch"]["tensor"](values[:window_length].tolist(), **options)


@op("FrexpBackward0", several=True, samples=(((2, 3),),))
def frexp_parts(a: Array) -> Any:
    """The fraction and the power of 2 of each number"""
    fraction, exponent = np.frexp(a)
    return fraction, exponent.astype(np.int32)


@op("DivBackward0")
def shifted(a: Array, exponent: Any) -> Any:
    """a, divided by powers of 2"""
    return np.ldexp(a, -(exponent._data if isinstance(exponent, Tensor) else exponent))


shifted.grad(a=lambda g, exponent: shifted(g, exponent))
frexp_parts.grad(a=lambda g, out1: None if g[0] is None else shifted(g[0], out1))


@public("Tensor input, *, Tensors? out=None")
def frexp(input: Any) -> Any:
    """Return numbers as fractions and powers of 2 (torch.frexp)."""
    return named("frexp", "mantissa", "exponent")(frexp_parts(input))


@op("NextafterBackward0", broadcasts=True, samples=(((2, 3), (3,)),))
def nextafter_of(a: Array, b: Array) -> Any:
    """The next number from a towards b"""
    return np.nextafter(a, b)


nextafter_of.grad(a=lambda g, a, b: where(a == b, 0.0, g), b=lambda g: zeros_of(g))


public("Tensor input, Tensor other", name="nextafter_", function=False)(two_operands(in_place(nextafter_of)))


@public("Tensor input, Tensor other, *, Tensor? out=None")
def nextafter(input: Any, other: Any) -> Any:
    """Return the next number towards another (torch.nextafter)."""
    return nextafter_of(input, other)


def is_same_size(input: Any, other: Any) -> bool:
    """Whether two tensors have one shape (torch.is_same_size)."""
    return bool(input.shape == other.shape)


@public("Tensor input, Tensor value", "Tensor input, Number value", name="fill", method=False)
def filled(input: Any, value: Any) -> Any:
    """Return a tensor of the same shape, full of a value (torch.fill)."""
    if isinstance(value, Tensor) and not value.ndim:
        return fill_tensor(input, value)
    return input.clone().fill_(value) if isinstance(value, Tensor) else fill.call(input, value)


def apply_(self: Any, callable: Any) -> Any:
    """Replace every element by what a Python function makes of it (torch.Tensor.apply_)."""
    if self.requires_grad and mode.recording == ON:
        raise RuntimeError("Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.")
    kind = self._data.dtype
    fill_with(self, np.array([callable(value) for value in self._data.reshape(-1).tolist()], kind).reshape(self.shape))
    return self


def map_(self: Any, tensor: Any, callable: Any) -> Any:
    """Replace every element by what a Python function makes of it and another's (torch.Tensor.map_)."""
    if (self.requires_grad or tensor.requires_grad) and mode.recording == ON:
        raise RuntimeError("Can't call map_() on Variable that requires grad. Use var.detach().map_() instead.")
    pairs = zip(
        self._data.reshape(-1).tolist(), np.broadcast_to(tensor._data, self.shape).reshape(-1).tolist(), strict=True
    )
    fill_with(self, np.array([callable(*pair) for pair in pairs], self._data.dtype).reshape(self.shape))
    return self


WRITING = (
    *("addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_", "as_strided_", "fix_", "gcd_"),
    *("lcm_", "ldexp_", "negative_", "round_", "square_", "xlogy_"),
)
"""Methods that write into their tensor and are functions too."""

functions(
    unravel_index=unravel_index,
    bartlett_window=bartlett_window,
    blackman_window=blackman_window,
    is_same_size=is_same_size,
    **{name: cosine_window(name) for name in WINDOWS},
    **{name: found for name in WRITING if callable(found := vars(Tensor).get(name))},
)
methods(is_same_size=is_same_size, apply_=apply_, map_=map_)
