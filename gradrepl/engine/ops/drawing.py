"""Random tensors: PyTorch's own numbers for a seed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions, public
from gradrepl.engine.dtype import BOOL, CATEGORY, FLOAT, INT64, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.kernels import no_kernel
from gradrepl.engine.op import op
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.tensor import Tensor
from gradrepl.engine.values import random
from gradrepl.engine.values.creation import LIKE, OPTIONS, leaf, numpy_kind, sides

Draw = Callable[[tuple[int, ...], Any, Any], Array]


def twice(before: str, after: str) -> tuple[str, str]:
    """Return the two overloads of a random factory: with a generator and without."""
    return f"{before}, *, Generator generator, {after}", f"{before}, *, {after}"


def uniforms(shape: tuple[int, ...], kind: np.dtype[Any], generator: Any, *limits: float) -> Array:
    if CATEGORY[kind] < FLOAT:
        raise no_kernel("check_uniform_bounds", dtypes.OF_NUMPY[kind])
    return random.uniform_array(shape, kind, generator, *limits)


def normals(
    shape: tuple[int, ...], kind: np.dtype[Any], generator: Any, mean: float = 0, std: float = 1, whole: bool = True
) -> Array:
    if CATEGORY[kind] < FLOAT:
        raise no_kernel("normal_kernel_cpu", dtypes.OF_NUMPY[kind])
    return random.scaled_normals(shape, kind, mean, std, generator, whole)


def drawn_for(a: Array, draw: Callable[..., Array], *settings: Any, **numbers: Any) -> Array:
    """Return draw(shape, ...) for an array, in the order in which it lies in memory; normals know if it has gaps."""
    if a.flags.c_contiguous:
        return draw(a.shape, *settings, **numbers)
    if draw in (normals, bell):
        numbers["whole"] = False
    return random.in_memory_order(a, lambda shape: draw(shape, *settings, **numbers))


def factory(name: str, draw: Draw) -> None:
    """Expose torch.rand or torch.randn, and its form like another tensor."""

    def call(
        size: Any, generator: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any
    ) -> Tensor:
        return leaf(draw(sides(size), numpy_kind(dtype), generator), requires_grad, **options)

    def like(
        input: Tensor, generator: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any
    ) -> Tensor:
        kind = numpy_kind(dtype, input._data.dtype)
        return leaf(drawn_for(input._data, draw, kind, generator), requires_grad, **options)

    call.__doc__ = f"Draw a tensor of a size (torch.{name})."
    like.__doc__ = f"Draw a tensor like another (torch.{name}_like)."
    public(*twice("ints size", f"Tensor? out=None, {OPTIONS}"), name=name, method=False)(call)
    public(*twice("Tensor input", LIKE.partition("*, ")[2]), name=f"{name}_like", method=False)(like)


factory("rand", uniforms)
factory("randn", normals)


def integers(shape: tuple[int, ...], low: int, high: int, kind: np.dtype[Any], generator: Any) -> Array:
    """Return integers in [low, high) in a dtype; raises RuntimeError in PyTorch's words for an empty range."""
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if CATEGORY[kind] < FLOAT:
        most = (0, 1) if CATEGORY[kind] == BOOL else (np.iinfo(kind).min, np.iinfo(kind).max)
        for text, value in (("from", low), ("to - 1", high - 1)):
            if not most[0] <= value <= most[1]:
                raise RuntimeError(f"{text} is out of bounds for {C_NAMES[kind.name]}")
    return random.integer_array(shape, low, high, generator).astype(kind)


C_NAMES = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long int",
}


@public(
    *twice("int high, ints size", f"Tensor? out=None, {OPTIONS}"),
    *twice("int low, int high, ints size", f"Tensor? out=None, {OPTIONS}"),
    method=False,
)
def randint(
    first: int,
    high: int | None = None,
    size: Any = (),
    generator: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Draw integers in [low, high), low being 0 unless given (torch.randint)."""
    low, high = (0, first) if high is None else (first, high)
    kind = numpy_kind(dtype, INT64)
    return leaf(integers(sides(size), int(low), int(high), kind, generator), requires_grad, **options)


REST = LIKE.partition("*, ")[2]


@public(
    *twice("Tensor input, int low, int high", REST),
    *twice("Tensor input, Tensor high", REST),
    *twice("Tensor input, int high", REST),
    method=False,
)
def randint_like(
    input: Tensor,
    low: Any = 0,
    high: Any = None,
    generator: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Draw integers in [low, high) in the shape of another tensor (torch.randint_like)."""
    kind = numpy_kind(dtype, input._data.dtype)
    drawn = drawn_for(input._data, integers, int(low), int(high), kind, generator)
    return leaf(drawn, requires_grad, **options)


@public(*twice("int n", f"Tensor? out=None, {OPTIONS}"), method=False)
def randperm(n: int, generator: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
    """Draw 0 ... n - 1 in random order (torch.randperm)."""
    sides((n,))
    kind = numpy_kind(dtype, INT64)
    if kind.kind in "iu" and n - 1 > np.iinfo(kind).max:
        raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow")
    return leaf(np.array(random.permutation(int(n), generator), INT64).astype(kind), requires_grad, **options)


def write(name: str, node: str, text: str, draw: Callable[..., Array]) -> None:
    """Expose Tensor.uniform_ and its kin; draw(shape, kind, generator, ...) gives the numbers."""
    entry = overwriting(node)

    def call(self: Tensor, generator: Any = None, **numbers: Any) -> Tensor:
        return entry(self, lambda a: drawn_for(a, draw, a.dtype, generator, **numbers))

    call.__doc__ = f"Overwrite with random numbers (torch.Tensor.{name})."
    signature = f"Tensor input, {text}*, Generator? generator=None"
    public(signature, name=name, function=False)(renamed(call))


def renamed(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let a parameter be called `from`, which Python does not."""
    return lambda self, **numbers: call(self, **{f"{k}_" if k == "from" else k: v for k, v in numbers.items()})


def overwriting(node: str) -> Callable[..., Tensor]:
    """Return the in-place operation that overwrites all of a tensor with what a function draws for it."""

    def overwrite(a: Array, draw: Any) -> Any:
        return draw(a)

    overwrite.__name__ = node.partition("Backward")[0].lower() + node[-1]
    overwrite.__annotations__ = {"a": "Array", "draw": "Any"}
    overwrite.__doc__ = "Random numbers in the shape of a"
    entry = op(node)(overwrite)
    entry.grad(a=lambda g: zeros_of(g))
    return in_place(entry)


def need_float(kind: np.dtype[Any], name: str, shown: str = "") -> None:
    if CATEGORY[kind] < FLOAT:
        raise RuntimeError(
            f"{name} distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {shown or dtypes.OF_NUMPY[kind].tensor_type}"
        )


def between(shape: Any, kind: Any, generator: Any, from_: Any = 0, to: Any = 1) -> Array:
    if CATEGORY[kind] >= FLOAT and from_ > to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}")
    return uniforms(shape, kind, generator, from_, to)


def bell(shape: Any, kind: Any, generator: Any, mean: Any = 0, std: Any = 1, whole: bool = True) -> Array:
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    return normals(shape, kind, generator, mean, std, whole)


def waiting(shape: Any, kind: Any, generator: Any, lambd: Any = 1) -> Array:
    need_float(kind, "Exponential")
    if lambd <= 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    return (random.exponential_array(shape, generator) / lambd).astype(kind)


def tries(shape: Any, kind: Any, generator: Any, p: Any) -> Array:
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    return np.ceil(np.log(random.exact_uniforms(shape, generator)) / math.log1p(-p)).astype(kind)


def slopes(shape: Any, kind: Any, generator: Any, median: Any = 0, sigma: Any = 1) -> Array:
    need_float(kind, "Cauchy", C_NAMES.get(kind.name, kind.name))
    if sigma <= 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    return (median + sigma * np.tan(math.pi * (random.exact_uniforms(shape, generator) - 0.5))).astype(kind)


def powers(shape: Any, kind: Any, generator: Any, mean: Any = 1, std: Any = 2) -> Array:
    if CATEGORY[kind] < FLOAT:
        raise no_kernel("log_normal_cpu", dtypes.OF_NUMPY[kind])
    if std <= 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    source = generator or random.default_generator
    values = source.normals_one_by_one(math.prod(shape))
    return np.exp(values * std + mean).astype(kind).reshape(shape)


write("uniform_", "UniformBackward0", "float from=0, float to=1, ", between)
write("normal_", "NormalBackward0", "float mean=0, float std=1, ", bell)
write("exponential_", "ExponentialBackward0", "float lambd=1, ", waiting)
write("geometric_", "GeometricBackward0", "float p, ", tries)
write("cauchy_", "CauchyBackward0", "float median=0, float sigma=1, ", slopes)
write("log_normal_", "LogNormalBackward0", "float mean=1, float std=2, ", powers)

RANDOM = {name: overwriting(f"RandomBackward{number}") for number, name in enumerate(("range", "to", "full"))}
DIGITS = {"float16": 11, "float32": 24, "float64": 53}


@public(
    "Tensor input, *, Generator? generator=None",
    "Tensor input, int from, int? to, *, Generator? generator=None",
    "Tensor input, int to, *, Generator? generator=None",
    function=False,
)
def random_(self: Tensor, generator: Any = None, **bounds: Any) -> Tensor:
    """Overwrite with random integers: below `to`, in [from, to), or of all that the dtype has (random_)."""
    low, high = bounds.get("from"), bounds.get("to")
    if high is None and low is None:
        return RANDOM["full"](self, lambda a: drawn_for(a, any_integers, a.dtype, generator))
    form = "to" if low is None else "range"
    return RANDOM[form](self, lambda a: bounded(a, low or 0, high, generator))


def bounded(a: Array, low: int, high: int | None, generator: Any) -> Array:
    if high is None:
        high = 2 ** DIGITS[a.dtype.name] + 1 if a.dtype.name in DIGITS else int(np.iinfo(a.dtype).max) + 1
    digits = DIGITS.get(a.dtype.name)
    if digits is not None and low < high and abs(high - 1) > 2**digits:
        name = {"float32": "float", "float64": "double"}.get(a.dtype.name, "c10::Half")
        warnings.warn(
            f"to - 1 is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {name} can support "
            "discrete uniform distribution only within this range. This warning will become an error in version 1.7 "
            "release, please fix the code in advance",
            UserWarning,
            stacklevel=6,
        )
    return drawn_for(a, integers, low, high, a.dtype, generator)


def any_integers(shape: tuple[int, ...], kind: np.dtype[Any], generator: Any) -> Array:
    """Return integers of all that a dtype holds: not negative, and exact where it is a float."""
    source, count = generator or random.default_generator, math.prod(shape)
    if kind.name in DIGITS:
        limit = 2 ** DIGITS[kind.name] + 1
    else:
        limit = 2 if CATEGORY[kind] == BOOL else int(np.iinfo(kind).max) + 1
    words = source.raw64(count) if kind.itemsize == 8 else source.raw(count)
    return (words % np.uint64(limit)).astype(kind).reshape(shape)


def get_rng_state() -> Tensor:
    """Return the state of the default generator (torch.get_rng_state)."""
    return random.default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Go on from a state of the default generator (torch.set_rng_state)."""
    random.default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **options: Any) -> Iterator[None]:
    """Leave the default generator afterwards as it was before (torch.random.fork_rng)."""
    before = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(before)


RANDOM_MODULE: dict[str, Any] = {
    "manual_seed": random.manual_seed,
    "seed": random.default_generator.seed,
    "initial_seed": random.default_generator.initial_seed,
    "get_rng_state": get_rng_state,
    "set_rng_state": set_rng_state,
    "default_generator": random.default_generator,
}
functions(**RANDOM_MODULE)
functions("torch.random", **RANDOM_MODULE, fork_rng=fork_rng)
