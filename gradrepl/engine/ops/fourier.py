"""Fourier transforms: torch.fft."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES, checked, functions
from gradrepl.engine.dtype import CATEGORY, COMPLEX, FLOAT, Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.arithmetic import conj_of
from gradrepl.engine.ops.decomposition import masked
from gradrepl.engine.ops.padding import pad_constant
from gradrepl.engine.ops.shape import cast
from gradrepl.engine.ops.view import dim_of, slice_at

Dims = tuple[int, ...]


def transformed(a: Array, dims: Dims, scale: float, forward: bool) -> Any:
    """Return the transform of an array along dimensions, times a scale."""
    kind = np.promote_types(a.dtype, np.complex64)
    whole = np.fft.fftn(a, axes=dims) if forward else np.fft.ifftn(a, axes=dims, norm="forward")
    return (whole * scale).astype(kind)


@op("FftC2CBackward0")
def fft_complex(a: Array, dims: Dims, scale: float, forward: bool) -> Any:
    """The Fourier transform of a along dimensions, or its inverse, times a scale"""
    return transformed(a, dims, scale, forward)


fft_complex.grad(a=lambda g, dims, scale, forward: fft_complex(g, dims, scale, not forward))


REAL = (((4,), (0,), 1.0, True), ((2, 3), (0, 1), 0.5, True), ((2, 3), (1,), 1.0, False))


@op("FftR2CBackward0", samples=REAL)
def fft_real(a: Array, dims: Dims, scale: float, half: bool) -> Any:
    """The Fourier transform of real numbers; the half of it that says all, where wanted"""
    whole = transformed(a, dims, scale, True)
    return first_half(whole, dims[-1]) if half else whole


def first_half(a: Array, dim: int) -> Any:
    index = [slice(None)] * a.ndim
    index[dim] = slice(a.shape[dim] // 2 + 1)
    return a[tuple(index)]


def real_gradient(g: Any, shape: Dims, dims: Dims, scale: float) -> Any:
    missing = shape[dims[-1]] - g.shape[dims[-1]]
    return fft_complex(resized(g, dims[-1], missing), dims, scale, False)


fft_real.grad(a=lambda g, a, a_dtype, dims, scale: cast(real_gradient(g, a.shape, dims, scale), a_dtype))


@op("FftC2RBackward0")
def fft_to_real(a: Array, dims: Dims, scale: float, size: int) -> Any:
    """The inverse Fourier transform of the half that says all; size: of the last dimension"""
    others = dims[:-1]
    part = transformed(a, others, 1.0, False) if others else a
    found = np.fft.irfft(part, size, axis=dims[-1], norm="forward") * scale
    return found.astype(part.real.dtype)


def half_gradient(g: Any, kind: Any, dims: Dims, scale: float) -> Any:
    found = fft_real(g, dims, scale, True)
    side = found.shape[dims[-1]]
    twice = np.ones(side)
    twice[1 : 1 + g.shape[dims[-1]] - side] = 2
    shape = [1] * len(found.shape)
    shape[dims[-1]] = side
    return cast(masked(found, twice.reshape(shape)), kind)


fft_to_real.grad(a=lambda g, a_dtype, dims, scale: half_gradient(g, a_dtype, dims, scale))


def resized(a: Any, dim: int, more: int) -> Any:
    """Return an array or tensor with zeros put behind a dimension, or with its end cut off."""
    if not more:
        return a
    count = len(a.shape)
    pads = (0, 0) * (count - 1 - dim) + (0, more)
    return pad_constant(a, pads, 0) if more > 0 else slice_at(a, dim, 0, a.shape[dim] + more, 1)


def scale_of(norm: str | None, count: int, forward: bool) -> float:
    """Return what a transform of `count` numbers is multiplied by; raises RuntimeError for another norm."""
    scales = {"backward": 1.0 if forward else 1 / count, "ortho": 1 / math.sqrt(count), "forward": 1 / count}
    if norm not in (None, *scales):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return scales[norm or "backward"] if norm != "forward" or forward else 1.0


def prepared(input: Any, name: str, sizes: Sequence[int | None], dims: Dims, real: bool = False) -> Any:
    """Return an input of floats with the sizes asked for; raises RuntimeError in PyTorch's words for others."""
    kind = input._data.dtype
    if real and CATEGORY[kind] == COMPLEX:
        raise RuntimeError(f"{name} expects a real input tensor, but got {dtypes.of(input._data).tensor_type}")
    if CATEGORY[kind] < FLOAT:
        input = cast(input, dtypes.default.float.numpy)
    for dim, size in zip(dims, sizes, strict=True):
        if size is not None and size < 1:
            raise RuntimeError(f"Invalid number of data points ({size}) specified")
        input = resized(input, dim, 0 if size is None else size - input.shape[dim])
    return input


def complex_of(input: Any) -> Any:
    """Return an input as complex numbers."""
    kind = input._data.dtype
    return input if CATEGORY[kind] == COMPLEX else cast(input, np.promote_types(kind, np.complex64))


def to_complex(input: Any, name: str, sizes: Any, dims: Dims, norm: Any, forward: bool) -> Any:
    input = prepared(input, name, sizes, dims)
    scale = scale_of(norm, math.prod(input.shape[dim] for dim in dims), forward)
    if CATEGORY[input._data.dtype] == COMPLEX:
        return fft_complex(input, dims, scale, forward)
    found = fft_real(input, dims, scale, False)
    return found if forward else conj_of(found)


def to_half(input: Any, name: str, sizes: Any, dims: Dims, norm: Any, forward: bool) -> Any:
    input = prepared(input, name, sizes, dims, True)
    if forward:
        scale = scale_of(norm, math.prod(input.shape[dim] for dim in dims), True)
        return fft_real(input, dims, scale, True)
    others = dims[:-1]
    found = conj_of(fft_real(input, dims[-1:], scale_of(norm, input.shape[dims[-1]], False), True))
    scale = scale_of(norm, math.prod(input.shape[dim] for dim in others), False)
    return fft_complex(found, others, scale, False) if others else found


def to_real(input: Any, name: str, sizes: Any, dims: Dims, norm: Any, forward: bool) -> Any:
    size = 2 * (input.shape[dims[-1]] - 1) if sizes[-1] is None else sizes[-1]
    if size < 1:
        raise RuntimeError(f"Invalid number of data points ({size}) specified")
    input = complex_of(prepared(input, name, (*sizes[:-1], size // 2 + 1), dims))
    scale = scale_of(norm, size * math.prod(input.shape[dim] for dim in dims[:-1]), forward)
    return fft_to_real(conj_of(input) if forward else input, dims, scale, size)


KINDS: dict[str, tuple[Callable[..., Any], bool]] = {
    "fft": (to_complex, True),
    "ifft": (to_complex, False),
    "rfft": (to_half, True),
    "irfft": (to_real, False),
    "hfft": (to_real, True),
    "ihfft": (to_half, False),
}
"""For each transform what it gives and whether it goes forward."""


def along_one(name: str) -> Callable[..., Any]:
    """Return a transform along one dimension."""
    run, forward = KINDS[name]

    def call(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
        if not input.dim():
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        return run(input, name, (n,), (dim_of(dim, input.dim()),), norm, forward)

    call.__doc__ = f"Return a Fourier transform along a dimension (torch.fft.{name})."
    return checked(call, f"fft_{name}", ("Tensor input, int? n=None, int dim=-1, str? norm=None, *, Tensor? out=None",))


def along_several(name: str, default: Dims | None) -> Callable[..., Any]:
    """Return a transform along several dimensions, all of them or those by default."""
    run, forward = KINDS[name]

    def call(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
        places = default if dim is None else (dim,) if isinstance(dim, int) else dim
        s = (s,) if isinstance(s, int) else s
        if s is not None and dim is None and len(s) > input.dim():
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {input.dim()} dimensions.")
        if places is None:
            places = tuple(range(input.dim()) if s is None else range(-len(s), 0))
        if places and not input.dim():
            raise IndexError(f"Dimension specified as {places[0]} but tensor has no dimensions")
        dims = tuple(dim_of(one, input.dim()) for one in places)
        if len(set(dims)) < len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
        sizes = [None if s is None or s[i] == -1 else s[i] for i in range(len(dims))]
        given = complex_of(prepared(input, name, sizes, dims)) if run is to_complex else input
        return run(given, name, sizes, dims, norm, forward)

    call.__doc__ = f"Return a Fourier transform along dimensions (torch.fft.{name}n)."
    text = "Tensor input, int_or_ints? s=None, int_or_ints? dim=None, str? norm=None, *, Tensor? out=None"
    return checked(call, f"fft_{name}{'n' if default is None else 2}", (text,))


def frequencies(n: int, d: float = 1.0, **options: Any) -> Any:
    """Return the frequencies of a transform (torch.fft.fftfreq)."""
    return SPACES["torch"]["tensor"](np.fft.fftfreq(n, d).tolist(), **options)


def half_frequencies(n: int, d: float = 1.0, **options: Any) -> Any:
    """Return the frequencies of a transform of real numbers (torch.fft.rfftfreq)."""
    return SPACES["torch"]["tensor"](np.fft.rfftfreq(n, d).tolist(), **options)


def shifting(sign: int) -> Callable[..., Any]:
    def call(input: Any, dim: Any = None) -> Any:
        dims = range(input.dim()) if dim is None else (dim,) if isinstance(dim, int) else dim
        places = tuple(dim_of(one, input.dim()) for one in dims)
        sides = [input.shape[place] for place in places]
        return input.roll(tuple(side // 2 if sign > 0 else -(side // 2) for side in sides), places)

    call.__doc__ = "Move the frequency 0 to the middle, or back (torch.fft.fftshift, torch.fft.ifftshift)."
    return call


functions(
    "torch.fft",
    **{name: along_one(name) for name in KINDS},
    **{f"{name}2": along_several(name, (-2, -1)) for name in KINDS},
    **{f"{name}n": along_several(name, None) for name in KINDS},
    fftfreq=frequencies,
    rfftfreq=half_frequencies,
    fftshift=shifting(1),
    ifftshift=shifting(-1),
)
