"""Random tensors: PyTorch's own numbers for a seed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine import random
from gradrepl.engine.api import functions, public
from gradrepl.engine.creation import LIKE, OPTIONS, leaf, numpy_kind, sides
from gradrepl.engine.dtype import BOOL, CATEGORY, FLOAT, FLOAT64, INT64, Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.tensor import Tensor, make

BAD_P = (
    "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, please "
    "report an enhancement request to PyTorch.)"
)
Draw = Callable[[tuple[int, ...], Any, Any], Array]


def twice(before: str, after: str) -> tuple[str, str]:
    """Return the two overloads of a random factory: with a generator and without."""
    return f"{before}, *, Generator generator, {after}", f"{before}, *, {after}"


def not_implemented(kernel: str, kind: np.dtype[Any]) -> NotImplementedError:
    return NotImplementedError(f"\"{kernel}\" not implemented for '{dtypes.OF_NUMPY[kind].tensor_type}'")


def uniforms(shape: tuple[int, ...], kind: np.dtype[Any], generator: Any) -> Array:
    if CATEGORY[kind] < FLOAT:
        raise not_implemented("check_uniform_bounds", kind)
    return random.uniform_array(shape, kind, generator)


def normals(shape: tuple[int, ...], kind: np.dtype[Any], generator: Any) -> Array:
    if CATEGORY[kind] < FLOAT:
        raise not_implemented("normal_kernel_cpu", kind)
    return random.normal_array(shape, kind, generator)


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
        return leaf(draw(input._data.shape, kind, generator), requires_grad, **options)

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
    return leaf(integers(input._data.shape, int(low), int(high), kind, generator), requires_grad, **options)


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
        return entry(self, lambda a: draw(a.shape, a.dtype, generator, **numbers))

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
    return uniforms(shape, kind, generator) * kind.type(to - from_) + kind.type(from_)


def bell(shape: Any, kind: Any, generator: Any, mean: Any = 0, std: Any = 1) -> Array:
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if math.prod(shape) < 16 and CATEGORY[kind] == FLOAT:
        return (random.normal_array(shape, FLOAT64, generator) * std + mean).astype(kind)
    return normals(shape, kind, generator) * kind.type(std) + kind.type(mean)


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
        raise not_implemented("log_normal_cpu", kind)
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
        return RANDOM["full"](self, lambda a: any_integers(a.shape, a.dtype, generator))
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
    return integers(a.shape, low, high, a.dtype, generator)


def any_integers(shape: tuple[int, ...], kind: np.dtype[Any], generator: Any) -> Array:
    """Return integers of all that a dtype holds: not negative, and exact where it is a float."""
    source, count = generator or random.default_generator, math.prod(shape)
    if kind.name in DIGITS:
        limit = 2 ** DIGITS[kind.name] + 1
    else:
        limit = 2 if CATEGORY[kind] == BOOL else int(np.iinfo(kind).max) + 1
    words = source.raw64(count) if kind.itemsize == 8 else source.raw(count)
    return (words % np.uint64(limit)).astype(kind).reshape(shape)


def check_probabilities(p: Array) -> None:
    if not bool(np.all((p >= 0) & (p <= 1))):
        raise RuntimeError(BAD_P)


def coin(p: Array, generator: Any) -> Array:
    """Return ones with the probabilities in an array, in its dtype."""
    if CATEGORY[p.dtype] < FLOAT:
        raise not_implemented("bernoulli_tensor_cpu_p_", p.dtype)
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
        return BERNOULLI["number"](self, lambda a: fixed_coin(a.shape, a.dtype, p, generator))
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


normal_mean.grad(mean=lambda g: zeros_of(g))
normal_std.grad(std=lambda g: zeros_of(g))
normal_both.grad(mean=lambda g: zeros_of(g), std=lambda g: zeros_of(g))


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
    both(mean._data.shape, std._data.shape)
    return normal_both(mean, std, generator)


def both(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    from gradrepl.engine.op import check_broadcast

    check_broadcast((np.empty(a), np.empty(b)))


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
