"""Images and sequences made larger or smaller: torch.nn.functional.interpolate."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.dtype import Array
from gradrepl.engine.op import Op, op
from gradrepl.engine.ops.windows import Ints
from gradrepl.engine.wanted import wants

ALIGN_ALONE = (
    "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
)
FRACTION = "size shape must match input spatial shape. Input is {}D, size is {}"


class Way(NamedTuple):
    """How to resample: the mode, the scale of each dimension (None: from the sizes), whether corners stay."""

    mode: str
    scales: tuple[float | None, ...]
    corners: bool


def nearest(size: int, out: int, scale: float | None, corners: bool) -> tuple[Any, Any]:
    ratio = np.float32(size / out if scale is None else 1 / scale)
    places = np.minimum(np.floor(np.arange(out, dtype=np.float32) * ratio).astype(int), size - 1)
    return places[:, None], np.ones((out, 1))


def nearest_exact(size: int, out: int, scale: float | None, corners: bool) -> tuple[Any, Any]:
    ratio = np.float32(size / out if scale is None else 1 / scale)
    places = np.floor((np.arange(out, dtype=np.float32) + np.float32(0.5)) * ratio).astype(int)
    return np.minimum(places, size - 1)[:, None], np.ones((out, 1))


def positions(size: int, out: int, scale: float | None, corners: bool) -> Any:
    """Return where in the old side each place of the new one lies."""
    if corners:
        return np.arange(out) * ((size - 1) / (out - 1) if out > 1 else 0.0)
    return (np.arange(out) + 0.5) * (size / out if scale is None else 1 / scale) - 0.5


def linear(size: int, out: int, scale: float | None, corners: bool) -> tuple[Any, Any]:
    at = np.maximum(positions(size, out, scale, corners), 0)
    low = np.minimum(np.floor(at).astype(int), size - 1)
    share = np.clip(at - low, 0, 1)
    return np.stack([low, np.minimum(low + 1, size - 1)], 1), np.stack([1 - share, share], 1)


def near(x: Any) -> Any:
    """Return the weight of a place less than 1 away."""
    return (1.25 * x - 2.25) * x * x + 1


def far(x: Any) -> Any:
    """Return the weight of a place between 1 and 2 away."""
    return ((-0.75 * x + 3.75) * x - 6) * x + 3


def cubic(size: int, out: int, scale: float | None, corners: bool) -> tuple[Any, Any]:
    at = positions(size, out, scale, corners)
    low = np.floor(at).astype(int)
    share = at - low
    weights = [far(share + 1), near(share), near(1 - share), far(2 - share)]
    return np.stack([np.clip(low + step, 0, size - 1) for step in (-1, 0, 1, 2)], 1), np.stack(weights, 1)


Rule = Callable[[int, int, "float | None", bool], tuple[Any, Any]]
RULES: dict[str, Rule] = {
    "nearest": nearest,
    "nearest-exact": nearest_exact,
    "linear": linear,
    "bilinear": linear,
    "bicubic": cubic,
    "trilinear": linear,
}
"""For each mode which old places a new one is made of, and with which weights."""


def matrices(size: Ints, out: Ints, way: Way, kind: Any) -> list[Any]:
    """Return for each dimension the matrix that takes its old side to its new one."""
    found = []
    for old, new, scale in zip(size, out, way.scales, strict=True):
        places, weights = RULES[way.mode](old, new, scale, way.corners)
        matrix = np.zeros((new, old), kind)
        np.add.at(matrix, (np.arange(new)[:, None], places), weights)
        found.append(matrix)
    return found


def along_sides(a: Any, sides: list[Any]) -> Any:
    """Multiply each of the last dimensions by its matrix."""
    for back, matrix in enumerate(reversed(sides), 1):
        a = np.moveaxis(np.moveaxis(a, -back, -1) @ matrix.T, -1, -back)
    return np.ascontiguousarray(a)


def picked(a: Array, out: Ints, way: Way) -> Any:
    """Return the elements that modes which mix none of them take."""
    for back, (side, scale) in enumerate(zip(reversed(out), reversed(way.scales), strict=True), 1):
        places, _ = RULES[way.mode](a.shape[-back], side, scale, way.corners)
        a = a.take(places[:, 0], -back)
    return a


def resampling(node: str, name: str, dims: int, mode: str) -> Op:
    """Make the entry of one mode in a number of dimensions, and that of its gradient."""

    def forward(a: Array, out: Ints, way: Way) -> Any:
        if mode.startswith("nearest"):
            return picked(a, out, way)
        return along_sides(a, matrices(a.shape[-dims:], out, way, a.dtype))

    def backward(g: Array, size: Ints, way: Way) -> Any:
        return along_sides(g, [matrix.T for matrix in matrices(size, g.shape[-dims:], way, g.dtype)])

    forward.__name__, backward.__name__ = name, f"{name}_gradient"
    forward.__doc__ = f"a in another size ({mode})"
    backward.__doc__ = f"What a gets from the gradient of a in another size ({mode})"
    plain = Way(mode, (None,) * dims, False)
    entry: Op = op(f"{node}Backward0", samples=(((1, 2, *(3, 4, 2)[:dims]), (5, 2, 3)[:dims], plain),))(forward)
    back: Op = op(f"{node}BackwardBackward0", samples=(((1, 2, *(5, 2, 3)[:dims]), (3, 4, 2)[:dims], plain),))(backward)
    entry.grad(a=lambda g, a_shape, way: back(g, a_shape[-dims:], way))
    back.grad(g=lambda gg, g_shape, way: entry(gg, g_shape[-dims:], way))
    return entry


ENTRIES = {
    (mode, dims): resampling(f"Upsample{shown}{dims}D", f"upsample_{shown.lower()}_{dims}d", dims, mode)
    for mode, shown, counts in (
        ("nearest", "Nearest", (1, 2, 3)),
        ("nearest-exact", "NearestExact", (1, 2, 3)),
        ("linear", "Linear", (1,)),
        ("bilinear", "Bilinear", (2,)),
        ("bicubic", "Bicubic", (2,)),
        ("trilinear", "Trilinear", (3,)),
    )
    for dims in counts
}
NEEDED = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
"""The number of dimensions that an input of each of these modes has."""


NEEDED_RANKS = {"linear": 3, "bilinear": 4, "trilinear": 5}
SIDES = ("D", "H", "W")


def check_sides(shape: Ints, out: Ints) -> None:
    """Raise what PyTorch raises where nothing would be left."""
    if min((*shape, *out)) < 1:
        found, made = (", ".join(map("{}: {}".format, SIDES[-len(s) :], s)) for s in (shape, out))
        raise RuntimeError(f"Input and output sizes should be greater than 0, but got input ({found}) output ({made})")


def sizes_of(shape: Ints, size: Any, scale: Any) -> tuple[Ints, tuple[float | None, ...]]:
    """Return the new sides and the scales; raises ValueError where it is not exactly one of both that is given."""
    dims = len(shape)
    if size is not None and scale is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        sides = tuple(size) if isinstance(size, (tuple, list)) else (size,) * dims
        if len(sides) != dims:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(shape)} and output size of {size}. Please provide input tensor in (N, C, d1, d2, "
                "...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        return sides, (None,) * dims
    if scale is None:
        raise ValueError("either size or scale_factor should be defined")
    scales = tuple(map(float, scale)) if isinstance(scale, (tuple, list)) else (float(scale),) * dims
    if len(scales) != dims:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {list(shape)} and scale_factor of shape {scale}. Please provide input tensor in (N, C, d1, "
            "d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
        )
    return tuple(math.floor(float(side) * factor) for side, factor in zip(shape, scales, strict=True)), scales


@wants("interpolate", "input.dim")
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Make an input larger or smaller (torch.nn.functional.interpolate)."""
    if mode not in NEEDED and align_corners is not None:
        raise ValueError(ALIGN_ALONE)
    shape = tuple(input.shape[2:])
    out, scales = sizes_of(shape, size, scale_factor)
    if mode == "area" and len(shape) in (1, 2, 3):
        return SPACES["torch.nn.functional"][f"adaptive_avg_pool{len(shape)}d"](input, out)
    entry = ENTRIES.get((mode, len(shape)))
    if antialias or entry is None:
        wanted = NEEDED_RANKS.get(mode)
        raise NotImplementedError(
            f"Got {input.dim()}D input, but {mode} mode needs {wanted}D input"
            if wanted and input.dim() in (3, 4, 5)
            else f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.dim()}D) for the modes: nearest "
            f"| linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
        )
    check_sides(shape, out)
    used = (None,) * len(shape) if recompute_scale_factor else scales
    return entry(input, out, Way(mode, used, bool(align_corners)))


DEPRECATED = "`nn.functional.{}` is deprecated. Use `nn.functional.interpolate` instead."


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """Make an input larger: the old name of interpolate (torch.nn.functional.upsample)."""
    warnings.warn(DEPRECATED.format("upsample"), UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """Make an input larger by its nearest elements: an old name (torch.nn.functional.upsample_nearest)."""
    warnings.warn(DEPRECATED.format("upsample_nearest"), UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """Make an image larger, corners on corners: an old name (torch.nn.functional.upsample_bilinear)."""
    warnings.warn(DEPRECATED.format("upsample_bilinear"), UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


functions(
    "torch.nn.functional",
    interpolate=interpolate,
    upsample=upsample,
    upsample_nearest=upsample_nearest,
    upsample_bilinear=upsample_bilinear,
)
