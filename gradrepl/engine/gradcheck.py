"""Gradients checked by finite differences: torch.autograd.gradcheck and gradgradcheck."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.autograd import grad
from gradrepl.engine.dtype import CATEGORY, COMPLEX, FLOAT64
from gradrepl.engine.forward_ad import dual_level, make_dual, unpack_dual
from gradrepl.engine.grad_mode import enable_grad, no_grad
from gradrepl.engine.tensor import Tensor, make

NO_INPUT = "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
NOT_DOUBLE = (
    "Input #{} requires gradient and is not a double precision floating point or complex. This check will likely fail "
    "if all the inputs are not of double precision floating point or complex. "
)
REENTRANT = (
    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different "
    "values, although analytical gradient matches numerical gradient.The tolerance for nondeterminism was {}.\n\n"
    "NOTE: "
    "If your op relies on non-deterministic operations i.e., it is listed here:\n"
    "https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html\n"
    "this failure might be expected.\n\n"
    "If you are adding a new operator, please file an issue and then use one of the\n"
    "workarounds. The workaround depends on how your test invokes gradcheck/gradgradcheck.\nIf the test\n"
    "- manually invokes gradcheck/gradgradcheck, then call gradcheck/gradgradcheck\n"
    "  with `nondet_tol=<tol>` as a keyword argument.\n"
    "- is OpInfo-based (e.g., in test_ops_gradients.py), then modify the OpInfo for the test\n"
    "  to have `gradcheck_nondet_tol=<tol>`.\n"
    "- is a Module test (e.g., in common_nn.py), then modify the corresponding\n"
    "  module_test entry to have `gradcheck_nondet_tol=<tol>`\n"
)


class GradcheckError(RuntimeError):
    """What gradcheck raises where gradients differ from finite differences (torch.autograd.gradcheck)."""


GradcheckError.__module__ = "torch.autograd.gradcheck"


class Options(NamedTuple):
    """How closely derivatives are to agree, and which are compared."""

    atol: float
    rtol: float
    nondet_tol: float
    forward: bool
    backward: bool


FORWARD = "computed with forward mode "


def as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) else tuple(value)


def checked_inputs(inputs: tuple[Any, ...]) -> list[int]:
    """Return the positions of the inputs to differentiate by; raises ValueError where there is none."""
    positions = [i for i, tensor in enumerate(inputs) if isinstance(tensor, Tensor) and tensor.requires_grad]
    if not positions:
        raise ValueError(NO_INPUT)
    for position in positions:
        kind = inputs[position]._data.dtype
        if kind not in (FLOAT64, np.dtype(np.complex128)):
            warnings.warn(NOT_DOUBLE.format(position), UserWarning, stacklevel=4)
        if CATEGORY[kind] == COMPLEX:
            raise NotImplementedError("gradcheck of complex inputs needs the engine torch")
    return positions


def differentiable(output: Any) -> list[Tensor]:
    return [out for out in as_tuple(output) if isinstance(out, Tensor) and out.requires_grad]


def numerical(func: Callable[..., Any], inputs: tuple[Any, ...], position: int, eps: float) -> list[Any]:
    """Return for each output the matrix of its central differences, a row for each element of the input."""
    data = inputs[position]._data
    rows: list[list[Any]] = []
    for place in np.ndindex(data.shape):
        before = data[place]
        sides = []
        for step in (eps, -eps):
            data[place] = before + step
            with no_grad():
                outputs = as_tuple(func(*inputs))
            sides.append([np.array(out._data, np.float64).reshape(-1) for out in outputs])
        data[place] = before
        rows.append([(up - down) / (2 * eps) for up, down in zip(*sides, strict=True)])
    return [np.array(columns).reshape(data.size, -1) for columns in zip(*rows, strict=True)]


def analytical(out: Tensor, inputs: tuple[Any, ...], positions: Sequence[int]) -> list[Any]:
    """Return for each input the matrix of an output's gradients, a column for each element of the output."""
    wanted = [inputs[position] for position in positions]
    columns: list[list[Any]] = [[] for _ in wanted]
    for element in range(out.numel()):
        start = np.zeros(out._data.size, out._data.dtype)
        start[element] = 1
        found = grad(out, wanted, make(start.reshape(out._data.shape)), retain_graph=True, allow_unused=True)
        for column, tensor, gradient in zip(columns, wanted, found, strict=True):
            data = np.zeros_like(tensor._data) if gradient is None else gradient._data
            column.append(np.array(data).reshape(-1))
    sizes = [tensor._data.size for tensor in wanted]
    return [np.array(column).reshape(-1, size).T for column, size in zip(columns, sizes, strict=True)]


def forward_columns(func: Callable[..., Any], inputs: tuple[Any, ...], position: int) -> list[Any]:
    """Return for each output the matrix of its derivatives by forward mode, a row for each element of the input."""
    tensor = inputs[position]
    rows: list[list[Any]] = []
    for element in range(tensor.numel()):
        direction = np.zeros(tensor._data.size, tensor._data.dtype)
        direction[element] = 1
        with dual_level():
            dual = make_dual(tensor, make(direction.reshape(tensor._data.shape)))
            outs = as_tuple(func(*inputs[:position], dual, *inputs[position + 1 :]))
            found = [(unpack_dual(out).tangent, out) for out in outs]
        rows.append([np.zeros(out._data.size) if t is None else t._data.reshape(-1) for t, out in found])
    return [np.array(columns).reshape(tensor.numel(), -1) for columns in zip(*rows, strict=True)]


def check(func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, options: Options) -> None:
    """Raise GradcheckError for the first gradient that differs from its finite differences."""
    positions = checked_inputs(inputs)
    outputs = differentiable(func(*inputs))
    expected = {position: numerical(func, inputs, position, eps) for position in positions}
    if not outputs and any(np.abs(matrix).max(initial=0) > eps for found in expected.values() for matrix in found):
        raise GradcheckError("Numerical gradient for function expected to be zero")
    if options.backward:
        check_backward(func, inputs, positions, expected, options)
    if options.forward:
        for position in positions:
            for number, found in enumerate(forward_columns(func, inputs, position)):
                check_close(found, expected[position][number], (number, position), inputs, options, FORWARD)


def check_backward(
    func: Callable[..., Any], inputs: tuple[Any, ...], positions: list[int], expected: Any, options: Options
) -> None:
    """Compare what backward gives with the finite differences, and with itself."""
    for number, out in enumerate(as_tuple(func(*inputs))):
        if not out.requires_grad:
            continue
        first, again = (analytical(out, inputs, positions) for _ in range(2))
        for index, position in enumerate(positions):
            check_close(first[index], expected[position][number], (number, position), inputs, options)
            if np.abs(first[index] - again[index]).max(initial=0) > options.nondet_tol:
                raise GradcheckError(REENTRANT.format(options.nondet_tol))


def check_close(found: Any, wanted: Any, place: tuple[int, int], inputs: Any, options: Options, how: str = "") -> None:
    """Raise GradcheckError where one output's derivatives by one input are not the finite differences."""
    number, position = place
    kind = inputs[position]._data.dtype
    if not np.allclose(found, wanted, rtol=options.rtol, atol=options.atol):
        raise GradcheckError(
            f"Jacobian {how}mismatch for output {number} with respect to input {position},\nnumerical:"
            f"{make(wanted.astype(kind))}\nanalytical:{make(found.astype(kind))}\n"
        )


def need_one(**flags: bool) -> None:
    """Raise what PyTorch raises where nothing is to be checked."""
    if not any(flags.values()):
        raise AssertionError(f"Expected at least one of {' or '.join(flags)} to be True")


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
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    check_batched_forward_grad: bool = False,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Return True where gradients agree with finite differences; else raise GradcheckError, or return False."""
    need_one(check_forward_ad=check_forward_ad, check_backward_ad=check_backward_ad)
    try:
        check(func, as_tuple(inputs), eps, Options(atol, rtol, nondet_tol, check_forward_ad, check_backward_ad))
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
    given = as_tuple(inputs)
    starts = start_gradients(func, given) if grad_outputs is None else as_tuple(grad_outputs)
    return gradcheck(
        gradients_of(func, len(starts)),
        (*given, *starts),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
    )


def gradients_of(func: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Return the function of a function's inputs and `count` start gradients that gives the gradients."""

    @enable_grad()  # type: ignore[untyped-decorator]
    def gradients(*args: Any) -> tuple[Tensor, ...]:
        ins, weights = args[:-count], args[-count:]
        wanted = [tensor for tensor in ins if isinstance(tensor, Tensor) and tensor.requires_grad]
        found = grad(differentiable(func(*ins)), wanted, weights, create_graph=True, allow_unused=True)
        return tuple(gradient for gradient in found if gradient is not None)

    return gradients


def start_gradients(func: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """Return random gradients of the outputs, themselves to be differentiated by."""
    numbers = np.random.default_rng(0)
    return tuple(
        make(numbers.uniform(-1, 1, out._data.shape).astype(out._data.dtype)).requires_grad_()
        for out in differentiable(func(*inputs))
    )


functions("torch.autograd", gradcheck=gradcheck, gradgradcheck=gradgradcheck)
functions("torch.autograd.gradcheck", gradcheck=gradcheck, gradgradcheck=gradgradcheck, GradcheckError=GradcheckError)
