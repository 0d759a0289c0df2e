"""Complex numbers: their parts, angles and conjugates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import methods, public
from gradrepl.engine.dtype import CATEGORY, COMPLEX, FLOAT, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import data_of, op
from gradrepl.engine.ops.arithmetic import abs, conj, conj_of, sgn
from gradrepl.engine.ops.shape import clone, real_parts, where, zeros_of
from gradrepl.engine.ops.view import select_at
from gradrepl.engine.tensor import Tensor

PARTS: dict[Any, Any] = {np.dtype(np.complex64): np.dtype(np.float32), np.dtype(np.complex128): np.dtype(np.float64)}
WHOLES: dict[Any, Any] = {part: whole for whole, part in PARTS.items()}


@op("ViewAsRealBackward0", view=True)
def as_real(a: Array) -> Any:
    """a's real and imaginary parts, in a new last dimension"""
    return a[..., None].view(PARTS[a.dtype])


@op("ViewAsComplexBackward0", view=True, samples=(((3, 2),),))
def as_complex(a: Array) -> Any:
    """Complex numbers out of the pairs in the last dimension"""
    return a.view(WHOLES[a.dtype])[..., 0]


def packed(g: Any) -> Any:
    """Make complex numbers of pairs that may lie apart."""
    return as_complex(clone(g) if isinstance(g, Tensor) else np.ascontiguousarray(g))


as_real.grad(a=lambda g: packed(g))
as_complex.grad(a=lambda g: as_real(g))


@op("ComplexBackward0", broadcasts=True, samples=(((2, 3), (2, 3)),))
def from_parts(real: Array, imag: Array) -> Any:
    """real + i · imag"""
    whole: Array = np.empty(np.broadcast_shapes(real.shape, imag.shape), WHOLES[real.dtype])
    whole.real, whole.imag = real, imag
    return whole


from_parts.grad(real=lambda g, real: part(g, 0), imag=lambda g, imag: part(g, 1))


@op("PolarBackward0", broadcasts=True, samples=(((2, 3), (2, 3)),))
def from_polar(size: Array, angle: Array) -> Any:
    """size · e ** (i · angle)"""
    return from_parts.forward(size * np.cos(angle), size * np.sin(angle))


from_polar.grad(
    size=lambda g, out: part(g * conj(sgn(out)), 0),
    angle=lambda g, out: part(g * conj(out * 1j), 0),
)


@op("AngleBackward0", samples=(((2, 3),),))
def angle_of(a: Array) -> Any:
    """The angle of a in the plane; for a real number 0 or π"""
    if a.dtype.kind == "c":
        return np.angle(a)
    kind = a.dtype if CATEGORY[a.dtype] == FLOAT else dtypes.default.float.numpy
    return np.where(a != a, a, np.where(a < 0, np.pi, 0.0)).astype(kind)


def angle_slope(g: Any, a: Any) -> Any:
    if (a._data if isinstance(a, Tensor) else a).dtype.kind != "c":
        return zeros_of(g)
    square = abs(a) * abs(a)
    return where(square == 0, 0.0, g * (a * 1j / square))


angle_of.grad(a=lambda g, a: angle_slope(g, a))


def part(z: Any, which: int) -> Any:
    """Return the real (0) or imaginary (1) part of an array or tensor."""
    return select_at(as_real(z), z.ndim, which)


real_parts.append(lambda z: part(z, 0))


@public("Tensor input")
def view_as_real(input: Tensor) -> Tensor:
    """Return a view with real and imaginary parts in a last dimension (torch.view_as_real)."""
    if CATEGORY[input._data.dtype] != COMPLEX:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return as_real(input)


@public("Tensor input")
def view_as_complex(input: Tensor) -> Tensor:
    """Return a complex view of pairs in the last dimension (torch.view_as_complex)."""
    if input._data.dtype not in WHOLES:
        kind = dtypes.of(input._data).tensor_type
        raise RuntimeError(
            f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            f"{kind}"
        )
    if input.ndim == 0:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if input._data.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    return as_complex(input)


def real_part(input: Tensor) -> Tensor:
    """Return the real part, a view; a real tensor itself (torch.real)."""
    return part(input, 0) if CATEGORY[input._data.dtype] == COMPLEX else input


def imaginary_part(input: Tensor) -> Tensor:
    """Return the imaginary part, a view; raises RuntimeError for real tensors (torch.imag)."""
    if CATEGORY[input._data.dtype] != COMPLEX:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return part(input, 1)


def writable(part_of: Callable[[Tensor], Tensor]) -> property:
    """Return the property of a part; assigning to it writes into the tensor."""

    def write(self: Tensor, value: Any) -> None:
        part: Any = part_of(self)
        if isinstance(value, Tensor):
            part.copy_(value)
        else:
            part[...] = value

    return property(part_of, write, None, part_of.__doc__)


public("Tensor input", name="real", method=False)(real_part)
public("Tensor input", name="imag", method=False)(imaginary_part)
methods(real=writable(real_part), imag=writable(imaginary_part))
for name in ("conj", "resolve_conj", "resolve_neg"):
    public("Tensor input", name=name)(conj_of if name == "conj" else lambda input: input)


@op("ConjPhysicalBackward0", samples=(((2, 3),),))
def conjugated(a: Array) -> Any:
    """The complex conjugate of a, written out"""
    return np.conjugate(a)


@op("ConjPhysicalBackward1", samples=(((2, 3),),))
def conjugated_here(a: Array) -> Any:
    """The complex conjugate of a, as it is written in place"""
    return np.conjugate(a) if a.dtype.kind == "c" else a


conjugated.grad(a=lambda g: conjugated(g))
conjugated_here.grad(a=lambda g: conjugated(g) if data_of(g).dtype.kind == "c" else g)


@public("Tensor input, *, Tensor? out=None")
def conj_physical(input: Tensor) -> Any:
    """Return the complex conjugate in new memory (torch.conj_physical)."""
    return conjugated(input) if CATEGORY[input._data.dtype] == COMPLEX else input


public("Tensor input", name="conj_physical_", function=False)(in_place(conjugated_here))
public("Tensor input, *, Tensor? out=None", name="angle")(angle_of.call)


def check_parts(name: str, real: Tensor, imag: Tensor) -> None:
    """Raise what PyTorch raises for parts that make no complex number."""
    kinds = real.dtype, imag.dtype
    if any(kind.numpy not in WHOLES for kind in kinds):
        raise RuntimeError(
            "Expected both inputs to be Half, Float or Double tensors but got "
            f"{kinds[0].tensor_type} and {kinds[1].tensor_type}"
        )
    if kinds[0] is not kinds[1]:
        raise RuntimeError(
            f"Expected object of scalar type {kinds[0].tensor_type} but got scalar type {kinds[1].tensor_type} for "
            "second argument"
        )


@public("Tensor real, Tensor imag, *, Tensor? out=None", method=False)
def complex(real: Tensor, imag: Tensor) -> Any:
    """Make complex numbers of their parts (torch.complex)."""
    check_parts("complex", real, imag)
    return from_parts(real, imag)


@public("Tensor abs, Tensor angle, *, Tensor? out=None", method=False)
def polar(abs: Tensor, angle: Tensor) -> Any:
    """Make complex numbers of their sizes and angles (torch.polar)."""
    check_parts("polar", abs, angle)
    return from_polar(abs, angle)
