"""Print how long the builtin engine takes compared with PyTorch, side by side in one run on one thread.

python tests/bench/engine.py [--rounds N] [CASE ...]

Each case runs on both engines in turn, many times; the table shows the median over the rounds of the time a call
took on each, the median of the rounds' ratios with what half of them lie between, and the ratio that is the aim.
Absolute times are noise on a busy machine; the two of a round were taken one right after the other.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

from gradrepl.app import engines

Run = Callable[[], object]


class Case(NamedTuple):
    """A thing to time: `make(torch)` returns the function that is called `calls` times a round."""

    name: str
    aim: float
    calls: int
    make: Callable[[Any], Run]


def multiply(torch: Any) -> Run:
    x = torch.ones(3, 4, requires_grad=True)
    return lambda: x * 2


def multiply_sum_backward(torch: Any) -> Run:
    x = torch.ones(3, 4, requires_grad=True)
    return lambda: (x * 2).sum().backward()


def chain(torch: Any) -> Run:
    x = torch.ones(3, 4, requires_grad=True)

    def run() -> None:
        y = x
        for _ in range(10):
            y = y * 1.1
        y.sum().backward()

    return run


def double_backward(torch: Any) -> Run:
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def run() -> object:
        (first,) = torch.autograd.grad((x * x * x).sum(), x, create_graph=True)
        return torch.autograd.grad(first.sum(), x)

    return run


def no_grad(torch: Any) -> Run:
    def run() -> None:
        with torch.no_grad():
            pass

    return run


def representation(torch: Any) -> Run:
    x = torch.ones(3, 4) * 1.5
    return lambda: repr(x)


def regression(torch: Any) -> Run:
    torch.manual_seed(0)
    inputs = torch.randn(20, 1)
    targets = inputs * 3 + 1

    def run() -> None:
        w = torch.zeros(1, requires_grad=True)
        b = torch.zeros(1, requires_grad=True)
        for _ in range(1000):
            loss = ((inputs * w + b - targets) ** 2).mean()
            loss.backward()
            with torch.no_grad():
                w -= 0.1 * w.grad
                b -= 0.1 * b.grad
            w.grad = None
            b.grad = None

    return run


def perceptron(torch: Any) -> Run:
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    inputs, targets = torch.randn(64, 784), torch.randint(0, 10, (64,))

    def run() -> None:
        optimizer.zero_grad()
        criterion(model(inputs), targets).backward()
        optimizer.step()

    return run


def convolution(torch: Any) -> Run:
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 13 * 13, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs, targets = torch.randn(16, 1, 28, 28), torch.randint(0, 10, (16,))

    def run() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()

    return run


def elementwise(torch: Any) -> Run:
    x = torch.ones(1000, 1000, requires_grad=True)
    return lambda: (x * 2 + 1).sum().backward()


def matrix_product(torch: Any) -> Run:
    x = torch.ones(1000, 1000, requires_grad=True)
    return lambda: (x @ x).sum().backward()


CASES = (
    Case("x*2 with grad", 0.40, 2000, multiply),
    Case("(y*2).sum().backward() 3x4", 0.40, 500, multiply_sum_backward),
    Case("10-op chain, forward + backward", 0.45, 200, chain),
    Case("double backward of x*x*x", 0.60, 100, double_backward),
    Case("no_grad enter + exit", 0.45, 2000, no_grad),
    Case("repr of a 3x4 tensor", 0.45, 200, representation),
    Case("1000-step linear regression", 0.40, 1, regression),
    Case("MLP step 64x784-128-10", 1.10, 5, perceptron),
    Case("small Conv2d training step", 3.50, 3, convolution),
    Case("elementwise on 1e6 elements", 1.10, 3, elementwise),
    Case("matmul on 1e6 elements", 1.10, 1, matrix_product),
)


def timed(run: Run, calls: int) -> float:
    """Return the seconds a call takes."""
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


class Measured(NamedTuple):
    """The median time of a call on the builtin engine and on PyTorch, in seconds, and the quartiles of their ratio."""

    own: float
    other: float
    ratios: list[float]


def measure(case: Case, rounds: int) -> Measured:
    """Run a case on both engines, one right after the other in every round."""
    runs = [case.make(engines.load(name).torch) for name in ("builtin", "torch")]
    for run in runs:
        timed(run, max(1, case.calls // 10))
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for own, run in zip(times, runs, strict=True):
            gc.collect()
            own.append(timed(run, case.calls))
    ratios = statistics.quantiles([own / other for own, other in zip(*times, strict=True)], n=4)
    return Measured(statistics.median(times[0]), statistics.median(times[1]), ratios)


def nodes(length: int) -> None:
    """Print what backward costs a node of a long chain, and the memory that a node takes."""
    for name in ("builtin", "torch"):
        torch = engines.load(name).torch
        y = torch.ones((), requires_grad=True)
        for _ in range(length):
            y = y * 1.0
        start = time.perf_counter()
        y.backward()
        each = (time.perf_counter() - start) / length * 1e6
        print(f"  {name:8} backward of a chain of {length}: {each:.2f} us a node")
        del y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("case", nargs="*", help="words that a case's name holds")
    chosen = parser.parse_args()
    engines.load("torch").torch.set_num_threads(1)
    print(f"{'case':34}{'builtin us':>12}{'PyTorch us':>12}{'ratio':>8}{'half between':>14}{'aim':>7}")
    for case in CASES:
        if chosen.case and not any(word in case.name for word in chosen.case):
            continue
        try:
            own, other, (low, ratio, high) = measure(case, chosen.rounds)
        except AttributeError as error:
            print(f"{case.name:34}  {error}")
            continue
        times, half = f"{own * 1e6:12.1f}{other * 1e6:12.1f}", f"{low:.2f}-{high:.2f}"
        mark = "" if ratio <= case.aim else "  above the aim"
        print(f"{case.name:34}{times}{ratio:8.2f}{half:>14}{case.aim:7.2f}{mark}")
    if not chosen.case:
        nodes(100_000)


if __name__ == "__main__":
    main()
