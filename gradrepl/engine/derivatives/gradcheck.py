"""Gradients checked by finite differences: torch.autograd.gradcheck and gradgradcheck."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import grad
from gradrepl.engine.derivatives import gradcheck_words as words
from gradrepl.engine.derivatives.gradcheck_incoming import (
    GradcheckError,
    check_batched,
    check_batched_forward,
    check_multiplied,
    check_undefined,
    check_undefined_tangents,
)
from gradrepl.engine.derivatives.jacobians import (
    Function,
    Inputs,
    as_tuple,
    differentiable,
    directional,
    inexact,
    numerical,
    pulled_back,
    pushed_forward,
    units,
    wanted,
)
from gradrepl.engine.dtype import CATEGORY, COMPLEX, FLOAT64
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.creation import numpy_kind
from gradrepl.engine.values.make_tensor import make_tensor
from gradrepl.engine.values.random import Generator, uniform_array


class Options(NamedTuple):
    """How closely derivatives are to agree, and which are compared how."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    undefined: bool
    batched: bool
    batched_forward: bool
    forward: bool
    backward: bool
    fast: bool


class Case(NamedTuple):
    """One function to check: with real outputs for backward, with real inputs in forward mode.

    func_out: what it gave. complex_places: which outputs (inputs in forward mode) were complex before; imaginary:
    whether this is their imaginary part.
    """

    func: Function
    func_out: tuple[Any, ...]
    inputs: Inputs
    forward: bool = False
    complex_places: tuple[int, ...] = ()
    imaginary: bool = False

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The outputs that require grad."""
        return differentiable(self.func_out)


def check_inputs(inputs: Inputs) -> None:
    """Warn of inputs that are not precise enough; raises for overlapping ones, and where there is none to check."""
    places = wanted(inputs)
    for place in places:
        tensor = inputs[place]
        if tensor._data.dtype not in (FLOAT64, "c16"):
            warnings.warn(words.NOT_DOUBLE.format(place), UserWarning, stacklevel=4)
        if any(stride <= 0 and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True)):
            raise RuntimeError(words.OVERLAP.format(place))
    if not places:
        raise ValueError(words.NO_INPUT)


def is_complex(value: Any) -> bool:
    return isinstance(value, Tensor) and CATEGORY[value._data.dtype] == COMPLEX


def cases(func: Function, func_out: Any, inputs: Inputs, forward: bool) -> list[Case]:
    """Return the function as it is, or, where complex numbers stand in the way, its imaginary and its real part."""
    if forward:
        places = tuple(i for i, value in enumerate(inputs) if is_complex(value))
    else:
        places = tuple(i for i, value in enumerate(differentiable(func_out)) if is_complex(value))
    if not any(map(is_complex, inputs if forward else as_tuple(func_out))):
        return [Case(func, as_tuple(func_out), inputs, forward)]
    found = []
    for part in ("imag", "real"):
        given = tuple(getattr(value, part) if is_complex(value) else value for value in inputs) if forward else inputs
        partial = of_part(func, part, inputs) if forward else part_of(func, part)
        found.append(Case(partial, partial(*given), given, forward, places, part == "imag"))
    return found


def part_of(func: Function, part: str) -> Function:
    """Return the function that gives the real or imaginary part of complex outputs."""

    def call(*inputs: Any) -> tuple[Any, ...]:
        return tuple(getattr(out, part) if is_complex(out) else out for out in as_tuple(func(*inputs)))

    return call


def of_part(func: Function, part: str, inputs: Inputs) -> Function:
    """Return the function of the real or imaginary part of complex inputs, the other part as it is in `inputs`."""

    def whole(given: Any, before: Any) -> Any:
        return given + before.imag * 1j if part == "real" else before.real + given * 1j

    def call(*args: Any) -> tuple[Any, ...]:
        pairs = zip(args, inputs, strict=True)
        return as_tuple(func(*[whole(arg, before) if is_complex(before) else arg for arg, before in pairs]))

    return call


def close(found: Any, expected: Any, rtol: float, atol: float) -> bool:
    """Whether two arrays are equal within tolerances, as torch.allclose compares them."""
    return bool((abs(found - expected) <= atol + rtol * abs(expected)).all())


def mismatch(case: Case, place: tuple[int, int], found: Any, expected: Any) -> str:
    """Return what gradcheck says of one output's derivatives by one input."""
    number, position = place
    hit = (position if case.forward else number) in case.complex_places
    part = words.PART.format("imaginary" if case.imaginary else "real", "inputs" if case.forward else "outputs")
    how = "computed with forward mode " if case.forward else ""
    return words.MISMATCH.format(part if hit else "", how, number, position, make(expected), make(found))


def slow(case: Case, options: Options) -> None:
    """Compare whole Jacobians."""
    matrices = numerical(case.func, case.inputs, case.func_out, options.eps, case.forward)
    if not case.outputs:
        if any((matrix != 0).any() for found in matrices for matrix in found):
            raise GradcheckError(words.EXPECTED_ZERO)
        return
    by_output = [row for out, row in zip(case.func_out, zip(*matrices, strict=True), strict=False) if out.requires_grad]
    if case.forward:
        columns = whole_forward(case)
        for number, row in enumerate(by_output):
            for position, expected in enumerate(row):
                compare(case, (number, position), columns[position][number], expected, options)
        return
    for number, out in enumerate(case.outputs):
        for position, found in enumerate(pulled_twice(case, out, units_of(out), options)):
            compare(case, (number, position), found, by_output[number][position], options)


def units_of(out: Tensor) -> list[Any]:
    return [direction for _, direction in units(out)]


def whole_forward(case: Case) -> list[list[Any]]:
    directions = [units_of(case.inputs[place]) for place in wanted(case.inputs)]
    return pushed_forward(case.func, case.inputs, case.func_out, directions)


def compare(case: Case, place: tuple[int, int], found: Any, expected: Any, options: Options) -> None:
    if not close(found, expected, options.rtol, options.atol):
        raise GradcheckError(mismatch(case, place, found, expected))


def pulled_twice(case: Case, out: Tensor, starts: list[Any], options: Options) -> list[Any]:
    """Return what pulled_back gives; raises GradcheckError where it gives something else the next time."""
    first, again = (pulled_back(out, case.inputs, starts) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        if one.size and abs(one - other).max() > options.nondet_tol:
            raise GradcheckError(words.REENTRANT.format(options.nondet_tol))
    return first


def random_direction(tensor: Tensor, generator: Generator, real: bool = False) -> Any:
    """Return a random array of length 1 and a tensor's number of elements; real: also for a complex tensor."""
    kind = tensor._data.dtype
    numbers: Any = make(uniform_array((tensor.numel(),), numpy_kind(None), generator).astype(kind))
    numbers = numbers.real if real and CATEGORY[kind] == COMPLEX else numbers
    return (numbers / numbers.norm())._data


def fast(case: Case, options: Options) -> None:
    """Compare products of Jacobians with random vectors on both sides."""
    generator = Generator()
    places = wanted(case.inputs)
    right: list[Any] = []
    for place in places:
        tensor = case.inputs[place]
        first = random_direction(tensor, generator, True)
        right.append((first, random_direction(tensor, generator, True)) if is_complex(tensor) else first)
    left = None if case.forward else [random_direction(out, generator) for out in case.outputs]
    expected = [products(case, *pair, left, options) for pair in zip(places, right, strict=True)]
    if case.forward:
        shaped = [[one.reshape(case.inputs[place].shape)] for place, one in zip(places, right, strict=True)]
        found = [[row[0] for row in rows] for rows in pushed_forward(case.func, case.inputs, case.func_out, shaped)]
    else:
        if not case.outputs:
            check_constant(case, places, right, options)
        found = turned([both_sides(case, *pair, right, options) for pair in zip(case.outputs, left or (), strict=True)])
    for position, row in enumerate(expected):
        for number, value in enumerate(row):
            weight = 1.0 if left is None else left[number].sum()
            tolerance = options.atol * sum(float(one.sum()) for one in as_tuple(right[position])) * float(weight)
            if not close(found[position][number], value, options.rtol, tolerance):
                text = mismatch(case, (number, position), found[position][number], value)
                raise GradcheckError(text + in_slow_mode(case, number, position, options))


def turned(rows: list[list[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def products(case: Case, place: int, right: Any, left: list[Any] | None, options: Options) -> list[Any]:
    """Return for each output the numerical derivative along one direction, multiplied by the output's vector."""
    found = along(case, place, right, options)
    kept = [one for one, out in zip(found, case.func_out, strict=True) if inexact(out)]
    if left is None:
        return kept
    return [(make(weights) * make(one)).sum()._data for weights, one in zip(left, kept, strict=False)]  # type: ignore[operator]


def along(case: Case, place: int, right: Any, options: Options) -> list[Any]:
    shape = case.inputs[place].shape
    shaped = tuple(one.reshape(shape) for one in as_tuple(right))
    direction = shaped if isinstance(right, tuple) else shaped[0]
    return directional(case.func, case.inputs, place, direction, options.eps, case.forward)


def check_constant(case: Case, places: list[int], right: list[Any], options: Options) -> None:
    for place, direction in zip(places, right, strict=True):
        for one in along(case, place, direction, options):
            if one.size and abs(one).max() > options.nondet_tol:
                raise GradcheckError(words.EXPECTED_ZERO)


def both_sides(case: Case, out: Tensor, left: Any, right: list[Any], options: Options) -> list[Any]:
    """Return for each input the product of one output's vector, its Jacobian and the input's vector."""
    rows = pulled_twice(case, out, [left.reshape(out.shape)], options)
    return [dot(row[:, 0], direction) for row, direction in zip(rows, right, strict=True)]


def dot(row: Any, direction: Any) -> Any:
    if isinstance(direction, tuple):
        return dot(row.real.copy(), direction[0]) + 1j * dot(row.imag.copy(), direction[1])
    return make(row).dot(make(direction))._data  # type: ignore[attr-defined]


def in_slow_mode(case: Case, number: int, position: int, options: Options) -> str:
    """Return what a failure of the fast mode says more: the whole matrices."""
    expected = numerical(case.func, case.inputs, case.outputs, options.eps, case.forward)[position][number]
    if case.forward:
        found = whole_forward(case)[position][number]
    else:
        out = case.outputs[number]
        found = pulled_back(out, case.inputs, units_of(out))[position]
    text = words.IN_SLOW_MODE.format(make(expected), make(found), make(abs(expected - found).max()))
    return text + words.SLOW_WOULD_PASS if close(found, expected, options.rtol, options.atol) else text


def check(func: Function, inputs: Inputs, options: Options) -> None:
    """Raise GradcheckError for the first derivative that is not right."""
    check_inputs(inputs)
    func_out = func(*inputs)
    outputs = differentiable(func_out)
    compare_all = fast if options.fast else slow
    if options.backward:
        for case in cases(func, func_out, inputs, False):
            compare_all(case, options)
    if options.forward:
        parts = cases(func, func_out, inputs, True)
        for case in parts:
            compare_all(case, options)
        for case in parts if options.undefined else ():
            check_undefined_tangents(case.func, case.inputs)
    if options.batched_forward:
        check_batched_forward(func, inputs)
    if not options.backward:
        return
    for number, out in enumerate(outputs if options.batched else ()):
        check_batched(inputs, out, number)
    check_multiplied(outputs, inputs)
    if options.undefined:
        check_undefined(func, inputs)


def need_one(**flags: bool) -> None:
    """Raise what PyTorch raises where nothing is to be checked."""
    if not any(flags.values()):
        raise AssertionError(f"Expected at least one of {' or '.join(flags)} to be True")


def need_too(name: str, flag: bool, other: str, other_flag: bool) -> None:
    """Raise what PyTorch raises for a check that needs another one."""
    if flag and not other_flag:
        raise AssertionError(f"Setting {name}=True requires {other} to be True")


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Return True where gradients agree with finite differences; else raise GradcheckError, or return False.

    `check_grad_dtypes` and `masked` change nothing: gradients always have their input's dtype here, and no tensor
    is sparse.
    """
    need_one(check_forward_ad=check_forward_ad, check_backward_ad=check_backward_ad)
    need_too("check_batched_grad", check_batched_grad, "check_backward_ad", check_backward_ad)
    need_too("check_batched_forward_grad", check_batched_forward_grad, "check_forward_ad", check_forward_ad)
    others = (check_undefined_grad, check_batched_grad, check_batched_forward_grad, check_forward_ad, check_backward_ad)
    try:
        check(func, as_tuple(inputs), Options(eps, atol, rtol, nondet_tol, *others, fast_mode))
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Return True where gradients of gradients agree with finite differences; else raise or return False."""
    need_one(check_fwd_over_rev=check_fwd_over_rev, check_rev_over_rev=check_rev_over_rev)
    need_too("check_undefined_grad", check_undefined_grad, "check_rev_over_rev", check_rev_over_rev)
    need_too("check_batched_grad", check_batched_grad, "check_rev_over_rev", check_rev_over_rev)
    given = as_tuple(inputs)
    starts = as_tuple(grad_outputs)
    if grad_outputs is None:
        starts = start_gradients(differentiable(func(*given)), gen_non_contig_grad_outputs)
    tolerances: dict[str, Any] = {"eps": eps, "atol": atol, "rtol": rtol, "nondet_tol": nondet_tol}
    checks = {"check_undefined_grad": check_undefined_grad, "check_batched_grad": check_batched_grad}
    return gradcheck(
        gradients_of(func, given, starts),
        (*given, *starts),
        **tolerances,
        **checks,
        raise_exception=raise_exception,
        fast_mode=fast_mode,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
    )


def start_gradients(outputs: tuple[Tensor, ...], noncontiguous: bool) -> tuple[Tensor, ...]:
    """Return random gradients of outputs between -1 and 1, themselves to be differentiated by."""
    return tuple(
        make_tensor(
            out.shape, dtype=out.dtype, device="cpu", low=-1, high=1, requires_grad=True, noncontiguous=noncontiguous
        )
        for out in outputs
    )


def gradients_of(func: Function, inputs: Inputs, starts: Inputs) -> Function:
    """Return the function of a function's inputs and start gradients that gives the gradients."""
    flags = [isinstance(value, Tensor) and value.requires_grad for value in (*inputs, *starts)]

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        given = [value.requires_grad_() if flag else value for value, flag in zip(args, flags, strict=True)]
        ins, weights = given[: -len(starts)], given[-len(starts) :]
        outputs = differentiable(func(*ins))
        by = [value for value, flag in zip(ins, flags, strict=False) if flag]
        found = grad(outputs, by, weights, create_graph=True, allow_unused=True)
        return tuple(gradient for gradient in found if gradient is not None)

    return gradients


functions("torch.autograd", gradcheck=gradcheck, gradgradcheck=gradgradcheck)
functions("torch.autograd.gradcheck", gradcheck=gradcheck, gradgradcheck=gradgradcheck, GradcheckError=GradcheckError)
